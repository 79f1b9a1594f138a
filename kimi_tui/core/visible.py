"""The display mapping: characters that could control a terminal become ones that show what they are.

It maps single characters, so an escape sequence cannot form however a text was cut. Line feed and tab stay; what only
joins or varies a character (ZWJ, variation selectors, U+2060) stays too.
"""

from __future__ import annotations

import re

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200e\u200f\u2028-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
"""C0 but LF and TAB, DEL, C1, soft hyphen, bidi controls, line separators, deprecated format characters, BOM,
interlinear marks, lone surrogates, tags. Source: Unicode 16, general categories Cc and Cf; UAX #9 for bidi."""


def _show(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"‹{code:04X}›"


def visible(text: str) -> str:
    """Make control characters visible; text without any comes back as it is."""
    return _UNSAFE.sub(_show, text)


def visible_line(text: str) -> str:
    """Make control characters visible, and line ends and tabs blanks, for a place that has one line."""
    return visible(text.replace("\r\n", " ").replace("\n", " ").replace("\t", " "))
