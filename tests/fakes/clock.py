"""A clock that is moved by hand."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta


class HandClock:
    """Stands still until it is moved; sleeping moves it."""

    def __init__(self) -> None:
        self.time_s = 0.0
        self.slept_s = 0.0
        """How long the machine slept; its clock stood still meanwhile."""
        self.sleeps: list[float] = []

    def now(self) -> datetime:
        return datetime(2026, 11, 23, 8, 15, tzinfo=UTC) + timedelta(seconds=int(self.time_s))

    def monotonic(self) -> float:
        return self.time_s

    def elapsed(self) -> float:
        return self.time_s + self.slept_s

    async def sleep(self, delay_s: float) -> None:
        self.sleeps.append(delay_s)
        self.time_s += delay_s
        await asyncio.sleep(0)


class WaitingClock(HandClock):
    """Sleeping waits until the clock is moved by hand."""

    def __init__(self) -> None:
        super().__init__()
        self._moved = asyncio.Event()
        self.is_waited_for = False

    def advance(self, by_s: float) -> None:
        self.time_s += by_s
        self.is_waited_for = False
        self._moved.set()
        self._moved = asyncio.Event()

    async def sleep(self, delay_s: float) -> None:
        self.sleeps.append(delay_s)
        until_s = self.time_s + delay_s
        while self.time_s < until_s:
            self.is_waited_for = True
            await self._moved.wait()
