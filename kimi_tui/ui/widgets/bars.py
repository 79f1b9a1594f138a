"""The two one-line bars: what is open above, how it goes below."""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from kimi_tui.core.text.visible import visible_line

GAP = 2
"""Least distance of the two ends, in cells."""
Variants = tuple[tuple[str, str], ...]


class Bar(Widget):
    """One line with text at its left and its right end; where no form of both fits, the left one is cut."""

    DEFAULT_CSS = """
    Bar { height: 1; padding: 0 1; color: $text-muted; background: $background; }
    """

    variants: reactive[Variants] = reactive((("", ""),))
    """What stands at its two ends, from the long form to the short one: the first that fits is drawn."""

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return container.width

    def render_line(self, y: int) -> Strip:
        del y
        width, style = self.size.width, self.rich_style
        fitting = (
            (left, right) for left, right in self.variants if cell_len(visible_line(left + right)) + GAP <= width
        )
        left, right = next(fitting, self.variants[-1])
        ends = [Strip([Segment(visible_line(text), style)]) for text in (left, right)]
        room = max(width - ends[1].cell_length - (GAP if right else 0), 0)
        if ends[0].cell_length > room:
            ends[0] = _cut(ends[0], room)
        gap = Strip([Segment(" " * max(width - ends[0].cell_length - ends[1].cell_length, 0), style)])
        return Strip.join([ends[0], gap, ends[1]]).adjust_cell_length(width, style)


def _cut(strip: Strip, width: int) -> Strip:
    if width < 1:
        return Strip.blank(0)
    style = next(iter(strip)).style
    return Strip.join([strip.crop(0, width - 1).simplify(), Strip([Segment("…", style)])])
