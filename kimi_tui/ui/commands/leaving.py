"""Leaving the program: everything is saved first, and once it is asked about what cannot be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from kimi_tui.core.ports import SessionStore
from kimi_tui.core.session.session import Session
from kimi_tui.core.text.counts import counted
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.state.callbacks import Say
from kimi_tui.ui.state.open_chats import OpenChats

SAVING = "saving on leaving"
"""What the question is about, so that it stands there once."""
TEXT_LOST = 1
"""The exit status where text could not be saved."""


@dataclass(eq=False)
class Leaving:
    session_store: SessionStore
    open_chats: OpenChats
    drafts: Drafts
    switching: asyncio.Lock
    saved: Callable[[], None]  # shows whether sessions are saved
    say: Say
    key: str
    exit: Callable[[str | None, int], None]  # ends the program: the session to resume, None = none; the exit status
    _asked: tuple[tuple[Session, str], ...] = field(default=(), init=False)
    _is_saving: bool = field(default=False, init=False)

    async def leave(self, *, asks: bool) -> None:
        """Stop every reply, save everything and end the program.

        With `asks`, where text cannot be saved, it is asked first; that is left when nothing has changed since.
        """
        if asks and self._is_saving:  # a second press must not answer what has not been asked yet
            return
        self._is_saving = True
        try:
            await self._save()
        finally:
            self._is_saving = False
        if not asks or self._may_lose():
            session_id = await self._close()
            self.exit(session_id, TEXT_LOST if self.open_chats.unsaved else 0)

    async def keep(self) -> str | None:
        """Stop every reply and save everything, drawing nothing; the session to resume, None = nothing was saved.

        Raises KimiError where something could not be saved.
        """
        await self._settle()
        await self.open_chats.keep(lambda: self.drafts.own)
        session_id = await self._close()
        for chat in self.open_chats.unsaved:
            assert chat.unsaved is not None
            raise chat.unsaved
        return session_id

    async def _close(self) -> str | None:
        """Let others open the sessions; the id of the one on screen, where it can be resumed."""
        chats = self.open_chats
        await chats.release()
        self.session_store.close()
        return chats.current.session.id if await chats.has_file(chats.current) else None

    async def _settle(self) -> None:
        for chat in self.open_chats.all:
            await chat.replies.settle()

    async def _save(self) -> None:
        await self._settle()
        async with self.switching:
            await self.open_chats.keep(lambda: self.drafts.own)
        self.saved()

    def _may_lose(self) -> bool:
        """Whether nothing is lost, or just that which was asked about; it is asked about else."""
        unsaved = self.open_chats.unsaved
        lost = tuple((chat.session, chat.unsent.draft) for chat in unsaved)
        if not lost or lost == self._asked:
            return True
        self._asked = lost
        one = "This session has" if self.open_chats.current in unsaved else "Another session has"
        where = one if len(lost) == 1 else f"{counted(len(lost), 'session')} have"
        self.say(
            f"{where} text that is in no file. Make room, or /save-as FILE saves it elsewhere.\n"
            f"{self.key or '/quit'} once more leaves without it.",
            "error",
            about=SAVING,
        )
        return False
