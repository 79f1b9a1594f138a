"""The display mapping: characters that could control a terminal, or hide, become ones that show what they are.

It maps single characters, so an escape sequence cannot form however a text was cut. Line feed and tab stay; what only
joins or varies a character (ZWNJ, ZWJ, variation selectors) and the invisible U+200B and U+2060 stay too.
"""

from __future__ import annotations

import re

from kimi_tui.core.text.surrogates import replace_lone

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200e\u200f\u2028-\u202e\u2061-\u206f\u3164\ufeff"
    "\uffa0\ufff9-\ufffb\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
)
"""C0 but LF and TAB, DEL, C1, soft hyphen, Hangul fillers, bidi controls, line separators, invisible operators,
deprecated format characters, BOM, interlinear marks, lone surrogates, shorthand and musical format controls, tags.

Source: Unicode 16, general categories Cc, Cf and Cs, and Default_Ignorable_Code_Point; UAX #9 for bidi.
"""


def _show(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"‹U+{code:04X}›"


def visible(text: str) -> str:
    return _UNSAFE.sub(_show, text)


def visible_line(text: str) -> str:
    """Make control characters visible, and line ends and tabs blanks, for a place that has one line."""
    return visible(text.replace("\r\n", " ").replace("\n", " ").replace("\t", " "))


def one_line(text: str, chars: int) -> str:
    """Foreign words: white space collapsed, control characters made visible, at most so many characters."""
    folded = visible(replace_lone(" ".join(text[: 20 * chars].split())))
    return folded if len(folded) <= chars else folded[: chars - 1] + "…"
