"""The line that says how to go on: the shell that ran the program can run it, whatever the next time's PATH."""

from __future__ import annotations

import shlex
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from kimi_tui.cli.arguments import COMMANDS, parse_arguments
from kimi_tui.cli.resume_line import resume_line
from tests.terminal import kimi_tui


def program(folder: Path, name: str = "kimi-tui") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o700)
    return path


def line(options: Namespace, environ: dict[str, str], session: str, started_as: object) -> list[str]:
    return shlex.split(resume_line(options, environ, session, str(started_as)))


NONE = parse_arguments([])


def test_the_name_stands_where_the_path_leads_to_this_program(tmp_path: Path) -> None:
    here = program(tmp_path / "bin")
    link = tmp_path / "link"
    link.symlink_to(here)
    for started_as in (here, link):
        assert line(NONE, {"PATH": str(here.parent)}, "abc", started_as) == ["kimi-tui", "-r", "abc"]


def test_else_it_is_called_as_it_was_started(tmp_path: Path) -> None:
    here, other = program(tmp_path / "my venv"), program(tmp_path / "other")
    for path in ("", str(tmp_path), str(other.parent)):
        assert line(NONE, {"PATH": path}, "abc", here) == [str(here), "-r", "abc"]


def test_a_module_is_run_by_the_same_interpreter(tmp_path: Path) -> None:
    words = line(NONE, {"PATH": str(tmp_path)}, "abc", tmp_path / "kimi_tui" / "__main__.py")
    assert words == [sys.executable, "-m", "kimi_tui", "-r", "abc"]


def test_every_place_is_named_again(tmp_path: Path) -> None:
    argv = ["--demo", "-c", "my config.toml", "--data-dir", "d", "--base-url", "http://localhost:1", "--model", "m"]
    words = line(parse_arguments(argv), {"PATH": ""}, "abc", "./kimi-tui")
    again = parse_arguments(words[1:])
    assert vars(again) == {**vars(parse_arguments(argv)), "resume": "abc"}


def test_places_that_the_environment_named_are_named_too(tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    environ = {"PATH": "", "KIMI_TUI_CONFIG": str(config), "KIMI_TUI_DATA_DIR": "d"}
    assert line(NONE, environ, "abc", "k") == ["k", "--data-dir", "d", "-r", "abc"]
    config.touch()
    assert line(NONE, environ, "abc", "k") == ["k", "--config", str(config), "--data-dir", "d", "-r", "abc"]
    options = parse_arguments(["--data-dir", "other"])
    assert line(options, environ, "abc", "k")[3:] == ["--data-dir", "other", "-r", "abc"]


@pytest.mark.parametrize("session", [*COMMANDS, "-abc", "two words", "a'b"])
def test_whatever_a_session_is_called_it_is_resumed(session: str) -> None:
    assert parse_arguments(line(NONE, {"PATH": ""}, session, "k")[1:]).resume == session


def test_the_printed_line_goes_on_in_a_shell_that_finds_no_such_name(tmp_path: Path) -> None:
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "KIMI_TUI_CONFIG": str(tmp_path / "config.toml")}
    with kimi_tui(["--demo", "--data-dir", str(tmp_path / "my data")], env) as terminal:
        terminal.until("Message Kimi")
        terminal.send("hello\r")
        terminal.until("offline simulator")
        terminal.send("\x11")
        assert terminal.end() == 0
        raw = terminal.raw.decode()
    printed = raw.rpartition("Resume with: ")[2].partition("\r\n")[0]
    words = shlex.split(printed)
    session = words[-1]
    assert words[-2] == "-r"
    result = subprocess.run(
        ["/bin/sh", "-c", shlex.join([*words[:-2], "sessions", "path", session])],
        capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, "")
    assert Path(result.stdout.strip()).is_file()
