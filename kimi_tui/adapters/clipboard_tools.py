"""The system's clipboard, by the programs that reach it: tmux, xclip, xsel, wl-copy, pbcopy, clip.exe.

A program is asked only where it reaches the clipboard of whoever sits there: over SSH the clipboard of this machine is
somebody else's, and only a forwarded X display leads back. Nothing goes through a shell.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import shutil
import subprocess
import sys
import time
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from kimi_tui.adapters.child_environ import child_environ
from kimi_tui.adapters.child_process import kill_group
from kimi_tui.core.text.copied import Delivery

LIMIT_S = 2.0
"""Longest time for one text, whatever number of programs is asked, in seconds."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that puts its standard input into the system's clipboard."""

    words: Sequence[str]
    encoding: str = "utf-8"
    environ: Mapping[str, str] = field(default_factory=dict)
    """What its environment has to say besides."""


TMUX = Tool(("tmux", "load-buffer", "-w", "-")), Tool(("tmux", "load-buffer", "-"))
"""`-w` passes a text on to the terminal even where tmux takes none from programs, as is its default; before tmux 3.2
there is no such option."""
CLIP_EXE = Tool(("clip.exe",), "utf-16-le")
PBCOPY = Tool(("pbcopy",), environ={"LC_ALL": "en_US.UTF-8"})  # in the C locale it takes bytes for another encoding
WL_COPY = Tool(("wl-copy", "--type", "text/plain;charset=utf-8"))  # else it guesses, and code is no text then
X_TOOLS = Tool(("xclip", "-selection", "clipboard")), Tool(("xsel", "--clipboard", "--input"))


def tools_for(environ: Mapping[str, str], platform: str = sys.platform) -> Iterator[Tool]:
    """The programs that reach the clipboard of whoever sits at the terminal, the surest first."""
    display = environ.get("DISPLAY", "")
    if environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"):
        is_forwarded = not display.startswith((":", "unix:"))
        yield from X_TOOLS if display and is_forwarded else ()
        return
    if environ.get("WSL_DISTRO_NAME") or environ.get("WSL_INTEROP"):
        yield CLIP_EXE
    if platform == "darwin":
        yield PBCOPY
    if environ.get("WAYLAND_DISPLAY"):
        yield WL_COPY
    if display:
        yield from X_TOOLS


class SystemClipboard:
    """Hands texts to the programs there are, one text at a time, beside everything else."""

    def __init__(self, environ: Mapping[str, str], limit_s: float = LIMIT_S) -> None:
        """Look for programs on the PATH of `environ`, the terminal's."""
        self._environ, self._limit_s = environ, limit_s
        self._thread = ThreadPoolExecutor(1, "clipboard")
        self._numbers = itertools.count(1)
        self._newest = 0

    def put(self, text: str) -> Awaitable[Delivery | None]:
        """See `core.ports.Clipboard`. Who quits when this has returned does not lose the text."""
        number = self._newest = next(self._numbers)
        loop = asyncio.get_running_loop()
        told: asyncio.Future[Delivery | None] = loop.create_future()

        def tell(delivery: Delivery | None) -> None:
            if not told.done():
                told.set_result(delivery)

        def work() -> None:
            delivery = self._put(text, number)
            with contextlib.suppress(RuntimeError):  # the program has been left meanwhile
                loop.call_soon_threadsafe(tell, delivery)

        self._thread.submit(work)  # the interpreter ends behind it, though nobody waits any more
        return told

    def _put(self, text: str, number: int) -> Delivery | None:
        if number != self._newest:
            return None
        end_s = time.monotonic() + self._limit_s
        is_below_tmux = bool(self._environ.get("TMUX")) and self._path(TMUX[0]) is not None
        is_in_tmux = is_below_tmux and any(self._is_taken(tool, text, end_s) for tool in TMUX)
        failed = "tmux" if is_below_tmux and not is_in_tmux else ""
        for tool in tools_for(self._environ):
            if self._path(tool) is None:
                continue
            if self._is_taken(tool, text, end_s):
                return Delivery(tool.words[0], is_in_tmux)
            failed = failed or tool.words[0]
        return Delivery(is_in_tmux=is_in_tmux, failed=failed)

    def _path(self, tool: Tool) -> str | None:
        return shutil.which(tool.words[0], path=self._environ.get("PATH"))

    def _is_taken(self, tool: Tool, text: str, end_s: float) -> bool:
        """Whether it said that it has the text.

        What it writes goes nowhere: xclip and wl-copy stay to serve the clipboard, and would keep a pipe open.
        """
        path = self._path(tool)
        if path is None:
            return False
        try:
            process = subprocess.Popen(
                (path, *tool.words[1:]),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**child_environ(self._environ), **tool.environ},
                start_new_session=True,  # what serves the clipboard outlives the terminal
            )
        except OSError:
            return False
        with process:
            try:
                process.communicate(text.encode(tool.encoding), timeout=max(end_s - time.monotonic(), 0))
            except subprocess.TimeoutExpired:
                kill_group(process)
        return process.returncode == 0
