"""The session that the screen begins with: a new one, or the one that was asked for, read behind the first frame."""

from __future__ import annotations

import contextlib
import gc
from argparse import Namespace
from dataclasses import dataclass, field, replace
from pathlib import Path

from kimi_tui.adapters.store.session_drafts import add_to_draft
from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.adapters.store.session_lock import SessionLock
from kimi_tui.cli.arguments import LATEST
from kimi_tui.core.errors import KimiError, StorageError
from kimi_tui.core.ports import HeldSession
from kimi_tui.core.session.session import Session
from kimi_tui.ui.state.services import FirstSession

LATEST_NAME = "the latest session"
"""What the session that was changed last is called until it has been found."""


def first_session(
    options: Namespace, store: SessionFiles, new: Session, held: contextlib.ExitStack
) -> tuple[HeldSession, FirstSession | None]:
    """Hold the new session; one that was asked for is found, held and read when the screen is there.

    What stands on screen at once is the new session, or in its place an empty one that is never saved.
    """
    if options.resume is None:
        first = store.create(new)
        held.callback(first.release)
        return first, None
    stand_in = SessionLock(store.path_of(new))  # its draft, of what is typed meanwhile, is nobody else's
    with contextlib.suppress(StorageError):
        stand_in.acquire()
        held.callback(stand_in.release)
    wanted = _Wanted(None if options.resume is LATEST else options.resume, store, new, held, store.left.may_be_some)
    # What is wrong with it is told before the program is there, unless much has to be read first.
    if not wanted.has_much_to_read and store.is_found_at_once(wanted.name):
        wanted.find()
    shown = wanted.name or LATEST_NAME if wanted.path is None else wanted.path.stem
    begun = replace(new, title=f"opening {shown} …", path=str(store.path_of(new)))
    first = HeldSession(begun, release=stand_in.release)
    return first, FirstSession(shown, wanted.read, wanted.told, wanted.keep_typed)


@dataclass(eq=False)
class _Wanted:
    """A session that was asked for; all of it may be done in a thread."""

    name: str | None  # None = the one that was changed last
    store: SessionFiles
    new: Session  # what stands in its place, beside which its draft lies meanwhile
    held: contextlib.ExitStack
    has_much_to_read: bool  # whether dead processes may have left something that belongs to sessions
    told: list[str] = field(default_factory=list, init=False)
    path: Path | None = field(default=None, init=False)
    _lock: SessionLock | None = field(default=None, init=False)

    def find(self) -> Path:
        if self.has_much_to_read:
            self.store.recover()
        self.path = self.store.find(self.name, lambda unreadable: self.told.append(unreadable.words))
        lock = SessionLock(self.path)
        with contextlib.suppress(StorageError):  # held, or nothing can be written there: it is opened to be read only
            lock.acquire()
            self.held.callback(lock.release)
            self._lock = lock
        return self.path

    def read(self) -> HeldSession:
        session = self.store.open(self.path or self.find(), held=self._lock)
        self.held.callback(session.release)
        gc.freeze()  # its messages stay: to look through thousands of them holds up the screen, and finds nothing
        return session

    def keep_typed(self, text: str) -> str:
        """What was typed is kept with it, or where others hold it, apart; what holds it is given, to be resumed by."""
        from kimi_tui.cli.typed_draft import keep_apart

        if self.path is not None and self._lock is not None:
            self._add_to_draft(text, self.path)
            return self.name or str(self.path)
        if self.name is not None and (path := self.store.file_called(self.name)) is not None:  # it was still looked for
            with contextlib.suppress(KimiError), SessionLock(path):
                self._add_to_draft(text, path)
                return self.name
        return keep_apart(text, self.store, self.new)

    def _add_to_draft(self, text: str, path: Path) -> None:
        add_to_draft(path, text)
        self.store.save_draft(self.store.path_of(self.new), "")
