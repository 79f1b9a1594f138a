"""How long a request may bring nothing, counted while this program runs.

A process that was stopped, or a machine that slept, wakes up with every limit behind it: what has come meanwhile is
read first. After a long sleep the other side has most likely gone, without a word that could reach us: then a short
time has to do.
"""

from __future__ import annotations

import asyncio
from types import TracebackType

from kimi_tui.core.ports import Clock

LOOK_S = 1.0
"""Longest time between two looks at the clock."""
LATE_S = 2.0
"""A look that comes later than that, since the process was stopped, does not count as silence."""
SLEEP_S = 60.0
"""So long a time without a look is a sleep that few connections outlive."""
WAKE_S = 15.0
"""How long a connection has to show that it has outlived one."""


class Silence:
    """Ends its block by TimeoutError."""

    def __init__(self, clock: Clock, wait_s: float) -> None:
        self._clock, self._wait_s = clock, wait_s
        self._limit = asyncio.timeout(None)
        self._due_s = self._next_s = self._next_elapsed_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.has_slept = False
        """Whether the machine slept since the last token."""

    async def __aenter__(self) -> Silence:
        await self._limit.__aenter__()
        self.allow(self._wait_s)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        await self._limit.__aexit__(kind, error, trace)

    def allow(self, wait_s: float) -> None:
        """Give it so long from now on."""
        self._due_s, self.has_slept = asyncio.get_running_loop().time() + wait_s, False
        if self._timer is None or self._due_s < self._next_s:
            self._plan_look()

    def _plan_look(self) -> None:
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            self._timer.cancel()
        pause_s = max(min(self._due_s - loop.time(), LOOK_S), 0.0)
        self._next_s, self._next_elapsed_s = loop.time() + pause_s, self._clock.elapsed() + pause_s
        self._timer = loop.call_at(self._next_s, self._look)

    def _look(self) -> None:
        now_s = asyncio.get_running_loop().time()
        if (late_s := now_s - self._next_s) > LATE_S:
            self._due_s = max(self._due_s + late_s, now_s + LATE_S)
        if self._clock.elapsed() - self._next_elapsed_s > SLEEP_S:
            self.has_slept, self._due_s = True, min(self._due_s, now_s + WAKE_S)
        if now_s >= self._due_s:
            self._limit.reschedule(now_s)
        else:
            self._plan_look()
