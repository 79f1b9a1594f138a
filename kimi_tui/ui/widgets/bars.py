"""The two one-line bars: what is open above, how it goes below."""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from kimi_tui.ui.text import line_text

SEPARATOR = " · "
"""What stands between the parts of a bar's text."""


class Bar(Widget):
    """One line with text at its left and its right end; the right one gives way where both do not fit."""

    DEFAULT_CSS = """
    Bar { height: 1; padding: 0 1; color: $text-muted; background: $background; }
    """

    left: reactive[str] = reactive("")
    """What stands at the left."""
    right: reactive[str] = reactive("")
    """What stands at the right."""

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """As wide as there is room."""
        return container.width

    def render_line(self, y: int) -> Strip:
        """Draw the one line."""
        del y
        width = self.size.width
        left = Strip([Segment(line_text(self.left), self.rich_style)])
        right = self._right_that_fits(width - left.cell_length - 2)
        gap = width - left.cell_length - right.cell_length
        if gap < 1:
            return left.adjust_cell_length(width, self.rich_style)
        return Strip.join([left, Strip([Segment(" " * gap, self.rich_style)]), right])

    def _right_that_fits(self, room: int) -> Strip:
        """The right text without the parts at its end that there is no room for."""
        parts = line_text(self.right).split(SEPARATOR)
        while len(parts) > 1 and cell_len(SEPARATOR.join(parts)) > room:
            parts.pop()
        return Strip([Segment(SEPARATOR.join(parts), self.rich_style)])
