"""Files read without waiting for anything; written whole or not at all, readable by their owner alone."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from kimi_tui.core.errors import StorageError
from kimi_tui.core.faults import reason_of

TEMPORARY_PREFIX = ".kimi-tmp-"
"""How temporary files begin; such a file without a living writer is swept away."""
STALE_S = 3600
"""Age from which a temporary file has no writer any more, in seconds."""
KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def read_file(path: Path, *, is_pipe_allowed: bool = False) -> bytes:
    """Read an ordinary file. Reading anything else could wait for ever, or never end; the null device is empty.

    A link is followed. A pipe is read too, to its end, where that is allowed: where its writer was named on purpose.

    Raises:
        OSError: It cannot be read, or is no such file.
    """
    kind = stat.S_IFMT(path.stat().st_mode)
    if kind in KINDS and not (is_pipe_allowed and kind == stat.S_IFIFO) and os.path.realpath(path) != os.devnull:
        raise OSError(errno.EINVAL, f"{KINDS[kind]}, not an ordinary file", str(path))
    return path.read_bytes()


def storage_error(doing: str, path: Path, error: OSError) -> StorageError:
    """`doing` is a participle, such as "written"."""
    return StorageError(f"{path} could not be {doing}: {reason_of(error)}.")


@contextlib.contextmanager
def as_storage_error(doing: str, path: Path) -> Iterator[None]:
    """Raise StorageError instead of an OSError, whichever step inside it was."""
    try:
        yield
    except OSError as error:
        raise storage_error(doing, path, error) from error


def make_private_dir(path: Path) -> None:
    """Make a folder, and those above it, that only the owner may enter; StorageError where that cannot be."""
    try:
        missing = [folder for folder in (path, *path.parents) if not folder.exists()]
        for folder in reversed(missing):  # `parents=True` would give those above the usual mode
            folder.mkdir(mode=0o700, exist_ok=True)
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise storage_error("made", path, error) from error


def write_atomic(path: Path, data: bytes) -> os.stat_result:
    """Write a file so that at any moment the old or the new one is there, whole.

    A link is followed, since replacing it would destroy it. A new file gets mode 0600, an old one keeps its own. What
    comes back is the file's status as it was written, whatever others have made of it since.

    Raises:
        StorageError: It could not be written; the old file is untouched.
    """
    temporary: str | None = None
    try:
        target = Path(os.path.realpath(path))
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o600
        descriptor, temporary = tempfile.mkstemp(prefix=TEMPORARY_PREFIX, dir=target.parent)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            written = os.fstat(file.fileno())
        os.replace(temporary, target)
        temporary = None
        _sync_folder(target.parent)
        return written
    except OSError as error:
        raise storage_error("written", path, error) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def _sync_folder(folder: Path) -> None:
    """Make a rename last; some file systems cannot, and need not."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sweep_temporaries(folder: Path) -> None:
    """Remove what dead writers left in a folder; what cannot be removed stays."""
    oldest_s = time.time() - STALE_S
    names = list[str]()
    with contextlib.suppress(OSError):
        names = [name for name in os.listdir(folder) if name.startswith(TEMPORARY_PREFIX)]
    for path in (folder / name for name in names):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < oldest_s:
                path.unlink()
