"""The door to the screen: foreign text is made visible before it is laid out, and filtered again before it is drawn.

Terminals disagree about characters made of several: `👩‍💻` takes two cells in one and four in the next, `⚠️` two or
one, a flag two or four, and every border behind shifts. Hence the last filter draws what all of them draw alike, in the
cells that were measured: of joined emoji the first, without its skin tone; a blank behind a sign that asks for its wide
form; a flag as its two letters. What is copied keeps the characters as they came.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.content import Content
from textual.filter import LineFilter

from kimi_tui.core.text.visible import visible

REPLACEMENT = "␦"
"""Drawn for a control character that takes a cell."""
DRAWN_TEXTS = 1024


def content(text: str) -> Content:
    """Foreign text as content that no markup can be made of."""
    return Content(visible(text))


_UNSTEADY = re.compile("[\u200b\u200d\u2060\ufe00-\ufe0f\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff]")
"""Zero width space, joiners, variation selectors, letters of flags, skin tones."""
_FLAG_A = 0x1F1E6


def steady(text: str) -> str:
    """Text that every terminal draws in as many cells as were measured for the one given."""
    return text if text.isascii() or _UNSTEADY.search(text) is None else "".join(_steady(text))


def _steady(text: str) -> Iterator[str]:
    before = ""  # the last character that took cells
    place = 0
    while place < len(text):
        char = text[place]
        place += 2 if char == "\u200d" else 1  # what is joined to the character before takes no cell
        if char == "\ufe0f":
            yield " " * (cell_len(before + char) - cell_len(before))
            before = ""
        elif _FLAG_A <= ord(char) < _FLAG_A + 26:
            yield chr(ord(char) - _FLAG_A + ord("A"))
            before = char
        elif _UNSTEADY.match(char) is None:
            yield char
            before = char if cell_len(char) else before


class SafeFilter(LineFilter):
    """Takes out whatever control character is left in a segment, whichever widget drew it; widths stay.

    Characters that terminals draw in different widths become steady ones.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        del background
        if all(control is None and text.isascii() and text.isprintable() for text, _, control in segments):
            return segments
        return [self._filter(segment) for segment in segments]

    @staticmethod
    def _filter(segment: Segment) -> Segment:
        text, style, control = segment
        if control is not None:
            return Segment("", style)
        if text.isascii() and text.isprintable():
            return segment
        drawn = _drawn(text)
        return segment if drawn == text else Segment(drawn, style)


@lru_cache(maxsize=DRAWN_TEXTS)
def _drawn(text: str) -> str:
    """What is drawn for a text; a scroll bar's or a bullet's comes again and again."""
    flat = text.replace("\n", " ").replace("\t", " ")
    if visible(flat) != text:
        flat = "".join(c if visible(c) == c else REPLACEMENT * cell_len(c) for c in flat)
    return steady(flat)
