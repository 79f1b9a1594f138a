"""Where a command waits for another program: a signal ends that too, and leaves no orphan."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
from collections.abc import Iterator
from types import FrameType

from kimi_tui.cli.exit_status import SIGNALLED

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
AGAIN_S = 0.02
"""Time until a signal that came while the other program was started is heard again, in seconds."""


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let a signal raise SystemExit with its status in this block; one that is ignored stays so.

    Only the first does, since what ends the other program must not be disturbed. Elsewhere signals do what they did: an
    exception amid any code, such as an import, may be swallowed or become another.
    """
    has_come = False

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal has_come
        if _is_starting(frame):  # nobody could end it then: its number is not known yet
            threading.Timer(AGAIN_S, _send_again, [number]).start()
        elif not has_come:
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


def _send_again(number: int) -> None:
    """It has to end what the main thread waits for."""
    signal.pthread_kill(threading.main_thread().ident or 0, number)


def _is_starting(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code is subprocess.Popen.__init__.__code__:
            return True
        frame = frame.f_back
    return False
