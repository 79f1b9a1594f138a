"""The pace of a simulated reply."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator

FIRST_TOKEN_S = 0.4
"""Pause before the first token, in seconds, at any pace but 0."""
MIN_PAUSE_S = 0.01
"""Shorter pauses are joined: the system's timers are hardly finer."""
MAX_PIECES = 64
"""Most pieces that go out together, so that others get their turn."""


async def paced(
    pieces: Iterator[bytes],
    tokens_per_s: float,
    sleep: Callable[[float], Awaitable[None]],
    now: Callable[[], float],
) -> AsyncGenerator[bytes, None]:
    """Yield pieces, one a token, at a pace, 0 = as fast as they are taken; where it is high, several together.

    Nothing is made ahead: who stops listening ends it. `now` is a steady clock, in seconds.
    """
    if tokens_per_s:
        await sleep(FIRST_TOKEN_S)
    start, waiting = now(), list[bytes]()
    for place, piece in enumerate(pieces):
        ahead_s = start + place / tokens_per_s - now() if tokens_per_s else 0.0
        if waiting and (ahead_s > MIN_PAUSE_S or len(waiting) == MAX_PIECES):
            yield b"".join(waiting)
            waiting.clear()
            await sleep(max(ahead_s, 0.0))
        waiting.append(piece)
    if waiting:
        yield b"".join(waiting)
