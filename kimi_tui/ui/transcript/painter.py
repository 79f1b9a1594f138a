"""Rows of the screen as strips: a line with its gutter, its marks and the scroll bar beside it.

Strips are kept from one frame to the next, by the line and by how its row looks, so that a row which did not change is
the same strip. A line is found by its identity, which costs nothing, or else by its value: a block that has grown is
laid out again, and most of its lines are what they were. Nothing filters what a widget gives from `render_lines`: the
line filters (control characters, ANSI colours, NO_COLOR) are applied here.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.strip import Strip

from kimi_tui.ui.transcript.lines import Line, graphemes
from kimi_tui.ui.transcript.pieces import Look
from kimi_tui.ui.transcript.scrollbar import NONE

GUTTER = 1
"""Columns before the text, for marks; behind it stands the scroll bar after one blank."""
CHOSEN_BAR = "▌"
SPOT = "›"
"""Drawn in the gutter before the heading, code or hit that was gone to."""
NEW_BELOW = " ↓ new "


class Mark(IntEnum):
    """A later one covers an earlier one."""

    HIT = 0
    CURRENT_HIT = 1
    SELECTED = 2
    CARET = 3
    """Where the selection ends that is made with the keyboard."""


class Span(NamedTuple):
    """Decoration counts as characters."""

    start: int
    end: int
    mark: Mark


class RowLook(NamedTuple):
    gutter: str = " "
    is_dimmed: bool = False
    """Whether its text is not in the prompt."""
    bar: str = NONE
    spans: tuple[Span, ...] = ()
    hint: str = ""
    """What stands at its right end, such as the number of a code block."""
    is_new_below: bool = False


PLAIN_ROW = RowLook()


class Painter:
    def __init__(
        self, look: Look, width: int, filters: Sequence[LineFilter], background: Color, selection: Style
    ) -> None:
        """`width` counts the gutter and the scroll bar; `filters` are applied to every strip."""
        self._look, self._width = look, width
        self._filters, self._background = filters, background
        styles = look.styles
        self._marks = {
            Mark.HIT: styles.role("dim-text") + Style(underline=True, reverse=True),
            Mark.CURRENT_HIT: styles.role("warning-text") + Style(bold=True, reverse=True, underline=False),
            Mark.SELECTED: selection,
            Mark.CARET: Style(reverse=True),
        }
        self._kept: dict[tuple[int, RowLook], tuple[Line, Strip]] = {}  # the line is kept, so that its id stays unique
        self._next: dict[tuple[int, RowLook], tuple[Line, Strip]] = {}
        self._values: dict[tuple[Line, RowLook], Strip] = {}  # of the frame before, and those new in this one

    def fits(self, look: Look, width: int) -> bool:
        return self._look is look and self._width == width

    def begin(self) -> None:
        """What is not asked for in this frame is given up."""
        self._kept, self._next = self._next, {}
        self._values.clear()

    def row(self, line: Line, row: RowLook) -> Strip:
        key = id(line), row
        known = self._next.get(key) or self._kept.get(key)
        if known is None:
            known = line, self._by_value(line, row)
        self._next[key] = known
        return known[1]

    def _by_value(self, line: Line, row: RowLook) -> Strip:
        """The strip of a line that was not there in the frame before, unless as another one that is alike."""
        if not self._values:
            self._values = {(old, look): strip for (_, look), (old, strip) in self._kept.items()}
        strip = self._values.get((line, row))
        if strip is None:
            strip = self._values[line, row] = self._paint(line, row)
        return strip

    def _paint(self, line: Line, row: RowLook) -> Strip:
        width, base = max(self._width - 1, 1), self._look.styles.base
        strip = self._text(line, width, is_dimmed=row.is_dimmed)
        for span in sorted(row.spans, key=lambda span: span.mark):
            strip = self._marked(strip, line, span)
        if row.gutter != " ":
            gutter = Strip([Segment(row.gutter, self._look.styles.role("user-name"))], GUTTER)
            strip = Strip.join([gutter, strip.crop(GUTTER, width)])
        if row.hint:
            end = min(GUTTER + self._look.width, width) - 1
            strip = _covered(strip, row.hint, self._look.styles.role("marker") + Style(reverse=True, bold=True), end)
        if row.is_new_below:
            strip = _covered(strip, NEW_BELOW, self._look.styles.role("marker") + Style(reverse=True), width - 1)
        bar = Strip([Segment(row.bar, self._look.styles.role("dim-text"))], 1)
        strip = Strip.join([strip.adjust_cell_length(width, base), bar])
        for line_filter in self._filters:
            strip = strip.apply_filter(line_filter, self._background)
        return strip

    def _text(self, line: Line, width: int, *, is_dimmed: bool) -> Strip:
        base = self._look.styles.base
        segments = [Segment(" " * GUTTER, base), *(Segment(text, style) for text, style in line.runs)]
        used = GUTTER + line.width
        if line.padding is not None:
            text_end = min(GUTTER + self._look.width, width)
            segments.append(Segment(" " * max(text_end - used, 0), line.padding))
            used = max(used, text_end)
        segments.append(Segment(" " * max(width - used, 0), base))
        if is_dimmed:
            dimmed = Style(color=self._look.styles.role("dim-text").color)
            segments = list(Segment.apply_style(segments, None, dimmed))
        return Strip([segment for segment in segments if segment.text], max(used, width)).adjust_cell_length(
            width, base
        )

    def _marked(self, strip: Strip, line: Line, span: Span) -> Strip:
        text = line.text
        first = GUTTER + cell_len(text[: span.start])
        last = GUTTER + cell_len(text[: span.end])
        if span.mark is Mark.CARET or span.end > len(text):
            last = max(last, first + 1)  # a caret, or a selected line end, takes a cell of its own
        last = min(last, strip.cell_length)
        if last <= first:
            return strip
        style = self._marks[span.mark]
        marked = Strip(Segment.apply_style(strip.crop(first, last), None, style), last - first)
        return Strip.join([strip.crop(0, first), marked, strip.crop(last, strip.cell_length)])


def _covered(strip: Strip, text: str, style: Style, end: int) -> Strip:
    """`end` is the column before which the text ends."""
    size = cell_len(text)
    start = max(end - size, 0)
    over = Strip([Segment(text, style)], size)
    return Strip.join([strip.crop(0, start), over, strip.crop(start + size, strip.cell_length)])


def char_at(line: Line, cell: int) -> int:
    """Which character, decoration counted, stands at a cell of a line; its length behind the last one."""
    text, used = line.text, 0
    if text.isascii():
        return min(max(cell, 0), len(text))
    for begin, _, size in graphemes(text)[0]:
        used += size
        if used > cell:
            return begin
    return len(text)
