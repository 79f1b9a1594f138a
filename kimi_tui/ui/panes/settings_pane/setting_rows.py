"""The rows of the settings pane one below the other, one of which has the cursor, and maybe an editor."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.containers import VerticalScroll
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from kimi_tui.ui.keys.focus import take_keys
from kimi_tui.ui.panes.settings_pane.editor import Editor
from kimi_tui.ui.panes.settings_pane.edits import NOT_SENT, EditKind
from kimi_tui.ui.panes.settings_pane.row_values import (
    ALERT,
    CURSOR,
    CUT,
    FIRST_ROW,
    MARK,
    NOT_TAKEN,
    NOTHING,
    RULE,
    Row,
    RowKind,
)  # fmt: skip
from kimi_tui.ui.text.fit import fitted
from kimi_tui.ui.text.role_styles import Styles

NAME_CELLS = 20
COLUMN_FROM_CELLS = 36
"""Below this width the values stand at the right end, in whatever room there is."""


class SettingRow(Widget):
    DEFAULT_CSS = """
    SettingRow { height: 1; width: 1fr; }
    """

    @dataclass
    class Clicked(Message):
        row_id: str

    def __init__(self, row: Row) -> None:
        super().__init__()
        self.row = row
        self._has_cursor = False

    def show(self, row: Row) -> None:
        if row != self.row:
            self.row = row
            self.refresh()

    def put_cursor(self, *, is_here: bool) -> None:
        if is_here != self._has_cursor:
            self._has_cursor = is_here
            self.refresh()

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.post_message(self.Clicked(self.row.id))

    def render_line(self, y: int) -> Strip:
        del y
        styles = Styles(self.app.theme_variables, self.visual_style.rich_style)
        width = self.size.width
        if self.row.kind is RowKind.HEADING:
            line = f"{RULE} {self.row.label} "
            return Strip([Segment(line + RULE * (width - cell_len(line)), styles.role("dim-text"))]).crop(0, width)
        segments = self._segments(styles, width)
        if self._has_cursor:
            ground = Style(bgcolor=styles.code.bgcolor, bold=True)
            segments = [Segment(text, (style or Style()) + ground) for text, style, _ in segments]
        return Strip(segments).crop(0, width)

    def _segments(self, styles: Styles, width: int) -> list[Segment]:
        row = self.row
        setting = row.setting
        alert = ALERT if setting.error or setting.warning or row.is_pending else " "
        alert_style = styles.role("error-text" if setting.error else "warning-text")
        label_style, value_style = self._styles(styles)
        label = row.label
        is_column = width >= COLUMN_FROM_CELLS
        if row.kind is not RowKind.ACTION:
            longest = NAME_CELLS - 1 if is_column else max(width - 3 - len(NOTHING) - 1, 1)
            label = fitted(label, longest)
        ends = 3 if alert == " " else 4  # two glyphs before the label, one behind the value, an alert apart from it
        room = max(width - ends - (NAME_CELLS if is_column else cell_len(label) + 1), 0)
        value = self._value_in(room)
        free = width - ends - cell_len(label) - cell_len(value)
        gap = NAME_CELLS - cell_len(label) if is_column and value else free
        return [
            Segment(CURSOR if self._has_cursor else " ", styles.role("primary")),
            Segment(MARK if setting.differs else " ", styles.role("marker")),
            Segment(label, label_style),
            Segment(" " * max(gap, 0), styles.base),
            Segment(value, value_style),
            Segment(" " * (max(free - gap, 0) + ends - 3), styles.base),
            Segment(alert, alert_style),
        ]

    def _styles(self, styles: Styles) -> tuple[Style, Style]:
        row = self.row
        if row.is_pending:
            return styles.base, styles.role("warning-text")
        if row.setting.error:
            return styles.base, styles.role("error-text")
        if row.is_unset:
            label = styles.role("dim-text") if row.kind is RowKind.ACTION else styles.base
            return label, styles.role("dim-text") + Style(italic=True)
        return styles.base, styles.role("marker") + Style(bold=True) if row.setting.differs else styles.base

    def _value_in(self, room: int) -> str:
        """In so many cells; "not sent" and "not taken" are never cut."""
        row = self.row
        if row.is_pending:
            return next((words for words in (NOT_TAKEN, "not taken") if len(words) <= room), CUT[:room])
        text = row.setting.error or row.value
        if cell_len(text) <= room:
            return text
        if row.is_unset and text.startswith(NOT_SENT):
            return NOT_SENT if len(NOT_SENT) <= room else NOTHING
        return fitted(text, room) if room > 1 else ""


class SettingRows(VerticalScroll, can_focus=True, inherit_bindings=False):
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
        super().__init__(id=id)
        self._widgets: dict[str, SettingRow] = {}
        self.cursor = FIRST_ROW
        """The id of its row, which need not be there yet."""
        self.editor: Editor | None = None
        """The one that is open at the row under the cursor; None = none is."""

    # -- showing

    def show(self, rows: Iterable[Row]) -> None:
        """The cursor stays on its row, or goes to the first where that is gone."""
        wanted = {row.id: row for row in rows}
        before = self._widgets
        for row_id in before.keys() - wanted.keys():
            before[row_id].remove()
        self._widgets = {row_id: before.get(row_id) or SettingRow(row) for row_id, row in wanted.items()}
        for row_id, row in wanted.items():
            self._widgets[row_id].show(row)
        self._mount_new(before)
        self.put_cursor(self.cursor if self.cursor in wanted else FIRST_ROW)

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
    def cursor_widget(self) -> SettingRow | None:
        """None = there are no rows yet."""
        return self._widgets.get(self.cursor)

    @property
    def row(self) -> Row | None:
        """The row under the cursor; None = there are no rows yet."""
        widget = self.cursor_widget
        return widget.row if widget else None

    def find(self, row_id: str) -> Row | None:
        widget = self._widgets.get(row_id)
        return widget.row if widget else None

    def put_cursor(self, row_id: str) -> None:
        self.cursor = row_id
        for other_id, widget in self._widgets.items():
            widget.put_cursor(is_here=other_id == row_id)

    def begin_at(self, row_id: str) -> None:
        """The row need not be there yet; where there is none of that id, the first gets the cursor."""
        self.put_cursor(row_id if row_id and (not self._widgets or row_id in self._widgets) else FIRST_ROW)

    # -- the editor

    def open(self, editor: Editor) -> None:
        """Below the row under the cursor, or in its place."""
        self.editor = editor
        if (row := self.cursor_widget) is not None:
            row.display = editor.edit.kind is not EditKind.LINE
        self.mount(editor, after=row)
        self.keep_in_view()

    def close(self) -> None:
        editor, self.editor = self.editor, None
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
        """The keys go to the editor that is open, else to the rows."""
        if self.editor is not None:
            self.editor.begin()
        else:
            take_keys(self)

    def keep_in_view(self) -> None:
        """The editor is fitted into the rows; where none is open, the row under the cursor is shown."""
        if self.editor is not None:
            self.editor.fit(self.size.height - 1)  # its row stays in view above it
        shown = self.editor or self.cursor_widget
        if shown is not None and shown.is_attached:
            shown.scroll_visible(animate=False)

    # -- moving

    def move(self, key: str) -> None:
        """`key` is one of `MOVES`; the cursor goes to the nearest row that can have it."""
        ids = list(self._widgets)
        if not ids:
            return
        to, step = MOVES[key](ids.index(self.cursor), self.size.height)
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
"""Keys that move the cursor, which no user changes.

Each gives, from its place among the rows and the rows of a page, where to, and in which direction where it cannot stand
there.
"""
