"""Who has a session open: a lock beside its file, held by the operating system as long as the holder lives."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
from pathlib import Path
from types import TracebackType

from kimi_tui.adapters.files import make_private_dir, storage_error
from kimi_tui.core.errors import SessionHeldError


class SessionLock:
    """The right to change one session. A context manager; dying releases it."""

    def __init__(self, session_file: Path, kind: str) -> None:
        """Prepare the lock of a session's file.

        Args:
            session_file: The session's file, which need not exist.
            kind: What holds it, for others to read: "window", "ask", …
        """
        folder = Path(os.path.realpath(session_file.parent))
        self._path = folder / f".{session_file.stem}.lock"
        self._kind = kind
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            SessionHeldError: Somebody else has it; the summary says who.
            StorageError: The lock file cannot be made.
        """
        make_private_dir(self._path.parent)
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise storage_error("locked", self._path, error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip() or "another program"
            os.close(descriptor)
            raise SessionHeldError(
                f"The session is open elsewhere: held by {holder}.", "Close it there, or open another session."
            ) from None
        except OSError as error:
            os.close(descriptor)
            raise storage_error("locked", self._path, error) from error
        with contextlib.suppress(OSError):  # the name is for others to read; a full disk must not keep it shut
            os.truncate(descriptor, 0)
            holder = f"a kimi-tui {self._kind}, process {os.getpid()} on {socket.gethostname()}"
            os.pwrite(descriptor, holder.encode("utf-8", "replace"), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Give it back; releasing twice is releasing once. The lock file stays, since unlinking it would race."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.truncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> SessionLock:
        """Take it."""
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give it back."""
        self.release()
