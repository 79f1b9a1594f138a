from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kimi_tui.adapters.session_lock import SessionLock
from kimi_tui.core.errors import SessionHeldError

HOLD = (
    "import sys; from pathlib import Path; from kimi_tui.adapters.session_lock import SessionLock; "
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
