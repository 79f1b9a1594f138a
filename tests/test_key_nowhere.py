"""The API key is in the request's header and nowhere else: no file, no output, no copied text, no other program."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.loopback import Play, endpoint, tokens
from tests.clipboards import put_on_path
from tests.terminal import kimi_tui

KEY = "sk-3f9a71c2d8e64b05"
NOTES = 'env >"$0.env"; echo "$*" >"$0.words"; cat >"$0.in"'
"""Shell words of a program that notes all that it gets."""


def holders(folder: Path) -> list[str]:
    """Which files below a folder hold the key, by name or by content."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in files if KEY in str(path) or KEY.encode() in path.read_bytes()]


def command_lines() -> str:
    """Of every process of this machine, as far as the system shows them."""
    lines = ""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines += path.read_text(errors="replace") + "\n"
        except OSError:  # it has ended
            continue
    return lines


@pytest.mark.parametrize("source", ["environment", "command"])
def test_the_key_is_in_the_header_alone(tmp_path: Path, source: str) -> None:
    for name in ("browser", "xclip"):
        put_on_path(tmp_path, name, NOTES)
    config = f"[api]\napi_key_command = \"printf '%s%s' {KEY[:8]} {KEY[8:]}\"\n" if source == "command" else ""
    (tmp_path / "config.toml").write_text(f"{config}[sessions]\nrecord_streams = true\n")
    env = {
        "HOME": str(tmp_path),
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "KIMI_TUI_CONFIG": str(tmp_path / "config.toml"),
        "KIMI_TUI_DATA_DIR": str(tmp_path / "data"),
        "KIMI_TUI_LOG": str(tmp_path / "log"),
        "BROWSER": str(tmp_path / "browser"),
        "DISPLAY": ":4321",
        **({"DEEPINFRA_TOKEN": KEY, "DEEPINFRA_API_KEY": KEY} if source == "environment" else {}),
    }
    answer = Play(tokens("</think>", "See [here](https://example.org/)"))
    refusal = Play(
        [json.dumps({"detail": f"no such key: {KEY}"}).encode()], status=401, content_type="application/json"
    )
    with endpoint(answer, refusal) as server, kimi_tui(["--base-url", server.url], env) as terminal:
        terminal.until("Message Kimi")
        terminal.send("hello\r")
        terminal.until("example.org")
        terminal.rest()
        for ending in ("md", "json", "toml", "txt"):
            terminal.send(f"/export {tmp_path}/out.{ending}\r")
            terminal.rest()
        for command in ("copy-curl", "copy-python", "copy-body", "copy-prompt"):
            terminal.send(f"/{command}\r")
            terminal.until("copied")
            terminal.rest()
            assert "hello" in (tmp_path / "xclip.in").read_text()
            assert holders(tmp_path) == []
        terminal.send("/open-link\r")
        terminal.until("Open this link?")
        terminal.send("\r")
        terminal.until("Given to browser")
        assert KEY not in command_lines()
        terminal.send("again\r")
        terminal.until("failed")
        terminal.until("[key]")
        terminal.send(f"\x15/record {tmp_path}/out.jsonl\r")
        terminal.until("was recorded into")
        terminal.send("\x15\x11")
        assert terminal.end() == 0
        assert [request.headers["authorization"] for request in server.received] == [f"Bearer {KEY}"] * 2
        assert all(KEY.encode() not in request.body for request in server.received)
        assert KEY.encode() not in terminal.raw
    assert (tmp_path / "browser.env").exists()
    assert (tmp_path / "xclip.env").exists()
    assert len(list(tmp_path.glob("out.*"))) == 5
    assert len(list(tmp_path.glob("data/recordings/*.jsonl"))) == 2
    assert holders(tmp_path) == []
