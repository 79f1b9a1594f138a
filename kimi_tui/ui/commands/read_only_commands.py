"""What makes a session that can only be read one's own: a copy, or the session itself once its holder has gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from kimi_tui.core.errors import StorageError
from kimi_tui.core.ports import HeldSession, SessionStore
from kimi_tui.ui.commands.dispatcher import Rows
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.state.callbacks import Say
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.read_only import READ_ONLY, opening_words


@dataclass(eq=False)
class ReadOnlyCommands:
    session_store: SessionStore
    open_chats: OpenChats
    drafts: Drafts
    switching: asyncio.Lock
    changed: Callable[[], None]  # shows the session on screen anew
    listed: Callable[[], None]  # shows the list of sessions anew
    now: Callable[[], datetime]
    say: Say
    key: str

    def rows(self) -> Rows:
        return {"open-copy": self._open_copy}

    async def _open_copy(self) -> None:
        """What stands on screen says which of the two it will be. Raises StorageError where it cannot be done."""
        async with self.switching:
            chat = self.open_chats.current
            if not chat.open_session.read_only:  # done by an earlier press
                return
            if chat.is_let_go:
                await self._take_over(chat)
            else:
                await self._copy(chat)
        self.changed()
        self.listed()

    async def _copy(self, chat: Chat) -> None:
        copy = self.session_store.copy_of(chat.session, self.now())
        held = await asyncio.to_thread(self.session_store.create, copy)
        try:
            await self.session_store.save(held.session)
        except StorageError:
            await asyncio.to_thread(held.release)
            raise
        await self._go_on_with(chat, held)
        self.say(f"opened as a copy: {held.session.title}\nThe session itself stays as it is.", about=READ_ONLY)

    async def _take_over(self, chat: Chat) -> None:
        held = await asyncio.to_thread(self.session_store.open, chat.path)
        self.drafts.put_before(held.draft)
        await self._go_on_with(chat, held)
        if held.read_only:
            self.say(opening_words(held.read_only, self.key, is_held=True), "warning", about=READ_ONLY)
        else:
            self.say("The session can be changed here now.", about=READ_ONLY)

    async def _go_on_with(self, chat: Chat, held: HeldSession) -> None:
        """What is typed goes along: it is saved with the session before it goes from where it lay."""
        with suppress(StorageError):  # it is saved again on leaving
            await asyncio.to_thread(self.session_store.save_draft, held.draft_path or held.path, self.drafts.own)
            await asyncio.to_thread(self.session_store.save_draft, chat.draft_path, "")
        self.open_chats.become(chat, held)
