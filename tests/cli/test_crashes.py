"""What nobody expected, put into the real program: a short message, a report without texts and key, nothing lost."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from kimi_tui.adapters.crash_files import KEPT, write_crash_report
from tests.cli.calls import KEY, ROOT
from tests.cli.loopback import Play, endpoint, tokens
from tests.terminal import Terminal, running

SECRET = "dear diary"
BREAK = """
import sys
def boom(*_args, **_more):
    diary, key = SECRET, KEY
    error = RuntimeError(diary + key)
    error.add_note(diary + key)
    raise error from KeyError(diary + key)
""".replace("SECRET", repr(SECRET)).replace("KEY)", f"{KEY!r})").replace(", KEY\n", f", {KEY!r}\n")  # fmt: skip
RUN = "\nfrom kimi_tui.__main__ import run; run()"

IN_A_HANDLER = """
from kimi_tui.ui.panes.side_panes import SidePanes
SidePanes.draft_changed = lambda self: boom() if "!" in self.screen.composer.draft else None
"""
IN_DRAWING = """
from kimi_tui.ui.widgets.composer import Composer
real = Composer.render_line
Composer.render_line = lambda self, y: boom() if "!" in self.text else real(self, y)
"""
IN_THE_KEY_THREAD = """
from kimi_tui.ui.terminal.terminal_input import TerminalInput
real = TerminalInput.feed
TerminalInput.feed = lambda self, data: boom() if "!" in data else real(self, data)
"""
IN_A_WORKER = """
from kimi_tui.adapters.store.session_files import SessionFiles
SessionFiles.export = boom
"""
IN_A_TASK = """
from kimi_tui.ui.app.chat_screen import ChatScreen
import asyncio
async def fail(): boom()
def begin(screen): asyncio.get_running_loop().create_task(fail())
ChatScreen.on_resize = begin
"""
IN_A_THREAD = """
import threading
from kimi_tui.ui.app.chat_screen import ChatScreen
def begin(screen): threading.Thread(target=boom).start()
ChatScreen.on_resize = begin
"""
IN_THE_ENGINE = """
from kimi_tui.engine.request_run import RequestRun
real = RequestRun._report
def report(self, *args):
    real(self, *args)
    if "one" in str(self._turn.reply.texts["answer"]): boom()
