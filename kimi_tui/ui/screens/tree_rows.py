"""The rows of the tree view: only those in view are put into words and drawn, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kimi_tui.core.session.session import Role
from kimi_tui.core.session.tree_outline import MessageTree, OutlineRow
from kimi_tui.ui.state.tree_words import row_words
from kimi_tui.ui.text.fit import fit, fitted
from kimi_tui.ui.text.role_styles import Styles

HEAD_MARK, ACTIVE_MARK = "●", "│"
FOLDED, OPEN = "▸", "▾"
LEFT_OUT = "‹"
"""Stands at the left where a row stands further left than the view reaches."""
STEP = 2
"""Cells that a row is set back for each level."""
TEXT_CELLS = 40
"""Cells that are left to a row's words, however deep it stands, where there are so many."""
LONG_FIGURES_FROM = 76
"""A narrower list has the figures in short."""

_BOLD = Style(bold=True)
_Run = tuple[str, Style]


class TreeRows(ScrollView, can_focus=True):
    COMPONENT_CLASSES: ClassVar[set[str]] = {"tree-rows--cursor"}
    DEFAULT_CSS = """
    TreeRows {
        height: 1fr;
        background: $background;
        color: $foreground;
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        scrollbar-background: $background;
        & > .tree-rows--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
            text-style: $block-cursor-text-style;
        }
    }
    """

    @dataclass
    class Clicked(Message):
        """The row under the cursor was clicked."""

        is_mark: bool
        """Whether the mark was, which folds."""

    class Scrolled(Message):
        """Other rows are in view, or the rows stand elsewhere."""

    def __init__(self, now: datetime, to_local: Callable[[datetime], datetime], id: str | None = None) -> None:
        super().__init__(id=id)
        self.note = ""
        """What stands there where there are no rows."""
        self._now, self._to_local = now, to_local
        self._tree: MessageTree | None = None
        self._rows: list[OutlineRow] = []
        self._growing: Set[str] = frozenset()
        self._cursor = 0
        self._styles: tuple[tuple[str, Style], Styles] | None = None
        self._has_click_moved = False

    # -- content

    def set_rows(self, tree: MessageTree, rows: list[OutlineRow], cursor: int, growing: Set[str]) -> None:
        """Show these rows, which others may change; `rows_changed` is to be called then."""
        self._tree, self._rows, self._growing = tree, rows, growing
        self._cursor = min(max(cursor, 0), max(len(rows) - 1, 0))
        self.rows_changed()

    def rows_changed(self) -> None:
        self.virtual_size = Size(0, len(self._rows))
        self.show_cursor()
        self.refresh()

    @property
    def cursor(self) -> int:
        """The number of the row that has it."""
        return self._cursor

    @property
    def cursor_row(self) -> OutlineRow | None:
        """None = there are no rows."""
        return self._rows[self._cursor] if self._cursor < len(self._rows) else None

    # -- the cursor

    def go_to(self, number: int) -> None:
        """Put the cursor on the row of that number, or on the nearest that there is."""
        shift, old = self._shift, self._cursor
        self._cursor = min(max(number, 0), max(len(self._rows) - 1, 0))
        if self._shift != shift:
            self.refresh()
        else:
            self.refresh_line(old)
            self.refresh_line(self._cursor)
        self.show_cursor()

    def page(self) -> int:
        """How many rows a page is: one row stays in view."""
        return max(self.size.height - 1, 1)

    def show_cursor(self) -> None:
        height, top = self.scrollable_content_region.height, self.scroll_offset.y
        wanted = min(max(top, self._cursor - height + 1), self._cursor)
        if height and wanted != top:
            self.scroll_to(y=wanted, animate=False)
        self.post_message(self.Scrolled())

    def words_region(self) -> Region | None:
        """Where the words of the row under the cursor stand in this widget; None = it is out of view."""
        row, line = self.cursor_row, self._cursor - self.scroll_offset.y
        width, height = self.scrollable_content_region.size
        if row is None or not 0 <= line < height:
            return None
        left = cell_len("".join(text for text, _ in self._lead(row, self._look())))
        return Region(left, line, max(width - left - 1, 1), 1)

    @property
    def _shift(self) -> int:
        """How many levels the view leaves out at its left, so that the row under the cursor has room."""
        row = self.cursor_row
        room = max(self.scrollable_content_region.width - TEXT_CELLS, STEP) // STEP
        return 0 if row is None else max(row.depth - room, 0)

    # -- drawing

    def render_line(self, y: int) -> Strip:
        width, number, styles = self.scrollable_content_region.width, y + self.scroll_offset.y, self._look()
        if number < len(self._rows) and self._tree is not None:
            runs = self._runs(self._tree, self._rows[number], width, styles)
            if number == self._cursor:
                style = self.get_component_rich_style("tree-rows--cursor")
                runs = [(text, style) for text, _ in runs]
        elif not self._rows and y == 0:
            runs = [(f" {fit(self.note, width - 1)}", styles.role("dim-text"))]
        else:
            return Strip.blank(width, styles.base)
        strip = Strip([Segment(text, style) for text, style in runs if text])
        return strip.adjust_cell_length(width, styles.base)

    def _lead(self, row: OutlineRow, styles: Styles) -> list[_Run]:
        """What stands before the words: whether it is active, how deep it stands, whether it is folded."""
        is_active = self._tree is not None and row.place in self._tree.active
        has_head = row.has_head and (row.is_folded or not row.is_run)
        mark = HEAD_MARK if has_head else ACTIVE_MARK if is_active else " "
        depth = row.depth - self._shift
        back = LEFT_OUT if depth < 0 else " " * (STEP * depth)
        fold = " " if row.is_folded is None else FOLDED if row.is_folded else OPEN
        return [(mark, styles.role("marker") + _BOLD), (f" {back}{fold} ", styles.role("dim-text"))]

    def _runs(self, tree: MessageTree, row: OutlineRow, width: int, styles: Styles) -> list[_Run]:
        words = row_words(tree, row, self._growing, self._now, self._to_local)
        is_active = row.place in tree.active
        base = styles.base + _BOLD if is_active else styles.base
        lead = self._lead(row, styles)
        figures = words.figures[0 if width >= LONG_FIGURES_FROM else 1]
        role = "user-name" if tree.messages[row.place].role is Role.USER else "assistant-name"
        left = [
            *lead,
            (f"{words.label}  " if words.label else "", styles.role("dim-text")),
            (f"{words.who} ", styles.role(role)),
        ]
        room = width - sum(cell_len(text) for text, _ in left) - cell_len(figures) - 3
        name = fitted(words.name, room // 2)
        if name:
            left.append((f"[{name}] ", styles.role("marker")))
            room -= cell_len(name) + 3
        return [*left, (fit(words.text, room), base), (f"  {figures} ", styles.role("dim-text"))]

    def _look(self) -> Styles:
        key = self.app.theme, self.rich_style
        if self._styles is None or self._styles[0] != key:
            self._styles = key, Styles(self.app.theme_variables, self.rich_style)
        return self._styles[1]

    # -- what happens to it

    def on_resize(self) -> None:
        self.show_cursor()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.post_message(self.Scrolled())

    def on_click(self, event: events.Click) -> None:
        event.stop()
        number = event.y + self.scroll_offset.y
        if number >= len(self._rows):
            return
        has_moved = number != self._cursor
        row = self._rows[number]
        self.go_to(number)
        is_mark = row.is_folded is not None and event.x < cell_len("".join(t for t, _ in self._lead(row, self._look())))
        if is_mark:
            self.post_message(self.Clicked(is_mark=True))
        elif not has_moved and (event.chain == 1 or self._has_click_moved):
            self.post_message(self.Clicked(is_mark=False))
        self._has_click_moved = has_moved
