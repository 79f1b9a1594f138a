"""One session file read: its bytes, and the session in it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from kimi_tui.adapters.files import read_file, storage_error
from kimi_tui.adapters.store.session_index import Mark, is_certain, mark_of
from kimi_tui.core.errors import StorageError
from kimi_tui.core.session.codec import EPOCH, decode_session
from kimi_tui.core.session.file_formats import format_of
from kimi_tui.core.session.message_codec import message_or_data
from kimi_tui.core.session.session import Session


class SessionReader:
    """Reads session files; the one read last is kept, since finding a file reads it, and then it is loaded."""

    def __init__(self) -> None:
        self.parse: Callable[[Path], Session] | None = None
        """Reads a session from its file, and may raise StorageError; None = `parse_file` does."""
        self._last: tuple[Path, Mark, Session] | None = None

    def read_again(self, path: Path) -> Session:
        """As `parse_file`, whatever was read before."""
        self._last = None
        return self.read(path)

    def read(self, path: Path) -> Session:
        """As `parse_file`; a session that was read just now and did not change is not parsed again."""
        known, seen_ns, mark = self._last, time.time_ns(), mark_of(path)
        self._last = None
        if known is not None and known[:2] == (path, mark):
            return known[2]
        session = (self.parse or parse_file)(path)
        self._last = (path, mark, session) if mark and is_certain(mark, seen_ns) else None
        return session


def parse_file(path: Path) -> Session:
    """Raises StorageError, whose summary names the file and the place in it."""
    data = [read_bytes(path)]
    try:  # the bytes are given away, not held: they are as large as all that is read from them
        return decode_session(format_of(path.suffix).load(data.pop(), message_or_data), changed_at(path))
    except StorageError as error:
        hint = error.hint or "The file is as it was; mend it by hand, or move it away."
        raise StorageError(f"{path} cannot be read: {error.summary}", hint) from None


def read_bytes(path: Path, *, is_pipe_allowed: bool = False) -> bytes:
    """Raises StorageError where it cannot be read."""
    try:
        return read_file(path, is_pipe_allowed=is_pipe_allowed)
    except OSError as error:
        raise storage_error("read", path, error) from error


def changed_at(path: Path) -> datetime:
    """When a file was changed last, UTC, in whole seconds."""
    try:
        return datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
    except (OSError, OverflowError, ValueError):
        return EPOCH
