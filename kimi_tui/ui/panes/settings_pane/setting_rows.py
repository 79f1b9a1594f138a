"""The rows of the settings pane one below the other, one of which has the cursor, and maybe an editor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

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
        for gone in [row_id for row_id in self._widgets if row_id not in wanted]:
            self._widgets.pop(gone).remove()
        self._mount_missing(wanted)
        self.put_cursor(self._cursor if self._cursor in wanted else FIRST_ROW)

    def _mount_missing(self, wanted: Mapping[str, Row]) -> None:
        widgets: dict[str, SettingRow] = {}
        new: list[SettingRow] = []
        for row_id, row in wanted.items():
            widget = self._widgets.get(row_id)
            if widget is None:
                widget = SettingRow(row)
                new.append(widget)
            widget.show(row)
            widgets[row_id] = widget
        is_first = not self._widgets
        self._widgets = widgets
        if is_first:
            self.mount_all(new)
            return
        order = list(widgets.values())
        for widget in new:
            self.mount(widget, before=self._next_mounted(order, widget))

    @staticmethod
    def _next_mounted(order: list[SettingRow], widget: SettingRow) -> SettingRow:
        """The next row that is there already; the last rows always are."""
        return next(other for other in order[order.index(widget) :] if other.is_attached)

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

    def move_up(self) -> None:
        """Move to the row above."""
        self._move(self._place - 1, -1)

    def move_down(self) -> None:
        """Move to the row below."""
        self._move(self._place + 1, 1)

    def move_page_up(self) -> None:
        """Move a page up."""
        self._move(max(self._place - self.size.height, 1), -1)

    def move_page_down(self) -> None:
        """Move a page down."""
        self._move(self._place + self.size.height, 1)

    def move_to_first(self) -> None:
        """Move to the first row."""
        self._move(0, 1)

    def move_to_last(self) -> None:
        """Move to the last row."""
        self._move(len(self._widgets) - 1, -1)

    @property
    def _place(self) -> int:
        """Where the cursor stands among the rows; 0 = there are none yet."""
        return list(self._widgets).index(self._cursor) if self._widgets else 0

    def _move(self, to: int, step: int) -> None:
        """Put the cursor on a row, or the nearest one that can have it."""
        ids = list(self._widgets)
        if not ids:
            return
        place = max(0, min(to, len(ids) - 1))
        while 0 <= place < len(ids) and self._widgets[ids[place]].row.kind is RowKind.HEADING:
            place += step
        if 0 <= place < len(ids):
            self.put_cursor(ids[place])
            self.keep_in_view()
        if place <= 1:
            self.scroll_home(animate=False)  # the heading above the first row comes into view too


MOVES: Mapping[str, Callable[[SettingRows], None]] = {
    "up": SettingRows.move_up,
    "down": SettingRows.move_down,
    "pageup": SettingRows.move_page_up,
    "pagedown": SettingRows.move_page_down,
    "home": SettingRows.move_to_first,
    "end": SettingRows.move_to_last,
}
"""Keys that move the cursor; no user changes them."""
