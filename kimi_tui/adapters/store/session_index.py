"""What lists show of each session file, remembered beside the sessions so that a list need not read them all.

The index is a cache: a file that changed since is read again, and it may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from kimi_tui.adapters.files import read_file, write_atomic
from kimi_tui.core.errors import StorageError
from kimi_tui.core.session.session import SessionSummary

INDEX_NAME = ".index"
"""The index's file name; without an ending that would make it a session."""
SIZE = 1
"""Where the size of a file in bytes stands in its mark."""
INDEX_VERSION = 1
"""Rises when the rows change; another version is as good as none."""


@dataclass
class SessionIndex:
    """The rows of one folder, by file name."""

    folder: Path
    """Where the sessions lie."""
    _old: dict[str, list[object]] = field(default_factory=dict)
    _new: dict[str, list[object]] = field(default_factory=dict)

    def load(self) -> None:
        """Read the index; one that is missing or broken is empty."""
        with contextlib.suppress(OSError, ValueError, RecursionError):
            data = json.loads(read_file(self.folder / INDEX_NAME))
            if isinstance(data, dict) and data.get("version") == INDEX_VERSION and isinstance(data["files"], dict):
                self._old = data["files"]

    def find(self, path: Path) -> SessionSummary | None:
        """Give what is known of a file that did not change since, None otherwise."""
        row = self._old.get(path.name)
        return self.find_outdated(path) if row and row[0] and row[0] == mark_of(path) else None

    def find_outdated(self, path: Path) -> SessionSummary | None:
        """Give what is known of a file, whether or not it changed since; None = nothing."""
        try:
            row = self._old[path.name]
            _, session_id, title, created, updated, messages, model, tags = row
            summary = SessionSummary(
                str(session_id), str(title), datetime.fromisoformat(str(created)), datetime.fromisoformat(str(updated)),
                int(str(messages)), str(model), tuple(tags) if isinstance(tags, list) else (), str(path),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError):
            return None
        self._new[path.name] = row
        return summary

    def note(self, path: Path, mark: list[int], summary: SessionSummary) -> None:
        """Remember a file as it was when `mark` was taken, which has to be before it was read."""
        self._new[path.name] = [
            mark, summary.id, summary.title, summary.created.isoformat(), summary.updated.isoformat(),
            summary.messages, summary.model, list(summary.tags),
        ]  # fmt: skip

    def forget(self, path: Path) -> None:
        """Know nothing of a file any more."""
        self._new.pop(path.name, None)

    def save(self) -> None:
        """Write the index where it changed; that it cannot be written costs time only."""
        if self._new == self._old:
            return
        data = json.dumps({"version": INDEX_VERSION, "files": self._new}).encode("utf-8")
        with contextlib.suppress(StorageError):
            write_atomic(self.folder / INDEX_NAME, data)


def mark_of(path: Path) -> list[int]:
    """What changes with every change of a file; empty for one that is not there."""
    try:
        status = path.stat()
    except OSError:
        return []
    return [status.st_mtime_ns, status.st_size, status.st_ino]
