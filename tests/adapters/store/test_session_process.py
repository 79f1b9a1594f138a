"""Large session files are read in a process of their own, which has no terminal and no life of its own."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from kimi_tui.adapters.store import session_process, session_reading
from kimi_tui.adapters.store.session_process import PIECE_CHARS, SessionProcesses
from kimi_tui.core.errors import StorageError
from kimi_tui.core.session.file_formats import FORMATS, format_of
from kimi_tui.core.session.session import Message, Role, Session
from tests.ui.program import talk

KILLED = """
import subprocess, sys, time
from pathlib import Path
from kimi_tui.adapters.store import session_process
class Told(subprocess.Popen):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        print(self.pid, flush=True)
subprocess.Popen = Told
session_process.LARGE_FILE = 0
session_process.assemble = lambda stream, path: time.sleep(600)
session_process.SessionProcesses().read(Path(sys.argv[1]))
"""


@pytest.fixture
def _all_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> Session:
        raise AssertionError("it was parsed here")

    monkeypatch.setattr(session_process, "LARGE_FILE", 0)
    monkeypatch.setattr(session_process, "parse_file", refuse)


def large() -> Session:
    """A session of several pieces, with everything that a message may hold."""
    session = talk(*((f"Question {number}?", "Answer. \n" * 2_000) for number in range(40)))
    last = session.messages[-1]
    odd = Message(
        "odd", Role.USER, "\u2028\r\x1b 漢字 \U0001f600", parent=last.id, extra={"unknown": [1, {"deep": 2.5}]}
    )
    return replace(session, messages=(*session.messages, odd), head="odd", extra={"more": "kept"})


@pytest.mark.usefixtures("_all_are_large")
@pytest.mark.parametrize("ending", [".toml", ".json"])
def test_what_is_read_there_is_what_is_read_here(tmp_path: Path, ending: str) -> None:
    path, session = tmp_path / f"s{ending}", large()
    path.write_bytes(format_of(ending).encode(session))
    assert SessionProcesses().read(path) == session == session_reading.parse_file(path)


def test_no_piece_is_larger_than_it_has_to_be() -> None:
    session = large()
    _, *pieces = session_process.pieces_of(session)
    sizes = [sum(len(message.content) for message in piece) for piece in pieces if isinstance(piece, list)]
    assert sum(sizes) == sum(len(message.content) for message in session.messages)
    assert max(sizes) < PIECE_CHARS + len(session.messages[1].content) + 1
    assert len(sizes) > 3


@pytest.mark.usefixtures("_all_are_large")
@pytest.mark.parametrize("text", ["format = 1", "what is this", ""])
def test_why_a_file_cannot_be_read_is_told_as_ever(tmp_path: Path, text: str) -> None:
    path = tmp_path / "s.toml"
    path.write_text(text + "\n")
    with pytest.raises(StorageError) as there:
        SessionProcesses().read(path)
    with pytest.raises(StorageError) as here:
        session_reading.parse_file(path)
    assert (there.value.summary, there.value.hint) == (here.value.summary, here.value.hint)


def test_small_files_start_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    path, session = tmp_path / "s.toml", large()
    path.write_bytes(FORMATS["toml"].encode(session))
    assert SessionProcesses().read(path) == session


@pytest.mark.parametrize("error", [OSError("no more processes"), ValueError("no program")])
def test_where_no_process_can_be_started_it_is_read_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise error

    monkeypatch.setattr(session_process, "LARGE_FILE", 0)
    monkeypatch.setattr(subprocess, "Popen", refuse)
    path, session = tmp_path / "s.toml", large()
    path.write_bytes(FORMATS["toml"].encode(session))
    assert SessionProcesses().read(path) == session


@pytest.mark.usefixtures("_all_are_large")
def test_one_that_is_stopped_says_so_and_none_begins_after_that(tmp_path: Path) -> None:
    path, reading = tmp_path / "s.toml", SessionProcesses()
    path.write_bytes(FORMATS["toml"].encode(large()))
    reading.stop()
    with pytest.raises(StorageError, match="what read it has ended"):
        reading.read(path)


def test_one_that_dies_wherever_it_is_says_so() -> None:
    path, whole = Path("s.toml"), io.BytesIO()
    session_process.write_pieces(session_process.pieces_of(talk(("Why?", "Because."))), whole)
    data = whole.getvalue()
    for end in range(len(data)):
        with pytest.raises(StorageError, match="what read it has ended"):
            session_process.assemble(io.BytesIO(data[:end]), path)


def test_it_imports_nothing_of_the_screen(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_bytes(FORMATS["toml"].encode(large()))
    command = [sys.executable, "-X", "importtime", "-m", session_process.__name__, str(path)]
    told = tmp_path / "imports"
    with told.open("wb") as errors, subprocess.Popen(command, stdin=-1, stdout=-1, stderr=errors) as process:
        assert process.stdout is not None
        process.stdout.read()
    imported = [line.rpartition("|")[2].strip() for line in told.read_text().splitlines()]
    assert "tomllib" in imported
    assert not [name for name in imported if name.startswith(("textual", "rich"))]


def is_running(pid: int) -> bool:
    """Whether a process does anything still."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


def test_it_ends_with_whoever_started_it_and_has_no_terminal_and_no_key(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_bytes(FORMATS["toml"].encode(large()))
    command, environ = [sys.executable, "-c", KILLED, str(path)], {**os.environ, "DEEPINFRA_TOKEN": "sk-secret"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        try:
            terminal = subprocess.run(["ps", "-o", "tty=", "-p", str(pid)], capture_output=True, text=True, check=True)
            assert (terminal.stdout.strip(), os.getsid(pid)) == ("?", pid)
            assert is_running(pid)  # nobody reads what it writes
            if sys.platform == "linux":
                assert b"sk-secret" not in Path(f"/proc/{pid}/environ").read_bytes()
        finally:
            parent.send_signal(signal.SIGKILL)
        parent.wait()
        for _ in range(400):
            if not is_running(pid):
                return
            time.sleep(0.05)
        os.kill(pid, signal.SIGKILL)
        raise AssertionError("it outlives whoever started it")
