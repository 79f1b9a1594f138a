"""What lies in a folder of sessions, told while it is read: at once what is known, the rest as it comes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from kimi_tui.adapters.store.session_index import SIZE, SessionIndex, mark_of
from kimi_tui.adapters.store.session_reading import summary_of
from kimi_tui.core.errors import StorageError
from kimi_tui.core.session.listing import Listing, Unreadable
from kimi_tui.core.session.session import Session, SessionSummary

FIRST_STEP_BYTES, LAST_STEP_BYTES = 300_000, 2_400_000
"""How much is read before the first telling, and before the later ones: each costs as much as there are sessions."""
FILE_BYTES = 4_000
"""What a file costs besides its bytes, in bytes."""


def whole_listing(folder: Path, paths: Sequence[Path], read: Callable[[Path], Session]) -> Listing:
    """List sessions; the one that was changed last is read last, since it is the one that is likely to be loaded."""
    [whole] = listings(folder, paths, read, is_newest_first=False, step_bytes=sys.maxsize)
    return whole


def listings(
    folder: Path,
    paths: Sequence[Path],
    read: Callable[[Path], Session],
    *,
    is_newest_first: bool = True,
    step_bytes: int = FIRST_STEP_BYTES,
) -> Iterator[Listing]:
    """List sessions, again and again while files are read that changed since the last time; the last list is whole.

    Args:
        folder: Where their index lies.
        paths: Their files.
        read: Reads one; it may raise StorageError.
        is_newest_first: Whether the one that was changed last is read first; else it is read last.
        step_bytes: How much is read before the first telling.
    """
    index = SessionIndex(folder)
    index.load()
    summaries, changed = _known(index, paths)
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
                summaries[path] = summary = summary_of(read(path), path)
                index.note(path, mark, summary)
            except StorageError as error:
                index.forget(path)
                reason = error.summary.removeprefix(f"{path} cannot be read: ").removeprefix(f"{path} ")
                unreadable.append(Unreadable(str(path), reason))
            waiting_bytes += _cost(mark)
    finally:
        index.save()
    yield _listing(summaries, unreadable)


def unread_bytes(folder: Path, paths: Sequence[Path]) -> int:
    """What it would cost to list sessions, in bytes that have to be read."""
    index = SessionIndex(folder)
    index.load()
    return sum(_cost(mark) for mark, _ in _known(index, paths)[1])


def _known(
    index: SessionIndex, paths: Sequence[Path]
) -> tuple[dict[Path, SessionSummary], list[tuple[list[int], Path]]]:
    """What is known of files, and which of them have to be read, with their marks."""
    summaries, changed = dict[Path, SessionSummary](), list[tuple[list[int], Path]]()
    for path in paths:
        summary = index.find(path)
        if summary is None:
            changed.append((mark_of(path), path))
            summary = index.find_outdated(path)  # a row that is there already stays until its file has been read
        if summary is not None:
            summaries[path] = summary
    return summaries, changed


def _cost(mark: list[int]) -> int:
    """What it costs to read a file, in bytes."""
    return FILE_BYTES + (mark[SIZE] if mark else 0)


def _listing(summaries: dict[Path, SessionSummary], unreadable: list[Unreadable], *, is_whole: bool = True) -> Listing:
    found = sorted(summaries.values(), key=lambda summary: (summary.updated, summary.id), reverse=True)
    return Listing(tuple(found), tuple(sorted(unreadable, key=lambda bad: bad.path)), is_whole)
