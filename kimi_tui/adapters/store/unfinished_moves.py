"""What a process that died while it converted or moved a session leaves: the same file in two places. One goes.

A lock tells where to look: it is still there, and nobody has it. What says something else is never touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from kimi_tui.adapters.files import as_storage_error, read_file
from kimi_tui.adapters.store.session_lock import SessionLock
from kimi_tui.adapters.store.session_places import LOCK, beside, companions, is_there, remove
from kimi_tui.adapters.store.session_trash import ORIGIN, origin_of
from kimi_tui.core.session.file_formats import ENDINGS
from kimi_tui.core.session.session import Session


def settle_conversion(folder: Path, read: Callable[[Path], Session], lock_name: str) -> None:
    """Of a session in two formats keep the one that was there before; raises StorageError, where it is held too."""
    stem = lock_name[1 : -len(LOCK)]
    paths = [folder / f"{stem}{ending}" for ending in ENDINGS]
    with SessionLock(paths[0], "recovery"):
        first, second = paths = [path for path in paths if is_there(path)]
        if replace(read(first), written_by=None) == replace(read(second), written_by=None):
            remove(max(paths, key=lambda path: path.stat().st_mtime_ns))


def settle_move(folder: Path, trash: Path, lock_name: str) -> None:
    """Put right what a move to the trash, or back, left there; raises StorageError, where it goes on too."""
    stem = lock_name[1 : -len(LOCK)]
    paths = (trash / f"{stem}{ending}" for ending in ENDINGS)
    source = next((path for path in paths if is_there(path)), trash / f"{stem}{ENDINGS[0]}")
    with SessionLock(source, "recovery"):
        if not (origin := origin_of(source)):
            return
        target = folder / origin
        with SessionLock(target, "recovery"):
            _settle(source, target)


def _settle(source: Path, target: Path) -> None:
    """`source` lies in the trash, or lay there; `target` is where it belongs."""
    is_back = is_there(target)
    if is_there(source) and is_back and _is_same_file(source, target):
        remove(source)
    if not is_there(source) and is_back:
        _remove_companions(source, companions(source))
        remove(beside(source, ORIGIN))
    elif is_there(source) and not is_back:
        _remove_companions(target, [it for it in companions(target) if _has_same(source, target, it)])


def _has_same(left: Path, right: Path, ending: str) -> bool:
    return is_there(beside(left, ending)) and _is_same_file(beside(left, ending), beside(right, ending))


def _is_same_file(left: Path, right: Path) -> bool:
    with as_storage_error("read", left):
        return left.stat().st_size == right.stat().st_size and read_file(left) == read_file(right)


def _remove_companions(path: Path, endings: Iterable[str]) -> None:
    for ending in endings:
        remove(beside(path, ending))
