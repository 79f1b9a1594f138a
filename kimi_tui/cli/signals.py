"""Signals while an event loop runs."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def handling(callback: Callable[[signal.Signals], object], *numbers: signal.Signals) -> Iterator[None]:
    """Call something on those signals until the block is left; where a loop takes no signals, nothing happens.

    What whoever started the program had ignored, such as `nohup` the hangup, stays ignored.
    """
    loop = asyncio.get_running_loop()
    numbers = tuple(number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN)
    # No signals off the main thread.
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
        for number in numbers:
            loop.add_signal_handler(number, callback, number)
    try:
        yield
    finally:
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            for number in numbers:
                loop.remove_signal_handler(number)
