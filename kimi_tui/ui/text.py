"""The door to the screen: foreign text is made visible before it is laid out, and filtered again before it is drawn."""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.content import Content
from textual.filter import LineFilter

from kimi_tui.core.visible import visible, visible_line

STAND_IN = "␦"
"""Drawn for a control character that takes a cell."""


def line_text(text: str) -> str:
    """Text for a place that has one line."""
    return visible_line(text)


def content(text: str) -> Content:
    """Foreign text as content that no markup can be made of."""
    return Content(visible(text))


class SafeFilter(LineFilter):
    """Takes out whatever control character is left in a segment, whichever widget drew it; widths stay."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Filter the segments of one line."""
        del background
        if all(control is None and text.isascii() and text.isprintable() for text, _, control in segments):
            return segments
        return [self._filter(segment) for segment in segments]

    @staticmethod
    def _filter(segment: Segment) -> Segment:
        text, style, control = segment
        if control is not None:
            return Segment("", style)
        flat = text.replace("\n", " ").replace("\t", " ")
        if visible(flat) == text:
            return segment
        return Segment("".join(c if visible(c) == c else STAND_IN * cell_len(c) for c in flat), style)
