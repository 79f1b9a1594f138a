from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kimi_tui.adapters.files import STALE_S, TEMPORARY_PREFIX, read_pieces, sweep_temporaries, write_atomic
from kimi_tui.core.errors import ConversionError, StorageError


@pytest.mark.parametrize("call", ["fsync", "replace", "fchmod"])
def test_a_full_disk_keeps_the_old_file(call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    write_atomic(path, b"old")

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(StorageError, match="No space left on device"):
        write_atomic(path, b"new")
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir() if p.is_file()} == {"a": b"old"}


def test_links_and_modes_stay(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    write_atomic(target, b"1")
    assert target.stat().st_mode & 0o777 == 0o600
    target.chmod(0o640)
    link.symlink_to(target)
    write_atomic(link, b"2")
    assert link.is_symlink()
    assert (target.read_bytes(), target.stat().st_mode & 0o777) == (b"2", 0o640)


class Owners:
    """A system on which every new file belongs to somebody else than the old one, and others own what they are given."""

    def __init__(self, refused: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.given: dict[str, int] = {}
        self._refused = refused
        self._fstat, self._fchmod = os.fstat, os.fchmod
        monkeypatch.setattr(os, "fstat", self._as_others)
        monkeypatch.setattr(os, "fchown", self._give)

    def _as_others(self, descriptor: int) -> os.stat_result:
        fields = list(self._fstat(descriptor))
        fields[4], fields[5] = fields[4] + 1, fields[5] + 1  # user and group
        return os.stat_result(fields)

    def _give(self, descriptor: int, user: int, group: int) -> None:
        assert self._fstat(descriptor).st_mode & 0o777 == 0o600, "nobody else may read it before"
        asked = {name: id_ for name, id_ in (("user", user), ("group", group)) if id_ != -1}
        if self._refused & asked.keys():
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        self.given |= asked


@pytest.mark.parametrize(
    ("refused", "kept", "mode"),
    [
        (set(), {"user", "group"}, 0o664),  # as root
        ({"user"}, {"group"}, 0o664),  # in the group
        ({"user", "group"}, set(), 0o644),  # else: our own group may do no more than others
    ],
)
def test_owner_and_group_stay_where_the_system_permits(
    refused: set[str], kept: set[str], mode: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(0o664)
    old = path.stat()
    owners = Owners(refused, monkeypatch)
    write_atomic(path, b"new")
    assert owners.given == {k: v for k, v in {"user": old.st_uid, "group": old.st_gid}.items() if k in kept}
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", mode)


@pytest.mark.parametrize("refused", [None, "listxattr", "getxattr", "setxattr"])
def test_attributes_stay_where_the_system_permits(
    refused: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, kept = tmp_path / "a", dict[str, bytes]()
    path.write_bytes(b"old")

    def keep(_: int, name: str, value: bytes) -> None:
        kept[name] = value

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    monkeypatch.setattr("sys.platform", "linux")
    calls = {"listxattr": lambda _: ["user.x"], "getxattr": lambda _, name: name.encode(), "setxattr": keep}
    for name, call in calls.items():
        monkeypatch.setattr(os, name, refuse if name == refused else call, raising=False)
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new"
    assert kept == ({} if refused else {"user.x": b"user.x"})


def test_what_fails_between_two_pieces_keeps_the_old_file(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"new"
        raise ConversionError("no")

    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(ConversionError):
        write_atomic(path, pieces())
    assert path.read_bytes() == b"old"
    assert not list(tmp_path.glob(f"{TEMPORARY_PREFIX}*"))
    write_atomic(path, iter([b"n", b"", b"ew"]))
    assert path.read_bytes() == b"new"


def test_only_old_temporaries_are_swept(tmp_path: Path) -> None:
    old, new = tmp_path / f"{TEMPORARY_PREFIX}old", tmp_path / f"{TEMPORARY_PREFIX}new"
    old.touch()
    new.touch()
    os.utime(old, (new.stat().st_mtime - 2 * STALE_S,) * 2)
    sweep_temporaries(tmp_path)
    assert (old.exists(), new.exists()) == (False, True)
    sweep_temporaries(tmp_path / "nowhere")


@pytest.mark.parametrize("call", ["listdir", "stat", "unlink"])
def test_sweeping_is_no_reason_to_end(call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / f"{TEMPORARY_PREFIX}old"
    old.touch()
    os.utime(old, (0, 0))

    def fail(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        sweep_temporaries(tmp_path)
    assert old.exists()


def test_pieces_of_a_file_are_the_file_and_never_much_of_it(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(os.urandom(3_000_001))
    pieces = list(read_pieces(path))
    assert b"".join(pieces) == path.read_bytes()
    assert max(map(len, pieces)) < path.stat().st_size / 10


def test_no_pieces_of_what_may_never_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a")
    with pytest.raises(OSError, match="a named pipe, not an ordinary file"):
        next(read_pieces(tmp_path / "a"))
