"""What is being typed saved every now and then, so that little of it is lost whatever becomes of the program."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from kimi_tui.ui.state.open_chats import OpenChats

KEEP_AFTER_S = 0.5
"""How long what was typed may wait until it is saved, in seconds: also while more is typed."""


@dataclass(eq=False)
class DraftSaving:
    open_chats: OpenChats
    own: Callable[[], str]  # what is being typed
    later: Callable[[float, Callable[[], object]], object]  # calls something after so many seconds
    run: Callable[[Callable[[], Awaitable[None]], str], object]  # lets one run beside everything else
    saved: Callable[[], None]  # shows whether everything is saved
    _is_due: bool = field(default=False, init=False)

    def typed(self) -> None:
        """Something was typed, or what was typed was sent."""
        if not self._is_due:
            self._is_due = True
            self.later(KEEP_AFTER_S, self._begin)

    def _begin(self) -> None:
        self._is_due = False
        self.run(self._keep, "drafts")  # made when it runs: the screen may be left before

    async def _keep(self) -> None:
        before = len(self.open_chats.unsaved)
        await self.open_chats.keep_drafts(self.own())
        if len(self.open_chats.unsaved) != before:
            self.saved()
