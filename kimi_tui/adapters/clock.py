"""The system's clock."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime

_ELAPSED = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Linux leaves sleep out of its monotonic clock; macOS counts it there, and Python's own `monotonic` does not."""


class SystemClock:
    def now(self) -> datetime:
        """UTC, whole seconds."""
        return datetime.now(UTC).replace(microsecond=0)

    def monotonic(self) -> float:
        return time.monotonic()

    def elapsed(self) -> float:
        return time.clock_gettime(_ELAPSED)

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)


@dataclass(frozen=True, slots=True)
class FasterClock(SystemClock):
    """For a replay: what is waited for passes `speed` times as fast."""

    speed: float

    def monotonic(self) -> float:
        return time.monotonic() * self.speed

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s / self.speed)
