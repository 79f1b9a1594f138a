"""The open sessions: the one on screen, and those whose replies are still being written."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from kimi_tui.core.errors import KimiError, StorageError
from kimi_tui.core.faults import reason_of
from kimi_tui.core.ports import FileChange, HeldSession, SessionStore
from kimi_tui.core.session.session import Session
from kimi_tui.core.session.tree import sharing_messages
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.ui.state import entries
from kimi_tui.ui.state.notices import Notices
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.read_only import READ_ONLY, way_out
from kimi_tui.ui.state.slash import is_message
from kimi_tui.ui.state.tree_steps import TreeSteps
from kimi_tui.ui.state.unsent_text import UnsentText

RECOVERED = "recovered"
"""What a notice about that is about."""
RAW_DRAFT = "raw draft"
"""Likewise."""
RAW_KEPT = "A raw input that was not sent is kept: /raw goes on with it, /raw off throws it away."


class OpenChats:
    """Opens and closes chats; a chat is open on screen, while its reply runs, and until its end has been read."""

    def __init__(
        self, session_store: SessionStore, new_session: Callable[[], Session], first: HeldSession, copy_key: str
    ) -> None:
        """`copy_key` = what goes on with a read-only session, as it is shown."""
        self._session_store, self._new_session, self._copy_key = session_store, new_session, copy_key
        self.told: Callable[[Chat, FileChange], object] = lambda *_: None
        """Is called when others changed the file of an open session."""
        self.parting_words = list[str]()
        """What is worth being said again when the program has been left."""
        self._closed: dict[str, tuple[Notices, TreeSteps]] = {}
        """What is still to be read and to be undone of chats that are closed, by their session's id."""
        self.recovered: dict[str, str] = {}
        """What came back in sessions since the program started, in a line, by their id, until they are opened."""
        self.current = self.chat_of(first)
        self.current.unsent.kept_draft = first.draft or None
        self._stand_in: Chat | None = None
        self._others: list[Chat] = []
        self._releases: set[asyncio.Task[object]] = set()
        self._writing_draft = asyncio.Lock()
        self.trashed: list[tuple[Path, str]] = []
        """The sessions that were deleted and can be brought back, the last one last: where each lies, and its name."""

    @property
    def all(self) -> tuple[Chat, ...]:
        """The chat on screen, then the others."""
        return (self.current, *self._others)

    async def at(self, path: Path) -> Chat | None:
        """Find an open chat by its session's file, whatever link leads to it."""
        places = dict.fromkeys((path, *(chat.path for chat in self.all)))
        real = dict(zip(places, await asyncio.to_thread(lambda: [os.path.realpath(it) for it in places]), strict=True))
        return next((chat for chat in self.all if real.get(chat.path) == real[path]), None)

    def chat_of(self, held: HeldSession) -> Chat:
        way = way_out(held, self._copy_key)
        opened = OpenSession(held.session, self._session_store, read_only=held.read_only, way_out=way)
        chat = Chat(opened, held)
        chat.unsent = UnsentText(held.draft, held.draft, raw_draft=held.raw_draft, kept_raw_draft=held.raw_draft)
        if held.raw_draft is not None:
            chat.add_notice(entries.notice("raw-draft", RAW_KEPT), RAW_DRAFT)
        opened.told = lambda change: self.told(chat, change)
        if known := self._closed.pop(held.session.id, None):
            chat.notices, chat.tree_steps = known
            chat.notices.drop(READ_ONLY)
        recovered = held.recovered or self.recovered.pop(held.session.id, "")
        if recovered:
            chat.add_notice(entries.notice("recovered", recovered, "warning"), RECOVERED)
        return chat

    def become(self, chat: Chat, held: HeldSession) -> None:
        """Let a chat go on with another session that says the same, and let others open the one that it was."""
        self._begin_anew(chat, held)
        self.move(chat, held)

    def _begin_anew(self, chat: Chat, held: HeldSession) -> None:
        session, way = sharing_messages(held.session, chat.session), way_out(held, self._copy_key)
        chat.open_session.begin_anew(session, read_only=held.read_only, way_out=way)
        chat.is_let_go = False
        chat.notices.drop(READ_ONLY)

    def move(self, chat: Chat, held: HeldSession) -> None:
        """Let the session of a chat lie where it is held now, and others open the one that it was."""
        self._let_go(chat.held.release)
        chat.held = held

    async def open(self, path: Path) -> Chat:
        """Open a session's file, or find it among the open ones; StorageError where it cannot be read or held."""
        if known := await self.at(path):
            return known
        await self._released()
        return self.chat_of(await asyncio.to_thread(self._session_store.open, path))

    def begin_with(self, chat: Chat) -> None:
        """Put a chat in the place of the one that stood for it; that and its draft go once this one's is kept."""
        self._stand_in, self.current = self.current, chat

    async def create(self) -> Chat:
        """Make a chat of a new session; StorageError where it cannot be held."""
        return self.chat_of(await asyncio.to_thread(self._session_store.create, self._new_session()))

    async def show(self, chat: Chat, draft: Callable[[], str]) -> None:
        """Put another chat on screen; the one before keeps what was being typed, which `draft` gives.

        What of it cannot be saved stays open behind the one on screen.

        Raises:
            KimiError: It cannot be saved, and has no file to find it by again; nothing has changed then.
        """
        before = self.current
        await self.keep(draft)
        if before.unsaved is not None and not await self.has_file(before):
            raise before.unsaved
        self._others = [*(other for other in self._others if other is not chat), before]
        self.current = chat
        chat.is_unread = chat.has_failed = False
        self.close_idle()

    def close_idle(self) -> None:
        """Close chats that are not on screen, have no running reply, and nothing to be read or saved."""
        kept = [chat for chat in self._others if chat.replies.turn is not None or chat.is_unread or chat.unsaved]
        for chat in self._others:
            if chat not in kept:
                self._let_go(chat.held.release)
                self._closed[chat.session.id] = chat.notices, chat.tree_steps
        self._others = kept

    async def keep(self, draft: Callable[[], str]) -> None:
        """Save what is in no file yet, of every chat; what could not be saved its chat tells.

        `draft` gives what is being typed on screen; what is typed while it is written is kept too.
        """
        for chat in self._others:
            await self._keep(chat)
        chat = self.current
        while True:
            chat.unsent.draft = text = draft()
            await self._keep(chat)
            if draft() == text:
                return

    async def save_again(self, draft: Callable[[], str]) -> None:
        """Save what could not be saved when that was tried last; `draft` as in `keep`."""
        for chat in self.unsaved:
            if chat is self.current:
                chat.unsent.draft = draft()
            await self._keep(chat)

    async def save_as(self, chat: Chat, path: Path, draft: str) -> None:
        """Save a session, with what is being typed, into a new file, where it is saved from now on.

        The file that it had stays as it was saved last. What could only be read there can be changed now. StorageError,
        or UsageError, where that cannot be done.
        """
        held = list[HeldSession]()

        async def save(session: Session) -> Session:
            held.append(await asyncio.to_thread(self._session_store.save_as, session, path))
            return held[0].session

        await chat.open_session.save_elsewhere(save)
        before, chat.held = chat.held, held[0]
        if chat.open_session.read_only:
            self._begin_anew(chat, chat.held)
        chat.unsent.draft, chat.unsent.kept_draft, chat.unsent.kept_raw_draft = draft, "", None
        await self._keep(chat)
        if chat.unsent.error is None:
            with suppress(KimiError):  # there it is only a copy now
                await asyncio.to_thread(self._session_store.save_draft, before.draft_path, "")
                await asyncio.to_thread(self._session_store.save_raw_draft, before.draft_path, None)
        self._let_go(before.release)

    async def _keep(self, chat: Chat) -> None:
        """Save a session, and what is being typed; one that holds nothing else is saved too, so that it can be resumed.

        Blanks and a command are not worth a session of their own.
        """
        with suppress(KimiError):  # the chat tells
            if chat.session.messages:
                await chat.open_session.save_at_the_end(self._session_store.look)
            elif is_message(chat.unsent.draft):
                await chat.open_session.save()
        await self._keep_draft(chat, chat.unsent.draft)
        await self._keep_raw_draft(chat)

    async def keep_drafts(self, draft: str) -> None:
        """Save what was typed and is in no file yet, of every chat; `draft` is what is being typed on screen."""
        current = self.current
        for chat in self.all:
            await self._keep_draft(chat, draft if chat is current else chat.unsent.draft)
            await self._keep_raw_draft(chat)

    async def _keep_raw_draft(self, chat: Chat) -> None:
        """A session that holds nothing else is saved too, so that it can be resumed."""
        async with self._writing_draft:
            draft = chat.unsent.take_typed_raw()
            if draft == chat.unsent.kept_raw_draft:
                return
            try:
                if draft is not None and not await self.has_file(chat):
                    await chat.open_session.save()
                await asyncio.to_thread(self._session_store.save_raw_draft, chat.held.draft_path, draft)
                chat.unsent.kept_raw_draft, chat.unsent.error = draft, None
            except KimiError as error:
                chat.unsent.error = error

    async def _keep_draft(self, chat: Chat, draft: str) -> None:
        async with self._writing_draft:  # the last one written is the last one typed
            text = chat.unsent.with_queued(draft)
            if text != chat.unsent.kept_draft or chat.unsent.error is not None:
                try:
                    chat.unsent.kept_draft = await asyncio.to_thread(self._save_draft, chat, text)
                    chat.unsent.error = None
                except KimiError as error:
                    chat.unsent.error = error
            stand_in = self._stand_in
            if stand_in is not None and chat is self.current and chat.unsent.error is None:
                await asyncio.to_thread(self._drop_early, stand_in.held.draft_path)
                self._stand_in = None
                self._let_go(stand_in.held.release)  # not before: who looks for what dead processes left would take it

    def _drop_early(self, place: Path) -> None:
        with suppress(KimiError):  # nothing is lost by it
            self._session_store.save_draft(place, "")

    def _save_draft(self, chat: Chat, text: str) -> str:
        """Keep a draft beside its session, and give what is kept: a command is worth no session of its own.

        Raises StorageError where nobody can tell whether there is one.
        """
        if not text and chat.unsent.kept_draft is None:
            self._drop_early(chat.held.draft_path)
            return ""
        try:
            has_place = bool(chat.open_session.read_only) or is_message(text) or chat.path.exists()
        except OSError as error:
            raise StorageError(f"The draft beside {chat.path} could not be written: {reason_of(error)}.") from error
        kept = text if has_place else ""
        self._session_store.save_draft(chat.held.draft_path, kept)
        return kept

    async def has_file(self, chat: Chat) -> bool:
        """Whether a chat's session can be resumed, as far as anybody can tell."""
        return await asyncio.to_thread(os.path.exists, chat.path)

    @property
    def unsaved(self) -> tuple[Chat, ...]:
        return tuple(chat for chat in self.all if chat.unsaved is not None)

    async def release(self) -> None:
        for chat in self.all:
            self._let_go(chat.held.release)
        await self._released()

    def forget(self, chat: Chat) -> None:
        self._others = [other for other in self._others if other is not chat]
        self._let_go(chat.held.release)

    def _let_go(self, release: Callable[[], object]) -> None:
        task = asyncio.get_running_loop().create_task(asyncio.to_thread(release))
        self._releases.add(task)
        task.add_done_callback(self._releases.discard)

    async def _released(self) -> None:
        """Wait until what was let go can be opened again."""
        await asyncio.gather(*self._releases)
