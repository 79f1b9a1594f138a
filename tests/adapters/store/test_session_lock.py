from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kimi_tui.adapters.store import session_lock
from kimi_tui.adapters.store.session_lock import SessionLock
from kimi_tui.core.errors import SessionHeldError

HOLD = (
    "import sys; from pathlib import Path; from kimi_tui.adapters.store.session_lock import SessionLock; "
    "SessionLock(Path(sys.argv[1]), 'window').acquire(); print('held', flush=True); sys.stdin.read()"
)


def test_a_dead_process_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdin=-1, stdout=-1) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(SessionHeldError, match=f"window, process {holder.pid}"):
            SessionLock(path, "ask").acquire()
        holder.kill()
        holder.wait()
        with SessionLock(path, "ask"):
            assert (tmp_path / ".s.lock").stat().st_mode & 0o777 == 0o600


def test_a_link_to_a_session_has_the_sessions_lock(tmp_path: Path) -> None:
    path, folder = tmp_path / "s.toml", tmp_path / "elsewhere"
    path.touch()
    folder.mkdir()
    (folder / "link.toml").symlink_to(path)
    with SessionLock(path, "window"), pytest.raises(SessionHeldError, match="window"):
        SessionLock(folder / "link.toml", "ask").acquire()


def test_nothing_is_left_of_a_lock(tmp_path: Path) -> None:
    folder = tmp_path / "sessions"
    lock = SessionLock(folder / "s.toml", "window")
    lock.acquire()
    assert os.listdir(folder) == [".s.lock"]
    lock.release()
    lock.release()
    assert os.listdir(folder) == []


def test_a_lock_whose_file_was_replaced_leaves_the_other_alone(tmp_path: Path) -> None:
    first, second = (SessionLock(tmp_path / "s.toml", kind) for kind in ("first", "second"))
    first.acquire()
    (tmp_path / ".s.lock").unlink()  # somebody tidied up
    with second:
        first.release()
        with pytest.raises(SessionHeldError, match="second"):
            first.acquire()


def test_who_opened_the_file_before_it_went_does_not_hold_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = (SessionLock(tmp_path / "s.toml", kind) for kind in ("first", "second", "third"))
    first.acquire()

    def late(descriptor: int) -> bool:
        first.release()
        return flock(descriptor)

    flock = session_lock._flock
    monkeypatch.setattr(session_lock, "_flock", late)
    with second, pytest.raises(SessionHeldError, match="second"):
        third.acquire()
