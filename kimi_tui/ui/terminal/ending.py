"""Asked from outside to end: by a signal, or by the terminal being gone; heard whatever the program is doing.

The event loop may be busy, or wait for a terminal that takes no more output. So signals are heard by Python's own
handlers and the terminal is watched by a thread; what they ask for has a time limit. Only the first one counts: those
that follow change nothing, and disturb nobody who is saving.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from types import FrameType

LEFT_ALONE = frozenset(
    {signal.SIGKILL, signal.SIGSTOP}  # nobody can take them
    | {signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV, signal.SIGSYS, signal.SIGTRAP}
    | {signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH}  # they end nothing
    | {signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}  # they stop a program, which goes on later
    | {signal.SIGPIPE, signal.SIGXFSZ}  # Python makes errors of them
)
"""Signals that do not ask a program to end; after a fault of the machine no handler of Python's would be reached."""
WATCH_S = 0.5
"""Time between two looks whether the terminal is still there, in seconds."""
LEAVE_WITHIN_S = 5.0
"""Time to keep everything in, from when the end was asked for, in seconds."""


def ending_signals() -> Iterable[int]:
    """Every signal that would end the program if nobody took it; one that whoever started it had ignored stays so."""
    for number in sorted(signal.valid_signals() - LEFT_ALONE):
        if signal.getsignal(number) is not signal.SIG_IGN:
            yield number


def is_terminal_gone() -> bool:
    if sys.__stdin__ is None or sys.__stdin__.closed:
        return True
    poll = select.poll()
    poll.register(sys.__stdin__.fileno(), 0)  # a hangup is told whatever is asked for
    return any(found & select.POLLHUP for _, found in poll.poll(0))


def is_in_background(terminal: int) -> bool:
    """Whether another program has the terminal, such as the shell after `bg`; to change it would stop this one."""
    try:
        return os.tcgetpgrp(terminal) != os.getpgrp()
    except OSError:  # it is not the terminal that controls us, or gone
        return False


class Interrupted(SystemExit):
    """A signal asked for the end before there was a program to be left; the status is that of the signal."""


class Ending:
    """Listens while its block runs; a signal's number stands for why, that of the hangup for a terminal that is gone.

    Nothing is raised where a signal happens to be heard: an exception amid an import may be swallowed, or become
    another. What asked for the end is noted, until somebody looks, or can leave.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        """The signal that asked for the end; None = none has."""
        self._asked = threading.Event()
        self._leave: Callable[[int], object] | None = None
        self._is_over = False
        self._before = {number: signal.getsignal(number) for number in ending_signals()}

    def __enter__(self) -> Ending:
        with contextlib.suppress(ValueError):  # not the main thread: it takes no signals
            for number in self._before:
                signal.signal(number, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        with contextlib.suppress(ValueError):
            for number, handler in self._before.items():
                signal.signal(number, handler)

    def watch(self, force: Callable[[int], object]) -> None:
        """Watch the terminal; `force` ends the program at once, in a thread, where it was asked to and did not in time.

        The limit holds until the process has ended, the interpreter's own end included.
        """
        threading.Thread(target=self._watch, args=(force,), name="kimi-tui-ending", daemon=True).start()

    def check(self) -> None:
        """Raise Interrupted where the end was asked for."""
        if self.number is not None:
            raise Interrupted(128 + self.number)

    def tell(self, leave: Callable[[int], object]) -> None:
        """Let `leave` keep everything and end the program: now, where that was asked for already.

        It is called once, in whichever thread heard of it.
        """
        self._leave = leave
        if self.number is not None:
            leave(self.number)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        del frame
        self._ask(number)

    def _ask(self, number: int) -> None:
        if self.number is None:
            self.number = number
            self._asked.set()
            if self._leave is not None:
                self._leave(number)

    def _watch(self, force: Callable[[int], object]) -> None:
        while not self._asked.wait(WATCH_S) and not self._is_over:
            if is_terminal_gone():
                self._ask(signal.SIGHUP)
        if self.number is not None:
            time.sleep(LEAVE_WITHIN_S)
            force(self.number)
