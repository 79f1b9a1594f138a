"""Drafts of windows that can only read a session: each lies apart from the draft of whoever holds it.

Such a window takes the first free place beside the session, and its lock; dying releases it. What lies in a place that
nobody has is typed on by the next window that takes it, or by the one that holds the session.
"""

from __future__ import annotations

import contextlib
import itertools
from glob import escape
from pathlib import Path
from typing import Protocol

from kimi_tui.adapters.store.session_lock import SessionLock
from kimi_tui.adapters.store.session_places import DRAFT
from kimi_tui.core.errors import SessionHeldError, StorageError

WINDOW = ".window-"
"""Between a session's stem and the number of a place."""


class Drafts(Protocol):
    """Drafts by the files of sessions; a place stands for such a file."""

    def load_draft(self, path: Path) -> str: ...

    def save_draft(self, path: Path, text: str) -> None: ...

    def lock(self, path: Path) -> SessionLock: ...


def take_place(drafts: Drafts, path: Path) -> tuple[Path, SessionLock]:
    """Take the first place beside a session that nobody has; raises StorageError where no lock can be made."""
    for number in itertools.count(2):
        place = _place(path, str(number))
        lock = drafts.lock(place)
        with contextlib.suppress(SessionHeldError):
            lock.acquire()
            return place, lock
    raise AssertionError("numbers do not end")


def gather(drafts: Drafts, path: Path) -> str:
    """The draft of a session, below it those of windows that have gone; from now on they are one."""
    draft = drafts.load_draft(path)
    with contextlib.suppress(OSError, StorageError):  # what cannot be moved now stays where it is
        for place in sorted(_places(path)):
            with contextlib.suppress(SessionHeldError), drafts.lock(place):
                if text := drafts.load_draft(place):
                    joined = "\n\n".join(filter(None, (draft, text)))
                    drafts.save_draft(path, joined)
                    draft = joined
                drafts.save_draft(place, "")
    return draft


def stem_of(stem: str) -> str:
    """The stem of the session that a draft of that stem belongs to."""
    return stem.rpartition(WINDOW)[0] or stem


def _place(path: Path, number: str) -> Path:
    return path.with_name(f"{path.stem}{WINDOW}{number}{path.suffix}")


def _places(path: Path) -> list[Path]:
    beginning = f".{path.stem}{WINDOW}"
    found = path.parent.glob(f"{escape(beginning)}*{DRAFT}")
    return [_place(path, file.name.removeprefix(beginning).removesuffix(DRAFT)) for file in found]
