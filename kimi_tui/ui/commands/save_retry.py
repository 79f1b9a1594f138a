"""Saving what could not be saved: tried again with growing pauses, and told in one place until it is solved."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from kimi_tui.core.text.counts import counted
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.state.open_chats import OpenChats

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1, 60
"""Each pause is twice the one before, in seconds."""


@dataclass(eq=False)
class SaveRetry:
    open_chats: OpenChats
    drafts: Drafts
    switching: asyncio.Lock
    sleep: Callable[[float], Awaitable[None]]  # the clock's, in seconds
    run: Callable[[Awaitable[None]], object]
    show: Callable[[tuple[str, ...]], None]  # shows what is not saved; () = everything is
    solved: Callable[[], None]
    saved: Callable[[], None]  # shows whether sessions are saved
    _is_running: bool = field(default=False, init=False)
    _pause: asyncio.Future[None] | None = field(default=None, init=False)

    def look(self) -> None:
        """Begin where something is not saved, end where everything is, whatever saved it."""
        is_unsaved = bool(self.open_chats.unsaved)
        if is_unsaved and not self._is_running:
            self._is_running = True
            self.run(self._try_again())
        elif not is_unsaved and self._pause is not None:
            self._pause.cancel()

    async def _try_again(self) -> None:
        pause_s = FIRST_PAUSE_S
        try:
            while self.open_chats.unsaved:
                await self._wait(pause_s)
                async with self.switching:
                    await self.open_chats.save_again(lambda: self.drafts.own)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        finally:
            self._is_running = False
            self.show(())
        self.solved()
        self.saved()

    async def _wait(self, pause_s: int) -> None:
        """Wait, and count the seconds; not for what is saved already."""
        for left_s in range(pause_s, 0, -1):
            if not self.open_chats.unsaved:
                return
            self.show(unsaved_words(self.open_chats, left_s))
            self._pause = asyncio.ensure_future(self.sleep(1))
            try:
                await asyncio.wait({self._pause})
            finally:
                self._pause.cancel()
                self._pause = None


def unsaved_words(open_chats: OpenChats, left_s: int) -> tuple[str, ...]:
    """What is not saved and why, and what is done about it, in two lines; () = everything is saved."""
    unsaved = open_chats.unsaved
    if not unsaved or (error := unsaved[0].unsaved) is None:
        return ()
    _, is_refused, reason = error.summary.partition(" could not be written: ")
    why = f"{reason.rstrip('.')} ({unsaved[0].path.parent})." if is_refused else error.summary
    is_here = open_chats.current in unsaved
    who = f"{counted(len(unsaved), 'session')} are" if len(unsaved) > 1 else "This session is"
    if len(unsaved) == 1 and not is_here:
        who = f"“{unsaved[0].session.title}”, open behind this session, is"
    way = "/save-as FILE saves it elsewhere." if is_here else "Opened, /save-as FILE saves it elsewhere."
    again = f"Tried again in {left_s} s, and with your next message."
    return f"! {who} not saved: {why}", f"Nothing is lost while it is open. {again} {way}"
