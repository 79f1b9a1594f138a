"""The pane: a filter, the list below it, and an editor for the title of one row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from textual import events, on
from textual.message import Message
from textual.widgets import Input

from kimi_tui.core.session.listing import Row, RowKind, SessionList
from kimi_tui.core.text.visible import visible_line
from kimi_tui.ui.keys.focus import has_keys, take_keys
from kimi_tui.ui.keys.key_lookup import character_of
from kimi_tui.ui.panes.sessions_pane.session_rows import SessionRows
from kimi_tui.ui.widgets.filtered_rows import FilteredRows

READING = "Reading the sessions …"
"""It stands in the list until that has been given any sessions."""
NOT_READ = "The sessions cannot be read."
NO_SESSION = "No session yet."
NO_MATCH = "Nothing fits."
FILTER, FILTER_WHILE_READING = "filter", "filter (still reading)"
FILTER_HINTS = "Enter open · Up Down move · Escape clears"
EMPTY_FILTER_HINTS = "Enter open · Up Down move · Escape leaves"
ON_A_ROW = frozenset({"open-session", "rename-session", "duplicate", "delete-session"})
EDITOR_HINTS = "Enter saves · Escape leaves"
Act = Callable[[], object]


class SessionsPane(FilteredRows):
    """Letters are actions while the list has the focus, and text while the filter has it."""

    DEFAULT_CSS = """
    SessionsPane {
        &:focus-within SessionRows > .row-list--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
        }
    }
    """

    @dataclass
    class Requested(Message):
        """Something is to be done: what an action says, with the session under the cursor where it is about one."""

        action_id: str
        path: Path | None = None
        """Of one that cannot be read, `open-session` tells why."""
        title: str = ""
        """The one it is to have; never empty for `rename-session`."""

    @dataclass
    class LeaveRequested(Message):
        """The focus is to go back to where it came from."""

    @dataclass
    class Refused(Message):
        """Something was asked of a file that cannot be read, which can only be opened."""

        path: Path

    @dataclass
    class HintsChanged(Message):
        """`hints`, or what does nothing, is something else now."""

    def __init__(self, *, keys: Mapping[str, tuple[str, ...]], id: str | None = None) -> None:
        """Keys of other panes' actions are ignored."""
        self._list = SessionRows(id="session-list")
        self._list.note = READING
        super().__init__(self._list, FILTER, id=id)
        self.acts: Mapping[str, Act] = {
            "open-session": self._open,
            "rename-session": self._edit_title,
            "duplicate": partial(self._ask, "duplicate"),
            "delete-session": partial(self._ask, "delete-session"),
            "restore-session": lambda: self.post_message(self.Requested("restore-session")),
            "filter-sessions": partial(take_keys, self.filter),
        }
        self._acts = {key: act for action, act in self.acts.items() for key in keys.get(action, ())}
        self._sessions = SessionList()
        self._current = ""
        self._has_moved = False
        self._old_title = ""  # as it was shown when it was begun to be edited
        self._renamed: set[str] = set()  # files whose rows stay while the filter is what it was when they got a title
        self._told_hints: tuple[str, frozenset[str]] = "", frozenset()
        self._has_read = False

    # -- content

    def show_list(self, sessions: SessionList) -> None:
        """Filter, cursor and an open editor stay."""
        self.filter.placeholder = FILTER if sessions.is_whole else FILTER_WHILE_READING
        self._sessions, self._has_read = sessions, True
        row = self._list.cursor_row
        self._show_rows(row.path if row is not None and self._has_moved else self._current)
        self.place_editor()

    def show_failure(self) -> None:
        """Sessions that were listed before stay."""
        if not self._has_read:
            self._list.note = NOT_READ
            self._list.refresh()

    def set_marks(
        self, current: str, running: Collection[str], unread: Collection[str], failed: Collection[str] = ()
    ) -> None:
        """Mark sessions by their files.

        The cursor stands on the `current` one ("" = none) until it is moved. `unread` and `failed` are those in which a
        reply has ended, has failed or was cut since they were looked at; one may be both.
        """
        self._list.set_marks(current, running, unread, failed)
        if current != self._current:
            self._current, self._has_moved = current, False
            self._show_rows(current)

    def _show_rows(self, path: str | None) -> None:
        if self._has_read:
            whole = NO_MATCH if self._sessions.has_any else NO_SESSION
            self._list.note = whole if self._sessions.is_whole else READING
        self._list.set_rows(self._sessions.rows(self.filter.value, self._renamed), path)
        self._tell_hints()

    @property
    def cursor_path(self) -> Path | None:
        """None = there is no file under the cursor."""
        row = self._list.cursor_row
        return None if row is None else Path(row.path)

    @property
    def hints(self) -> str:
        """What keys do where the focus is; "" = what the table of actions says, or the focus is elsewhere."""
        if has_keys(self.editor):
            return EDITOR_HINTS
        if has_keys(self.filter):
            hints = FILTER_HINTS if self.filter.value else EMPTY_FILTER_HINTS
            return hints if self._list.cursor_row is not None else hints.rpartition(" · ")[2]
        return ""

    @property
    def idle_actions(self) -> frozenset[str]:
        """Ids of actions that have nothing under the cursor to work on."""
        row = self._list.cursor_row
        if row is None:
            return ON_A_ROW
        return frozenset() if row.kind is RowKind.SESSION else ON_A_ROW - {"open-session"}

    def _tell_hints(self) -> None:
        if (told := (self.hints, self.idle_actions)) != self._told_hints:
            self._told_hints = told
            self.post_message(self.HintsChanged())

    on_descendant_focus = on_descendant_blur = _tell_hints

    def focus_list(self) -> None:
        self.editor.close()
        take_keys(self._list)

    # -- actions

    def _open(self) -> None:
        if (path := self.cursor_path) is not None:
            self.post_message(self.Requested("open-session", path))

    def _ask(self, action_id: str) -> None:
        if (row := self._session_row()) is not None:
            self.post_message(self.Requested(action_id, Path(row.path)))

    def _edit_title(self) -> None:
        if (row := self._session_row()) is not None:
            self._old_title = visible_line(row.text)
            self._list.show_cursor()
            self.editor.open(row.path, self._old_title)

    def _rename(self) -> None:
        path, title = self.editor.about, self.editor.value.strip()
        self.focus_list()
        if title and title != self._old_title:
            self._renamed.add(path)
            self.post_message(self.Requested("rename-session", Path(path), title))

    def _session_row(self) -> Row | None:
        """None, which is told, where the file under the cursor cannot be read."""
        row = self._list.cursor_row
        if row is None or row.kind is RowKind.SESSION:
            return row
        self.post_message(self.Refused(Path(row.path)))
        return None

    # -- keys

    def on_key(self, event: events.Key) -> None:
        if (act := self._act_of(event)) is not None:
            event.stop()
            event.prevent_default()
            act()
            self._tell_hints()

    def _act_of(self, event: events.Key) -> Act | None:
        if has_keys(self.editor):
            return {"enter": self._rename, "escape": self.focus_list}.get(event.key)
        is_typing = has_keys(self.filter)
        if not is_typing and (act := self._acts.get(event.key) or self._acts.get(character_of(event))):
            return act
        if event.key == "escape":
            return self._end_filter if self.filter.value else lambda: self.post_message(self.LeaveRequested())
        if is_typing and event.key == "enter":
            return self._open
        move = self._list.key_move(event.key, is_typing=is_typing)
        return None if move is None else partial(self._move, move)

    def _move(self, move: Act) -> None:
        self._has_moved = True
        move()

    def _end_filter(self) -> None:
        self.filter.value = ""
        self.focus_list()

    # -- what happens to the parts

    def place_editor(self) -> None:
        """It closes where its row is gone."""
        if not self.editor.about:
            return
        self._list.show_cursor()
        row = self._list.cursor_row
        if row is None or row.path != self.editor.about:
            self.focus_list()
        else:
            self.editor.place()

    @on(Input.Changed)
    def _on_filter_changed(self, event: Input.Changed) -> None:
        """The first that fits gets the cursor, and a list made whole keeps it."""
        event.stop()
        self._tell_hints()
        self._has_moved = True
        self._renamed.clear()
        row = self._list.cursor_row
        self._show_rows(row.path if row is not None and not event.value else None)

    @on(SessionRows.Chosen)
    def _on_chosen(self, event: SessionRows.Chosen) -> None:
        event.stop()
        self._open()
