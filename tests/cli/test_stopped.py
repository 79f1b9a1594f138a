"""A process that was stopped while its reply came."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.cli.calls import KEY, start
from tests.cli.test_exit_status import read_until
from tests.cli.test_faults import HALF, HEAD, WHOLE, play, server


def test_what_came_while_it_was_stopped_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPINFRA_TOKEN", KEY)
    (tmp_path / "config.toml").write_text("[api]\nread_timeout = 1.0\n")
    monkeypatch.setenv("KIMI_TUI_CONFIG", str(tmp_path / "config.toml"))
    played = play(HEAD, HALF, 0.5, WHOLE.removeprefix(HALF))
    with server(played) as url, start("ask", "x", "--base-url", url) as process:
        first = read_until(process, b"half")
        process.send_signal(signal.SIGSTOP)
        time.sleep(3.5)  # far beyond what silence may take
        process.send_signal(signal.SIGCONT)
        rest, err = process.communicate(timeout=20)
    assert (process.returncode, first + rest, err) == (0, b"half done\n", b"")
