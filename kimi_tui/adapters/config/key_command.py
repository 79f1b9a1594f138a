"""The command that prints the key: bounded in time and output, and ended with whatever it started.

It has no terminal: what it writes to its standard error goes into a message, shortened and without what looks like a
secret, and what it asks for it has to ask in a window of its own. What it printed is shown nowhere.
"""

from __future__ import annotations

import os
import re
import selectors
import shlex
import subprocess
import time
from collections.abc import Mapping

from kimi_tui.adapters.child_environ import child_environ
from kimi_tui.adapters.child_process import kill_group
from kimi_tui.core.errors import KeyMissingError
from kimi_tui.core.faults import reason_of
from kimi_tui.core.text.quoting import shortened
from kimi_tui.core.text.visible import visible_line

LIMIT_S = 15.0
"""Longest time that it may take; it may ask for a passphrase, and what keeps that knows it the next time."""
MAX_OUTPUT_BYTES = 64 * 1024
POLL_S = 0.1
"""Time between two looks whether it has ended, in seconds."""
NAME = "[api] api_key_command"
_SECRET = re.compile(r"[A-Za-z0-9+/=_.~-]{16,}")
"""What may be a key or a token, in the words of a program that failed."""


def key_of_command(command: str, environ: Mapping[str, str], hint: str, limit_s: float = LIMIT_S) -> str:
    """What a command prints, with the blanks around it; `hint` is what a KeyMissingError says to do.

    Raises:
        KeyMissingError: It cannot be run, failed, took too long, or printed too much or no text.
    """
    words = _words(command, hint)
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=child_environ(environ),
            start_new_session=True,
        )
    except OSError as error:
        raise KeyMissingError(f"{NAME} could not be run: {reason_of(error)}.", hint) from None
    with process:
        try:
            printed, said = _outputs(process, time.monotonic() + limit_s)
        except BaseException as error:  # whoever interrupts the program ends the command too
            kill_group(process)
            if isinstance(error, TimeoutError):
                raise KeyMissingError(f"{NAME} took longer than {limit_s:g} s.", hint) from None
            if isinstance(error, OverflowError):
                raise KeyMissingError(f"{NAME} gave out more than {MAX_OUTPUT_BYTES // 1024} kB.", hint) from None
            raise
    if process.returncode:
        raise KeyMissingError(f"{NAME} ended with status {process.returncode}{_last_words(said, printed)}.", hint)
    try:
        return printed.decode()
    except UnicodeDecodeError:
        raise KeyMissingError(f"{NAME} gave out something that is no text.", hint) from None


def _words(command: str, hint: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:  # its own words are about quotes, and repeat nothing
        raise KeyMissingError(f"{NAME} cannot be understood: {error}.", hint) from None
    if not words or "\0" in command:
        raise KeyMissingError(f"{NAME} is no command.", hint)
    return words


def _outputs(process: subprocess.Popen[bytes], end_s: float) -> tuple[bytes, bytes]:
    """What it writes until it has ended; raises TimeoutError, or OverflowError where that is too much."""
    assert process.stdout is not None
    assert process.stderr is not None
    printed, said = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ, printed)
        selector.register(process.stderr, selectors.EVENT_READ, said)
        while selector.get_map():
            ready = selector.select(max(min(end_s - time.monotonic(), POLL_S), 0))
            if not ready and process.poll() is not None:
                break  # what it left running has its pipes too
            if not ready and time.monotonic() >= end_s:
                raise TimeoutError
            for key, _ in ready:
                data = os.read(key.fd, 4096)
                key.data.extend(data)
                if not data:
                    selector.unregister(key.fileobj)
                elif len(key.data) > MAX_OUTPUT_BYTES:
                    raise OverflowError
    try:
        process.wait(max(end_s - time.monotonic(), 0))
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
    return bytes(printed), bytes(said)


def _last_words(said: bytes, printed: bytes) -> str:
    """The last line of its standard error, harmless; "" = it said nothing, or what it printed."""
    lines = [line.strip() for line in said.decode("utf-8", "replace").splitlines() if line.strip()]
    if not lines:
        return ""
    line = lines[-1]
    for secret in printed.decode("utf-8", "replace").split():
        line = line.replace(secret, "…")
    return ": " + shortened(visible_line(_SECRET.sub("…", line))).removesuffix(".")
