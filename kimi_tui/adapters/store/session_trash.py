"""The trash: deleted sessions with their companions, and where they lay."""

from __future__ import annotations

import os
from pathlib import Path

from kimi_tui.adapters.files import as_storage_error, make_private_dir, read_file, write_atomic
from kimi_tui.adapters.store.session_lock import SessionLock
from kimi_tui.adapters.store.session_places import beside, discard, is_same, move_session, refuse_if_there
from kimi_tui.core.session.file_formats import ENDINGS

ORIGIN = ".origin"
"""Ending of the file beside one in the trash that says where it lay: a name in the folder, or a whole path."""


def move_to_trash(path: Path, trash: Path, folder: Path) -> Path:
    """Move a session to the trash and return where it lies there; StorageError where it stays in its place."""
    make_private_dir(trash)
    with as_storage_error("moved", path):
        target = _free_name(trash / path.name)
    origin = path.name if is_same(path.parent, folder) else os.path.abspath(path)
    with SessionLock(target, "delete"):  # dying leaves it: then somebody looks what is left, see `unfinished_moves`
        try:
            write_atomic(beside(target, ORIGIN), os.fsencode(origin))
            move_session(path, target)
        except BaseException:
            discard(beside(target, ORIGIN))
            raise
    return target


def move_back(source: Path, folder: Path) -> Path:
    """Bring a session back from its place in the trash to where it lay; where that is not known, to the folder.

    Raises:
        StorageError: It is not there, its place is taken, or it cannot be moved; it stays in the trash.
    """
    target = folder / (origin_of(source) or source.name)
    make_private_dir(target.parent)
    with SessionLock(source, "restore"), SessionLock(target, "restore"):
        refuse_if_there(target, "the deleted session stays in the trash.")
        move_session(source, target)
        discard(beside(source, ORIGIN))
    return target


def origin_of(path: Path) -> str:
    """Where a session in the trash lay: a name in the folder, or a whole path; "" = nobody knows."""
    try:
        return os.fsdecode(read_file(beside(path, ORIGIN)))
    except OSError:
        return ""


def _free_name(path: Path) -> Path:
    """A name that is not taken: the trash may hold an older session of the same name."""
    number = 1
    free = path
    # What lies beside a session is named after its stem, so that one ending is as taken as the other.
    while any(free.with_suffix(ending).exists() for ending in (*ENDINGS, path.suffix)):
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
    return free
