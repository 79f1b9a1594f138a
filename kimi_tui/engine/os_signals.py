"""Signals while an event loop runs: for every front end, since each has turns to stop and texts to keep."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator

Callback = Callable[[signal.Signals], object]


def take(callback: Callback, *numbers: signal.Signals) -> tuple[signal.Signals, ...]:
    """Call something on those signals as long as the loop runs; where a loop takes no signals, nothing happens.

    What whoever started the program had ignored, such as `nohup` the hangup, stays ignored, and is not given back.
    """
    loop = asyncio.get_running_loop()
    numbers = tuple(number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN)
    # No signals off the main thread.
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
        for number in numbers:
            loop.add_signal_handler(number, callback, number)
    return numbers


@contextlib.contextmanager
def handling(callback: Callback, *numbers: signal.Signals) -> Iterator[None]:
    """Call something on those signals, as `take` does, until the block is left."""
    before = {number: signal.getsignal(number) for number in numbers}
    taken = take(callback, *numbers)
    try:
        yield
    finally:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            for number in taken:
                loop.remove_signal_handler(number)
                signal.signal(number, before[number])