RequestRun._report = report
"""
AT_THE_START = """
from kimi_tui.adapters import clipboard_tools
clipboard_tools.SystemClipboard.__init__ = boom
"""
IN_A_COMMAND = """
from kimi_tui.adapters.store.session_files import SessionFiles
SessionFiles.list = boom
"""


@pytest.fixture
def env(env: dict[str, str]) -> dict[str, str]:
    return {
        **env,
        "DEEPINFRA_TOKEN": KEY,
        "PYTHONPATH": str(ROOT),
    }


def start(fault: str, *argv: str) -> list[str]:
    return [sys.executable, "-c", BREAK + fault + RUN, *argv]


def check_report(tmp_path: Path, raw: bytes, place: str) -> None:
    """That it is named, private, tells the place, and holds nothing else."""
    (path,) = (tmp_path / "data" / "reports").iterdir()
    shown = re.sub(rb"\s", b"", raw.replace("│".encode(), b""))
    assert str(path).encode() in shown
    text = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert "RuntimeError" in text
    assert "because of: KeyError" in text
    assert place in text
    for each in (text.encode(), raw):
        assert SECRET.encode() not in each
        assert KEY.encode() not in each
        assert b"Traceback" not in each


def saved(tmp_path: Path) -> dict[str, object]:
    (path,) = (tmp_path / "data" / "sessions").glob("*.toml")
    return tomllib.loads(path.read_text("utf-8"))


def draft(tmp_path: Path) -> str:
    (path,) = (tmp_path / "data" / "sessions").glob(".*.draft")
    return path.read_text("utf-8")


def talk(terminal: Terminal) -> None:
    terminal.until("○ ready")
    terminal.send("long\r")
    terminal.until("Step 1")
    terminal.send("half a thought")
    terminal.until("half a thought")


CRASHES = {
    "handler": (IN_A_HANDLER, "kimi_tui/ui/app/chat_screen.py"), "drawing": (IN_DRAWING, "textual/"),
    "key thread": (IN_THE_KEY_THREAD, "kimi_tui/ui/terminal/driver.py"),
}  # fmt: skip


@pytest.mark.parametrize("name", CRASHES)
def test_a_crash_of_the_screen_loses_nothing(tmp_path: Path, env: dict[str, str], name: str) -> None:
    fault, place = CRASHES[name]
    with running(start(fault, "--demo"), env) as terminal:
        talk(terminal)
        terminal.send("!")
        assert terminal.end() == 1
        assert not terminal.is_raw()
        assert terminal.raw.count(b"\x1b[?1049l") == 1
        said = terminal.raw.rpartition(b"\x1b[?1049l")[2]
    assert b"everything is saved" in said
    assert b"Resume with: " in said
    check_report(tmp_path, said, place)
    messages = saved(tmp_path)["messages"]
    assert isinstance(messages, list)
    assert messages[1]["state"] == "cancelled"
    assert "Step 1" in messages[1]["content"]
    assert draft(tmp_path).startswith("half a thought")


@pytest.mark.parametrize(("fault", "line"), [(IN_A_WORKER, "/export x.md\r"), (IN_A_TASK, "")], ids=["worker", "task"])
def test_a_fault_beside_the_screen_is_told_and_it_goes_on(
    tmp_path: Path, env: dict[str, str], fault: str, line: str
) -> None:
    with running(start(fault, "--demo"), env, 200) as terminal:
        terminal.until("Message Kimi")
        if line:
            terminal.send("hello\r")
            terminal.until("○ ready")
            terminal.send(line)
        else:
            terminal.resize(201, 40)
        terminal.until("went wrong inside the program (RuntimeError")
        terminal.until("A report without texts and key")
        terminal.send("\x11")
        assert terminal.end() == 0
        assert SECRET.encode() not in terminal.raw
        assert KEY.encode() not in terminal.raw


def test_a_fault_of_a_thread_is_told_at_the_end(tmp_path: Path, env: dict[str, str]) -> None:
    with running(start(IN_A_THREAD, "--demo"), env) as terminal:
        terminal.until("○ ready")
        terminal.send("\x11")
        assert terminal.end() == 1
        said = terminal.raw.rpartition(b"\x1b[?1049l")[2]
    assert b"RuntimeError" in said
    assert SECRET.encode() not in said
    assert b"Traceback" not in said


def test_a_fault_of_a_turn_keeps_what_arrived(tmp_path: Path, env: dict[str, str]) -> None:
    with endpoint(Play(tokens("hm", "</think>", "one", " two"), holds=True)) as server:
        words = start(IN_THE_ENGINE, "ask", "x", "--save", "--base-url", server.url)
        result = subprocess.run(words, env=env, capture_output=True, check=False, timeout=60, stdin=subprocess.DEVNULL)
    assert result.returncode == 1
    check_report(tmp_path, result.stderr, "kimi_tui/engine/request_run.py")
    messages = saved(tmp_path)["messages"]
    assert isinstance(messages, list)
    assert messages[1]["content"].startswith("one")
    assert messages[1]["state"] == "failed"


def test_a_fault_at_the_start_gives_the_terminal_back(tmp_path: Path, env: dict[str, str]) -> None:
    with running(start(AT_THE_START, "--demo"), env) as terminal:
        assert terminal.end() == 1
        assert not terminal.is_raw()
        said = terminal.raw.rpartition(b"\x1b[?1049l")[2]
    check_report(tmp_path, said, "kimi_tui/cli/screen_command.py")


def test_a_fault_of_a_command_is_one_message(tmp_path: Path, env: dict[str, str]) -> None:
    result = subprocess.run(start(IN_A_COMMAND, "sessions", "list"), env=env, capture_output=True, check=False)
    assert (result.returncode, result.stdout, result.stderr.count(b"\n")) == (1, b"", 2)
    check_report(tmp_path, result.stderr, "kimi_tui/cli/sessions_command.py")


def test_only_the_last_few_reports_are_kept(tmp_path: Path) -> None:
    written = [write_crash_report(ValueError(SECRET), tmp_path, "ask") for _ in range(KEPT + 3)]
    found = sorted((tmp_path / "reports").iterdir())
    assert len(found) == KEPT
    assert written[-1] is not None
    assert "Command: ask" in written[-1].read_text()


def test_where_the_data_folder_takes_none_it_lies_among_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "reports").write_text("a file")
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    path = write_crash_report(ValueError(SECRET), tmp_path, "ask")
    assert path is not None
    assert path.parent == place
    assert path.stat().st_mode & 0o777 == 0o600
    place.chmod(0o500)
    monkeypatch.setattr("tempfile.tempdir", str(place / "none"))
    assert write_crash_report(ValueError(SECRET), tmp_path, "ask") is None
