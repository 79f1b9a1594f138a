"""Whether dead processes left anything among the sessions: looked for by name, recovered once.

What recovers is imported where there is something to do, which is rare.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kimi_tui.adapters.store.session_drafts import stem_of
from kimi_tui.adapters.store.session_places import DRAFT, JOURNAL, LOCK, has_unrecovered
from kimi_tui.core.errors import StorageError
from kimi_tui.core.ports import RecoveredSession
from kimi_tui.core.session.file_formats import ENDINGS

if TYPE_CHECKING:  # the name of a type only
    from kimi_tui.adapters.store.session_recovery import RecoverableFiles


class LeftBehind:
    def __init__(self, files: RecoverableFiles) -> None:
        self._files = files
        self.recovering = threading.Lock()
        """Whoever recovers has it, and holds locks of sessions meanwhile."""
        self._recovered: tuple[RecoveredSession, ...] | None = None

    @property
    def may_be_some(self) -> bool:
        """Whether `recover` may have something to do."""
        return self._recovered is None and bool(self._names() or self._moves())

    def recover(self) -> Sequence[RecoveredSession]:
        """See `SessionStore`; what cannot be recovered now, or may belong to a living process, stays as it is."""
        with self.recovering:
            if self._recovered is None:
                self._recovered = ()
                names, moves = self._names(), self._moves()
                if names or moves:
                    from kimi_tui.adapters.store.session_recovery import recover_folder  # noqa: PLC0415

                    self._recovered = tuple(recover_folder(self._files, names, moves))
            return self._recovered

    def recover_held(self, path: Path) -> str:
        """Recover a session that is held here; what came back, in a line, "" = nothing."""
        if not has_unrecovered(path):
            return ""
        from kimi_tui.adapters.store.session_recovery import recover_held  # noqa: PLC0415

        try:
            return recover_held(self._files, path)
        except StorageError as error:
            return f"What had come when the program ended is kept, but could not be put back: {error.summary}"

    def _names(self) -> Sequence[str]:
        """The files that a process leaves when it dies: journals, drafts without a session, locks of two formats."""
        names = _listed(self._files.folder)
        hidden = sorted(name for name in names if name.startswith("."))
        journals = [name for name in hidden if name.endswith(JOURNAL)]
        # A draft that lies apart is taken by whoever opens its session next.
        drafts = ((name, stem_of(name[1 : -len(DRAFT)])) for name in hidden if name.endswith(DRAFT))
        locks = ((name, name[1 : -len(LOCK)]) for name in hidden if name.endswith(LOCK))
        return [
            *(name for name, stem in locks if sum(f"{stem}{ending}" in names for ending in ENDINGS) == 2),
            *journals,
            *(name for name, stem in drafts if not any(f"{stem}{ending}" in names for ending in ENDINGS)),
        ]

    def _moves(self) -> Sequence[str]:
        """The locks of moves to the trash, and back, that may have come to no end."""
        return sorted(name for name in _listed(self._files.trash) if name.startswith(".") and name.endswith(LOCK))


def _listed(folder: Path) -> set[str]:
    try:
        return set(os.listdir(folder))
    except OSError:
        return set()
