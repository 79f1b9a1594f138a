"""The open sessions: the one on screen, and those whose replies are still being written."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from kimi_tui.core.session import Session
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.ui.chat import Chat
from kimi_tui.ui.services import Library, Lock
from kimi_tui.ui.slash import is_message

LONG_DRAFT = 100_000
"""A draft of more characters is written off the event loop, in characters."""


class OpenChats:
    """Opens and closes chats; a chat is open on screen, while its reply runs, and until its end has been read."""

    def __init__(self, library: Library, session: Session, lock: Lock) -> None:
        """Begin with one session on screen."""
        self._library = library
        self._memories: dict[str, Chat] = {}
        self.current = self._chat(session, lock)
        """The chat on screen."""
        self._others: list[Chat] = []

    @property
    def all(self) -> tuple[Chat, ...]:
        """The chat on screen, then the others."""
        return (self.current, *self._others)

    def at(self, path: Path) -> Chat | None:
        """Find an open chat by its session's file."""
        target = os.path.realpath(path)
        paths = ((chat, self._library.path_of(chat.session)) for chat in self.all)
        return next((chat for chat, own in paths if os.path.realpath(own) == target), None)

    def _chat(self, session: Session, lock: Lock) -> Chat:
        chat = Chat(OpenSession(session, self._library), lock, draft=self._library.load_draft(session.id))
        known = self._memories.pop(session.id, None)
        if known is not None:
            chat.notices, chat.deleted = known.notices, known.deleted
        return chat

    async def open(self, path: Path) -> Chat:
        """Open a session's file, or find it among those that are open.

        Raises:
            StorageError: It cannot be read, or is held elsewhere.
        """
        known = self.at(path)
        return known or self._chat(*await asyncio.to_thread(self._library.open, path))

    def chat_of(self, session: Session) -> Chat:
        """Make a chat of the session that has been read; it takes the lock of the one that stands for it."""
        return self._chat(session, self.current.lock)

    def begin_with(self, chat: Chat) -> None:
        """Put a chat in the place of the one that stood for it."""
        self.current = chat

    def create(self) -> Chat:
        """Make a chat of a new session."""
        return self._chat(*self._library.create())

    async def show(self, chat: Chat, typed: Callable[[], str]) -> None:
        """Put a chat on screen; the one before keeps what was being typed. One call waits for the other.

        Args:
            chat: The chat.
            typed: Says what is being typed; it is asked again, since keys go on while that is being kept.

        Raises:
            StorageError: The draft could not be kept; nothing has changed then.
        """
        before = self.current
        if chat is before:
            return
        await self._keep_typed(before, typed)
        self._others = [*(other for other in self._others if other is not chat), before]
        self.current = chat
        chat.is_unread = chat.has_failed = False
        self.close_idle()

    def close_idle(self) -> None:
        """Close chats that are not on screen, have no running reply and nothing to be read."""
        for chat in self._others:
            if chat.turn is None and not chat.is_unread:
                chat.lock.release()
                self._memories[chat.session.id] = chat  # notices are still to be read, deletions to be undone
        self._others = [chat for chat in self._others if chat.turn is not None or chat.is_unread]

    async def _keep_typed(self, chat: Chat, typed: Callable[[], str]) -> None:
        """Keep what is being typed, and what is typed while it is being kept."""
        kept = None
        while (draft := typed()) != kept:
            chat.draft = kept = draft
            await self._keep_draft(chat)

    async def _keep_draft(self, chat: Chat) -> None:
        """Keep what is being typed; a session that holds nothing else is saved with it, so that it can be resumed.

        Blanks and a command are not worth a session of their own.
        """
        if not chat.session.messages and is_message(chat.draft):
            await chat.open_session.save()
        draft = chat.draft if self.has_file(chat) else ""
        if len(draft) > LONG_DRAFT:
            await asyncio.to_thread(self._library.save_draft, chat.session.id, draft)
        else:  # keys right behind this one belong to the next session: nothing comes between
            self._library.save_draft(chat.session.id, draft)

    def has_file(self, chat: Chat) -> bool:
        """Whether a chat's session can be resumed."""
        return bool(chat.session.messages) or self._library.path_of(chat.session).exists()

    async def close_all(self, typed: Callable[[], str]) -> None:
        """Keep every draft and let others open the sessions.

        Args:
            typed: Says what is being typed in the chat on screen.

        Raises:
            StorageError: A draft could not be kept.
        """
        for chat in self._others:
            await self._keep_draft(chat)
        await self._keep_typed(self.current, typed)
        for chat in self.all:
            chat.lock.release()

    def forget(self, chat: Chat) -> None:
        """Close a chat whose session is gone."""
        self._others = [other for other in self._others if other is not chat]
        chat.lock.release()
