from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from kimi_tui.adapters.files import STALE_S, TEMPORARY_PREFIX, sweep_temporaries, write_atomic
from kimi_tui.core.errors import StorageError


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
