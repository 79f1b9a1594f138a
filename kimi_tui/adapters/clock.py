"""The system's clock."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime


class SystemClock:
    """Tells the time and waits."""

    def now(self) -> datetime:
        """The time of day, UTC, whole seconds."""
        return datetime.now(UTC).replace(microsecond=0)

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes back."""
        return time.monotonic()

    async def sleep(self, delay_s: float) -> None:
        """Wait that many seconds."""
        await asyncio.sleep(delay_s)
