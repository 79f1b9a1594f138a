"""Who has a session open: a lock beside its file, held by the operating system as long as the holder lives."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import threading
from pathlib import Path
from types import TracebackType

from kimi_tui.adapters.files import as_storage_error, make_private_dir
from kimi_tui.adapters.store.session_places import LOCK, beside
from kimi_tui.core.errors import SessionHeldError

NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}
"""Errors of file systems without locks; there each save looks whether others have written, see `outside_changes`."""
WINDOW = "window"
"""What holds a session that is on screen."""


class SessionLock:
    """The right to change one session. A context manager; dying releases it."""

    def __init__(self, session_file: Path, kind: str = WINDOW) -> None:
        """The session's file need not exist. `kind` is what holds it, for others to read: "window", "ask" …."""
        file = Path(os.path.realpath(session_file))  # a session has one lock, whatever link leads to it
        self._path = beside(file, LOCK)
        self._kind = kind
        self._descriptor: int | None = None
        self._releasing = threading.Lock()

    def acquire(self) -> None:
        """SessionHeldError where somebody else has it, who is named; StorageError where no lock file can be made."""
        make_private_dir(self._path.parent)
        while (descriptor := self._try()) is None:
            pass  # whoever held it has just removed its file: the next one is tried
        with contextlib.suppress(OSError):  # the name is for others to read; a full disk must not keep it shut
            os.truncate(descriptor, 0)
            holder = f"a kimi-tui {self._kind}, process {os.getpid()} on {socket.gethostname()}"
            os.pwrite(descriptor, holder.encode("utf-8", "replace"), 0)
        self._descriptor = descriptor

    def _try(self) -> int | None:
        """Take the lock of the file as it is there now; None = the file has been removed meanwhile."""
        with as_storage_error("locked", self._path):
            descriptor, is_mine = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600), False
            try:
                is_free = _flock(descriptor)
                if self._is_current(descriptor):
                    if not is_free:
                        raise _held(descriptor)
                    is_mine = True
                    return descriptor
            finally:
                if not is_mine:
                    _close(descriptor)
        return None

    def _is_current(self, descriptor: int) -> bool:
        """Whether an open file is still the one that others find."""
        try:
            return os.path.samestat(os.fstat(descriptor), os.stat(self._path))
        except FileNotFoundError:
            return False

    def is_free(self) -> bool:
        """Whether nobody has it now; where nobody can tell, it is not."""
        try:
            descriptor = os.open(self._path, os.O_RDWR)
        except OSError as error:
            return isinstance(error, FileNotFoundError)
        try:
            return _flock(descriptor)
        except OSError:
            return False
        finally:
            os.close(descriptor)

    def excludes_others(self) -> bool:
        """Whether it keeps others out while it is held: some file systems give everybody every lock."""
        with as_storage_error("locked", self._path):
            descriptor = os.open(self._path, os.O_RDWR)
        try:
            return not _flock(descriptor)
        except OSError:
            return False
        finally:
            os.close(descriptor)

    def release(self) -> None:
        """Give it back; releasing twice, in two threads even, is releasing once.

        Its file is removed while it is held: nobody else can hold that file then, and who opened it before sees in
        `_try` that it is not the one that others find.
        """
        with self._releasing:
            descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with contextlib.suppress(OSError):
                os.truncate(descriptor, 0)
                if self._is_current(descriptor):
                    os.unlink(self._path)
            _close(descriptor)

    def __enter__(self) -> SessionLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _close(descriptor: int) -> None:
    """It is closed whatever is said then, such as that the disk is full; nothing in the file is worth an error."""
    with contextlib.suppress(OSError):
        os.close(descriptor)


def _flock(descriptor: int) -> bool:
    """Take the lock of an open file; whether nobody else has it. Where there are no locks, nobody has."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    return True


def _held(descriptor: int) -> SessionHeldError:
    holder = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip() or "another program"
    return SessionHeldError(
        f"The session is open elsewhere: held by {holder}.", "Close it there, or open another session."
    )
