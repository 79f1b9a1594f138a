"""The sessions of a folder listed, while their files are read; what lists show of each is remembered beside them.

The index is a cache: a file that changed since is read again, and it may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from kimi_tui.adapters.files import read_file, write_atomic
from kimi_tui.core.errors import StorageError
from kimi_tui.core.session.listing import Listing, SessionSummary, Unreadable
from kimi_tui.core.session.session import Session

INDEX_NAME = ".index"
"""The index's file name; without an ending that would make it a session."""
Mark = list[int]
"""What changes with every change of a file: its times, size and place; empty for one that is not there.

The second time is that of the inode, which no program sets back.
"""
COARSEST_TIME_NS = 2_000_000_000
"""The longest step in which file systems count time: within it a file may change without its times showing that."""
Row = list[object]
"""A mark, then what lists show."""
SIZE = 1
"""Where the size of a file in bytes stands in its mark."""
INDEX_VERSION = 1
"""Rises when the rows change; another version is as good as none."""


FIRST_STEP_BYTES, LAST_STEP_BYTES = 300_000, 2_400_000
"""Bytes read before the first list, and at most before a later one (they double): a list takes time by its length."""
FILE_BYTES = 4_000
"""What a file costs besides its bytes, in bytes."""


class SessionIndex:
    """The rows of one folder, by file name, as long as one list of them takes."""

    def __init__(self, folder: Path, saved: Mapping[str, Row]) -> None:
        """A missing or broken index is empty; rows of what was `saved` since go first."""
        self._path = folder / INDEX_NAME
        self._in_file: dict[str, Row] = {}
        with contextlib.suppress(OSError, ValueError, RecursionError):
            data = json.loads(read_file(self._path))
            files = data.get("files") if isinstance(data, dict) and data.get("version") == INDEX_VERSION else None
            if isinstance(files, dict):
                self._in_file = {name: row for name, row in files.items() if isinstance(row, list) and row}
        self._old = {**self._in_file, **saved}
        self._new: dict[str, Row] = {}

    def find(self, path: Path) -> SessionSummary | None:
        """Give what is known of a file that did not change since, None otherwise."""
        row = self._old.get(path.name)
        return self.find_outdated(path) if row and row[0] and row[0] == mark_of(path) else None

    def find_outdated(self, path: Path) -> SessionSummary | None:
        """Give what is known of a file, whether or not it changed since; None = nothing."""
        try:
            _, session_id, title, created, updated, messages, model, tags = self._old[path.name]
            return SessionSummary(
                str(session_id), str(title), datetime.fromisoformat(str(created)), datetime.fromisoformat(str(updated)),
                int(str(messages)), str(model), tuple(tags) if isinstance(tags, list) else (), str(path),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError):
            return None

    def keep(self, path: Path) -> None:
        """Go on remembering what was found of a file."""
        self._new[path.name] = self._old[path.name]

    def note(self, path: Path, mark: Mark, summary: SessionSummary) -> None:
        """Remember a file as it was when `mark` was taken, which has to be before it was read."""
        self._new[path.name] = row_of(mark, summary)

    def forget(self, path: Path) -> None:
        self._new.pop(path.name, None)

    def save(self) -> None:
        """Write the index where it changed; that it cannot be written costs time only."""
        if self._new == self._in_file:
            return
        data = json.dumps({"version": INDEX_VERSION, "files": self._new}).encode("utf-8")
        with contextlib.suppress(StorageError):
            write_atomic(self._path, data)


def row_of(mark: Mark, summary: SessionSummary) -> Row:
    return [
        mark, summary.id, summary.title, summary.created.isoformat(), summary.updated.isoformat(),
        summary.messages, summary.model, list(summary.tags),
    ]  # fmt: skip


def mark_of(path: Path) -> Mark:
    try:
        return mark_in(path.stat())
    except OSError:
        return []


def mark_in(status: os.stat_result) -> Mark:
    return [status.st_mtime_ns, status.st_size, status.st_ino, status.st_ctime_ns]


def is_certain(mark: Mark, seen_ns: int) -> bool:
    """Whether every change after a mark was taken shows in the next one; `seen_ns` = when, in ns since 1970."""
    mtime_ns, _, _, ctime_ns = mark
    return seen_ns - max(mtime_ns, ctime_ns) > COARSEST_TIME_NS


def whole_listing(index: SessionIndex, paths: Sequence[Path], read: Callable[[Path], Session]) -> Listing:
    """List sessions; the one that was changed last is read last, since it is the one that is likely to be loaded."""
    [whole] = listings(index, paths, read, is_newest_first=False, step_bytes=sys.maxsize)
    return whole


def listings(
    index: SessionIndex,
    paths: Sequence[Path],
    read: Callable[[Path], Session],
    *,
    is_newest_first: bool = True,
    step_bytes: int = FIRST_STEP_BYTES,
) -> Iterator[Listing]:
    """List sessions, again and again while files are read that changed since the last time; the last list is whole.

    `read` may raise StorageError. Where the newest is not read first it is read last. `step_bytes` is how much is read
    before the first telling.
    """
    summaries, changed = _known(index, paths)
    for path in summaries:  # one that is outdated stays until its file has been read
        index.keep(path)
    unreadable = list[Unreadable]()
    changed.sort(reverse=is_newest_first)
    waiting_bytes = sum(_cost(mark) for mark, _ in changed)
    try:
        for mark, path in changed:
            if waiting_bytes > step_bytes and summaries:
                yield _listing(summaries, unreadable, is_whole=False)
                waiting_bytes, step_bytes = 0, min(2 * step_bytes, LAST_STEP_BYTES)
            summaries.pop(path, None)
            try:
                summaries[path] = summary = SessionSummary.of(read(path), str(path))
                index.note(path, mark, summary)
            except StorageError as error:
                index.forget(path)
                reason = error.summary.removeprefix(f"{path} cannot be read: ").removeprefix(f"{path} ")
                unreadable.append(Unreadable(str(path), reason))
            waiting_bytes += _cost(mark)
    finally:
        index.save()
    yield _listing(summaries, unreadable)


def unread_bytes(index: SessionIndex, paths: Sequence[Path]) -> int:
    """What it would cost to list sessions, in bytes that have to be read."""
    return sum(_cost(mark) for mark, _ in _known(index, paths)[1])


def _known(index: SessionIndex, paths: Sequence[Path]) -> tuple[dict[Path, SessionSummary], list[tuple[Mark, Path]]]:
    summaries, changed = dict[Path, SessionSummary](), list[tuple[Mark, Path]]()
    for path in paths:
        summary = index.find(path)
        if summary is None:
            changed.append((mark_of(path), path))
            summary = index.find_outdated(path)
        if summary is not None:
            summaries[path] = summary
    return summaries, changed


def _cost(mark: Mark) -> int:
    return FILE_BYTES + (mark[SIZE] if mark else 0)


def _listing(summaries: dict[Path, SessionSummary], unreadable: list[Unreadable], *, is_whole: bool = True) -> Listing:
    found = sorted(summaries.values(), key=lambda summary: (summary.updated, summary.id), reverse=True)
    return Listing(tuple(found), tuple(sorted(unreadable, key=lambda bad: bad.path)), is_whole)
