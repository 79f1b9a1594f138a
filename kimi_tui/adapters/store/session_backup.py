"""A copy of a session's file, made before this version of the program writes for the first time what another one did.

It is the file as it was, whatever format: `kimi-tui sessions repair` or a plain copy brings it back.
"""

from __future__ import annotations

import re
from pathlib import Path

from kimi_tui import __version__
from kimi_tui.adapters.files import as_storage_error, read_file, write_atomic
from kimi_tui.adapters.store.session_places import BACKUP, beside, is_there

UNNAMED = "earlier"
"""Stands for the versions that did not name themselves in the files they wrote."""
NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9+-]+")
"""What of a version does not go into the name of a file: a dot would make the rest an ending."""
NAME_CHARS = 40


class SessionBackups:
    """One copy for each session and version that wrote it: the last state of that version."""

    def __init__(self) -> None:
        self._done: set[tuple[Path, str | None]] = set()

    def keep(self, path: Path, written_by: str | None) -> None:
        """Copy a file that is about to be written, where another version wrote it; `written_by` is what it says itself.

        Raises StorageError where that cannot be done: the file must not be written then.
        """
        if written_by == __version__ or (path, written_by) in self._done:
            return
        if is_there(path):
            with as_storage_error("read", path):
                data = read_file(path)
            write_atomic(backup_of(path, written_by), data)
        self._done.add((path, written_by))


def backup_of(path: Path, written_by: str | None) -> Path:
    """Where the copy of what a version wrote lies; None = one that did not name itself."""
    version = NOT_IN_NAMES.sub("_", written_by or UNNAMED)[:NAME_CHARS]
    return beside(path, BACKUP.replace("*", version))
