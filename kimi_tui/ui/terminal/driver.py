"""The library's driver for terminals, with what it lacks.

It draws on the terminal of standard output (the library draws on standard error, which may be a file), reads pastes
as texts and foreign bytes as U+FFFD, and comes back after it was stopped: all of the screen, with one reader of keys.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import sys
from codecs import getincrementaldecoder
from collections.abc import Callable, Sequence
from threading import Lock
from types import FrameType
from typing import Any

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from kimi_tui.ui.terminal.ending import is_in_background
from kimi_tui.ui.terminal.screen_diff import SYNC_END, SYNC_START, ScreenDiff
from kimi_tui.ui.terminal.terminal_input import TerminalInput
from kimi_tui.ui.terminal.textual_internals import tell_fault

READ_BYTES = 65536
HOLD_S = 0.1
"""Delay of the first drawings where keys were typed before them, in seconds: the terminal has echoed them, and drawing
at once would wipe them before the composer shows them."""
HOME = "\x1b[1;1H"
"""Where a drawing of the whole screen begins, the first one among them."""
TICK_S = 0.1
"""Time between two looks whether an escape sequence has been waited for long enough, in seconds."""


class TerminalDriver(LinuxDriver):
    def __init__(
        self,
        app: App[Any],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
        modes: Sequence[Any] | None = None,
        hand_over: Callable[[], bytes] = bytes,
    ) -> None:
        """Take the terminal, without touching it yet.

        `modes` are those to give it back, None = those it has when it is taken. `hand_over` makes whoever has the
        terminal until then leave it, and gives what that one has read of keys.
        """
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self.attrs_before = None if modes is None else list(modes)
        self._hand_over, self._typed = hand_over, b""
        self._held: list[str] | None = None  # drawings that wait for what was typed early; None = none has to
        if (stdout := sys.__stdout__) is not None:
            self._file = open(  # noqa: SIM115 - the descriptor stays standard output's
                stdout.fileno(), "w", encoding=stdout.encoding, errors="backslashreplace", closefd=False
            )
        self._is_away = False  # another program has the terminal
        self._screen = None if app.console.is_dumb_terminal else ScreenDiff()
        self._drawing = Lock()  # the thread that reads keys switches modes on as well
        # The library does both inside a signal handler, where a write may wait for a lock that the interrupted code
        # holds; and after SIGSTOP it would begin a second time, with two readers of keys.
        self._events = loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTSTP, self._stop)
        loop.add_signal_handler(signal.SIGCONT, self._go_on)

    # -- stopping and going on

    def _stop(self) -> None:
        if self._auto_restart and not self._is_away:
            self.suspend_application_mode()
        os.kill(os.getpid(), signal.SIGSTOP)

    def _go_on(self) -> None:
        """Take the terminal again, in the foreground; after SIGSTOP, of which nobody is told before, too."""
        if not self._auto_restart or (self._writer_thread is None and not self._is_away):
            return
        self._let_go()
        if not is_in_background(self.fileno):  # after `bg`, what is drawn would stand among the shell's lines
            self.resume_application_mode()
            self._app.refresh(layout=True)

    def _let_go(self) -> None:
        """Neither read nor draw any more, and leave the terminal as it is."""
        if self._is_away:
            return
        self._is_away = True
        if self._key_thread is not None:
            self.exit_event.set()
            self._key_thread.join()
            self.exit_event.clear()
        self.close()

    def suspend_application_mode(self) -> None:
        super().suspend_application_mode()
        self._is_away = True

    def start_application_mode(self) -> None:
        """Take the terminal; what is given back at the end are the modes it had at first."""
        self._typed = self._hand_over()
        self._hand_over, has_typed = bytes, bool(self._typed)
        first_modes = self.attrs_before
        self._is_away = False
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._hear_resizes()
        if first_modes is not None:
            self.attrs_before = first_modes
        if has_typed:
            self._held = []

    def _hear_resizes(self) -> None:
        """The library tells of the size that there is in the end, not of those between."""
        screen, library = self._screen, signal.getsignal(signal.SIGWINCH)
        if screen is None:
            return

        def resized(number: int, frame: FrameType | None) -> None:
            screen.note_resize()
            if callable(library):
                library(number, frame)

        signal.signal(signal.SIGWINCH, resized)

    def stop_application_mode(self) -> None:
        """Give the terminal back, unless another program has it already."""
        self._release()
        if not self._is_away:
            super().stop_application_mode()

    def disable_input(self) -> None:
        """Read no more keys, and drop those on their way, unless they are for another program."""
        if not self._is_away:
            super().disable_input()

    def write(self, data: str) -> None:
        """Draw; nothing while another program has the terminal: all is drawn again afterwards."""
        if self._is_away:
            return
        with self._drawing:
            if self._screen is not None:
                data = self._screen.reduce(data, self._size_now())
            if self._held is not None and (self._held or HOME in data):
                if not self._held:
                    self._events.call_soon_threadsafe(self._events.call_later, HOLD_S, self._release)
                self._held.append(data)
            elif data:
                super().write(data)

    def _release(self) -> None:
        with self._drawing:
            held, self._held = self._held, None
            if held and not self._is_away:
                super().write("".join(held).replace(SYNC_END + SYNC_START, ""))  # at once

    def _size_now(self) -> tuple[int, int]:
        """Columns and rows of the terminal, which the library may not have heard of yet; 0 = they are not known."""
        with contextlib.suppress(OSError, ValueError):  # it is gone
            return os.get_terminal_size(self._file.fileno()) if self._file is not None else (0, 0)
        return 0, 0

    # -- keys

    def _run_input_thread(self) -> None:
        """Let a fault end the program as any other does: the library would print it with the lines of the code."""
        try:
            self.run_input_thread()
        except Exception as error:
            with contextlib.suppress(RuntimeError):  # the loop is over already
                self._events.call_soon_threadsafe(tell_fault, self._app, error)

    def run_input_thread(self) -> None:
        reader = TerminalInput(debug=self._debug)
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        poll = select.poll()
        poll.register(self.fileno, select.POLLIN)
        typed, self._typed = self._typed, b""
        for message in reader.feed(decode(typed)):
            self.process_message(message)
        while not self.exit_event.is_set():
            if poll.poll(TICK_S * 1000):
                try:
                    data = os.read(self.fileno, READ_BYTES)
                except OSError:
                    data = b""
                if not data:  # it is gone: `Ending` sees to the rest
                    return
                for message in reader.feed(decode(data)):
                    self.process_message(message)
            for message in reader.tick():
                self.process_message(message)
