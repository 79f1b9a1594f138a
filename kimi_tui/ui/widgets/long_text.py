"""A text area for texts of any size: what a key costs is the rows in view, whatever else the text holds.

The library's text area joins the whole text for each row that it draws, counts all rows for each, and cuts a line into
all of its rows for one of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import islice

from rich.cells import cell_len
from rich.text import Text
from textual.expand_tabs import expand_tabs_inline, get_tab_widths
from textual.geometry import Offset, clamp
from textual.strip import Strip
from textual.widgets import TextArea
from textual.widgets.text_area import Document, DocumentNavigator, Edit, EditResult, Location, WrappedDocument

from kimi_tui.ui.terminal.textual_internals import cell_width_to_column_index
from kimi_tui.ui.widgets.wrapping import LONG_LINE, RowCounts, Rows, breaks, changed_breaks

BRACKET_CHARS = 5_000
"""How far the other one of two brackets is looked for, in characters."""


class LongDocument(Document):
    """A text that is joined once after each change, and only when it is asked for."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._joined: str | None = None

    @property
    def text(self) -> str:
        """The whole text; the same object until it changes."""
        if self._joined is None:
            self._joined = super().text
        return self._joined

    @property
    def is_empty(self) -> bool:
        return len(self._lines) == 1 and not self._lines[0]

    def replace_range(self, start: Location, end: Location, text: str) -> EditResult:
        self._joined = None
        return super().replace_range(start, end, text)

    def get_text_range(self, start: Location, end: Location) -> str:
        """A part of it; see the library, whose own copies it once for each of its lines."""
        (top, first), (bottom, last) = sorted((start, end))
        if top == bottom or bottom >= self.line_count:
            return super().get_text_range(start, end)
        lines = self._lines
        return self.newline.join([lines[top][first:], *lines[top + 1 : bottom], lines[bottom][:last]])


class LongWrap(WrappedDocument):
    """The rows of such a text. It keeps where they begin in each line that has several, and how many each line has."""

    _is_wrapped = False

    def wrap(self, width: int, tab_width: int | None = None) -> None:
        """Find the rows of the whole text, unless they are known; see the library."""
        tab_width = tab_width or self._tab_width
        if self._is_wrapped and (width, tab_width) == (self._width, self._tab_width):
            return
        self._width, self._tab_width, self._is_wrapped = width, tab_width, True
        self._wrap_offsets = self._breaks_of(self.document.lines)
        self._counts = RowCounts([len(starts) + 1 for starts in self._wrap_offsets])

    def _breaks_of(self, lines: Iterable[str]) -> list[list[int]]:
        width, tab = self._width, self._tab_width
        return [breaks(line, width, tab) for line in lines]

    def wrap_range(self, start: Location, old_end: Location, new_end: Location) -> None:
        """Find the rows of what changed; see the library. The rest of a long line keeps its own."""
        (top, begin), (bottom, behind) = sorted((start, old_end))
        new_bottom, end = max((top, begin), new_end)
        starts, lines = self._wrap_offsets, self.document.lines
        head = starts[top][: bisect_right(starts[top], begin)]
        tail = [place - behind for place in starts[bottom][bisect_right(starts[bottom], behind) :]]
        if top == new_bottom:
            found = [self._changed(top, [*head, *(begin + place for place in tail)], begin, begin, end)]
        else:
            first, last = (
                self._changed(top, head, begin, begin, len(lines[top])),
                self._changed(new_bottom, tail, 0, 0, end),
            )
            found = [first, *self._breaks_of(lines[top + 1 : new_bottom]), last]
        counts = [len(places) + 1 for places in found]
        if counts != [len(places) + 1 for places in starts[top : bottom + 1]]:
            self._counts.replace(top, bottom + 1, counts)
        starts[top : bottom + 1] = found

    def _changed(self, line: int, old: list[int], *change: int) -> list[int]:
        text, width, tab = self.document[line], self._width, self._tab_width
        begin, old_end, new_end = change
        if not width or len(text) <= LONG_LINE:
            return breaks(text, width, tab)
        return changed_breaks(old, text, (begin, old_end, new_end), width, tab)

    @property
    def height(self) -> int:
        return self._counts.total

    @property  # type: ignore[override]
    def _offset_to_line_info(self) -> _Places:  # what the library looks up when it draws a row
        return _Places(self._counts)

    @_offset_to_line_info.setter
    def _offset_to_line_info(self, value: object) -> None:
        """Ignore the list that the library makes: `_Places` looks rows up."""

    def span(self, row: int) -> tuple[int, int, int] | None:
        """The line that a row is in, and where the row begins and ends there; None = there is no such row."""
        if not 0 <= row < self.height:
            return None
        line, place = self._counts.find(row)
        return line, *Rows(self.document[line], self._wrap_offsets[line]).span(place)

    def offset_to_location(self, offset: Offset) -> Location:
        x, y = max(offset.x, 0), max(offset.y, 0)
        if not self._width:
            return super().offset_to_location(offset)
        line, row = self._counts.find(min(y, self.height - 1))
        return line, self.get_target_document_column(line, x, row)

    def location_to_offset(self, location: Location) -> Offset:
        line, column = clamp(location[0], 0, len(self._wrap_offsets) - 1), location[1]
        starts = self._wrap_offsets[line]
        row = bisect_right(starts, column)
        text = self.document[line][starts[row - 1] if row else 0 : column]
        return Offset(cell_len(expand_tabs_inline(text, self._tab_width)), self._counts.before(line) + row)

    def get_target_document_column(self, line_index: int, x_offset: int, y_offset: int) -> int:
        rows = Rows(self.document[line_index], self._wrap_offsets[line_index])
        row = range(len(rows))[y_offset]
        begin, end = rows.span(row)
        column = begin + cell_width_to_column_index(rows[row], x_offset, self._tab_width)
        return column if row == len(rows) - 1 else min(column, end - 1)

    def get_sections(self, line_index: int) -> Sequence[str]:  # type: ignore[override]  # nobody changes it
        return Rows(self.document[line_index], self._wrap_offsets[line_index])

    def get_tab_widths(self, line_index: int) -> list[int]:
        """How wide the tabs of a line are; see the library, which asks this of short lines only."""
        return [width for _, width in get_tab_widths(self.document[line_index], self._tab_width)]


