"""A sweep in the real program: seen side by side at three sizes, one stopped alone, all kept when it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.cli.calls import ROOT, command
from tests.terminal import kimi_tui


def replies(tmp_path: Path) -> list[dict[str, Any]]:
    (path,) = (tmp_path / "data" / "sessions").glob("*.toml")
    messages: list[dict[str, Any]] = tomllib.loads(path.read_text("utf-8"))["messages"]
    return [message for message in messages if message["role"] == "assistant"]


@pytest.mark.parametrize(
    ("columns", "rows"),
    [(120, 40), pytest.param(80, 24, marks=pytest.mark.slow), pytest.param(60, 20, marks=pytest.mark.slow)],
)
def test_what_came_of_each_outlives_a_kill(tmp_path: Path, env: dict[str, str], columns: int, rows: int) -> None:
    with kimi_tui(["--demo"], env, columns, rows) as terminal:
        terminal.until("Message Kimi")
        terminal.send("hello\r")
        terminal.until("● ")
        terminal.until("○ ready")
        terminal.send("/sweep temperature 0 0.5 1.5 2 1.2\r")
        terminal.until("4 side by side, 1 waiting")
        terminal.send("\x1bs")
        terminal.until("Side by side")
        terminal.until("temperature 0.5  answering")
        terminal.send("\x1b[Cs")  # the second of the sweep alone
        terminal.until("stopped")
        terminal.until("temperature 1.2  answering")  # it began in the place of the one that was stopped
        for _ in range(15):
            terminal.pump(0.1)
        os.kill(terminal.pid, signal.SIGKILL)
    listed = subprocess.run(
        command("sessions", "list"), capture_output=True, text=True, check=True, cwd=ROOT, env={**os.environ, **env}
    )
    assert "cannot be read" not in listed.stderr
    found = {
        reply["sent"].get("temperature"): (reply["state"], bool(reply["content"])) for reply in replies(tmp_path)[1:]
    }
    assert found.pop(0.5) == ("cancelled", True)
    assert set(found) == {0, 1.5, 2, 1.2}
    assert {has_text for _, has_text in found.values()} == {True}
    assert {state for state, _ in found.values()} <= {"interrupted", "complete"}
