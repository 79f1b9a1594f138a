"""Web addresses shown by the system: the program of $BROWSER, xdg-open, open, wslview.

A program gets the address as one argument, never through a shell, and has no terminal: nothing that it or a browser
writes reaches the screen, and a browser for terminals cannot take it. Who gave the address has asked before.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from kimi_tui.adapters.child_environ import child_environ

LIMIT_S = 4.0
"""A program that still runs after so many seconds has taken the address: some run as long as the browser does."""


def openers_for(environ: Mapping[str, str], platform: str = sys.platform) -> Iterator[Sequence[str]]:
    """Command lines to try, without the address: what the user named, then what reaches a graphical screen."""
    for words in environ.get("BROWSER", "").split(os.pathsep):
        try:
            named = [word for word in shlex.split(words) if word != "%s"]
        except ValueError:  # a quote that nothing closes
            continue
        if named and not any("%s" in word for word in named):
            yield named
    if platform == "darwin":
        yield ("open",)
    if environ.get("WSL_DISTRO_NAME") or environ.get("WSL_INTEROP"):
        yield ("wslview",)
    if environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"):
        yield ("xdg-open",)
        yield "gio", "open"


class SystemOpener:
    """See `core.ports.LinkOpener`."""

    def __init__(self, environ: Mapping[str, str], limit_s: float = LIMIT_S) -> None:
        """Look for programs on the PATH of `environ`."""
        self._environ, self._limit_s = environ, limit_s

    async def open(self, address: str) -> str:
        loop = asyncio.get_running_loop()
        told: asyncio.Future[str] = loop.create_future()

        def tell(program: str) -> None:
            if not told.done():
                told.set_result(program)

        # A thread that nobody waits for: it takes the program's end, which may come long after ours.
        threading.Thread(target=self._try_all, args=(address, loop, tell), name="link", daemon=True).start()
        return await told

    def _try_all(self, address: str, loop: asyncio.AbstractEventLoop, tell: Callable[[str], None]) -> None:
        for words in openers_for(self._environ):
            process = self._start((*words, address))
            if process is None:
                continue
            with process:  # waits for its end
                if self._is_taken(process):
                    _call(loop, tell, Path(words[0]).name)
                    return
        _call(loop, tell, "")

    def _start(self, words: Sequence[str]) -> subprocess.Popen[bytes] | None:
        path = shutil.which(words[0], path=self._environ.get("PATH"))
        if path is None:
            return None
        try:
            return subprocess.Popen(
                (path, *words[1:]),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=child_environ(self._environ),
                start_new_session=True,  # no terminal, and what it opens outlives ours
            )
        except OSError:
            return None

    def _is_taken(self, process: subprocess.Popen[bytes]) -> bool:
        try:
            return process.wait(self._limit_s) == 0
        except subprocess.TimeoutExpired:
            return True


def _call(loop: asyncio.AbstractEventLoop, tell: Callable[[str], None], program: str) -> None:
    with contextlib.suppress(RuntimeError):  # the program has been left meanwhile
        loop.call_soon_threadsafe(tell, program)