class _Places:
    """The line that a row is in, and which of its rows it is."""

    def __init__(self, counts: RowCounts) -> None:
        self._counts = counts

    def __getitem__(self, row: int) -> tuple[int, int]:
        return self._counts.find(row)


class LongTextArea(TextArea):
    """A text area that wraps its lines, and nothing more than that: no line numbers, no highlighting."""

    document: LongDocument
    wrapped_document: LongWrap

    def _set_document(self, text: str, language: str | None) -> None:
        del language
        self.document = LongDocument(text)
        self.wrapped_document = LongWrap(self.document, tab_width=self.indent_width)
        self.navigator = DocumentNavigator(self.wrapped_document)
        self._build_highlight_map()
        self.move_cursor((0, 0))
        self._rewrap_and_refresh_virtual_size()

    @property
    def is_empty(self) -> bool:
        return self.document.is_empty

    def render_line(self, y: int) -> Strip:
        """Draw a row; the library would join the whole text to find out whether there is any."""
        return super().render_line(y) if self.is_empty else self._render_line(y)

    def _render_line(self, y: int) -> Strip:
        """Draw a row; the library would cut the whole line into its rows for it."""
        span = self.wrapped_document.span(y + self.scroll_offset.y)
        if span is None or len(self.document[span[0]]) <= LONG_LINE:
            return super()._render_line(y)
        line, start, end = span
        text = self.row_text(line, start, end)
        theme, is_last = self._theme, end == len(self.document[line])
        text.set_length(end - start + is_last)  # a blank at the end for the cursor
        (top, first), (bottom, last) = sorted(self.selection)
        if theme.selection_style and top <= line <= bottom and (top, first) != (bottom, last):
            begin = max(first - start, 0) if line == top else 0
            text.stylize(theme.selection_style, begin, max(last - start, 0) if line == bottom else end - start)
        row, column = self.selection.end
        if row == line and start <= column < end + is_last and self._draw_cursor and theme.cursor_style:
            text.stylize(theme.cursor_style, column - start, column - start + 1)
        text.expand_tabs(self.indent_width)
        strip = Strip(text.render(self.app.console), cell_length=text.cell_len)
        base = theme.base_style if theme.base_style is not None else self.rich_style
        return strip.extend_cell_length(self.scrollable_content_region.width, base).apply_style(base)

    def row_text(self, line: int, start: int, end: int) -> Text:
        """What is drawn of a long line, from `start` to before `end`: each character in its place."""
        return Text(self.document[line][start:end], end="", no_wrap=True)

    def _undo_batch(self, edits: Sequence[Edit]) -> None:
        """Undo edits, one at a time: of several at once nobody says which part of a line they changed."""
        for edit in reversed(edits):
            super()._undo_batch([edit])

    def _redo_batch(self, edits: Sequence[Edit]) -> None:
        for edit in edits:
            super()._redo_batch([edit])

    def _yield_character_locations(self, start: Location) -> Iterable[tuple[str, Location]]:
        """Characters behind a place, among which a bracket is looked for."""
        return islice(super()._yield_character_locations(start), BRACKET_CHARS)

    def _yield_character_locations_reverse(self, start: Location) -> Iterable[tuple[str, Location]]:
        return islice(super()._yield_character_locations_reverse(start), BRACKET_CHARS)
