"""The session to begin with, which may have to be read while the screen is there already.

What is typed and sent meanwhile is kept for it; other actions are refused.
"""

from __future__ import annotations

import asyncio

from kimi_tui.ui import entries
from kimi_tui.ui.desk import Desk
from kimi_tui.ui.services import Opening


class Beginning:
    """Reads the session, and knows whether it is there."""

    def __init__(self, desk: Desk) -> None:
        """Begin on that screen."""
        self._desk = desk
        self._is_over = asyncio.Event()

    def announce(self, opening: Opening) -> None:
        """Show what is being opened; what is typed meanwhile is kept."""
        self._desk.transcript.set_entries([entries.notice("opening", f"Opening {opening.name} …")])
        self._desk.refresh_bars()
        self._desk.type_here()

    async def read(self, opening: Opening) -> None:
        """Read the session, and put what has been typed meanwhile below its draft.

        Raises:
            StorageError: It cannot be read.
        """
        chats = self._desk.open_chats
        chat = chats.chat_of(await asyncio.to_thread(opening.read))
        await self._desk.prepare(chat)
        chats.begin_with(chat)
        typed = self._desk.composer.draft
        chat.draft = "\n\n".join(text for text in (chat.draft, typed) if text)

    def end(self) -> None:
        """Say that the session is there."""
        self._is_over.set()

    async def wait(self) -> None:
        """Wait until the session is there: what was typed belongs to it."""
        await self._is_over.wait()

    def is_too_early_for(self, action_id: str) -> bool:
        """Whether an action has to wait until the session has been read; that is told then."""
        is_early = not self._is_over.is_set() and action_id != "quit"
        if is_early:
            self._desk.remark("The session is still being opened.")
        return is_early
