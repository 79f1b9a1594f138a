"""The session on screen: changed and saved, or another one put in its place.

Each keeps what was being typed in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from kimi_tui.core.errors import KimiError, StorageError
from kimi_tui.core.ports import HeldSession, SessionStore
from kimi_tui.core.session.session import Session
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.state.callbacks import RunLater
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.open_chats import OpenChats


@dataclass(eq=False)
class CurrentSession:
    open_chats: OpenChats
    drafts: Drafts
    prepare: Callable[[Chat], None]  # makes what showing a session takes, in a thread: the work grows with its messages
    leave: Callable[[], object]  # closes what belongs to the session that goes
    shown: Callable[[], None]  # shows the one that has come
    changed: Callable[[], None]  # shows the one that is there anew
    saved: Callable[[], None]  # shows whether sessions are saved
    run_later: RunLater
    switching: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    """Held while another session comes on screen: each keeps the draft that is its own."""

    def change(self, session: Session) -> None:
        """It is saved where it holds anything or its file still does."""
        chat = self.open_chats.current
        chat.open_session.update(lambda _: session)
        self.changed()
        self.run_later(self._save_what_is_kept(chat))

    async def change_and_save(self, chat: Chat, change: Callable[[Session], Session]) -> None:
        """As `change`, for any open session, and until it is saved or that has failed."""
        chat.open_session.update(change)
        if chat is self.open_chats.current:
            self.changed()
        await self._save_what_is_kept(chat)

    async def _save_what_is_kept(self, chat: Chat) -> None:
        if chat.session.messages or await self.open_chats.has_file(chat):
            with suppress(KimiError):  # it is told as long as it is not saved
                await self.save(chat)

    async def save(self, chat: Chat) -> None:
        """Save what is in no file yet of a session that is open here; raises StorageError where that fails."""
        try:
            if chat.open_session.is_changed:
                await chat.open_session.save()
        finally:
            self.saved()

    async def save_as(self, path: Path) -> None:
        """See `OpenChats.save_as`."""
        try:
            async with self.switching:
                await self.open_chats.save_as(self.open_chats.current, path, self.drafts.own)
        finally:
            self.saved()

    async def show(self, chat: Chat) -> None:
        """Show another session; a reply that runs goes on.

        Raises KimiError where the one on screen could not be saved, and has no file yet; it stays.
        """
        async with self.switching:
            left = self.open_chats.current
            if chat is left:  # what is being typed stays
                return
            self.leave()
            await self.open_chats.show(chat, lambda: self.drafts.own)
            self.drafts.leave(left.session.id)
            self.shown()

    async def show_new(self) -> None:
        """See `show`."""
        await self.show(await self.open_chats.create())

    async def open(self, path: Path) -> None:
        """See `show`; raises StorageError where the session cannot be opened."""
        chat = await self.open_chats.open(path)
        if chat not in self.open_chats.all:  # nobody else knows it yet
            await asyncio.to_thread(self.prepare, chat)
        await self.show(chat)


async def hold_new(session_store: SessionStore, session: Session) -> HeldSession:
    """Hold a new session that holds messages already, and save it; raises StorageError where that cannot be done."""
    held = await asyncio.to_thread(session_store.create, session)
    try:
        await session_store.save(held.session)
    except StorageError:
        await asyncio.to_thread(held.release)
        raise
    return held
