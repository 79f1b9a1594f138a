"""The sessions on disk: one file each in the data folder, found, read, written, deleted and brought back.

The files are the truth: whatever ends in .toml or .json in the folder is a session. One that cannot be read is named
with the reason and never written, moved or deleted.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from kimi_tui.adapters.files import make_private_dir, storage_error, write_atomic
from kimi_tui.adapters.ids import new_cache_key, new_session_id
from kimi_tui.adapters.store.session_drafts import read_draft, write_draft
from kimi_tui.adapters.store.session_listing import listings, unread_bytes, whole_listing
from kimi_tui.adapters.store.session_lock import SessionLock
from kimi_tui.adapters.store.session_moves import remove_or_undo
from kimi_tui.adapters.store.session_names import find_in
from kimi_tui.adapters.store.session_places import (
    ENDINGS,
    draft_beside,
    ending_of,
    is_file_name,
    is_same,
    is_there,
    refuse_if_there,
)
from kimi_tui.adapters.store.session_reading import SessionReader
from kimi_tui.adapters.store.session_text import TomlWriter, dump, dump_json
from kimi_tui.core.errors import StorageError
from kimi_tui.core.session.listing import NO_SESSION, Listing, Unreadable
from kimi_tui.core.session.session import Session

if TYPE_CHECKING:  # the name of a type only
    from kimi_tui.adapters.store.session_trash import Trash

Format = Literal["toml", "json"]
QUICK_BYTES = 2_000_000
"""So much is read in half a second, in bytes."""


class SessionFiles:
    """One folder of sessions, and the trash beside it."""

    def __init__(self, folder: Path, trash: Path, format: Format = "toml") -> None:
        """Work on a folder; it is made when something is saved.

        Args:
            folder: Where sessions lie.
            trash: Where deleted ones go.
            format: Format of new sessions.
        """
        self.folder, self.trash, self._format = folder, trash, format
        self._paths: dict[str, Path] = {}
        self._reader = SessionReader()
        self._writers: dict[Path, TomlWriter] = {}

    # -- reading

    def read_with(self, parse: Callable[[Path], Session]) -> None:
        """Read files that way from now on; it may raise StorageError."""
        self._reader.parse = parse

    def load(self, path: Path) -> Session:
        """Read a session; it is saved where it lies from now on.

        Raises:
            StorageError: It cannot be read; the summary names the file and the place in it.
        """
        session = self._reader.read(path)
        self._paths[session.id] = path
        return replace(session, path=str(path))

    def load_to_continue(self, path: Path) -> Session:
        """Read a session that goes on: one that has no key for the prompt cache gets one, saved with what follows.

        Raises:
            StorageError: It cannot be read; the summary names the file and the place in it.
        """
        session = self.load(path)
        return session if session.prompt_cache_key is not None else replace(session, prompt_cache_key=new_cache_key())

    def list(self) -> Listing:
        """List the sessions in the folder."""
        return whole_listing(self.folder, self._files(), self._reader.read)

    def listings(self) -> Iterator[Listing]:
        """List the sessions while their files are read, the newest first; the last list is whole."""
        return listings(self.folder, self._files(), self._reader.read)

    def recent_prompts(self) -> Sequence[str]:
        """What was asked in the sessions changed last, newest first.

        Raises:
            StorageError: The folder cannot be read.
        """
        from kimi_tui.adapters.store.session_prompts import recent_prompts  # noqa: PLC0415 - few calls ask

        return recent_prompts(self._files())

    def _files(self) -> Sequence[Path]:
        try:
            names = sorted(os.listdir(self.folder))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise storage_error("read", self.folder, error) from error
        return [self.folder / name for name in names if name.endswith(ENDINGS) and not name.startswith(".")]

    def is_found_at_once(self, text: str | None = None) -> bool:
        """Whether `find` has little to read before it can tell where a session is."""
        is_place = text is not None and (os.sep in text or is_file_name(text))
        return is_place or unread_bytes(self.folder, self._files()) <= QUICK_BYTES

    def find(self, text: str | None = None, passed_over: Callable[[Unreadable], object] = lambda _: None) -> Path:
        """Find a session's file.

        Args:
            text: An id, the unique beginning of one, words of a title, or a file; None = the one changed last.
            passed_over: Is told of each file that may be the one that was meant, but cannot be read.

        Raises:
            StorageError: None or several fit; several are listed.
        """
        if text is not None and (os.sep in text or is_file_name(text)):
            path = os.path.expanduser(text)
            if not is_file_name(path):
                raise StorageError(f"There is no file {text}.")
            return Path(path)
        listing = self.list()
        broken = [Path(bad.path) for bad in listing.unreadable if text in {Path(bad.path).stem, Path(bad.path).name}]
        if broken and not any(summary.id == text for summary in listing.summaries):
            return broken[0]  # reading it says what is wrong with it
        hint = "`kimi-tui sessions list` shows them all."
        found = _latest(listing) if text is None else _find_in(listing, text, "session", hint)
        if not any(summary.id == text for summary in listing.summaries):
            for unreadable in listing.unreadable:
                passed_over(unreadable)
        return found

    # -- writing

    def path_of(self, session: Session) -> Path:
        """Where a session is saved: where it was read from, else in the folder."""
        if session.path and os.path.exists(session.path):
            return Path(session.path)  # two files may hold the same id
        return self._paths.get(session.id, self.folder / f"{session.id}.{self._format}")

    def name_of(self, session_id: str) -> str:
        """What `find` finds a session by that was read or saved here: its id, or its path where it lies elsewhere."""
        path = self._paths.get(session_id)
        return session_id if path is None or is_same(path.parent, self.folder) else os.path.abspath(path)

    async def save(self, session: Session) -> None:
        """Write a session off the event loop.

        Raises:
            StorageError: It could not be written; the last whole file is in place.
        """
        await asyncio.to_thread(self.save_now, session)

    def save_now(self, session: Session) -> None:
        """Write a session.

        Raises:
            StorageError: It could not be written; the last whole file is in place.
        """
        path = self.path_of(session)
        if session.id not in self._paths:
            make_private_dir(self.folder)
            self._check_free(path, session)
        data = self._encode(session, path)
        write_atomic(path, data)
        self._paths[session.id] = path

    def _check_free(self, path: Path, session: Session) -> None:
        """Refuse to write over a file that is another session, or cannot be read."""
        if is_there(path) and self._reader.read(path).id != session.id:
            raise StorageError(f"{path} holds another session; nothing was written.")

    def _encode(self, session: Session, path: Path) -> bytes:
        if ending_of(path) == ".json":
            return dump_json(session)
        return self._writers.setdefault(path, TomlWriter()).dump(session)

    def lock(self, path_or_session: Path | Session, kind: str = "window") -> SessionLock:
        """Prepare the lock of a session; entering or acquiring takes it."""
        is_session = isinstance(path_or_session, Session)
        path = self.path_of(path_or_session) if isinstance(path_or_session, Session) else path_or_session
        if is_session and path.parent == self.folder:
            make_private_dir(self.folder)
        return SessionLock(path, kind)

    def convert(self, path: Path, to: Format) -> Path:
        """Write a session in the other format; in the folder the old file goes, elsewhere it stays beside.

        Raises:
            StorageError: It cannot be read or written, the target is there already, or cannot hold a value.
        """
        session = self._reader.read(path)
        target = path.with_suffix(f".{to}")
        if target == path:
            return path
        refuse_if_there(target, "nothing was changed.")
        write_atomic(target, dump(session, target.suffix))
        if is_same(path.parent, self.folder):
            remove_or_undo(path, target)
            self._paths[session.id] = target
        return target

    def rename(self, path: Path, title: str) -> None:
        """Give a session another title. It keeps its place in lists, since nothing was said in it.

        Raises:
            StorageError: It cannot be read or written; the file is as it was.
        """
        write_atomic(path, dump(replace(self._reader.read(path), title=title), ending_of(path)))

    def duplicate(self, path: Path) -> Path:
        """Save a copy of a session, as it was saved last, as a new one of now, and return where.

        Raises:
            StorageError: It cannot be read, or the copy not written.
        """
        session, now = self._reader.read(path), datetime.now(UTC).replace(microsecond=0)
        copy = replace(
            session,
            id=new_session_id(now),
            created=now,
            updated=now,
            title=f"{session.title} (copy)".lstrip(),
            prompt_cache_key=new_cache_key(),
        )
        self.save_now(copy)
        return self.path_of(copy)

    def import_file(
        self, path: Path, *, is_pipe_allowed: bool = False, told: Callable[[str], object] = lambda _: None
    ) -> Session:
        """Save a copy of a file as a new session: one of ours, or a list of messages as JSON or JSON Lines.

        Args:
            path: The file.
            is_pipe_allowed: Whether it may be a pipe; whoever calls waits for its writer then.
            told: Is told, in a line, what of the file has no place in a session.

        Raises:
            StorageError: It cannot be read, or the copy not written.
        """
        from kimi_tui.adapters.store.session_import import parse_foreign  # noqa: PLC0415 - few calls import

        now = datetime.now(UTC).replace(microsecond=0)
        foreign, rest = parse_foreign(path, now, is_pipe_allowed=is_pipe_allowed)
        copy = replace(foreign, id=new_session_id(now), prompt_cache_key=new_cache_key())
        self.save_now(copy)
        if rest:
            told(f"{path}: {rest}")
        return copy

    # -- the trash

    def delete(self, path: Path) -> Path:
        """Move a session, and what was being typed in it, to the trash and return where it lies there.

        Raises:
            StorageError: It cannot be read, or not moved; it stays where it is.
        """
        session = self._reader.read(path)
        target = self._trash().take(path)
        if self._paths.get(session.id) == path:
            del self._paths[session.id]
        self._writers.pop(path, None)
        return target

    def trashed(self) -> Listing:
        """List what lies in the trash."""
        return SessionFiles(self.trash, self.trash, self._format).list()

    def restore(self, text: str) -> Path:
        """Bring a session back from the trash, by id, beginning of an id, title, or its file's name there.

        Raises:
            StorageError: None or several fit, or it cannot be moved.
        """
        listing = self.trashed()
        if not listing.summaries:
            raise StorageError(listing.words_for_none("There is no session in the trash."))
        hint = "`kimi-tui sessions restore` lists what lies there."
        return self.restore_path(_find_in(listing, text, "session in the trash", hint))

    def restore_path(self, source: Path) -> Path:
        """Bring a session back from its place in the trash, with what was being typed in it.

        Args:
            source: What `delete` returned. It returns to where it lay; where that is not known, to the folder.

        Raises:
            StorageError: It is not there, its place is taken, or it cannot be moved; it stays in the trash.
        """
        return self._trash().give_back(source)

    def _trash(self) -> Trash:
        from kimi_tui.adapters.store.session_trash import Trash  # noqa: PLC0415 - few calls delete

        return Trash(self.trash, self.folder)

    # -- drafts

    def _draft_path(self, session_id: str) -> Path:
        # A foreign file may call its session anything; its own name cannot leave its folder.
        return draft_beside(self._paths.get(session_id, self.folder / f"{session_id}.toml"))

    def load_draft(self, session_id: str) -> str:
        """Read what was being typed in a session; "" = nothing, or nothing readable."""
        return read_draft(self._draft_path(session_id))

    def save_draft(self, session_id: str, text: str) -> None:
        """Keep what is being typed; "" removes it.

        Raises:
            StorageError: It could not be written.
        """
        write_draft(self._draft_path(session_id), text)


def _latest(listing: Listing) -> Path:
    """Find the session that was changed last.

    Raises:
        StorageError: There is none, or none that can be read.
    """
    if not listing.summaries:
        hint = (
            "`kimi-tui sessions check` looks at each." if listing.unreadable else "Start kimi-tui and send a message."
        )
        raise StorageError(listing.words_for_none(NO_SESSION), hint)
    return Path(listing.summaries[0].path)


def _find_in(listing: Listing, text: str, what: str, hint: str) -> Path:
    """Find the one session that a text names.

    Raises:
        StorageError: None or several fit; what cannot be read may be the one that was meant, and is named too.
    """
    try:
        return find_in(listing.summaries, text, what, hint)
    except StorageError as error:
        error.reword(f"{error.summary} {listing.words_for_none('')}".rstrip())
        raise
