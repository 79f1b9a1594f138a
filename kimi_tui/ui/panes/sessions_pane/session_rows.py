"""The rows of the sessions pane: only those in view are drawn, however many there are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kimi_tui.core.session.session_list import UNTITLED, Row, RowKind
from kimi_tui.ui.text.fit import fit
from kimi_tui.ui.text.role_styles import Styles

OPEN_MARK = "▸"
BROKEN_MARK = "!"
RUNNING_MARK = "●"
UNREAD_MARK = "✓"
"""A reply has ended well since the session was looked at."""
FAILED_MARK = "✗"
"""A reply has failed or was cut since the session was looked at."""
INDENT = 3
"""A margin, the mark, a blank."""
MARGIN = 1
TIME_WIDTH = 5
TIME_FROM_WIDTH = 24
"""A narrower list has no room for times."""

_BOLD, _ITALIC = Style(bold=True), Style(italic=True)
_Run = tuple[str, Style]


class RowList(ScrollView, can_focus=True):
    """The cursor skips the rows that cannot be chosen."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"row-list--cursor"}
    DEFAULT_CSS = """
    RowList {
        height: 1fr;
        background: $background;
        color: $foreground;
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        scrollbar-background: $background;
        & > .row-list--cursor {
            background: $block-cursor-blurred-background;
            color: $block-cursor-blurred-foreground;
            text-style: $block-cursor-blurred-text-style;
        }
    }
    """

    @dataclass
    class Chosen(Message):
        """The row under the cursor was chosen with the mouse."""

    @dataclass
    class Scrolled(Message):
        """Other rows are in view, or the rows stand elsewhere."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.note = ""
        self._rows: Sequence[Row] = ()
        self._cursor = 0
        self._current = ""
        self._busy: Collection[str] = frozenset()
        self._fresh: Collection[str] = frozenset()
        self._failed: Collection[str] = frozenset()
        self._styles: tuple[tuple[str, Style], Styles] | None = None
        self._has_click_moved = False

    # -- content

    def set_rows(self, rows: Sequence[Row], path: str | None) -> None:
        """Put the cursor on a file, on what took its place where that is gone; None = the first that can be chosen."""
        old, was_scrolled = self._cursor, self.scroll_offset.y
        self._rows = rows
        self.virtual_size = Size(0, len(rows))
        found = self._find(path)
        if found is None:
            found = self._nearest(0 if path is None else old)
        elif was_scrolled:  # what is looked at stays on its line
            self.scroll_to(y=was_scrolled + found - old, animate=False)
        self._cursor = found
        self.show_cursor()
        self.refresh()

    def set_marks(
        self, current: str, running: Collection[str], unread: Collection[str], failed: Collection[str] = ()
    ) -> None:
        self._current, self._busy, self._fresh, self._failed = current, running, unread, failed
        self.refresh()

    @property
    def cursor_row(self) -> Row | None:
        """None = no row can be chosen."""
        row = self._rows[self._cursor] if self._cursor < len(self._rows) else None
        return row if row is not None and row.can_be_chosen else None

    # -- the cursor

    def move(self, rows: int) -> None:
        """Skips rows that cannot be chosen; negative = up."""
        if not self._rows:
            return
        wanted = min(max(self._cursor + rows, 0), len(self._rows) - 1)
        step = 1 if rows > 0 else -1
        onward = range(wanted, len(self._rows) if step > 0 else -1, step)
        self._go_to(self._first(onward, self._first(range(wanted, self._cursor, -step), self._cursor)))

    def move_page(self, pages: int) -> None:
        """Negative = up. One row stays in view."""
        self.move(pages * max(self.size.height - 1, 1))

    def move_to_edge(self, *, is_end: bool) -> None:
        self.move(len(self._rows) if is_end else -len(self._rows))

    def choose(self, path: str) -> None:
        """A file that has no row is ignored."""
        if (number := self._find(path)) is not None:
            self._go_to(number)

    def _find(self, path: str | None) -> int | None:
        if not path:
            return None
        return next((n for n, row in enumerate(self._rows) if row.path == path and row.can_be_chosen), None)

    def _first(self, numbers: Iterable[int], otherwise: int) -> int:
        return next((n for n in numbers if self._rows[n].can_be_chosen), otherwise)

    def _nearest(self, number: int) -> int:
        """The row there, or the next one that can be chosen, or the last one before."""
        size = len(self._rows)
        before = range(min(number, size) - 1, -1, -1)
        return self._first(range(min(number, size), size), self._first(before, 0))

    def _go_to(self, number: int) -> None:
        old, self._cursor = self._cursor, number
        self.refresh_line(old)
        self.refresh_line(number)
        self.show_cursor()

    def show_cursor(self) -> None:
        """Scroll until the cursor is in view, with the heading above and the reason below it."""
        first = last = self._cursor
        height = self.scrollable_content_region.height
        if not height or self.cursor_row is None:
            return
        if first and self._rows[first - 1].kind is RowKind.HEADING:
            first -= 1
        if last + 1 < len(self._rows) and self._rows[last + 1].kind is RowKind.REASON:
            last += 1
        top = self.scroll_offset.y
        wanted = min(max(top, last - height + 1), first) if height > last - first else self._cursor
        if wanted != top:
            self.scroll_to(y=wanted, animate=False)

    def title_region(self) -> Region | None:
        """Relative to this widget; None = the title under the cursor is out of view."""
        line = self._cursor - self.scroll_offset.y
        width, height = self.scrollable_content_region.size
        return Region(INDENT, line, max(width - INDENT - MARGIN, 1), 1) if 0 <= line < height else None

    # -- drawing

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        number = y + self.scroll_offset.y
        styles = self._look()
        if number < len(self._rows):
            runs = self._runs(self._rows[number], width, styles)
            if number == self._cursor and self.cursor_row is not None:
                style = self.get_component_rich_style("row-list--cursor")
                runs = [(text, style) for text, _ in runs]
        elif not self._rows and y == 0:
            runs = [(" " * MARGIN, styles.base), (fit(self.note, width - MARGIN), styles.role("dim-text"))]
        else:
            return Strip.blank(width, styles.base)
        strip = Strip([Segment(text, style) for text, style in runs if text])
        return strip.adjust_cell_length(width, styles.base)

    def _runs(self, row: Row, width: int, styles: Styles) -> list[_Run]:
        if row.kind is RowKind.HEADING:
            return [(" " * MARGIN, styles.base), (fit(row.text, width - 2 * MARGIN), styles.role("heading") + _BOLD)]
        if row.kind is RowKind.REASON:
            return [(" " * INDENT, styles.base), (fit(row.text, width - INDENT - MARGIN), styles.role("dim-text"))]
        if row.kind is RowKind.BROKEN:
            style = styles.role("error-text")
            return [(f" {BROKEN_MARK} ", style + _BOLD), (fit(row.text, width - INDENT - MARGIN), style)]
        return self._session_runs(row, width, styles)

    def _session_runs(self, row: Row, width: int, styles: Styles) -> list[_Run]:
        is_open = row.path == self._current
        right = self._badge(row, styles)
        if width >= TIME_FROM_WIDTH:
            right.append((f" {row.time:>{TIME_WIDTH}}", styles.role("dim-text")))
        room = width - INDENT - MARGIN - sum(len(text) for text, _ in right)
        title = (fit(row.text.strip(), room), styles.base + _BOLD if is_open else styles.base)
        if not row.text.strip():
            title = (fit(UNTITLED, room), styles.role("dim-text") + _ITALIC)
        mark = (f" {OPEN_MARK} " if is_open else " " * INDENT, styles.role("marker") + _BOLD)
        return [mark, title, *right, (" " * MARGIN, styles.base)]

    def _badge(self, row: Row, styles: Styles) -> list[_Run]:
        if row.path in self._busy:
            return [(f" {RUNNING_MARK}", styles.role("assistant-name"))]
        if row.path in self._failed:
            return [(f" {FAILED_MARK}", styles.role("error-text") + _BOLD)]
        if row.path in self._fresh:
            return [(f" {UNREAD_MARK}", styles.role("marker") + _BOLD)]
        return []

    def _look(self) -> Styles:
        key = self.app.theme, self.rich_style
        if self._styles is None or self._styles[0] != key:
            self._styles = key, Styles(self.app.theme_variables, self.rich_style)
        return self._styles[1]

    # -- what happens to it

    def on_resize(self) -> None:
        self.show_cursor()
        self.post_message(self.Scrolled())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.post_message(self.Scrolled())

    def on_click(self, event: events.Click) -> None:
        event.stop()
        number = event.y + self.scroll_offset.y
        if number >= len(self._rows) or not self._rows[number].can_be_chosen:
            return
        if number != self._cursor:
            self._go_to(number)
            self._has_click_moved = True
        elif event.chain == 1 or self._has_click_moved:
            self._has_click_moved = False
            self.post_message(self.Chosen())
