"""Programs in place of those that reach the clipboard: they write down what they are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

TAKES = 'cat >"$0.in"; echo "$*" >"$0.words"'
"""Shell words of a program that keeps its input and its command line beside itself."""
WAITS = 'n=0; while [ ! -e "$(dirname "$0")/go" ] && [ $n -lt 5000 ]; do sleep 0.02; n=$((n + 1)); done'
"""Shell words that wait for a file named "go" beside the program, though not for ever."""


def put_on_path(folder: Path, name: str, script: str) -> None:
    """Make a program of a few shell words."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)


@dataclass
class HandClipboard:
    """A folder of such programs."""

    folder: Path
    environ: Mapping[str, str] = field(default_factory=dict)

    def __init__(self, folder: Path, *names: str, environ: Mapping[str, str] | None = None) -> None:
        """Make the programs, and an environment in which they are found."""
        self.folder = folder
        for name in names:
            put_on_path(folder, name, TAKES)
        self.environ = {"PATH": f"{folder}:/usr/bin:/bin", **({"DISPLAY": ":4321"} if environ is None else environ)}

    def taken(self, name: str) -> bytes:
        """What a program was given."""
        return (self.folder / f"{name}.in").read_bytes()

    def words(self, name: str) -> str:
        """How it was called."""
        return (self.folder / f"{name}.words").read_text().strip()
