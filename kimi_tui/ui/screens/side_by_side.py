"""The replies to one question side by side: a table of their figures, and below it their texts in columns.

It is shown while they are written as well as later. Nothing is pushed here: what there is is looked at often enough.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from time import monotonic
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message as TextualMessage
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.session import Message
from kimi_tui.core.text.cells import cut
from kimi_tui.core.text.dotted import dotted
from kimi_tui.core.text.visible import visible_line
from kimi_tui.ui.screens.above import Above
from kimi_tui.ui.state.entries import message_entry, notice
from kimi_tui.ui.state.entry import Entry
from kimi_tui.ui.state.live_turn import LiveTurn
from kimi_tui.ui.state.reply_rows import ReplyRow, markdown_table, plain_table, table_lines
from kimi_tui.ui.text.fit import first_fitting
from kimi_tui.ui.transcript.scroll_keys import ScrollKeys, scroll_bindings
from kimi_tui.ui.transcript.transcript_widget import Transcript
from kimi_tui.ui.transcript.view import View
from kimi_tui.ui.widgets.options import Options

LOOK_S = 0.1
"""Time between two looks at what has come."""
TABLE_S = 0.5
"""Time between two drawings of a table of which nothing but the figures changes."""
MOST_COLUMNS = 4
MIN_COLUMN_CELLS = 29
ONE_COLUMN_CELLS = 70
"""In less than that one text is shown at a time."""
FRAME_CELLS = 4
"""What edges and marks take beside a line of the table."""
CURSOR, SHOWN, UNMARKED = "▸", "●", " "
"""What stands before the row with the cursor, and before the one that the conversation shows."""
MARK_CELLS = 3
WAITS = "It begins when one of the others has ended."


class ReplyText(Transcript, can_focus=False):
    def __init__(self) -> None:
        super().__init__(fold_reasoning=False)
        self._live: LiveTurn | None = None
        self._told: dict[ReplyPart, int] = {}
        self._seen: object = None
        """What is shown: a message, words, or of a growing reply how often it was shortened, and what it waits for."""

    def show_whole(self, source: Message | str) -> None:
        if self._seen != source:
            self._seen, self._live = source, None
            self._show(notice("words", source) if isinstance(source, str) else message_entry(source))

    def show_growing(self, live: LiveTurn, now_s: float) -> None:
        """Only what has come since the last time is added."""
        label, seen = live.thought_label(now_s), (live.reply.shortenings, live.retry_words(now_s))
        if self._live is not live or self._seen != seen:
            self._live, self._seen = live, seen
            self._told = {part: len(live.shown(part)) for part in ReplyPart}
            self._show(replace(live.entry(), thought_label=label, footer=seen[1]))
            return
        for part in ReplyPart:
            if (told := len(live.shown(part))) > self._told[part]:
                self._told[part] = told
                self.grow(live.key, part)
        self.set_thought_label(live.key, label)

    def _show(self, entry: Entry) -> None:
        """The table says whose it is."""
        self.set_entries([replace(entry, heading="", alternatives=None)])


class ReplyColumn(Vertical):
    class Clicked(TextualMessage):
        def __init__(self, column: ReplyColumn) -> None:
            super().__init__()
            self.column = column

    def __init__(self) -> None:
        super().__init__()
        self.text = ReplyText()
        self.key = ""

    def compose(self) -> ComposeResult:
        yield self.text

    def on_click(self) -> None:
        self.post_message(self.Clicked(self))

    @on(Transcript.Chosen)
    def _chosen(self) -> None:
        """No message has a cursor here."""
        self.text.cursor.choose(None)


class ReplyList(Options):
    """The lines of the table; a click moves the cursor, a second one on the same line takes it."""

    def on_click(self, event: events.Click) -> None:
        place = event.style.meta.get("option")
        if isinstance(place, int) and place != self.highlighted and place < self.option_count:
            event.prevent_default()
            self.highlighted = place


class SideBySideScreen(ScrollKeys, Above[str]):
    CSS_PATH = "side_by_side.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("q", "cancel"),
        Binding("left,shift+tab", "step(-1)", priority=True),
        Binding("right,tab", "step(1)", priority=True),
        ("s,delete", "stop_this"),
        ("S", "stop_all"),
        ("y", "copy(True)"),
        ("Y", "copy(False)"),
        ("space", "fold"),
        *scroll_bindings(up="ctrl+up", down="ctrl+down", is_first=True),  # the arrows move in the table
    ]

    def __init__(
        self,
        rows: Callable[[], list[ReplyRow]],
        state: Callable[[], object],
        now_s: Callable[[], float],
        copy: Callable[[str, str], None],
        chosen: str | None = None,
        *,
        stop_one: Callable[[ReplyRow], None],
        stop_all: Callable[[], None],
    ) -> None:
        """`rows` makes them anew; of replies that do not grow they are as long the same as `state` gives the same.

        `copy` puts a text into the clipboard, and says what it was; `chosen` = the reply with the cursor at first.

        The result is the id of the reply to go on with; None = it was left.
        """
        super().__init__()
        self._rows_now, self._state_now, self._now_s, self._copy = rows, state, now_s, copy
        self._stop_one, self._stop_all = stop_one, stop_all
        self._list = ReplyList(id="replies-list")
        self._rows: list[ReplyRow] = []
        self._at = chosen
        self._lines: list[str] = []
        self._states: object = None
        self._drawn_s = 0.0
        self._state: object = None
        """What was looked at last; None = nothing, or it is to be shown anew."""

    def compose(self) -> ComposeResult:
        with Vertical(id="replies-panel"):
            yield Static(id="replies-head", markup=False)
            yield self._list
            with Horizontal(id="replies-texts"):
                for _ in range(MOST_COLUMNS):
                    yield ReplyColumn()

    def on_mount(self) -> None:
        self._list.focus()
        self.set_interval(LOOK_S, self.look)
        self.call_after_refresh(self.look)

    def on_resize(self) -> None:
        self._lines, self._state = [], None
        self.call_after_refresh(self.look)

    def look(self) -> None:
        """Show what there is now; once nothing is written any more, only another state of the session changes it."""
        state = self._state_now()
        if not self.is_attached or not self.is_active or (state is self._state and not self._is_running):
            return
        if state is not self._state:
            self._state, self._states = state, None
        self._take_cursor()
        self._rows = self._rows_now()
        if not self._rows:
            self.cancel()
            return
        states = [(row.key, row.is_shown, row.is_running, row.waits_at) for row in self._rows]
        if states != self._states or monotonic() - self._drawn_s >= TABLE_S:
            self._states, self._drawn_s = states, monotonic()
            self._show_table()
        self._show_texts()
        self._say_what_keys_do()

    @property
    def _is_running(self) -> bool:
        return any(row.is_running or row.waits_at is not None for row in self._rows)

    def _take_cursor(self) -> None:
        """Note which reply has the cursor of the list: its row may become another."""
        place = self._list.highlighted
        if place is not None and place < len(self._rows):
            self._at = self._rows[place].key

    @property
    def _place(self) -> int:
        """Of the row with the cursor, from 0."""
        found = next((place for place, row in enumerate(self._rows) if row.key == self._at), None)
        if found is None:
            found = next((place for place, row in enumerate(self._rows) if row.is_shown), 0)
        return found

    # -- the table

    def _show_table(self) -> None:
        head, *lines = table_lines(self._rows, max(self.size.width - FRAME_CELLS - MARK_CELLS, 1))
        place = self._place
        self._at = self._rows[place].key
        lines = [f"{self._marks(row)}{line}" for row, line in zip(self._rows, lines, strict=True)]
        self.query_one("#replies-head", Static).update(Content(f"{' ' * MARK_CELLS}{head}"), layout=False)
        if len(lines) != len(self._lines):
            self._list.clear_options()
            self._list.add_options([Option(Content(line)) for line in lines])
        else:
            for number, (old, new) in enumerate(zip(self._lines, lines, strict=True)):
                if old != new:
                    self._list.replace_option_prompt_at_index(number, Content(new))
        self._lines = lines
        if self._list.highlighted != place:
            self._list.highlighted = place

    def _marks(self, row: ReplyRow) -> str:
        return f"{CURSOR if row.key == self._at else UNMARKED}{SHOWN if row.is_shown else UNMARKED} "

    @on(OptionList.OptionHighlighted)
    def _highlighted(self) -> None:
        self._take_cursor()
        self._show_table()
        self._show_texts()

    @on(OptionList.OptionSelected)
    def _selected(self) -> None:
        if (row := self._row) is not None and row.is_there:
            self.dismiss(row.key)

    @property
    def _row(self) -> ReplyRow | None:
        """The one with the cursor; None = nothing is shown yet."""
        self._take_cursor()
        return next((row for row in self._rows if row.key == self._at), None)

    def action_step(self, by: int) -> None:
        if (row := self._row) is not None:
            self._list.highlighted = (row.place - 1 + by) % len(self._rows)

    # -- the texts

    def _show_texts(self) -> None:
        """As many columns as have room, among them the one of the row with the cursor."""
        columns = list(self.query(ReplyColumn))
        cells = self.size.width - 2
        room = 1 if cells < ONE_COLUMN_CELLS else min(cells // MIN_COLUMN_CELLS, MOST_COLUMNS)
        count = min(room, len(self._rows))
        first = min(max(self._place - count // 2, 0), len(self._rows) - count)
        for number, column in enumerate(columns):
            column.display = number < count
            if column.display:
                row = self._rows[first + number]
                self._show_title(column, row, max(cells // count - FRAME_CELLS, 1))
                self._show_text(column, row)

    def _show_title(self, column: ReplyColumn, row: ReplyRow, cells: int) -> None:
        column.border_title = Content(cut(visible_line(f"{row.place} {row.setting}".rstrip()), cells))
        rate = f" {row.rate:.0f} tok/s" if row.is_running and row.rate else ""
        column.border_subtitle = Content(cut(visible_line(f"{row.state}{rate}"), cells))
        column.set_class(row.key == self._at and len(self._rows) > 1, "-chosen")

    def _show_text(self, column: ReplyColumn, row: ReplyRow) -> None:
        column.key = row.key
        if isinstance(row.source, LiveTurn):
            column.text.show_growing(row.source, self._now_s())
        else:
            column.text.show_whole(row.source or (row.state if row.waits_at is None else WAITS))

    @on(ReplyColumn.Clicked)
    def _clicked(self, event: ReplyColumn.Clicked) -> None:
        keys = [row.key for row in self._rows]
        if event.column.key in keys:
            self._list.highlighted = keys.index(event.column.key)

    @property
    def scrolled(self) -> View | None:
        """The text of the row with the cursor."""
        self._take_cursor()
        columns = (it for it in self.query(ReplyColumn) if it.display and it.key == self._at)
        return next((column.text.view for column in columns), None)

    def action_fold(self) -> None:
        for column in self.query(ReplyColumn):
            column.text.folds.toggle_all()

    # -- what can be done

    def _say_what_keys_do(self) -> None:
        panel = self.query_one("#replies-panel")
        panel.border_title = Content("Side by side")
        stops = ["s stops it", "S all"] if self._is_running else []
        words = ["Enter takes it", *stops, "y copies", "Space folds", "Escape leaves"]
        panel.border_subtitle = Content(_fitting(words, self.size.width - FRAME_CELLS - 2))

    def action_stop_this(self) -> None:
        if (row := self._row) is not None:
            self._stop_one(row)

    def action_stop_all(self) -> None:
        self._stop_all()

    def action_copy(self, is_markdown: bool) -> None:
        self._copy(markdown_table(self._rows) if is_markdown else plain_table(self._rows), "The table")


def _fitting(words: Sequence[str], cells: int) -> str:
    """The first and the last are missed most."""
    forms = [dotted(*words[:count], words[-1]) for count in range(len(words) - 1, 0, -1)]
    return cut(first_fitting(forms, cells), max(cells, 1))
