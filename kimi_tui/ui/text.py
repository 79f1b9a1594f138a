"""The door to the screen: foreign text is made visible before it is laid out, and filtered again before it is drawn."""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from kimi_tui.core.visible import visible, visible_line


def line_text(text: str) -> str:
    """Text for a place that has one line."""
    return visible_line(text)


class SafeFilter(LineFilter):
    """Makes visible whatever control character is left in a segment, whichever widget drew it."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Filter the segments of one line."""
        del background
        return [self._filter(segment) for segment in segments]

    @staticmethod
    def _filter(segment: Segment) -> Segment:
        text, style, control = segment
        if control is not None:
            return Segment("", style)
        if text.isascii() and text.isprintable():
            return segment
        shown = visible(text.replace("\n", " ").replace("\t", " "))
        # A longer stand-in would shift everything behind it: one cell stays one cell.
        return segment if shown == text else Segment("".join("␦" if visible(c) != c else c for c in text), style)
