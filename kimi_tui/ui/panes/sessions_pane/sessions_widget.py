"""The pane: a filter, the list below it, and an editor for the title of one row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from kimi_tui.core.session.listing import Listing
from kimi_tui.core.session.session_list import Row, RowKind, SessionList, session_list
from kimi_tui.core.settings.actions import ACTIONS, Scope
from kimi_tui.ui.keys.key_lookup import character_of
from kimi_tui.ui.panes.sessions_pane.session_rows import SessionRows
from kimi_tui.ui.text.safe_text import content, line_text
from kimi_tui.ui.widgets.editing import EditLine
from kimi_tui.ui.widgets.row_editor import RowEditor

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
DEFAULT_KEYS: Mapping[str, tuple[str, ...]] = {
    action.id: action.keys for action in ACTIONS if action.scope is Scope.SESSIONS
}


class SessionsPane(Vertical):
    """Letters are actions while the list has the focus, and text while the filter has it."""

    DEFAULT_CSS = """
    SessionsPane {
        layers: rows editor;
        background: $background;
        &:focus-within SessionRows > .row-list--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
        }
        & > #session-filter-line {
            height: 1;
            padding: 0 1;
            & > Static { width: 2; color: $text-muted; }
            & > Input { width: 1fr; background: $background; }
            & > Input > .input--placeholder { color: $text-muted; }
        }
        & > #session-said { display: none; height: auto; padding: 0 1; background: $surface; }
    }
    """

    @dataclass
    class OpenRequested(Message):
        """A session is to be opened; of one that cannot be read, opening tells why."""

        path: Path

    @dataclass
    class RenameRequested(Message):
        """A session is to have another title."""

        path: Path
        title: str
        """Never empty."""

    @dataclass
    class DuplicateRequested(Message):
        """A session is to be copied."""

        path: Path

    @dataclass
    class DeleteRequested(Message):
        """A session is to go to the trash."""

        path: Path

    @dataclass
    class RestoreRequested(Message):
        """The session deleted last is to come back."""

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

    def __init__(
        self,
        *,
        keys: Mapping[str, tuple[str, ...]] = DEFAULT_KEYS,
        to_local: Callable[[datetime], datetime] = datetime.astimezone,
        id: str | None = None,
    ) -> None:
        """Keys of other panes' actions are ignored; `to_local` gives a time in the zone that days are counted in."""
        super().__init__(id=id)
        self.acts: Mapping[str, Callable[[], None]] = {
            "open-session": self._open,
            "rename-session": self._edit_title,
            "duplicate": self._duplicate,
            "delete-session": self._delete,
            "restore-session": self._restore,
            "filter-sessions": self._type_filter,
        }
        self._acts = {key: act for action, act in self.acts.items() for key in keys.get(action, ())}
        self._to_local = to_local
        self._sessions = SessionList()
        self._current = ""
        self._has_moved = False
        self._renaming: tuple[str, str] | None = None  # the file, and the title as it was shown
        self._renamed: set[str] = set()  # files whose rows stay while the filter is what it was when they got a title
        self._told_hints: tuple[str, frozenset[str]] = "", frozenset()
        self._list = SessionRows(id="session-list")
        self._has_read = False
        self._list.note = READING
        self._filter = EditLine(placeholder=FILTER, compact=True, select_on_focus=False, id="session-filter")
        self._editor = RowEditor(self._list, id="session-title")
        self._said = Static(id="session-said", markup=False)

    def compose(self) -> ComposeResult:
        with Horizontal(id="session-filter-line"):
            yield Static("/", markup=False)
            yield self._filter
        yield self._list
        yield self._said
        yield self._editor

    # -- content

    def show(self, listing: Listing, now: datetime) -> None:
        """Filter, cursor and an open editor stay; `now`, with its zone, decides what is called today."""
        self.show_list(self.listed(listing, now))

    def listed(self, listing: Listing, now: datetime) -> SessionList:
        """This takes long with thousands of sessions, and may be done in a thread."""
        return session_list(listing, now, self._to_local)

    def show_list(self, sessions: SessionList) -> None:
        self._filter.placeholder = FILTER if sessions.is_whole else FILTER_WHILE_READING
        self._sessions, self._has_read = sessions, True
        row = self._list.cursor_row
        self._show_rows(row.path if row is not None and self._has_moved else self._current)
        self._place_editor()

    def say(self, words: str) -> None:
        """Say it below the list; "" = nothing."""
        self._said.update(content(words))
        self._said.display = bool(words)

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
        self._list.set_rows(self._sessions.rows(self._filter.value, self._renamed), path)
        self._tell_hints()

    @property
    def cursor_path(self) -> Path | None:
        """None = there is no file under the cursor."""
        row = self._list.cursor_row
        return None if row is None else Path(row.path)

    @property
    def filter_text(self) -> str:
        """What the list is narrowed by; "" = it is whole."""
        return self._filter.value

    @property
    def hints(self) -> str:
        """What keys do where the focus is; "" = what the table of actions says, or the focus is elsewhere."""
        focused = self.screen.focused if self.is_attached else None
        if focused is self._editor:
            return EDITOR_HINTS
        if focused is self._filter:
            hints = FILTER_HINTS if self._filter.value else EMPTY_FILTER_HINTS
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

    def choose(self, path: Path) -> None:
        """A session that is not in the list, or filtered out, is ignored."""
        self._has_moved = True
        self._list.choose(str(path))

    def focus_list(self) -> None:
        self._close_editor()
        self.screen.set_focus(self._list)  # at once, unlike `focus`: the next key may be here already

    # -- actions

    def _open(self) -> None:
        if (path := self.cursor_path) is not None:
            self.post_message(self.OpenRequested(path))

    def _edit_title(self) -> None:
        row = self._session_row()
        if row is None:
            return
        title = line_text(row.text)
        self._renaming = row.path, title
        self._list.show_cursor()
        self._editor.open(title)
        self._editor.call_after_refresh(self._show_editor_cursor)

    def _duplicate(self) -> None:
        if (row := self._session_row()) is not None:
            self.post_message(self.DuplicateRequested(Path(row.path)))

    def _delete(self) -> None:
        if (row := self._session_row()) is not None:
            self.post_message(self.DeleteRequested(Path(row.path)))

    def _restore(self) -> None:
        self.post_message(self.RestoreRequested())

    def _type_filter(self) -> None:
        self.screen.set_focus(self._filter)

    def _session_row(self) -> Row | None:
        """None, which is told, where the file under the cursor cannot be read."""
        row = self._list.cursor_row
        if row is None or row.kind is RowKind.SESSION:
            return row
        self.post_message(self.Refused(Path(row.path)))
        return None

    # -- keys

    def on_key(self, event: events.Key) -> None:
        focused = self.screen.focused  # `has_focus` comes later
        if focused is self._editor:
            act = self._editor_key(event.key) or self._late_key(event, self._editor)
        elif focused is self._filter:
            act = self._filter_key(event.key) or self._late_key(event, self._filter)
        else:
            act = self._list_key(event)
        if act is not None:
            event.stop()
            event.prevent_default()
            act()
            self._tell_hints()

    def _list_key(self, event: events.Key) -> Callable[[], None] | None:
        act = self._acts.get(event.key) or self._acts.get(character_of(event))
        if act is not None:
            return act
        if event.key == "escape":
            return self._clear_filter if self._filter.value else self._leave
        return self._cursor_key(event.key, is_typing=False)

    def _filter_key(self, key: str) -> Callable[[], None] | None:
        if key == "escape":
            return self._end_filter if self._filter.value else self._leave
        return self._open if key == "enter" else self._cursor_key(key, is_typing=True)

    def _late_key(self, event: events.Key, target: Input) -> Callable[[], None] | None:
        """A letter that was on its way to the list when the focus moved; the rest, inputs take themselves."""
        text = character_of(event)
        return (lambda: target.replace(text, *target.selection)) if text else None

    def _editor_key(self, key: str) -> Callable[[], None] | None:
        return {"enter": self._rename, "escape": self.focus_list}.get(key)

    def _cursor_key(self, key: str, *, is_typing: bool) -> Callable[[], None] | None:
        move = self._list.key_move(key, is_typing=is_typing)
        return None if move is None else lambda: self._move(move)

    def _move(self, move: Callable[[], None]) -> None:
        self._has_moved = True
        move()

    def _clear_filter(self) -> None:
        self._filter.value = ""

    def _end_filter(self) -> None:
        self._clear_filter()
        self.focus_list()

    def _leave(self) -> None:
        self.post_message(self.LeaveRequested())

    # -- the editor

    def _rename(self) -> None:
        renaming, title = self._renaming, self._editor.value.strip()
        self.focus_list()
        if renaming is not None and title and title != renaming[1]:
            self._renamed.add(renaming[0])
            self.post_message(self.RenameRequested(Path(renaming[0]), title))

    def _close_editor(self) -> None:
        self._renaming = None
        self._editor.close()

    def _show_editor_cursor(self) -> None:
        """The cursor was put where it is before the editor had a width."""
        selection = self._editor.selection
        self._editor.cursor_position = 0
        self._editor.selection = selection

    def _place_editor(self) -> None:
        if self._renaming is None:
            return
        self._list.show_cursor()
        row = self._list.cursor_row
        if row is None or row.path != self._renaming[0]:
            self.focus_list()
        else:
            self._editor.place()

    # -- what happens to the parts

    @on(Input.Changed, "#session-filter")
    def _on_filter_changed(self, event: Input.Changed) -> None:
        """The first that fits gets the cursor, and a list made whole keeps it."""
        event.stop()
        self._tell_hints()
        self._has_moved = True
        self._renamed.clear()
        row = self._list.cursor_row
        self._show_rows(row.path if row is not None and not event.value else None)

    @on(Input.Changed, "#session-title")
    @on(Input.Submitted)
    def _on_editor_changed(self, event: Message) -> None:
        event.stop()

    def on_descendant_focus(self) -> None:
        self._tell_hints()

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """Close the editor when the focus goes elsewhere; not when the whole terminal loses it."""
        if event.widget is self._editor and self.app.app_focus:
            self._close_editor()
        self._tell_hints()

    @on(SessionRows.Chosen)
    def _on_chosen(self, event: SessionRows.Chosen) -> None:
        event.stop()
        self._open()

    @on(SessionRows.Scrolled)
    def _on_scrolled(self, event: SessionRows.Scrolled) -> None:
        event.stop()
        self._place_editor()
