"""The sessions pane at work: lists what lies on disk, and opens, renames, copies, deletes and brings back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Protocol

from textual import on

from kimi_tui.core.errors import KimiError
from kimi_tui.core.ports import SessionStore
from kimi_tui.core.session.listing import SessionList, session_list
from kimi_tui.core.settings.actions import Scope
from kimi_tui.core.settings.keymap import KeyTable
from kimi_tui.ui.panes.panel import Panel
from kimi_tui.ui.panes.sessions_pane.sessions_widget import SessionsPane
from kimi_tui.ui.state.callbacks import Remark, RunLater, Say
from kimi_tui.ui.state.entries import error_text
from kimi_tui.ui.state.open_chats import OpenChats


class SessionActs(Protocol):
    """What can be done with sessions as files; each raises KimiError where it cannot be done.

    What `delete` and `restore` return is what the session is called.
    """

    async def rename(self, path: Path, title: str) -> None: ...

    async def duplicate(self, path: Path) -> None: ...

    async def delete(self, path: Path) -> str: ...

    async def restore(self) -> str: ...


class SessionsPanel(SessionsPane, Panel):
    scope: ClassVar[Scope] = Scope.SESSIONS

    def __init__(
        self,
        session_store: SessionStore,
        open_chats: OpenChats,
        session_acts: SessionActs,
        *,
        now: Callable[[], datetime],
        open: Callable[[Path], Awaitable[None]],
        leave: Callable[[], None],
        run_later: RunLater,
        say: Say,
        remark: Remark,
        keys: KeyTable,
    ) -> None:
        """`open` shows a session and leaves the pane; it may raise KimiError.

        `open_chats` are marked in the list; `now` decides what is called today. `say` tells why there is no list,
        `remark` why nothing happened.
        """
        super().__init__(keys=keys.keys, id="sessions-pane")
        self._session_store, self._session_acts = session_store, session_acts
        self._open_chats, self._now = open_chats, now
        self._open_session, self._leave_pane, self._run_later = open, leave, run_later
        self._say_in_conversation, self._remark, self._key_table = say, remark, keys
        self._is_listing = False
        self._is_stale = False
        self._has_shown = asyncio.Event()  # any sessions at all

    def take_focus(self) -> None:
        self.focus_list()

    def come_into_view(self) -> None:
        self.say("")

    def refresh_pane(self) -> None:
        """List the sessions off the event loop; a wish while that runs is fulfilled after it."""
        self._mark()
        self._is_stale = True
        if not self._is_listing:
            self._is_listing = True
            self.run_worker(self._load(), group="sessions", exit_on_error=False)
        if not self._has_shown.is_set():  # keys right behind the one that opened it are for its rows
            self._run_later(self._first_shown())

    async def _first_shown(self) -> None:
        await self._has_shown.wait()

    async def _load(self) -> None:
        try:
            while self._is_stale:
                self._is_stale = False
                await self._fill()
        except KimiError as error:
            self.show_failure()
            self._say_in_conversation(error_text(error), "error")
        finally:
            self._is_listing = False
            self._has_shown.set()

    async def _fill(self) -> None:
        """Show the sessions while their files are read, until there are others."""
        lists = self._lists()
        while not self._is_stale and (sessions := await asyncio.to_thread(next, lists, None)) is not None:
            self.show_list(sessions)
            self._mark()
            self._has_shown.set()
        await asyncio.to_thread(lists.close)

    def _lists(self) -> Generator[SessionList, None, None]:
        now = self._now().astimezone()
        for listing in self._session_store.listings():
            yield session_list(listing, now, datetime.astimezone)

    def _mark(self) -> None:
        paths = {str(chat.path): chat for chat in self._open_chats.all}
        self.set_marks(
            str(self._open_chats.current.path),
            {path for path, chat in paths.items() if chat.replies.turn is not None},
            {path for path, chat in paths.items() if chat.is_unread},
            {path for path, chat in paths.items() if chat.has_failed},
        )

    @on(SessionsPane.Requested)
    def _requested(self, event: SessionsPane.Requested) -> None:
        event.stop()
        if event.action_id == "open-session" and event.path is not None:
            self._run_later(self._open_session(event.path))
        else:
            self._run_later(self._tell(self._done(event)))

    @on(SessionsPane.LeaveRequested)
    def _leave_requested(self, event: SessionsPane.LeaveRequested) -> None:
        event.stop()
        self._leave_pane()

    @on(SessionsPane.Refused)
    def _refused(self, event: SessionsPane.Refused) -> None:
        event.stop()
        why = "This file cannot be read, so it stays as it is. Opening it tells why."
        self._remark(why, "Not readable: opening it tells why.")

    async def _tell(self, work: Awaitable[str]) -> None:
        """It is said here: in the conversation, nobody who looks at the list may see it."""
        try:
            self.say(await work)
        except KimiError as error:
            self.say(error_text(error))
            raise

    async def _done(self, event: SessionsPane.Requested) -> str:
        """Do what was asked for, and give what is said of it; "" = nothing."""
        match event:
            case SessionsPane.Requested("rename-session", Path() as path, title):
                await self._session_acts.rename(path, title)
            case SessionsPane.Requested("duplicate", Path() as path):
                await self._session_acts.duplicate(path)
            case SessionsPane.Requested("delete-session", Path() as path):
                name = await self._session_acts.delete(path)
                self.take_focus()  # another session on screen took the keys; the next one may be for this list
                way = self._key_table.label("restore-session") or "/restore-session"
                return f"{name} is in the trash. {way} brings it back."
            case _:
                return f"{await self._session_acts.restore()} is back."
        return ""
