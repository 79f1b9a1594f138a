"""The sessions on disk: one file each in the data folder, found, read, written, deleted and brought back.

The files are the truth: whatever in the folder ends as a format does is a session. One that cannot be read is named
with the reason and never written, moved or deleted.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from kimi_tui import __version__
from kimi_tui.adapters.files import make_private_dir, sweep_temporaries, write_atomic
from kimi_tui.adapters.ids import new_cache_key, new_session_id
from kimi_tui.adapters.store.left_behind import LeftBehind
from kimi_tui.adapters.store.outside_changes import (
    BaseVersions,
    FileState,
    Version,
    hashed,
    new_hash,
    read_version,
    refuse_if_changed,
)
from kimi_tui.adapters.store.session_backup import SessionBackups
from kimi_tui.adapters.store.session_drafts import (
    gather,
    load_draft,
    load_raw_draft,
    save_draft,
    save_raw_draft,
    take_place,
)
from kimi_tui.adapters.store.session_folder import SessionFolder
from kimi_tui.adapters.store.session_index import (
    Mark,
    mark_in,
)
from kimi_tui.adapters.store.session_lock import WINDOW, SessionLock
from kimi_tui.adapters.store.session_places import (
    discard,
    has_unrecovered,
    is_same,
    is_there,
    refuse_if_there,
    remove_or_undo,
)
from kimi_tui.core.errors import SessionHeldError, StorageError, UsageError
from kimi_tui.core.ports import Conflict, HeldSession, Lost, RecoveredSession, Reloaded, Rewritten
from kimi_tui.core.session.codec import read_only_reason, refuse_if_newer
from kimi_tui.core.session.file_formats import DEFAULT, ENDINGS, FORMATS, format_of
from kimi_tui.core.session.listing import Listing
from kimi_tui.core.session.session import DEFAULT_MODEL, Session
from kimi_tui.core.session.session_writing import Writer
from kimi_tui.core.session.tree import CONFLICT, COPY, copied
from kimi_tui.core.text.quoting import either

NO_LOCK = "nothing can be written where it lies."
"""Why a session that nobody holds can only be read."""
SaveListener = Callable[[Session, Path, Mark], object]
"""Is told of every save, in the thread that saved: what, where, and the mark of the file as it was written."""


class SessionFiles(SessionFolder):
    """One folder of sessions, and the trash beside it; what the screen and the command line call a `SessionStore`."""

    save_draft = staticmethod(save_draft)
    save_raw_draft = staticmethod(save_raw_draft)

    def __init__(
        self,
        folder: Path,
        trash: Path,
        format: str = DEFAULT.name,
        new_session: Callable[[], Session] | None = None,
    ) -> None:
        """Work on a folder, which is made when something is saved; new sessions get that format, of `FORMATS`.

        `new_session` makes the session of a draft that has none; None = an empty one of the default model.
        """
        super().__init__(folder)
        self.trash, self.format = trash, format
        self._new_session = new_session
        self.left = LeftBehind(self)
        self.tell: Callable[[str], object] = lambda _: None
        """Is told in a line what is recovered of a session that is not opened to go on."""
        self._paths: dict[str, Path] = {}
        """What was read or saved here, by id: a session says itself where it lies, but `name_of` has its id alone."""
        self._bases = BaseVersions(self._reader.read_again)
        self._writers: dict[Path, Writer] = {}  # of sessions that are held: each keeps its session's messages
        self._not_locked: dict[Path, SessionLock] = {}  # where it could not be made when the session began
        self._backups = SessionBackups()
        self.save_listeners: list[SaveListener] = [self._note_row]

    # -- reading

    def read_only(self, path: Path) -> Session:
        """As `parse_file`, for a session that nobody goes on with; what a dead process left is put into its file first.

        `tell` hears of that; what cannot be put there stays where it is.
        """
        self._recover_beside(path)
        return replace(self._reader.read(path), path=str(path))

    def _recover_beside(self, path: Path) -> None:
        if has_unrecovered(path):
            with suppress(StorageError), self._recovered(path, "recovery"):
                pass

    @contextmanager
    def _recovered(self, path: Path, kind: str) -> Iterator[None]:
        """Hold a session, and put what a dead process left beside its file into it; raises StorageError."""
        with SessionLock(path, kind):
            if words := self.left.recover_held(path):
                self.tell(f"{path}: {words}")
            yield

    def open(self, path: Path, kind: str = WINDOW, held: SessionLock | None = None) -> HeldSession:
        """Lock a session, then read it and what was being typed in it; it goes on, here and nowhere else.

        One that has no key for the prompt cache gets one, saved with what follows. `kind` is what holds it, for others
        to read: "window", "ask", …; `held` is its lock, where it was taken before. A window gets one that is held
        elsewhere all the same, to be read only.

        Raises:
            SessionHeldError: It is held elsewhere; the summary says by whom.
            StorageError: It cannot be read, and is not held then.
        """
        lock = held or SessionLock(path, kind)
        try:
            if held is None:
                with self.left.recovering:  # it holds locks meanwhile
                    lock.acquire()
        except StorageError as error:
            if kind != WINDOW or not is_there(path):
                raise
            return self._open_to_read(path, lock, error)
        try:
            recovered = self.left.recover_held(path)
            session = self._load_as_base(path, lock)
            draft = gather(path)
        except BaseException:
            self._release(lock, path)
            raise
        if path.parent != self.folder:
            sweep_temporaries(path.parent)
        if session.prompt_cache_key is None:
            session = replace(session, prompt_cache_key=new_cache_key())
        release, reason = partial(self._release, lock, path), read_only_reason(session)
        raw_draft = load_raw_draft(path)
        return HeldSession(session, draft, release, reason, recovered=recovered, raw_draft=raw_draft)

    def recover(self) -> Sequence[RecoveredSession]:
        return self.left.recover()

    def rewrite(self, path: Path, session: Session) -> None:
        """Write a session that is held, and open nowhere, to a file; raises StorageError."""
        self._write(session, path, format_of(path.suffix).make_writer())

    def new_session(self, session_id: str, at: datetime) -> Session:
        """Make an empty session of that id and time."""
        new = self._new_session
        session = Session(session_id, at, at, DEFAULT_MODEL) if new is None else new()
        return replace(session, id=session_id, created=at, updated=at)

    def _open_to_read(self, path: Path, lock: SessionLock, error: StorageError) -> HeldSession:
        """Open a session whose lock is held elsewhere, so that its draft needs another place; or cannot be made."""
        if not isinstance(error, SessionHeldError):
            session, own = self._load_as_base(path, lock), partial(self._release, lock, path)
            return HeldSession(session, load_draft(path), own, f"{NO_LOCK} {error.summary}")
        place, place_lock = take_place(path)
        try:
            session, draft = self._load_as_base(path, place_lock), load_draft(place)
        except BaseException:
            self._release(place_lock, path)
            raise
        release = partial(self._release, place_lock, path)
        return HeldSession(session, draft, release, error.summary, own_draft_path=place, is_free=lock.is_free)

    def _load_as_base(self, path: Path, lock: SessionLock) -> Session:
        """Read a session and remember which version of its file that was, until the lock is released."""
        version = read_version(path)
        session = replace(self._reader.read(path), path=str(path))
        self._paths[session.id] = path
        self._begin(lock, path)
        self._bases.note(path, version, session)
        return session

    def _begin(self, lock: SessionLock, path: Path) -> None:
        self._bases.begin(path, lock)
        self._writers.setdefault(path, format_of(path.suffix).make_writer())

    def _release(self, lock: SessionLock, path: Path) -> None:
        self._not_locked.pop(path, None)
        if self._bases.end(path, lock):
            self._writers.pop(path, None)
        lock.release()

    def create(self, session: Session, kind: str = WINDOW) -> HeldSession:
        """Lock a new session; nothing is written before it is saved.

        Where its folder takes no lock a window begins all the same: nobody else can know the session, and that it
        cannot be saved is told as soon as it holds anything. It gets the lock with the first save that succeeds. Others
        get the StorageError.
        """
        path = self.path_of(session)
        lock = SessionLock(path, kind)
        try:
            lock.acquire()
        except StorageError as error:
            if kind != WINDOW or isinstance(error, SessionHeldError):
                raise
            self._not_locked[path] = lock
        self._begin(lock, path)
        return HeldSession(replace(session, path=str(path)), release=partial(self._release, lock, path))

    # -- writing

    def path_of(self, session: Session) -> Path:
        """Where a session is saved: where it was read from, else in the folder."""
        if session.path:  # wherever others of the same id lie, and whether or not its file is there now
            return Path(session.path)
        return self._paths.get(session.id, self.folder / f"{session.id}.{self.format}")

    def name_of(self, session_id: str) -> str:
        """What `find` finds a session by that was read or saved here: its id, or its path where it lies elsewhere."""
        path = self._paths.get(session_id)
        return session_id if path is None or is_same(path.parent, self.folder) else os.path.abspath(path)

    async def save(self, session: Session) -> Rewritten | Conflict | None:
        return await asyncio.to_thread(self.save_now, session)

    def save_now(self, session: Session) -> Rewritten | Conflict | None:
        """Write a session, unless others changed its file: then a copy is written, and the file stays as it is.

        Raises StorageError where it could not be written; the last whole file is in place.
        """
        path = self.path_of(session)
        if session.id not in self._paths:
            make_private_dir(self.folder)
            self._check_free(path, session)
        if path in self._not_locked:
            self._lock_late(path)
        state = self._bases.compare(path)
        if state is FileState.CHANGED and (conflict := self._keep_both(session, path)) is not None:
            return conflict
        write = self._writers.get(path) or format_of(path.suffix).make_writer()
        self._bases.note(path, self._write(session, path, write), session)
        self._paths[session.id] = path
        return Rewritten(path) if state is FileState.GONE else None

    def _lock_late(self, path: Path) -> None:
        with suppress(StorageError):  # saving says what is wrong
            self._not_locked[path].acquire()
            del self._not_locked[path]

    def save_as(self, session: Session, path: Path) -> HeldSession:
        """Write a session into a new file, in the format that its name ends in; from now on it is held and saved there.

        Raises:
            UsageError: The name ends in no format.
            StorageError: The file is there already, or cannot be written; the session is saved where it was.
        """
        if path.suffix.lower() not in ENDINGS:
            raise UsageError(f"{path} cannot be a session: its name has to end in {either(ENDINGS)}.")
        path = Path(os.path.abspath(path))
        if not is_there(path.parent):
            raise StorageError(f"There is no folder {path.parent}; nothing was written.")
        refuse_if_there(path, "nothing was written.")
        lock = SessionLock(path)
        lock.acquire()
        self._begin(lock, path)
        try:
            moved = replace(session, path=str(path))
            version = self._write(moved, path, self._writers[path])
        except BaseException:
            self._release(lock, path)
            raise
        self._paths[session.id] = path
        self._bases.note(path, version, moved)
        return HeldSession(moved, release=partial(self._release, lock, path))

    def _write(self, session: Session, path: Path, write: Writer) -> Version:
        refuse_if_newer(session)
        pieces, content = write(replace(session, written_by=__version__)), new_hash()
        self._backups.keep(path, session.written_by)
        mark = mark_in(write_atomic(path, hashed(pieces, content)))
        for listener in self.save_listeners:
            listener(session, path, mark)
        return Version(mark, content.digest(), seen_ns=0)

    def _keep_both(self, session: Session, path: Path) -> Conflict | None:
        """Save a session beside what others made of its file.

        None = the file says what is open here, or what that began with.
        """
        reason = ""
        try:
            if self._bases.says_the_same(path, session):
                return None
        except StorageError as error:
            reason = error.summary
        new_id = new_session_id(datetime.now(UTC))
        copy = self.create(copied(session, new_id, new_cache_key(), CONFLICT))
        try:
            self.save_now(copy.session)
        except BaseException:
            copy.release()
            raise
        return Conflict(copy, path, reason)

    async def look(self, session: Session) -> Reloaded | Lost | None:
        return await asyncio.to_thread(lambda: self._bases.look(self.path_of(session), session))

    def _check_free(self, path: Path, session: Session) -> None:
        if is_there(path) and self._reader.read(path).id != session.id:
            raise StorageError(f"{path} holds another session; nothing was written.")

    def convert(self, path: Path, to: str) -> Path:
        """Write a session in a format of `FORMATS`; in the folder the old file goes, elsewhere it stays beside.

        Raises:
            StorageError: It is held, cannot be read or written, the target is there already, or cannot hold a value, or
                others changed it meanwhile.
        """
        with self._recovered(path, "convert"):
            version = read_version(path)
            session = self._reader.read(path)
            target = path.with_suffix(FORMATS[to].ending)
            if target == path:
                return path
            refuse_if_there(target, "nothing was changed.")
            self._write(session, target, FORMATS[to].make_writer())
            if is_same(path.parent, self.folder):
                try:
                    refuse_if_changed(path, version)
                    self._backups.keep(path, session.written_by)
                except StorageError:
                    discard(target)
                    raise
                remove_or_undo(path, target)
                self._paths[session.id] = target
            return target

    def rename(self, path: Path, title: str) -> None:
        """Give a session that is open nowhere another title; it keeps its place in lists: nothing was said in it.

        Raises:
            StorageError: It is held, here or elsewhere, cannot be read or written, or others changed it meanwhile; the
                file is as it was, or as they made it.
        """
        with SessionLock(path, "rename"):
            version = read_version(path)
            renamed = replace(self._reader.read(path), title=title)
            refuse_if_changed(path, version)
            self.rewrite(path, renamed)

    def duplicate(self, path: Path) -> Path:
        """Save a copy of a session, as it was saved last, as a new one of now, or raise StorageError."""
        session, now = self._reader.read(path), datetime.now(UTC).replace(microsecond=0)
        copy = self.copy_of(session, now)
        self.save_now(copy)
        return self.path_of(copy)

    def copy_of(self, session: Session, now: datetime) -> Session:
        return replace(copied(session, new_session_id(now), new_cache_key(), COPY), created=now, updated=now)

    def import_file(self, path: Path, *, is_pipe_allowed: bool = False) -> tuple[Session, str]:
        """Save a copy of a file as a new session: one of ours, or a list of messages as JSON or JSON Lines.

        A pipe's writer is waited for. The text is what is told, in a line, of what has no place in it; "" = nothing is.
        StorageError where the file cannot be read, or the copy not written.
        """
        from kimi_tui.adapters.store.session_import import parse_foreign  # noqa: PLC0415 - few calls import

        self._recover_beside(path)
        now = datetime.now(UTC).replace(microsecond=0)
        foreign, rest = parse_foreign(path, now, is_pipe_allowed=is_pipe_allowed)
        copy = replace(foreign, id=new_session_id(now), prompt_cache_key=new_cache_key())
        self.save_now(copy)
        return replace(copy, path=str(self.path_of(copy))), f"{path}: {rest}" if rest else ""

    def export(self, session: Session, path: Path) -> None:
        """Write a session in the form that the file's ending names; Markdown where it has none.

        UsageError for a form that is not ours, StorageError where it cannot be written or is there already.
        """
        from kimi_tui.core.prompt.export_forms import export_form_of  # noqa: PLC0415 - few calls export

        refuse_if_there(path, "nothing was written.", "Name another file.")
        write_atomic(path, export_form_of(path.suffix, str(path)).render(session))

    # -- the trash

    def delete(self, path: Path, *, is_held_here: bool = False) -> Path:
        """Move a session and its companions to the trash and return where it lies there.

        Whoever has it open here says so, and goes on holding it. StorageError where it is held elsewhere, or cannot be
        read or moved: it stays where it is.
        """
        from kimi_tui.adapters.store.session_trash import move_to_trash  # noqa: PLC0415 - few calls delete

        with nullcontext() if is_held_here else SessionLock(path, "delete"):
            session = self._reader.read(path)
            target = move_to_trash(path, self.trash, self.folder)
        self._bases.forget(path)
        if self._paths.get(session.id) == path:
            del self._paths[session.id]
        self._writers.pop(path, None)
        return target

    def trashed(self) -> Listing:
        return SessionFolder(self.trash).list()

    def restore(self, text: str) -> Path:
        """By id, beginning of an id, title, or its file's name in the trash; StorageError where not just one fits."""
        listing = self.trashed()
        if not listing.summaries:
            raise StorageError(listing.words_for_none("There is no session in the trash."))
        hint = "`kimi-tui sessions restore` lists what lies there."
        return self.restore_path(Path(listing.find(text, "session in the trash", hint)))

    def restore_path(self, source: Path) -> Path:
        """Bring a session and its companions back from where `delete` put them; see `move_back`."""
        from kimi_tui.adapters.store.session_trash import move_back  # noqa: PLC0415 - few calls restore

        return move_back(source, self.folder)
