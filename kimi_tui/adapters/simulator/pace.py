"""The pace of a simulated reply."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

FIRST_TOKEN_S = 0.4
"""Pause before the first token, in seconds, at an ordinary pace."""
MIN_PAUSE_S = 0.01
"""Shorter pauses are joined: the system's timers are no finer."""


async def paced(
    pieces: Iterator[bytes], tokens_per_s: float, sleep: Callable[[float], Awaitable[None]]
) -> AsyncIterator[bytes]:
    """Yield pieces at a pace.

    Args:
        pieces: One a token.
        tokens_per_s: How many in a second; 0 = as fast as they are taken.
        sleep: Waits that many seconds.
    """
    if not tokens_per_s:
        for piece in pieces:
            yield piece
        return
    await sleep(FIRST_TOKEN_S)
    owed_s, waiting = 0.0, b""
    for piece in pieces:
        waiting += piece
        owed_s += 1 / tokens_per_s
        if owed_s >= MIN_PAUSE_S:
            yield waiting
            await sleep(owed_s)
            owed_s, waiting = 0.0, b""
    if waiting:
        yield waiting
