"""Signals while an event loop runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from signal import Signals


@contextlib.contextmanager
def handling(callback: Callable[[], object], *numbers: Signals) -> Iterator[None]:
    """Call something on those signals until the block is left; where a loop takes no signals, nothing happens."""
    loop = asyncio.get_running_loop()
    # No signals off the main thread.
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
        for number in numbers:
            loop.add_signal_handler(number, callback)
    try:
        yield
    finally:
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            for number in numbers:
                loop.remove_signal_handler(number)
