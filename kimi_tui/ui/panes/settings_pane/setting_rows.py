"""The rows of the settings pane one below the other, one of which has the cursor, and maybe an editor."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Mapping

from textual.containers import VerticalScroll

from kimi_tui.ui.keys.focus import take_keys
from kimi_tui.ui.panes.settings_pane.editor import Editor
from kimi_tui.ui.panes.settings_pane.edits import EditKind
from kimi_tui.ui.panes.settings_pane.row import SettingRow
from kimi_tui.ui.panes.settings_pane.row_values import FIRST_ROW, Row, RowKind


class SettingRows(VerticalScroll, can_focus=True, inherit_bindings=False):
    """Shows rows; what keys do there is the pane's business."""

    DEFAULT_CSS = """
    SettingRows {
        height: 1fr;
        background: $background;
        scrollbar-size-vertical: 1;
        scrollbar-background: $background;
        scrollbar-color: $panel;
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        """Start empty."""
        super().__init__(id=id)
        self._widgets: dict[str, SettingRow] = {}
        self._cursor = FIRST_ROW
        self._editor: Editor | None = None

    # -- showing

    def show(self, rows: Iterable[Row]) -> None:
        """Show other rows; the cursor stays on its row, or goes to the first where that is gone."""
        wanted = {row.id: row for row in rows}
        before = self._widgets
        for row_id in before.keys() - wanted.keys():
            before[row_id].remove()
        self._widgets = {row_id: before.get(row_id) or SettingRow(row) for row_id, row in wanted.items()}
        for row_id, row in wanted.items():
            self._widgets[row_id].show(row)
        self._mount_new(before)
        self.put_cursor(self._cursor if self._cursor in wanted else FIRST_ROW)

    def _mount_new(self, before: Collection[str]) -> None:
        if not before:
            self.mount_all(self._widgets.values())
            return
        following: SettingRow | None = None  # from the last row, which is always there, upwards
        for row_id, widget in reversed(self._widgets.items()):
            if row_id not in before:
                self.mount(widget, before=following)
            following = widget

    # -- the cursor

    @property
    def cursor(self) -> str:
        """The id of the row under the cursor, which need not be there yet."""
        return self._cursor

    @property
    def cursor_widget(self) -> SettingRow | None:
        """The row under the cursor, as it is drawn; None = there are no rows yet."""
        return self._widgets.get(self._cursor)

    @property
    def row(self) -> Row | None:
        """The row under the cursor; None = there are no rows yet."""
        widget = self.cursor_widget
        return widget.row if widget else None

    def find(self, row_id: str) -> Row | None:
        """The row of that id; None = there is none."""
        widget = self._widgets.get(row_id)
        return widget.row if widget else None

    def put_cursor(self, row_id: str) -> None:
        """Put the cursor on a row."""
        self._cursor = row_id
        for other_id, widget in self._widgets.items():
            widget.put_cursor(is_here=other_id == row_id)

    def begin_at(self, row_id: str) -> None:
        """Put the cursor on a row, which need not be there yet, or on the first where there is none of that id."""
        self.put_cursor(row_id if row_id and (not self._widgets or row_id in self._widgets) else FIRST_ROW)

    # -- the editor

    @property
    def editor(self) -> Editor | None:
        """The editor that is open at the row under the cursor; None = none is."""
        return self._editor

    def open(self, editor: Editor) -> None:
        """Put an editor below the row under the cursor, or in its place."""
        self._editor = editor
        if (row := self.cursor_widget) is not None:
            row.display = editor.edit.kind is not EditKind.LINE
        self.mount(editor, after=row)
        self.keep_in_view()

    def close(self) -> None:
        """Take the editor away."""
        editor, self._editor = self._editor, None
        if editor is None:
            return
        has_focus = editor.has_focus_within
        if (row := self.cursor_widget) is not None:
            row.display = True
        editor.remove()
        if has_focus:
            take_keys(self)
        self.keep_in_view()

    def give_keys(self) -> None:
        """Give the focus to the editor that is open, else take it."""
        if self._editor is not None:
            self._editor.begin()
        else:
            take_keys(self)

    def keep_in_view(self) -> None:
        """Fit the editor into the rows and scroll to it; where none is open, to the row under the cursor."""
        if self._editor is not None:
            self._editor.fit(self.size.height - 1)  # its row stays in view above it
        shown = self._editor or self.cursor_widget
        if shown is not None and shown.is_attached:
            shown.scroll_visible(animate=False)

    # -- moving

    def move(self, key: str) -> None:
        """Do what one of `MOVES` says, to the nearest row that can have the cursor."""
        ids = list(self._widgets)
        if not ids:
            return
        to, step = MOVES[key](ids.index(self._cursor), self.size.height)
        place = max(0, min(to, len(ids) - 1))
        while 0 <= place < len(ids) and self._widgets[ids[place]].row.kind is RowKind.HEADING:
            place += step
        if 0 <= place < len(ids):
            self.put_cursor(ids[place])
            self.keep_in_view()
        if place <= 1:
            self.scroll_home(animate=False)  # the heading above the first row comes into view too


MOVES: Mapping[str, Callable[[int, int], tuple[int, int]]] = {
    "up": lambda place, _: (place - 1, -1),
    "down": lambda place, _: (place + 1, 1),
    "pageup": lambda place, page: (max(place - page, 1), -1),
    "pagedown": lambda place, page: (place + page, 1),
    "home": lambda *_: (0, 1),
    "end": lambda *_: (sys.maxsize, -1),
}
"""Keys that move the cursor, which no user changes: from its place among the rows and the rows of a page, where to, and
in which direction where it cannot stand there."""
