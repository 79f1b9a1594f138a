"""The sessions pane at work: lists what lies on disk, and opens, renames, copies, deletes and brings back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Generator
from pathlib import Path
from typing import ClassVar

from textual import on

from kimi_tui.core.errors import KimiError
from kimi_tui.core.session.session_list import SessionList
from kimi_tui.core.settings.actions import Scope
from kimi_tui.ui.panes.desk import Desk
from kimi_tui.ui.panes.panel import Panel
from kimi_tui.ui.panes.sessions_pane.sessions_widget import SessionsPane
from kimi_tui.ui.state.entries import error_text


class SessionsPanel(SessionsPane, Panel):
    """Keeps the list of sessions in view."""

    scope: ClassVar[Scope] = Scope.SESSIONS
    """What its keys mean."""

    def __init__(self, desk: Desk) -> None:
        """Work on that screen."""
        super().__init__(keys=desk.keyboard.table.keys, id="sessions-pane")
        self._desk = desk
        self._is_listing = False
        self._is_stale = False
        self._has_shown = asyncio.Event()  # any sessions at all

    def take_focus(self) -> None:
        """Give the keys to the list."""
        self.focus_list()

    def come_into_view(self) -> None:
        """Forget what was said when it was in view before."""
        self.say("")

    async def _tell(self, work: Awaitable[str | None]) -> None:
        """Say here what became of something: in the conversation, nobody who looks at the list may see it."""
        try:
            self.say(await work or "")
        except KimiError as error:
            self.say(error_text(error))
            raise

    def refresh_pane(self) -> None:
        """List the sessions anew, off the event loop; a wish while it runs is fulfilled after it."""
        self._mark()
        self._is_stale = True
        if not self._is_listing:
            self._is_listing = True
            self.run_worker(self._load(), group="sessions", exit_on_error=False)
        if not self._has_shown.is_set():  # keys right behind the one that opened it are for its rows
            self._desk.run_later(self._first_shown())

    async def _first_shown(self) -> None:
        await self._has_shown.wait()

    async def _load(self) -> None:
        try:
            while self._is_stale:
                self._is_stale = False
                await self._fill()
        except KimiError as error:
            self.show_failure()
            self._desk.say_error(error)
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
        now = self._desk.services.clock.now().astimezone()
        for listing in self._desk.services.library.listings():
            yield self.listed(listing, now)

    def _mark(self) -> None:
        paths = {str(chat.path): chat for chat in self._desk.open_chats.all}
        self.set_marks(
            str(self._desk.chat.path),
            {path for path, chat in paths.items() if chat.turn is not None},
            {path for path, chat in paths.items() if chat.is_unread},
            {path for path, chat in paths.items() if chat.has_failed},
        )

    @on(SessionsPane.OpenRequested)
    def _open_requested(self, event: SessionsPane.OpenRequested) -> None:
        """Open a session."""
        event.stop()
        self._desk.run_later(self._open(event.path))

    async def _open(self, path: Path) -> None:
        await self._desk.open_path(path)
        self._desk.panes.close_overlay()
        self._desk.type_here()

    @on(SessionsPane.RenameRequested)
    def _rename_requested(self, event: SessionsPane.RenameRequested) -> None:
        """Give a session another title."""
        event.stop()
        self._desk.run_later(self._tell(self._desk.files.rename(event.path, event.title)))

    @on(SessionsPane.DuplicateRequested)
    def _duplicate_requested(self, event: SessionsPane.DuplicateRequested) -> None:
        """Copy a session."""
        event.stop()
        self._desk.run_later(self._tell(self._desk.files.duplicate(event.path)))

    @on(SessionsPane.DeleteRequested)
    def _delete_requested(self, event: SessionsPane.DeleteRequested) -> None:
        """Move a session to the trash."""
        event.stop()
        self._desk.run_later(self._tell(self._delete(event.path)))

    async def _delete(self, path: Path) -> str:
        name = await self._desk.files.delete(path)
        self.take_focus()  # another session on screen took the keys; the next one may be for this list
        way = self._desk.keyboard.table.label("restore-session") or "/restore-session"
        return f"{name} is in the trash. {way} brings it back."

    @on(SessionsPane.RestoreRequested)
    def _restore_requested(self, event: SessionsPane.RestoreRequested) -> None:
        """Bring back what was deleted last."""
        event.stop()
        self._desk.run_later(self._tell(self._bring_back()))

    async def _bring_back(self) -> str:
        return f"{await self._desk.files.restore()} is back."

    @on(SessionsPane.Refused)
    def _refused(self, event: SessionsPane.Refused) -> None:
        """Say why nothing happened."""
        event.stop()
        self._desk.remark(
            "This file cannot be read, so it stays as it is. Opening it tells why.",
            "Not readable: opening it tells why.",
        )

    @on(SessionsPane.HintsChanged)
    def _hints_changed(self, event: SessionsPane.HintsChanged) -> None:
        """Show the keys of another part."""
        event.stop()
        self._desk.refresh_hints()

    @on(SessionsPane.LeaveRequested)
    def _leave_requested(self, event: SessionsPane.LeaveRequested) -> None:
        """Go back to the composer."""
        event.stop()
        self._desk.panes.close_overlay()
        self._desk.type_here()
