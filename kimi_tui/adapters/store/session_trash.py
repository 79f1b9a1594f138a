"""The trash: deleted sessions with what was being typed in them, and where they lay."""

from __future__ import annotations

import os
from pathlib import Path

from kimi_tui.adapters.files import as_storage_error, make_private_dir, read_file, write_atomic
from kimi_tui.adapters.store.session_moves import forget, move_with_draft
from kimi_tui.adapters.store.session_places import free_name, is_same, origin_beside, refuse_if_there
from kimi_tui.core.errors import StorageError


class Trash:
    """Where deleted sessions of one folder lie."""

    def __init__(self, trash: Path, folder: Path) -> None:
        """Work on a folder; it is made when something is deleted.

        Args:
            trash: Where deleted sessions go.
            folder: Where sessions lie.
        """
        self._trash, self._folder = trash, folder

    def take(self, path: Path) -> Path:
        """Move a session, and what was being typed in it, to the trash and return where it lies there.

        Raises:
            StorageError: It cannot be moved; it stays where it is.
        """
        make_private_dir(self._trash)
        with as_storage_error("moved", path):
            target = free_name(self._trash / path.name)
        origin = path.name if is_same(path.parent, self._folder) else os.path.abspath(path)
        write_atomic(origin_beside(target), os.fsencode(origin))
        try:
            move_with_draft(path, target)
        except StorageError:
            forget(origin_beside(target))
            raise
        return target

    def give_back(self, source: Path) -> Path:
        """Bring a session back from its place in the trash, with what was being typed in it.

        Args:
            source: What `take` returned. It returns to where it lay; where that is not known, to the folder.

        Raises:
            StorageError: It is not there, its place is taken, or it cannot be moved; it stays in the trash.
        """
        target = self._folder / _origin_of(source)
        make_private_dir(target.parent)
        refuse_if_there(target, "the deleted session stays in the trash.")
        move_with_draft(source, target)
        forget(origin_beside(source))
        return target


def _origin_of(path: Path) -> str:
    """Where a file in the trash lay: a name in the folder of sessions, or a whole path."""
    try:
        return os.fsdecode(read_file(origin_beside(path))) or path.name
    except OSError:
        return path.name
