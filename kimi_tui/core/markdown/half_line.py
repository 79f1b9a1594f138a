"""The last, half line of Markdown that is being written: what it may yet become, and how it makes its block longer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kimi_tui.core.markdown.blocks import last_place

if TYPE_CHECKING:
    from markdown_it.token import Token

_DECIDED = r"[ \t]*(?:(?:[-+*]|\d{1,9}[.)])[ \t]+|>[ \t]*)*(?:\[[ xX]\][ \t]+)?(?=[^\W\d_])"
"""The beginning of a line that is text inside a block, whatever stands behind it."""
UNDECIDED = (
    r"[-+=*_#|:`~$\\<>!& \t]*(?:\d{1,9}(?:[.)][ \t]*)?)?"
    r"(?:\[(?:[ xX]\]?|\^[^\s\]]{0,60}\]?)?|\[(?!\^)[^\]\n]{1,200}\]:.*|<[/!]?(?:[A-Za-z][^<>\n]{0,200})?)?[ \t]*"
    r"| {0,3}(?:> ?)*\[(?!\^)[^\[\]\n]{1,200}(?:\][ \t]*)?"
)
"""A half line that may yet become anything: marks, a number, a task's box, the beginning of a note, target or tag."""
NOT_SIMPLE = re.compile(r"[\x00-\x08\x0a-\x1f|]|[^\S \t]")
"""What makes it uncertain what a half line becomes: line ends, bars, blanks that are no blanks to the parser."""


def lengthened(tokens: tuple[Token, ...], half: str, text: str) -> tuple[Token, ...] | None:
    """The tokens of a block whose last, half line goes on with a text; None = the block must be parsed again."""
    place = last_place(tokens)
    token = tokens[place]
    if token.type == "fence":
        old = half.lstrip(" \t")
        is_inside = token.map is not None and token.map[1] - token.map[0] > 1
        if not is_inside or not old or old[0] in "`~>" or not token.content.endswith(old):
            return None
        content = token.content + text
    elif token.type == "inline":
        old = _text_of(half, tokens[place - 1].type)
        kept = old.rstrip(" \t")
        if not kept or "\\" in text or not token.content.endswith(kept):
            return None
        content = token.content[: len(token.content) - len(kept)] + (old + text).rstrip(" \t")
    else:
        return None
    return (*tokens[:place], token.copy(content=content), *tokens[place + 1 :])


def _text_of(half: str, parent: str) -> str:
    """The part of a half line that is text inside its block, whatever stands behind it; "" = there is none."""
    if parent in {"td_open", "th_open"}:
        return half[half.rindex("|") + 1 :].lstrip(" \t") if "|" in half else ""
    decided = re.match(_DECIDED, half)
    return "" if decided is None or parent != "paragraph_open" or "|" in half else half[decided.end() :]
