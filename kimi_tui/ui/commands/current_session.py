"""The session on screen: changed and saved, or another one put in its place.

Each keeps what was being typed in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from kimi_tui.core.session.session import Session
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.state.callbacks import RunLater, Say
from kimi_tui.ui.state.entries import error_text
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.open_chats import OpenChats


@dataclass(eq=False)
class CurrentSession:
    """Changes the session on screen, or which one that is."""

    open_chats: OpenChats
    drafts: Drafts
    prepare: Callable[[Chat], None]  # makes what showing a session takes, in a thread: the work grows with its messages
    leave: Callable[[], object]  # closes what belongs to the session that goes
    shown: Callable[[], None]  # shows the one that has come
    changed: Callable[[], None]  # shows the one that is there anew
    saved: Callable[[], None]  # shows whether sessions are saved
    run_later: RunLater
    say: Say
    switching: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    """Held while another session comes on screen: each keeps the draft that is its own."""

    def change(self, session: Session) -> None:
        """Take a changed session, show it and save it, where it holds anything or its file still does."""
        chat = self.open_chats.current
        chat.open_session.update(lambda _: session)
        self.changed()
        self.run_later(self._save_what_is_kept(chat))

    async def _save_what_is_kept(self, chat: Chat) -> None:
        if chat.session.messages or await self.open_chats.has_file(chat):
            await self.save(chat)

    async def save(self, chat: Chat) -> None:
        """Save what is in no file yet of a session that is open here, and show whether it is.

        Raises:
            StorageError: It could not be written.
        """
        try:
            if chat.open_session.is_changed:
                await chat.open_session.save()
        finally:
            self.saved()

    async def show(self, chat: Chat) -> None:
        """Show another session; a reply that runs goes on.

        Raises:
            KimiError: The one on screen could not be saved, and has no file yet; it stays.
        """
        async with self.switching:
            self.leave()
            before = self.open_chats.current
            await self.open_chats.show(chat, lambda: self.drafts.own)
            self.shown()
        if before is not chat and before.unsaved is not None:
            kept = "The session before stays open here until it can be saved."
            self.say(error_text(before.unsaved, kept), "error")

    async def show_new(self) -> None:
        """Show a new session; see `show`."""
        await self.show(await self.open_chats.create())

    async def open(self, path: Path) -> None:
        """Show the session of a file; see `show`.

        Raises:
            StorageError: It cannot be opened; the one on screen stays.
        """
        chat = await self.open_chats.open(path)
        if chat not in self.open_chats.all:  # nobody else knows it yet
            await asyncio.to_thread(self.prepare, chat)
        await self.show(chat)
