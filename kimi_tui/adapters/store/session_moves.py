"""Session files moved and removed, so that at every moment a session and its draft lie somewhere whole."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from kimi_tui.adapters.files import as_storage_error, read_file, storage_error, write_atomic
from kimi_tui.adapters.store.session_places import draft_beside, is_there
from kimi_tui.adapters.store.session_reading import read_bytes
from kimi_tui.core.errors import StorageError


def move_with_draft(source: Path, target: Path) -> None:
    """Move a session and its draft. The draft is copied first and removed last, so that it is never nowhere."""
    draft, new_draft = draft_beside(source), draft_beside(target)
    has_draft = is_there(draft)
    if has_draft:
        write_atomic(new_draft, read_bytes(draft))
    try:
        _move(source, target)
    except StorageError:
        if has_draft:
            forget(new_draft)
        raise
    if has_draft:
        forget(draft)


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
        forget(new)
        raise


def remove(path: Path) -> None:
    """Remove a file; one that is not there is removed already.

    Raises:
        StorageError: It stays.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error("removed", path, error) from error


def forget(path: Path) -> None:
    """Remove what is there a second time; staying, it does no harm."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
