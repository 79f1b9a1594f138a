"""How long the event loop is held: what a key has to wait at most."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import Awaitable

ALLOWED_S = 0.05
"""The longest pause that nobody feels, in seconds."""
TICK_S = 0.001


async def longest_pause(work: Awaitable[object]) -> float:
    """Seconds of processor time between two ticks of the loop, while something is done."""
    found = 0.0

    async def tick() -> None:
        nonlocal found
        last = time.process_time()
        while True:
            await asyncio.sleep(TICK_S)
            now = time.process_time()
            found, last = max(found, now - last), now

    gc.collect()
    ticking = asyncio.create_task(tick())
    await asyncio.sleep(10 * TICK_S)
    found = 0.0
    await work
    await asyncio.sleep(10 * TICK_S)
    ticking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await ticking
    return found
