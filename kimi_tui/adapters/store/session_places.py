"""Where a session's files lie: what stands beside it and travels with it, and how it is moved and removed.

At every moment a session and its companions lie somewhere whole.
"""

from __future__ import annotations

import contextlib
import os
from fnmatch import fnmatchcase
from pathlib import Path

from kimi_tui.adapters.files import as_storage_error, read_file, storage_error, write_atomic
from kimi_tui.core.errors import StorageError

DRAFT = ".draft"
"""Ending of the file that keeps what is being typed in a session."""
RAW_DRAFT = ".raw-draft"
"""Ending of the file that keeps a raw input that was not sent."""
BACKUP = ".backup-*"
"""Ending of the files that keep what other versions of the program wrote; `*` stands for the version."""
JOURNAL = ".journal"
"""Ending of the file that keeps what its replies say while they grow."""
ASIDE = ".journal-aside"
"""Ending of a journal that is kept since not all of it can be read; a number may follow."""
LOCK = ".lock"
"""Ending of the file that is locked while a session is held; a process that dies leaves it, locked by nobody."""
COMPANIONS = (DRAFT, RAW_DRAFT, JOURNAL, BACKUP)
"""Endings of the files that belong to a session: they go with it to the trash and come back."""


def beside(path: Path, ending: str) -> Path:
    """The hidden file beside a session's that has that ending; it is named after the stem, whatever the format."""
    return path.parent / f".{path.stem}{ending}"


def companions(path: Path) -> list[str]:
    """The endings of the files that lie beside a session now; raises StorageError where nobody can tell."""
    with as_storage_error("read", path.parent):
        names = os.listdir(path.parent)
    stem = f".{path.stem}"
    found = [name.removeprefix(stem) for name in names if name.startswith(stem)]
    # Behind another dot stands what belongs to a session of a longer name.
    return sorted(e for e in found if e.rfind(".") == 0 and any(fnmatchcase(e, known) for known in COMPANIONS))


def has_draft(path: str) -> bool:
    """Whether something that was typed, and not sent, is kept beside a session's file."""
    return any(os.path.exists(beside(Path(path), ending)) for ending in (DRAFT, RAW_DRAFT))


def has_unrecovered(path: Path) -> bool:
    """Whether something lies beside a session's file that is to be put into it when it is opened."""
    return os.path.exists(beside(path, JOURNAL))


def set_aside(path: Path) -> Path:
    """Give a session's journal a name under which nothing reads it, and return that; raises StorageError."""
    journal, number = beside(path, JOURNAL), 1
    target = free = beside(path, ASIDE)
    while is_there(free):
        number += 1
        free = target.with_name(f"{target.name}-{number}")
    with as_storage_error("moved", journal):
        os.replace(journal, free)
    return free


def is_same(left: Path, right: Path) -> bool:
    return os.path.realpath(left) == os.path.realpath(right)


def is_file_name(text: str) -> bool:
    """Whether a text names something that is there and is no folder; reading says what cannot be read."""
    return os.path.exists(text) and not os.path.isdir(text)


def is_there(path: Path) -> bool:
    """Whether a file exists; raises StorageError where nobody can tell."""
    with as_storage_error("read", path):
        return path.exists()


def refuse_if_there(path: Path, consequence: str, hint: str = "") -> None:
    """Raise StorageError where a file is there, or nobody can tell; `consequence` ends its summary."""
    if is_there(path):
        raise StorageError(f"{path} is there already; {consequence}", hint)


def move_session(source: Path, target: Path) -> None:
    """Copy companions first and remove them last, so that they are never nowhere; after a StorageError all stays."""
    copied, endings = list[Path](), companions(source)
    try:
        for ending in endings:
            copied.append(beside(target, ending))
            write_atomic(copied[-1], _read(beside(source, ending)))
        _move(source, target)
    except StorageError:
        for new in copied:
            discard(new)
        raise
    for ending in endings:
        discard(beside(source, ending))


def _read(path: Path) -> bytes:
    with as_storage_error("read", path):
        return read_file(path)


def _move(source: Path, target: Path) -> None:
    with as_storage_error("moved", source):
        if _on_same_device(source, target.parent):
            os.replace(source, target)
            return
        write_atomic(target, read_file(source))
    remove_or_undo(source, target)


def _on_same_device(left: Path, right: Path) -> bool:
    return left.stat().st_dev == right.stat().st_dev


def remove_or_undo(old: Path, new: Path) -> None:
    """Remove what was written anew elsewhere; where that fails, take the new one back, so that there are not two."""
    try:
        remove(old)
    except StorageError:
        discard(new)
        raise


def remove(path: Path) -> None:
    """Remove a file; raises StorageError where it stays. One that is not there is removed already."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error("removed", path, error) from error


def discard(path: Path) -> None:
    """Remove a file that nobody needs any more; that it cannot be removed is ignored."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
