"""The terminal from the first moment on: what is typed while the program is imported is shown and not lost.

The library takes the terminal over some 0.2 s after the start. Until then a terminal would show typed letters where
they do not belong and turn Enter into a line feed; so it is made raw at once, and a first frame is drawn on its other
screen. A thread echoes what is typed into that (typeahead), and all that it has read goes to the library's reader of
keys as if it came then. Where that takes long, what was typed is kept in a file meanwhile. Whatever goes wrong, the
terminal gets back the modes it had.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from fcntl import ioctl
from types import FrameType
from typing import Any

from kimi_tui.cli.exit_status import SIGNALLED
from kimi_tui.ui.state.first_frame import EarlyEcho
from kimi_tui.ui.terminal.ending import is_in_background

ENTER, LEAVE = "\x1b[?1049h\x1b[?2004h\x1b[?25l\x1b[2J", "\x1b[0m\x1b[?25h\x1b[?2004l\x1b[?1049l"
"""To the other screen, pastes marked, cursor hidden; and back."""
INPUT, LOCAL = 0, 3
"""Places in a terminal's modes. Source: Python's termios."""
READ_BYTES = 1024
KEEP_AFTER_S = 0.5
"""How long what was typed may wait until it is kept, in seconds."""
PLAIN = "\x1b[?1000;1003;1015;1006;1016;2048;1004;2004l\x1b[?7h\x1b[<u" + LEAVE
"""Everything off that the library switches on; and back."""


class EarlyTerminal:
    def __init__(self, source: int) -> None:
        """Take it over as it is; `source` is the descriptor that keys come from."""
        self.modes: list[Any] = termios.tcgetattr(source)
        self.typed = ""
        r"""What was typed before it was raw, lines ended by "\n"."""
        self.left = b""
        """What was typed since then, where nobody has taken it: the terminal was given back before."""
        self.keep: Callable[[str], object] = lambda _: None
        """Is given what was typed so far, as the terminal sent it, in the thread that reads it; raises nothing."""
        self._is_handed_over = False
        self._source = source
        self._screen: int | None = None  # what has to be cleared again
        self._read = b""  # what the echo has read, all of it
        self._echoing: threading.Thread | None = None
        self._stop_reader = self._stop = -1

    def make_raw(self) -> None:
        """Let keys arrive as they are; Ctrl+C still interrupts."""
        modes = list(self.modes)
        modes[INPUT] &= ~(termios.ICRNL | termios.INLCR | termios.IGNCR | termios.IXON | termios.IXOFF)
        modes[LOCAL] &= ~(termios.ICANON | termios.ECHO)
        termios.tcsetattr(self._source, termios.TCSANOW, modes)
        self.typed += self._read_waiting().decode("utf-8", "ignore")

    def _read_waiting(self) -> bytes:
        waiting_bytes = int.from_bytes(ioctl(self._source, termios.FIONREAD, bytes(4)), sys.byteorder)
        return os.read(self._source, waiting_bytes) if waiting_bytes else b""

    def draw(self, screen: int, frame: str) -> None:
        """Show a frame on the terminal's other screen; the library draws over it. `screen` is the descriptor."""
        self._screen = screen
        os.write(screen, (ENTER + frame).encode())

    def echo(self, line: EarlyEcho) -> None:
        """Read what is typed until the library takes over, and show it on the frame until there is doubt how."""
        if self._screen is None:
            return
        self._stop_reader, self._stop = os.pipe()
        self._echoing = threading.Thread(
            target=self._echo, args=(line, self._screen), name="kimi-tui-echo", daemon=True
        )
        self._echoing.start()

    def _echo(self, line: EarlyEcho, screen: int) -> None:
        with contextlib.suppress(OSError):  # it may be gone
            size, data, is_shown, due_s = os.get_terminal_size(screen), self.typed.encode(), True, float("inf")
            while True:
                if is_shown:
                    shown = line.feed(data)
                    is_shown = os.get_terminal_size(screen) == size
                    os.write(screen, shown.encode() if is_shown else b"")
                    is_shown &= not line.is_over
                now_s = time.monotonic()
                due_s = min(due_s, now_s + KEEP_AFTER_S) if data else due_s
                if now_s >= due_s:
                    self.keep(self.typed + self._read.decode("utf-8", "replace"))
                    due_s = float("inf")
                wait_s = due_s - now_s if due_s < float("inf") else None
                ready = select.select([self._source, self._stop_reader], [], [], wait_s)[0]
                if self._stop_reader in ready:
                    return
                data = os.read(self._source, READ_BYTES) if ready else b""
                if ready and not data:
                    return
                self._read += data

    def _end_echo(self) -> None:
        echoing, self._echoing = self._echoing, None
        if echoing is not None:
            os.write(self._stop, b".")
            with contextlib.suppress(RuntimeError):  # a signal came while it was started
                echoing.join()
            os.close(self._stop)
            os.close(self._stop_reader)

    def hand_over(self) -> bytes:
        """Leave the terminal to the library; what comes back was read from it already, after `typed`."""
        self._end_echo()
        self._screen, self._is_handed_over = None, True
        return self._read

    def restore(self) -> None:
        """Give it back as it was, unless it is another program's by now, which would stop this one."""
        self._end_echo()
        if is_in_background(self._source):
            return
        if not self._is_handed_over:
            self.left = self._read
            with contextlib.suppress(OSError):  # else it would go to the shell
                self.left += self._read_waiting()
        with contextlib.suppress(OSError, termios.error):  # it may be gone
            if self._screen is not None:
                os.write(self._screen, LEAVE.encode())
            termios.tcsetattr(self._source, termios.TCSANOW, self.modes)

    def pause(self) -> None:
        """Give it back while the program is stopped, and take it again; the frame is drawn no more."""
        self._end_echo()
        with contextlib.suppress(OSError, termios.error):
            if self._screen is not None:
                os.write(self._screen, LEAVE.encode())
                self._screen = None
            termios.tcsetattr(self._source, termios.TCSANOW, self.modes)
        os.kill(os.getpid(), signal.SIGSTOP)
        with contextlib.suppress(OSError, termios.error):
            if not is_in_background(self._source):
                self.make_raw()

    def end_now(self, screen: int, number: int) -> None:
        """Give it back, even from the library, and end the process as by that signal; `screen` is the descriptor.

        What a terminal that takes no more output shows is left as it is: nothing here waits.
        """
        self.restore()
        with contextlib.suppress(OSError):
            poll = select.poll()
            poll.register(screen, select.POLLOUT)
            if any(found & select.POLLOUT for _, found in poll.poll(0)) and not is_in_background(self._source):
                os.write(screen, PLAIN.encode())
        os._exit(SIGNALLED + number)


@contextlib.contextmanager
def early_terminal(source: int, screen: int | None = None) -> Iterator[EarlyTerminal]:
    """Hold the terminal until the block is left.

    `source` is the descriptor that keys come from. Where `screen` is given, what comes after the block begins a line of
    its own: what was typed before the terminal was raw stands on the last one.
    """
    terminal = EarlyTerminal(source)

    def pause(number: int, frame: FrameType | None) -> None:
        del number, frame
        terminal.pause()

    stopped_before = signal.signal(signal.SIGTSTP, pause)
    try:
        terminal.make_raw()
        yield terminal
    finally:
        signal.signal(signal.SIGTSTP, stopped_before)
        terminal.restore()
        if screen is not None and terminal.typed and not terminal.typed.endswith("\n"):
            with contextlib.suppress(OSError):
                os.write(screen, b"\n")
