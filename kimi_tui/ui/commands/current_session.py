"""The session on screen: changed and saved, or another one put in its place.

Each keeps what was being typed in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from kimi_tui.core.session.session import Session
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.state.callbacks import RunLater, Say
from kimi_tui.ui.state.entries import error_text
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.open_chats import OpenChats


class CurrentSession:
    """Changes the session on screen, or which one that is."""

    def __init__(
        self,
        open_chats: OpenChats,
        drafts: Drafts,
        *,
        prepare: Callable[[Chat], None],
        leave: Callable[[], object],
        shown: Callable[[], None],
        changed: Callable[[], None],
        saved: Callable[[], None],
        run_later: RunLater,
        say: Say,
    ) -> None:
        """Be ready.

        Args:
            open_chats: The open sessions.
            drafts: What is being typed.
            prepare: Makes what showing a session takes, in a thread: the work grows with its messages.
            leave: Closes what belongs to the session that goes.
            shown: Shows the one that has come.
            changed: Shows the one that is there anew.
            saved: Shows whether sessions are saved.
            run_later: Does what takes a while.
            say: Tells what could not be saved.
        """
        self._open_chats, self._drafts = open_chats, drafts
        self._prepare, self._leave, self._shown, self._changed = prepare, leave, shown, changed
        self._saved, self._run_later, self._say = saved, run_later, say
        self.switching = asyncio.Lock()
        """Held while another session comes on screen: each keeps the draft that is its own."""

    def change(self, session: Session) -> None:
        """Take a changed session, show it and save it, where it holds anything or its file still does."""
        chat = self._open_chats.current
        chat.open_session.update(lambda _: session)
        self._changed()
        if session.messages or self._open_chats.has_file(chat):
            self._run_later(self.save(chat))

    async def save(self, chat: Chat) -> None:
        """Save what is in no file yet of a session that is open here, and show whether it is.

        Raises:
            StorageError: It could not be written.
        """
        try:
            if chat.open_session.is_changed:
                await chat.open_session.save()
        finally:
            self._saved()

    async def show(self, chat: Chat) -> None:
        """Show another session; a reply that runs goes on.

        Raises:
            KimiError: The one on screen could not be saved, and has no file yet; it stays.
        """
        async with self.switching:
            self._leave()
            before = self._open_chats.current
            await self._open_chats.show(chat, lambda: self._drafts.own)
            self._shown()
        if before is not chat and before.unsaved is not None:
            kept = "The session before stays open here until it can be saved."
            self._say(error_text(before.unsaved, kept), "error")

    async def show_new(self) -> None:
        """Show a new session; see `show`."""
        await self.show(self._open_chats.create())

    async def open(self, path: Path) -> None:
        """Show the session of a file; see `show`.

        Raises:
            StorageError: It cannot be opened; the one on screen stays.
        """
        chat = await self._open_chats.open(path)
        if chat not in self._open_chats.all:  # nobody else knows it yet
            await asyncio.to_thread(self._prepare, chat)
        await self.show(chat)
