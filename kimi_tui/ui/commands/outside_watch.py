"""What others do to the files of open sessions: watched and told; how one goes on with a session that they hold."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never

from kimi_tui.core.errors import KimiError, StorageError
from kimi_tui.core.ports import (
    Conflict,
    FileChange,
    HeldSession,
    Lost,
    RecoveredSession,
    Reloaded,
    Rewritten,
    SessionStore,
)
from kimi_tui.core.session.codec import read_only_reason
from kimi_tui.core.text.visible import visible_line
from kimi_tui.ui.commands.current_session import hold_new
from kimi_tui.ui.commands.dispatcher import Rows
from kimi_tui.ui.panes.conversation_feed import ConversationFeed
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.state.callbacks import RunLater
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.open_chats import RECOVERED, OpenChats
from kimi_tui.ui.state.read_only import FREE, READ_ONLY, free_way, let_go_words, opening_words

CHANGED = "a file changed by others"
"""What notices on that are about: the last one says how it is now."""


@dataclass(eq=False)
class OutsideWatch:
    session_store: SessionStore
    open_chats: OpenChats
    drafts: Drafts
    feed: ConversationFeed
    switching: asyncio.Lock
    now: Callable[[], datetime]
    changed: Callable[[], None]  # shows the session on screen anew
    listed: Callable[[], None]  # shows the list of sessions anew
    saved: Callable[[], None]  # shows whether sessions are saved
    run_later: RunLater
    key: str  # what goes on with a read-only session
    _is_looking: bool = field(default=False, init=False)

    def rows(self) -> Rows:
        return {"open-copy": self._open_copy}

    async def look(self) -> None:
        """Look at every open session once; a look that takes long is the only one meanwhile."""
        if self._is_looking:
            return
        self._is_looking = True
        try:
            for chat in self.open_chats.all:
                await self._look_at(chat)
        finally:
            self._is_looking = False

    async def _look_at(self, chat: Chat) -> None:
        with suppress(KimiError):  # the chat tells that it is not saved
            await chat.open_session.take_changes(self.session_store.look)
        self.saved()
        if chat.held.is_free is not None and not chat.is_let_go:
            await self._look_for_holder(chat, chat.held.is_free)

    async def _look_for_holder(self, chat: Chat, is_free: Callable[[], bool]) -> None:
        if await asyncio.to_thread(is_free) and chat.held.is_free is is_free:
            chat.is_let_go = True
            chat.open_session.note_free(FREE, free_way(self.key))
            self._tell(chat, let_go_words(self.key), "warning", READ_ONLY)
            self.changed()

    def tell_recovered(self, sessions: Sequence[RecoveredSession]) -> None:
        """Say what dead processes left: here what came back on screen, where it came back the rest."""
        for session in sessions:
            if session.id in {self.open_chats.current.session.id, ""}:
                self.feed.say(session.words, "warning", about=RECOVERED)
            else:
                self.open_chats.recovered[session.id] = session.words
                title = f": {visible_line(session.title)}" if session.title else "."
                self.feed.say(f"{session.words}\n/resume {session.id} opens it{title}", "warning")
        self.listed()

    def told(self, chat: Chat, change: FileChange) -> None:
        """See `OpenSession.told`."""
        match change:
            case Reloaded() if reason := read_only_reason(change.session):
                self._tell(chat, opening_words(reason, self.key, is_held=False), "warning", READ_ONLY)
            case Reloaded():
                if not chat.open_session.read_only:  # there it is what one waits for
                    self._tell(chat, "Another program changed this session's file; this is what it says now.", "info")
            case Lost(reason=reason):
                words = reason or "The file of this session is gone: it was deleted, or moved elsewhere."
                self._tell(chat, f"{words}\nWhat is on screen is as it was read last.", "warning")
            case Rewritten():
                self._tell(chat, change.words, "warning")
            case Conflict():
                self._go_on_as(chat, change)
            case _:
                assert_never(change)
        if chat is self.open_chats.current:
            self.changed()
        self.listed()

    def _go_on_as(self, chat: Chat, conflict: Conflict) -> None:
        """Its draft goes along; others may open the session that it was."""
        draft = self.drafts.own if chat is self.open_chats.current else chat.unsent.draft
        self.open_chats.move(chat, conflict.copy)
        self.open_chats.parting_words.append(conflict.words)
        self._tell(chat, conflict.words, "error")
        self.run_later(self._move_draft(conflict, draft), keys_wait=False)

    async def _move_draft(self, conflict: Conflict, draft: str) -> None:
        with suppress(StorageError):  # what is typed is saved again on leaving
            await asyncio.to_thread(self.session_store.save_draft, conflict.copy.path, draft)
            await asyncio.to_thread(self.session_store.save_draft, conflict.other, "")

    # -- what can only be read is made one's own: a copy, or the session itself once its holder has gone

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
        held = await hold_new(self.session_store, self.session_store.copy_of(chat.session, self.now()))
        await self._go_on_with(chat, held)
        self.feed.say(f"opened as a copy: {held.session.title}\nThe session itself stays as it is.", about=READ_ONLY)

    async def _take_over(self, chat: Chat) -> None:
        held = await asyncio.to_thread(self.session_store.open, chat.path)
        self.drafts.prepend(held.draft)
        await self._go_on_with(chat, held)
        if held.read_only:
            self.feed.say(opening_words(held.read_only, self.key, is_held=True), "warning", about=READ_ONLY)
        else:
            self.feed.say("The session can be changed here now.", about=READ_ONLY)

    async def _go_on_with(self, chat: Chat, held: HeldSession) -> None:
        """What is typed goes along: it is saved with the session before it goes from where it lay."""
        with suppress(StorageError):  # it is saved again on leaving
            await asyncio.to_thread(self.session_store.save_draft, held.draft_path, self.drafts.own)
            await asyncio.to_thread(self.session_store.save_draft, chat.held.draft_path, "")
        self.open_chats.become(chat, held)

    def _tell(self, chat: Chat, text: str, severity: str, about: str = CHANGED) -> None:
        chat.notices.drop(about)
        self.feed.notice(chat, text, severity, about)
