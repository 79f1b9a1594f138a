"""Keys for a screen above the conversation, one after the other: each may be the last one that the screen takes.

Such a screen does what a key means by messages from widget to widget, and it takes a while until it has gone. Keys
that come in one burst wait here meanwhile, so that those behind the last one go where that one led to. A key that
ended a screen and comes once more before it has gone was meant for the screen, and for nothing below it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable

from textual import events
from textual.app import App

from kimi_tui.ui.screens.above import Above

WAIT_S = 0.5
"""Longest time that keys wait for the one before them, in seconds."""


class KeyTurns:
    """Holds keys and pastes back while a screen above the conversation deals with one."""

    def __init__(self, app: App[str], counts_twice: Callable[[events.Key], bool]) -> None:
        """Hold what comes to that app.

        Args:
            app: Takes each event when it is its turn.
            counts_twice: Whether a key that ended a screen means something when it comes at once again.
        """
        self._app, self._counts_twice = app, counts_twice
        self._held: deque[events.Event] = deque()
        self._is_dealing = False  # whether a key is being dealt with: those behind it are held
        self._is_turn = False  # whether one that was held goes on
        self._last: events.Event | None = None

    def hold(self, event: events.Event) -> bool:
        """Take an event that has to wait for its turn; False = it may go on."""
        if not self._is_dealing or self._is_turn or not is_typed(event):
            return False
        self._held.append(event)
        return True

    def begin(self, screen: Above, event: events.Event) -> None:
        """A key has gone to that screen."""
        self._last = event
        if not self._is_dealing:
            self._is_dealing = True
            self._app.run_worker(self._give(screen), group="keys", exit_on_error=False)

    async def _give(self, screen: Above) -> None:
        """Let what is held go on, one event after the other, until nothing is."""
        await self._settled(screen)
        while self._held:
            done = asyncio.Event()
            if not self._app.call_later(self._take_turn, self._held.popleft(), done):
                break
            await done.wait()
            for screen_now in self._app.screen_stack[-1:]:
                if isinstance(screen_now, Above):
                    await self._settled(screen_now)
        self._is_dealing = False

    async def _settled(self, screen: Above) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(screen.settle(), WAIT_S)
        while not screen.is_active and self._held and self._is_last_again(self._held[0]):
            self._held.popleft()

    def _is_last_again(self, event: events.Event) -> bool:
        last = self._last
        if not isinstance(event, events.Key) or not isinstance(last, events.Key) or event.key != last.key:
            return False
        return not event.is_printable and not self._counts_twice(event)

    async def _take_turn(self, event: events.Event, done: asyncio.Event) -> None:
        self._is_turn = True
        try:
            await self._app.on_event(event)
        finally:
            self._is_turn = False
            done.set()


def is_typed(event: events.Event) -> bool:
    """Whether an event is a key or a paste that has gone to no widget yet."""
    return isinstance(event, events.Key | events.Paste) and not event.is_forwarded
