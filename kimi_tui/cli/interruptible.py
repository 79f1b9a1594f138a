"""Where a command waits for another program: a signal ends that too, and leaves no orphan."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

from kimi_tui.cli.exit_status import SIGNALLED

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let a signal raise SystemExit with its status in this block; one that is ignored stays so.

    Only the first does, since what ends the other program must not be disturbed. Elsewhere signals do what they did: an
    exception amid any code, such as an import, may be swallowed or become another.
    """
    has_come = False

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal has_come
        del frame
        if not has_come:
            has_come = True
            raise SystemExit(SIGNALLED + number)

    before = {number: signal.getsignal(number) for number in NUMBERS}
    taken = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
    with contextlib.suppress(ValueError):  # not the main thread: it takes no signals
        for number in taken:
            signal.signal(number, end)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            for number in taken:
                signal.signal(number, before[number])
