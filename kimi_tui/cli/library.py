"""The sessions on disk as the screen wants them: opened together with their lock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from kimi_tui.adapters.files import write_atomic
from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.adapters.store.session_lock import SessionLock
from kimi_tui.cli import exports
from kimi_tui.core.errors import StorageError
from kimi_tui.core.session.listing import Listing, Unreadable
from kimi_tui.core.session.session import Session


class DiskLibrary:
    """What the screen does with session files."""

    def __init__(
        self, files: SessionFiles, new_session: Callable[[], Session], stop_reading: Callable[[], None] = lambda: None
    ) -> None:
        """Work on session files.

        Args:
            files: The files.
            new_session: Makes an empty session.
            stop_reading: Ends what is being read.
        """
        self._files, self._new_session, self._stop_reading = files, new_session, stop_reading
        self._has_closed = threading.Event()

    async def save(self, session: Session) -> None:
        """Write a session.

        Raises:
            StorageError: It could not be written.
        """
        await self._files.save(session)

    def find(self, text: str | None) -> tuple[Path, tuple[Unreadable, ...]]:
        """Find a session's file, and the files that were passed over since they cannot be read.

        Raises:
            StorageError: None or several fit.
        """
        passed_over: list[Unreadable] = []
        return self._files.find(text, passed_over.append), tuple(passed_over)

    def is_found_at_once(self, text: str | None) -> bool:
        """Whether `find` tells at once where a session is, and needs not read much first."""
        return self._files.is_found_at_once(text)

    def open(self, path: Path) -> tuple[Session, SessionLock]:
        """Lock a session, then read it.

        Raises:
            StorageError: It is held elsewhere, or cannot be read.
        """
        lock = self.hold(path)
        try:
            return self.read(path), lock
        except BaseException:
            lock.release()
            raise

    def hold(self, path: Path) -> SessionLock:
        """Lock a session.

        Raises:
            StorageError: It is held elsewhere.
        """
        lock = self._files.lock(path)
        lock.acquire()
        return lock

    def read(self, path: Path) -> Session:
        """Read a session whose lock is held.

        Raises:
            StorageError: It cannot be read.
        """
        return self._files.load_to_continue(path)

    def stand_in(self, name: str) -> Session:
        """An empty session that stands on screen until the one with that name has been read; it is never saved."""
        return replace(self._new_session(), title=f"opening {name} …")

    def create(self) -> tuple[Session, SessionLock]:
        """Make and lock a new session; nothing is written before it is saved."""
        session = self._new_session()
        lock = self._files.lock(session)
        lock.acquire()
        return session, lock

    def import_file(self, path: Path) -> tuple[Path, tuple[str, ...]]:
        """Save a copy of a file's session as a new one; where, and what is told of what has no place in it.

        Raises:
            StorageError: It cannot be read.
        """
        told: list[str] = []
        return self._files.path_of(self._files.import_file(path, told=told.append)), tuple(told)

    def path_of(self, session: Session) -> Path:
        """Where a session is saved, or will be when nothing of it was yet."""
        return self._files.path_of(session)

    def close(self) -> None:
        """End what is being read, since nobody waits for it any more."""
        self._has_closed.set()
        self._stop_reading()

    def listing(self) -> Listing:
        """List the sessions; it reads the files that changed since the last time, so keep it off the event loop.

        Raises:
            StorageError: The folder cannot be read.
        """
        return self._files.list()

    def listings(self) -> Iterator[Listing]:
        """List the sessions while their files are read: at once what is known, the last list is whole.

        Each step reads some files, so keep it off the event loop.

        Raises:
            StorageError: The folder cannot be read.
        """
        for listing in self._files.listings():
            yield listing
            if self._has_closed.is_set():
                return

    def recent_prompts(self) -> Sequence[str]:
        """What was asked in the sessions changed last, newest first; it reads some files: keep it off the event loop.

        Raises:
            StorageError: The folder cannot be read.
        """
        return self._files.recent_prompts()

    def rename(self, path: Path, title: str) -> None:
        """Give a session that is open nowhere another title; it keeps its place in the list.

        Raises:
            StorageError: It is held, here or elsewhere, or cannot be read or written; the file is as it was.
        """
        with self._files.lock(path, "rename"):
            self._files.rename(path, title)

    def duplicate(self, path: Path) -> Path:
        """Save a copy of a session, as it was saved last, as a new one and return where.

        Raises:
            StorageError: It cannot be read, or the copy not written.
        """
        return self._files.duplicate(path)

    def delete(self, path: Path, *, is_held_here: bool = False) -> Path:
        """Move a session, and its draft, to the trash and return where it lies there.

        Args:
            path: Its file.
            is_held_here: Whether the caller has it open, and so its lock; it goes on holding it.

        Raises:
            StorageError: It is held elsewhere, or cannot be read or moved; it stays where it is.
        """
        with nullcontext() if is_held_here else self._files.lock(path, "delete"):
            return self._files.delete(path)

    def restore_path(self, path: Path) -> Path:
        """Bring a session, and its draft, back from where `delete` put it, and return where it lies now.

        Raises:
            StorageError: Its place is taken, or it cannot be moved; it stays in the trash.
        """
        return self._files.restore_path(path)

    def export(self, session: Session, path: Path) -> None:
        """Write a session in the form that the file's ending names; Markdown where it has none.

        Raises:
            UsageError: Its ending names a form that is not ours.
            StorageError: It cannot be written, or the file is there already.
        """
        if path.exists():
            raise StorageError(f"{path} is there already; nothing was written.", "Name another file.")
        write_atomic(path, exports.render(session, exports.form_of(path)))

    def load_draft(self, session_id: str) -> str:
        """Read what was being typed."""
        return self._files.load_draft(session_id)

    def save_draft(self, session_id: str, text: str) -> None:
        """Keep what is being typed.

        Raises:
            StorageError: It could not be written.
        """
        self._files.save_draft(session_id, text)
