"""One row of the settings pane, drawn as one line."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from kimi_tui.ui.panes.settings_pane.row_values import NOT_SENT, NOT_TAKEN, Row, RowKind
from kimi_tui.ui.text.role_styles import Styles

NAME_CELLS = 20
COLUMN_FROM_CELLS = 36
"""Below this width the values stand at the right end, in whatever room there is."""
CURSOR, MARK, ALERT, CUT, RULE, NOTHING = "▸", "*", "!", "…", "─", "–"
"""The cursor, a value that differs, a warning or error, what was cut off, a heading's line, no value."""


class SettingRow(Widget):
    DEFAULT_CSS = """
    SettingRow { height: 1; width: 1fr; }
    """

    @dataclass
    class Clicked(Message):
        """The row was clicked."""

        row_id: str

    def __init__(self, row: Row) -> None:
        super().__init__()
        self._row = row
        self._has_cursor = False

    @property
    def row(self) -> Row:
        return self._row

    def show(self, row: Row) -> None:
        if row != self._row:
            self._row = row
            self.refresh()

    def put_cursor(self, *, is_here: bool) -> None:
        if is_here != self._has_cursor:
            self._has_cursor = is_here
            self.refresh()

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.post_message(self.Clicked(self._row.id))

    def render_line(self, y: int) -> Strip:
        del y
        styles = Styles(self.app.theme_variables, self.visual_style.rich_style)
        width = self.size.width
        if self._row.kind is RowKind.HEADING:
            line = f"{RULE} {self._row.label} "
            return Strip([Segment(line + RULE * (width - cell_len(line)), styles.role("dim-text"))]).crop(0, width)
        segments = self._segments(styles, width)
        if self._has_cursor:
            ground = Style(bgcolor=styles.code.bgcolor, bold=True)
            segments = [Segment(text, (style or Style()) + ground) for text, style, _ in segments]
        return Strip(segments).crop(0, width)

    def _segments(self, styles: Styles, width: int) -> list[Segment]:
        row = self._row
        setting = row.setting
        alert = ALERT if setting.error or setting.warning or row.is_pending else " "
        alert_style = styles.role("error-text" if setting.error else "warning-text")
        label_style, value_style = self._styles(styles)
        label = row.label
        is_column = width >= COLUMN_FROM_CELLS
        if row.kind is not RowKind.ACTION:
            longest = NAME_CELLS - 1 if is_column else max(width - 3 - len(NOTHING) - 1, 1)
            label = set_cell_size(label, longest - 1) + CUT if cell_len(label) > longest else label
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
        row = self._row
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
        row = self._row
        if row.is_pending:
            return next((words for words in (NOT_TAKEN, "not taken") if len(words) <= room), CUT[:room])
        text = row.setting.error or row.value
        if cell_len(text) <= room:
            return text
        if row.is_unset and text.startswith(NOT_SENT):
            return NOT_SENT if len(NOT_SENT) <= room else NOTHING
        return set_cell_size(text, room - 1).rstrip() + CUT if room > 1 else ""
