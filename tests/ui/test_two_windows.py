"""Two real windows, or a window and a command, at one session."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kimi_tui.adapters.store.session_files import SessionFiles
from tests.cli.calls import KEY, ROOT, command
from tests.cli.loopback import Endpoint, Play, endpoint, tokens
from tests.terminal import Terminal, kimi_tui
from tests.ui.program import talk

CTRL_B, CTRL_Q = "\x02", "\x11"


ANSWER = tokens("hm", "</think>", "Noted.")


class Place:
    """A data folder with a session, and what lies in it as another program reads it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.sessions = folder / "data" / "sessions"
        self.env = {
            "KIMI_TUI_DATA_DIR": str(folder / "data"),
            "KIMI_TUI_CONFIG": str(folder / "config.toml"),
            "DEEPINFRA_TOKEN": KEY,
        }
        self.argv = ["--base-url", url, "-r"]
        """A window at the latest session, which gets its replies at once."""
        SessionFiles(self.sessions, folder / "data" / "trash").save_now(replace(talk(("hello", "Hi.")), title="hello"))

    def stored(self) -> dict[str, Any]:
        found = [tomllib.loads(path.read_text("utf-8")) for path in self.sessions.glob("*.toml")]
        return {session["title"]: session for session in found}

    def texts(self, title: str) -> list[str]:
        return [message["content"] for message in self.stored()[title]["messages"]]

    def asked(self, title: str) -> list[str]:
        return self.texts(title)[::2]

    def run(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            command(*words),
            capture_output=True,
            env={**os.environ, **self.env},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            check=False,
        )


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with endpoint(Play(ANSWER)) as server:
        yield Place(tmp_path, server.url)


@pytest.fixture
def first(place: Place) -> Iterator[Terminal]:
    with kimi_tui(place.argv, place.env) as terminal:
        terminal.until("○ ready")
        yield terminal


def until(terminal: Terminal, condition: Callable[[], bool], timeout_s: float = 20) -> None:
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s, terminal.text
        terminal.pump()


def test_a_second_window_reads_copies_and_takes_over(place: Place, first: Terminal) -> None:
    with kimi_tui(place.argv, place.env) as second:
        second.until("read-only")
        second.until(f"held by a kimi-tui window, process {first.pid}")
        second.send("second words\r")
        second.until("Nothing was sent; your text is in the composer.")
        second.until("│ second words")
        first.send("and more\r")
        second.until("Noted.", timeout_s=30)
        first.until("Noted.")
        assert place.asked("hello") == ["hello", "and more"]
        second.send(CTRL_B)
        second.until("opened as a copy")
        second.until_gone("read-only")
        second.send("\r")
        until(second, lambda: len(place.texts("hello (copy)")) == 6)
        assert place.asked("hello (copy)") == ["hello", "and more", "second words"]
        assert place.asked("hello") == ["hello", "and more"]
        second.send(CTRL_Q)
        assert second.end() == 0
    with kimi_tui([*place.argv, place.stored()["hello"]["id"]], place.env) as third:
        third.until("read-only")
        os.kill(first.pid, signal.SIGKILL)
        third.until("The session is free now")
        third.send(CTRL_B)
        third.until_gone("read-only")
        third.send("third words\r")
        until(third, lambda: len(place.texts("hello")) == 6)
        third.send(CTRL_Q)
        assert third.end() == 0
    assert place.asked("hello") == ["hello", "and more", "third words"]
    assert not list(place.sessions.glob("*.lock"))


def test_a_file_that_is_edited_under_the_program(place: Place) -> None:
    (path,) = place.sessions.glob("*.toml")
    with kimi_tui(["--demo", "-r"], place.env) as first:
        first.until("○ ready")
        path.write_text(path.read_text("utf-8").replace('title = "hello"', 'title = "edited by hand"'), "utf-8")
        first.until("this is what it says now")
        first.until("edited by hand")
        first.send("long\r")
        first.until("Step 1")
        path.write_text(path.read_text("utf-8").replace('title = "edited by hand"', 'title = "edited again"'), "utf-8")
        first.send("\x1b")
        first.until("both versions are kept")
        first.until("edited by hand (conflict)")
        first.send(CTRL_Q)
        assert first.end() == 0
    assert b"both versions are kept" in first.raw.split(b"\x1b[?1049l")[-1]
    assert place.texts("edited again")[2:] == ["long"]
    assert "Step 1" in place.texts("edited by hand (conflict)")[3]


@pytest.mark.parametrize(
    "words",
    [["ask", "Hi", "--demo", "--session"], ["sessions", "delete"], ["sessions", "convert", "--to", "json"]],
    ids=["ask", "delete", "convert"],
)
def test_a_command_on_a_session_that_is_held_names_the_holder(place: Place, first: Terminal, words: list[str]) -> None:
    (path,) = place.sessions.glob("*.toml")
    before = path.read_bytes()
    result = place.run(*words, path.stem)
    assert (result.returncode, result.stdout) == (2, b"")
    assert f"held by a kimi-tui window, process {first.pid}".encode() in result.stderr
    assert path.read_bytes() == before
    assert place.run("sessions", "show", path.stem).returncode == 0
    assert place.run("sessions", "export", path.stem).returncode == 0


class Waiting(Endpoint):
    """Answers when it is told to."""

    def __init__(self) -> None:
        super().__init__([Play(ANSWER)])
        self.go_on = threading.Event()

    async def _send(self, play: Play, writer: asyncio.StreamWriter) -> None:
        await asyncio.to_thread(self.go_on.wait)
        await super()._send(play, writer)


def test_a_reply_without_a_screen_goes_into_a_copy_where_others_changed_the_file(place: Place) -> None:
    (path,) = place.sessions.glob("*.toml")
    with (server := Waiting()):
        words = command("ask", "more", "--base-url", server.url, "--json", "--session", path.stem)
        with subprocess.Popen(
            words, env={**os.environ, **place.env}, cwd=ROOT, stdin=-3, stdout=-1, stderr=-1
        ) as asking:
            while b'"more"' not in path.read_bytes():
                assert asking.poll() is None
            path.write_text(path.read_text("utf-8").replace('title = "hello"', 'title = "edited"'), "utf-8")
            server.go_on.set()
            out, err = asking.communicate()
    assert asking.returncode == 0
    assert b"both versions are kept" in err
    assert place.texts("edited")[2:] == ["more"]
    assert place.texts("hello (conflict)")[2:] == ["more", "Noted."]
    assert json.loads(out)["session"] == place.stored()["hello (conflict)"]["id"]
    assert not list(place.sessions.glob(".*.lock"))
