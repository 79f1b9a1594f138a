"""Leaving the program: everything is saved first, and once it is asked about what cannot be."""

from __future__ import annotations

import asyncio

from kimi_tui.core.session.session import Session
from kimi_tui.core.text.counts import counted
from kimi_tui.ui.panes.desk import Desk

SAVING = "saving on leaving"
"""What the question is about, so that it stands there once."""


class Leaving:
    """Decides whether the program may be left."""

    def __init__(self, desk: Desk, switching: asyncio.Lock) -> None:
        """Work on that screen; while `switching` is held another session comes on screen."""
        self._desk, self._switching = desk, switching
        self._asked: tuple[tuple[Session, str], ...] = ()
        self._is_saving = False

    async def may_leave(self, *, asks: bool) -> bool:
        """Stop every reply and save everything; whether the program may be left then.

        Args:
            asks: Whether to ask, where text cannot be saved: it may be left when nothing has changed since.
        """
        if asks and self._is_saving:  # a second press must not answer what has not been asked yet
            return False
        self._is_saving = True
        try:
            await self._save()
        finally:
            self._is_saving = False
        return not asks or self._may_lose()

    async def _save(self) -> None:
        desk = self._desk
        for chat in desk.open_chats.all:
            await desk.turns.settle(chat)
        async with self._switching:
            await desk.open_chats.keep(lambda: desk.drafts.own)
        desk.refresh_bars()

    def _may_lose(self) -> bool:
        """Whether nothing is lost, or just that which was asked about; it is asked about else."""
        desk = self._desk
        lost = tuple((chat.session, chat.draft) for chat in desk.open_chats.unsaved)
        if not lost or lost == self._asked:
            return True
        self._asked = lost
        error = next(chat.unsaved for chat in desk.open_chats.unsaved)
        key = desk.keyboard.table.label("quit")
        one = "This session has" if desk.chat.unsaved is not None else "Another session has"
        where = one if len(lost) == 1 else f"{counted(len(lost), 'session')} have"
        way = f"{key} once more" if key else "/quit once more"
        desk.say(
            f"{error.summary if error else ''}\n{where} text that is in no file. Make room and leave, "
            f"or /export FILE to another place.\n{way} leaves without it.",
            "error",
            about=SAVING,
        )
        return False
