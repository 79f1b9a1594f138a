"""Calling the command line: in this process, or as a real one."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from kimi_tui.cli import main

ROOT = Path(__file__).parents[2]
KEY = "sk-test-0123456789"


@dataclass
class Result:
    """What a call left."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def events(self) -> list[Any]:
        return [json.loads(line) for line in self.out.split("\n") if line]


class Piped(io.TextIOWrapper):
    """A stream that is no terminal."""

    def __init__(self, data: bytes = b"") -> None:
        super().__init__(io.BytesIO(data), encoding="utf-8", newline="")

    def text(self) -> str:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode("utf-8")


class Terminal(Piped):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def call(*argv: str, stdin: bytes | None = None, terminal: bool = False) -> Result:
    """Run `main` here; `stdin` None = a terminal nobody types at."""
    source = Terminal() if stdin is None else Piped(stdin)
    out, err = (Terminal(), Terminal()) if terminal else (Piped(), Piped())
    with mock.patch.multiple(sys, stdin=source, stdout=out, stderr=err):
        status = main(list(argv))
    return Result(status, out.text(), err.text())


def command(*argv: str) -> list[str]:
    """The words that start a real process."""
    return [sys.executable, "-m", "kimi_tui", *argv]


@contextmanager
def start(*argv: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a real process with pipes; what is left of it at the end is killed."""
    with subprocess.Popen(
        command(*argv), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def run_python(code: str, *argv: str) -> str:
    """Run a program in a fresh interpreter and return what it printed."""
    words: Sequence[str] = [sys.executable, "-c", code, *argv]
    return subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT, stdin=subprocess.DEVNULL).stdout
