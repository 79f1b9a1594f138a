"""The real program under a pseudo-terminal, its screen kept by a terminal emulator."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyte

BLINK_BYTES = 4096
"""What is written at most where nothing but a cursor blinks, in half a second."""


class Terminal:
    """A program that believes it has a terminal."""

    def __init__(
        self,
        argv: list[str],
        env: Mapping[str, str],
        columns: int = 120,
        rows: int = 40,
        *,
        ignored: Sequence[signal.Signals] = (),
        told: tuple[int, int] | None = None,
        stderr: Path | None = None,
    ) -> None:
        """Start it with exactly that environment, plus what every terminal sets.

        Args:
            argv: The program and its arguments.
            env: The environment.
            columns: The terminal's width.
            rows: Its height.
            ignored: Signals that are ignored from the start.
            told: The size that the program is told at first; None = the true one.
            stderr: Where standard error goes; None = to the terminal.
        """
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        """Every byte that the program wrote."""
        self._is_closed = False
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
                # whatever ran the tests may ignore them
                signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)
            if stderr is not None:
                os.dup2(os.open(stderr, os.O_WRONLY | os.O_CREAT), 2)
            os.execve(argv[0], argv, {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", **env})
        self._tell_size(*(told or (columns, rows)))

    def _tell_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns: int, rows: int) -> None:
        """Give it another size; one without cells, which some multiplexers tell, shows what was shown."""
        if columns and rows:
            self.screen.resize(rows, columns)
        self._tell_size(columns, rows)

    def is_raw(self) -> bool:
        """Whether keys are neither shown nor collected to lines."""
        return not termios.tcgetattr(self._fd)[3] & (termios.ECHO | termios.ICANON)

    def modes(self) -> list[object]:
        """The modes of its line discipline."""
        return list(termios.tcgetattr(self._fd))

    def rest(self, timeout_s: float = 20) -> None:
        """Wait until the program writes next to nothing: a cursor that blinks."""
        end = time.monotonic() + timeout_s
        written = -1
        while written == -1 or len(self.raw) - written > BLINK_BYTES:
            written, pause = len(self.raw), time.monotonic() + 0.5
            if pause > end:
                raise AssertionError(f"it never came to rest:\n{self.text}")
            while time.monotonic() < pause:
                self.pump()

    @property
    def text(self) -> str:
        """The screen, a line a row."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def send(self, text: str) -> None:
        """Type."""
        os.write(self._fd, text.encode())

    def pump(self, wait_s: float = 0.05) -> bool:
        """Take what the program wrote; False when it has ended."""
        if not select.select([self._fd], [], [], wait_s)[0]:
            return True
        try:
            data = os.read(self._fd, 65536)
        except OSError:
            return False
        if not data:
            return False
        self.raw += data
        if b"\x1b[c" in data:
            os.write(self._fd, b"\x1b[?62;22c")
        self._stream.feed(data.replace(b"\x1b[>1u", b"").replace(b"\x1b[<u", b"").replace(b"\x1b[?2026$p", b""))
        return True

    def until(self, text: str, timeout_s: float = 20) -> None:
        """Wait until a text is on the screen."""
        end = time.monotonic() + timeout_s
        while text not in self.text:
            if time.monotonic() > end or not self.pump():
                raise AssertionError(f"{text!r} did not come up:\n{self.text}")

    def until_gone(self, text: str, timeout_s: float = 20) -> None:
        """Wait until a text is off the screen."""
        end = time.monotonic() + timeout_s
        while text in self.text:
            if time.monotonic() > end or not self.pump():
                raise AssertionError(f"{text!r} did not go away:\n{self.text}")

    def close(self, timeout_s: float = 20) -> int:
        """Close the terminal, wait for the program's end and return its exit status."""
        os.close(self._fd)
        self._is_closed = True
        end = time.monotonic() + timeout_s
        while (ended := os.waitpid(self.pid, os.WNOHANG)) == (0, 0):
            if time.monotonic() > end:
                raise AssertionError("the program did not end")
            time.sleep(0.05)
        return os.waitstatus_to_exitcode(ended[1])

    def end(self, timeout_s: float = 20) -> int:
        """Wait for the program's end and return its exit status."""
        end = time.monotonic() + timeout_s
        while self.pump():
            if time.monotonic() > end:
                raise AssertionError(f"the program did not end:\n{self.text}")
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        sys.stdout.write(f"ended with {status}:\n{self.text.strip()}\n")  # is shown where a test fails
        return status


@contextmanager
def kimi_tui(
    args: list[str],
    env: Mapping[str, str],
    columns: int = 120,
    rows: int = 40,
    *,
    ignored: Sequence[signal.Signals] = (),
    told: tuple[int, int] | None = None,
    stderr: Path | None = None,
) -> Iterator[Terminal]:
    """Run the program; whatever is left of it is killed at the end."""
    argv = [sys.executable, "-m", "kimi_tui", *args]
    with running(argv, env, columns, rows, ignored=ignored, told=told, stderr=stderr) as terminal:
        yield terminal


@contextmanager
def running(
    argv: list[str],
    env: Mapping[str, str],
    columns: int = 120,
    rows: int = 40,
    *,
    ignored: Sequence[signal.Signals] = (),
    told: tuple[int, int] | None = None,
    stderr: Path | None = None,
) -> Iterator[Terminal]:
    """Run any program; whatever is left of it is killed at the end."""
    terminal = Terminal(argv, env, columns, rows, ignored=ignored, told=told, stderr=stderr)
    try:
        yield terminal
    finally:
        try:
            os.kill(terminal.pid, signal.SIGKILL)
            os.waitpid(terminal.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        if not terminal._is_closed:
            os.close(terminal._fd)
