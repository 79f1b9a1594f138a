"""`KIMI_TUI_LOG`: there from the start, whatever the command does, and without texts and key."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.calls import KEY, ROOT, command
from tests.cli.loopback import Play, endpoint, tokens

ALWAYS = [["sessions", "list"], ["prompt", "-"], ["config", "show"], ["ask", ""]]


def run(*words: str, log: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "KIMI_TUI_LOG": str(log), **environment}
    return subprocess.run(
        command(*words), input="[]", capture_output=True, text=True, cwd=ROOT, env=env, check=False, timeout=60
    )


@pytest.mark.parametrize("words", ALWAYS, ids=" ".join)
def test_every_command_begins_it(tmp_path: Path, words: list[str]) -> None:
    log = tmp_path / "log"
    run(*words, log=log)
    assert f": {words[0]}\n" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


def test_it_tells_what_was_sent_but_no_text_and_no_key(tmp_path: Path) -> None:
    log, config = tmp_path / "log", tmp_path / "config.toml"
    config.write_text(f'[api]\napi_key_command = "echo {KEY}"\n')
    reply = Play(tokens("secret thought", "</think>", "secret answer"), headers={"x-request-id": f"r {KEY}"})
    with endpoint(reply) as server:
        result = run("ask", "secret question", "-c", str(config), "--base-url", server.url, log=log)
    assert result.returncode == 0, result.stderr
    text = log.read_text()
    assert "POST of" in text
    assert "[redacted]" in text
    assert "secret" not in text
    assert KEY not in text


@pytest.mark.parametrize("words", ALWAYS, ids=" ".join)
def test_one_that_cannot_be_written_is_refused(tmp_path: Path, words: list[str]) -> None:
    result = run(*words, log=tmp_path / "no" / "folder")
    assert (result.returncode, result.stdout) == (2, "")
    assert "KIMI_TUI_LOG" in result.stderr


def test_a_full_disk_under_it_disturbs_nothing() -> None:
    result = run("sessions", "list", log=Path("/dev/full"))
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "kimi-tui: There is no session yet.\n")


def test_an_unexpected_fault_prints_nothing_but_its_kind(tmp_path: Path) -> None:
    code = (
        "import sys; from kimi_tui.cli import main, sessions_command; "
        "sessions_command.run = lambda *_: [][int('7')] if not sys.argv.append('dear diary') else 0; "
        "sys.exit(main(['sessions', 'list']))"
    )
    words = [command()[0], "-c", code]
    plain = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=False)
    assert plain.returncode == 1
    assert "IndexError" in plain.stderr
    assert "Traceback" not in plain.stderr
    assert "lambda" not in plain.stderr
    log = tmp_path / "log"
    subprocess.run(words, capture_output=True, cwd=ROOT, check=False, env={**os.environ, "KIMI_TUI_LOG": str(log)})
    assert log.read_text().endswith("IndexError\n")


def test_a_key_that_others_can_read_is_told_once(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'[api]\napi_key = "{KEY}"\n')
    config.chmod(0o644)
    with endpoint(Play(tokens("</think>", "ok"))) as server:
        result = run("ask", "x", "-c", str(config), "--base-url", server.url, log=tmp_path / "log")
        listed = run("sessions", "list", "-c", str(config), "--data-dir", str(tmp_path), log=tmp_path / "log")
        config.chmod(0o600)
        quiet = run("ask", "x", "-c", str(config), "--base-url", server.url, log=tmp_path / "log")
    assert result.stderr.count("chmod 600") == listed.stderr.count("chmod 600") == 1
    assert (result.returncode, result.stdout, quiet.stderr) == (0, "ok\n", "")
    assert KEY not in result.stderr
