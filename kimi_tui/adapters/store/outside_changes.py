"""Whether others changed a session's file since it was read or written here: an optimistic lock.

The version that was read or written last is remembered, and compared with the file right before each save and while
nothing happens. It needs no lock that others honour, so that it holds for editors, for folders that are synchronised
and for network file systems. No file system can compare and replace in one step: whoever writes in the moment between
the look and the save is not seen.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kimi_tui.adapters.files import as_storage_error, read_pieces
from kimi_tui.adapters.store.session_index import Mark, is_certain, mark_in, mark_of
from kimi_tui.core.errors import StorageError
from kimi_tui.core.ports import Lost, Reloaded
from kimi_tui.core.session.session import Session
from kimi_tui.core.session.tree import sharing_messages

if TYPE_CHECKING:  # the name of a type only
    import hashlib

REFUSED = {errno.EACCES, errno.EPERM, errno.EISDIR, errno.EINVAL}
"""Errors that say of a file that it may not be read, or is none, and not that its file system fails."""


class FileState(Enum):
    SAME = auto()
    """As it was read or written here last; or it never was."""
    CHANGED = auto()
    GONE = auto()


class Version(NamedTuple):
    """One version of a file."""

    mark: Mark
    digest: bytes
    """Hash of its content, which decides where the mark is doubtful."""
    seen_ns: int
    """When the mark was taken, in nanoseconds since 1970; 0 = it was written just now."""


@dataclass(frozen=True, slots=True)
class _Base:
    version: Version
    session: Session


def new_hash() -> hashlib._Hash:
    """Of a file's content."""
    import hashlib  # noqa: PLC0415 - the first frame does without

    return hashlib.sha256()


def _digest_of(path: Path) -> bytes:
    """Raises OSError where it cannot be read."""
    content = new_hash()
    for _ in hashed(read_pieces(path), content):
        pass
    return content.digest()


def hashed(pieces: Iterable[bytes], content: hashlib._Hash) -> Iterator[bytes]:
    """The same pieces, each taken into the hash as it passes."""
    for piece in pieces:
        content.update(piece)
        yield piece


def read_version(path: Path) -> Version:
    """The version that is there. Take it before reading: what changes in between is noticed then.

    Raises StorageError where it cannot be read.
    """
    with as_storage_error("read", path):
        seen_ns = time.time_ns()
        return Version(mark_in(os.stat(path)), _digest_of(path), seen_ns)


def refuse_if_changed(path: Path, version: Version) -> None:
    """Raise StorageError where others have changed a file, or it cannot be read any more."""
    if read_version(path).digest != version.digest:
        raise StorageError(f"{path} was changed by another program meanwhile; nothing was changed here.", "Try again.")


class BaseVersions:
    """The versions that the sessions open here are based on, by their files."""

    def __init__(self, read: Callable[[Path], Session]) -> None:
        """`read` may raise StorageError."""
        self._read = read
        self._users: dict[Path, set[object]] = {}
        self._bases: dict[Path, _Base] = {}
        self._doubted: dict[Path, Mark] = {}

    def begin(self, path: Path, user: object) -> None:
        """Remember what is noted of a file, until the last user is done with it."""
        self._users.setdefault(path, set()).add(user)

    def end(self, path: Path, user: object) -> bool:
        """Return whether that was the last user; ending twice is ending once."""
        users = self._users.get(path, set())
        users.discard(user)
        if not users:
            self.forget(path)
        return not users

    def forget(self, path: Path) -> None:
        """Say that a file is gone for good: nothing is made of that."""
        for known in (self._users, self._bases, self._doubted):
            known.pop(path, None)

    def note(self, path: Path, version: Version, session: Session) -> None:
        """Say what the session is based on from now on; a file that nobody uses is forgotten at once."""
        if path in self._users:
            self._bases[path] = _Base(version, session)
            self._doubted.pop(path, None)

    def compare(self, path: Path) -> FileState:
        """Raises StorageError where nobody can tell."""
        base = self._bases.get(path)
        if base is None:
            return FileState.SAME
        with as_storage_error("read", path):
            seen_ns = time.time_ns()
            try:
                mark = mark_in(os.stat(path))
            except FileNotFoundError:
                return FileState.GONE
            if mark == base.version.mark and is_certain(mark, base.version.seen_ns):
                return FileState.SAME
            if self._digest(path) != base.version.digest:
                return FileState.CHANGED
        if self._bases.get(path) is base:  # neither released nor saved meanwhile
            self._bases[path] = replace(base, version=Version(mark, base.version.digest, seen_ns))
        return FileState.SAME

    @staticmethod
    def _digest(path: Path) -> bytes:
        try:
            return _digest_of(path)
        except OSError as error:
            if error.errno in REFUSED:
                return b""
            raise

    def says_the_same(self, path: Path, session: Session) -> bool:
        """Whether a file that was changed holds the session that is here, or the one that this began with.

        Raises StorageError where it cannot be read.
        """
        base = self._bases.get(path)
        return self._read(path) in ((session,) if base is None else (session, base.session))

    def look(self, path: Path, session: Session) -> Reloaded | Lost | None:
        """Look whether others changed a file; None = they did not, or nobody can tell yet.

        A file that is gone, or cannot be read, may be in the middle of being saved: that is told at the second look.
        """
        try:
            state = self.compare(path)
        except StorageError:
            return None
        if state is FileState.SAME:
            self._doubted.pop(path, None)
            return None
        if state is FileState.GONE:
            return Lost() if self._is_doubted_again(path, []) else None
        try:
            version = read_version(path)
            found = self._read(path)
        except StorageError as error:
            return Lost(error.summary) if self._is_doubted_again(path, mark_of(path)) else None
        base = self._bases.get(path)
        if base is None or found == base.session:  # released meanwhile; or only its bytes are others, such as line ends
            self.note(path, version, found)
            return None
        found = replace(sharing_messages(found, session), path=session.path)
        return Reloaded(found, lambda: self.note(path, version, found))

    def _is_doubted_again(self, path: Path, mark: Mark) -> bool:
        is_again = self._doubted.get(path) == mark
        self._doubted[path] = mark
        return is_again
