"""Where a session's files lie: its name, what lies beside it, and whether a place is taken."""

from __future__ import annotations

import os
from pathlib import Path

from kimi_tui.adapters.files import as_storage_error
from kimi_tui.core.errors import StorageError

ENDINGS = (".toml", ".json")
"""What makes a file in the folder a session."""


def ending_of(path: Path) -> str:
    """The form of a session file: ".json", or ".toml" for everything else."""
    return ".json" if path.suffix.lower() == ".json" else ".toml"


def is_same(left: Path, right: Path) -> bool:
    """Whether two paths are the same place."""
    return os.path.realpath(left) == os.path.realpath(right)


def draft_beside(path: Path) -> Path:
    """The file beside a session that keeps what is being typed in it."""
    return path.parent / f".{path.stem}.draft"


def origin_beside(path: Path) -> Path:
    """The file beside one in the trash that says where it lay."""
    return path.parent / f".{path.stem}.origin"


def is_file_name(text: str) -> bool:
    """Whether a text names something that is there and is no folder; reading says what cannot be read."""
    return os.path.exists(text) and not os.path.isdir(text)


def is_there(path: Path) -> bool:
    """Whether a file exists; that it cannot be as_storage_error is no "no"."""
    with as_storage_error("read", path):
        return path.exists()


def refuse_if_there(path: Path, consequence: str) -> None:
    """Refuse to write over a file.

    Raises:
        StorageError: It is there; the summary says what that means.
    """
    if is_there(path):
        raise StorageError(f"{path} is there already; {consequence}")


def free_name(path: Path) -> Path:
    """A name that is not taken: the trash may hold an older session of the same name."""
    number = 1
    free = path
    # What lies beside a session is named after its stem, so that one ending is as taken as the other.
    while any(free.with_suffix(ending).exists() for ending in (*ENDINGS, path.suffix)):
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
    return free
