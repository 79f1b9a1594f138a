"""Processes that are started here: our own modules that read what others wrote, and how any process is ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys

PASSED_ON = ("LANG", "LC_ALL", "LC_CTYPE", "TZ", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""Variables that say how names and times read, and where the interpreter is; any other may hold a secret."""


def start_python(module: str, *words: str) -> subprocess.Popen[bytes]:
    """Run a module of ours without a terminal and without our environment; its input and output are pipes.

    Raises OSError and ValueError where it cannot be started.
    """
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-P", "-W", "ignore", "-m", module, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # Our modules, and nothing from elsewhere.
        env={**passed_on, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONIOENCODING": "utf-8"},
        start_new_session=True,
    )


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End a process that leads a session of its own, and what it started in it."""
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
