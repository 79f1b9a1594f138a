"""Files read without waiting for anything; written whole or not at all, readable by their owner alone."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from kimi_tui.core.errors import StorageError
from kimi_tui.core.faults import reason_of

TEMPORARY_PREFIX = ".kimi-tmp-"
"""How temporary files begin; such a file without a living writer is swept away."""
PIECE_BYTES = 1024 * 1024
"""How much of a pipe is asked for at once."""
SMALL_PIECE_BYTES = 64 * 1024
"""Less than what the C library maps as a block of its own."""
STALE_S = 3600
"""Age from which a temporary file has no writer any more, in seconds."""
BUFFER_BYTES = 256 * 1024
"""How much is gathered before it is handed to the system."""
KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


MAX_FILE_BYTES = 512 * 1024 * 1024
"""Most bytes of a file that is read: sessions of 50 MB are usual, and what is read takes several times its size."""
MAX_CONFIG_BYTES = 4 * 1024 * 1024
"""Most bytes of a file with settings or a theme, which people write by hand."""


def read_file(path: Path, *, is_pipe_allowed: bool = False, max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """Read an ordinary file. Reading anything else could wait for ever, or never end; the null device is empty.

    A link is followed. A pipe is read too, to its end, where that is allowed: where its writer was named on purpose.

    Raises:
        OSError: It cannot be read, is no such file, or has more than `max_bytes`.
    """
    if _checked_kind(path, is_pipe_allowed=is_pipe_allowed, max_bytes=max_bytes) != stat.S_IFIFO:
        return path.read_bytes()
    with path.open("rb") as file:
        return read_bounded(file, max_bytes)


def read_pieces(path: Path) -> Iterator[bytes]:
    """Read an ordinary file piece by piece, for what needs no more of it at once; OSError as `read_file`.

    Small pieces on purpose: after a large block is freed, the C library keeps as much free memory from then on.
    """
    _checked_kind(path, is_pipe_allowed=False, max_bytes=MAX_FILE_BYTES)
    with path.open("rb", buffering=0) as file:
        while piece := file.read(SMALL_PIECE_BYTES):
            yield piece


def _checked_kind(path: Path, *, is_pipe_allowed: bool, max_bytes: int) -> int:
    """What kind of file it is, as in `stat.S_IFMT`; OSError where `read_file` raises it without reading."""
    status = path.stat()
    kind = stat.S_IFMT(status.st_mode)
    if kind in KINDS and not (is_pipe_allowed and kind == stat.S_IFIFO) and os.path.realpath(path) != os.devnull:
        raise OSError(errno.EINVAL, f"{KINDS[kind]}, not an ordinary file", str(path))
    if status.st_size > max_bytes:
        raise _too_large(max_bytes)
    return kind


def read_bounded(file: BinaryIO, max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """Read what may have no end; OSError where more than `max_bytes` come."""
    data = bytearray()
    while piece := file.read(PIECE_BYTES):
        data += piece
        if len(data) > max_bytes:
            raise _too_large(max_bytes)
    return bytes(data)


def _too_large(max_bytes: int) -> OSError:
    return OSError(errno.EFBIG, f"it is larger than {max_bytes // 2**20} MB")


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


def write_atomic(path: Path, data: bytes | Iterable[bytes]) -> os.stat_result:
    """Write a file so that at any moment the old or the new one is there, whole.

    A link is followed, since replacing it would destroy it. A new file gets mode 0600, an old one keeps its own, and
    its owner, group and extended attributes (access lists among them) where the system permits. What comes back is the
    file's status as it was written, whatever others have made of it since. Pieces may raise errors of their own.

    Raises:
        StorageError: It could not be written; the old file is untouched.
    """
    temporary: str | None = None
    try:
        target = Path(os.path.realpath(path))
        old = target.stat() if target.exists() else None
        descriptor, temporary = tempfile.mkstemp(prefix=TEMPORARY_PREFIX, dir=target.parent)
        with os.fdopen(descriptor, "wb", buffering=BUFFER_BYTES) as file:
            if old is None:
                os.fchmod(file.fileno(), 0o600)
            else:
                _keep_access(file.fileno(), old, target)
            for piece in (data,) if isinstance(data, bytes) else data:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
            written = os.fstat(file.fileno())
        os.replace(temporary, target)
        temporary = None
        with contextlib.suppress(OSError):  # the new name changed one of its times
            placed = os.stat(target)
            written = placed if os.path.samestat(placed, written) else written
        sync(target.parent)
        return written
    except OSError as error:
        raise storage_error("written", path, error) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def _keep_access(descriptor: int, old: os.stat_result, target: Path) -> None:
    """Give a new file the owner, group, mode and attributes of the old one, as far as the system permits."""
    mode, new = old.st_mode & 0o777, os.fstat(descriptor)
    if new.st_uid != old.st_uid:
        with contextlib.suppress(OSError):
            os.fchown(descriptor, old.st_uid, -1)
    try:
        if new.st_gid != old.st_gid:
            os.fchown(descriptor, -1, old.st_gid)
    except OSError:  # another group may do no more than everybody else, whatever a list of access says
        os.fchmod(descriptor, mode & 0o707 | (mode & 0o007) << 3)
        return
    os.fchmod(descriptor, mode)
    _copy_attributes(target, descriptor)


def _copy_attributes(old: Path, descriptor: int) -> None:
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError):  # many file systems have none
        for name in os.listxattr(old):
            with contextlib.suppress(OSError):  # some are the system's own
                os.setxattr(descriptor, name, os.getxattr(old, name))


def sync(path: Path) -> None:
    """Make what was written to a file, or renamed in a folder, last; some file systems cannot, and need not."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
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
