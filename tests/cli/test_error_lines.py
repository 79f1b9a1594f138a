"""What the real program writes of an endpoint's hostile words: short lines in the terminal's width, nothing obeyed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.cli.calls import KEY, ROOT, call
from tests.cli.loopback import Play, endpoint, sse
from tests.terminal import kimi_tui

WORDS = [
    "\x1b]0;pwned\x07\x1b[2J" + "the temperature of this request is not what it should be, says the server here " * 2,
    "羊한" * 60,
    "e\u0301" * 88 + " \u202eend",
    "short",
]
RAW = [b"\x1b]0;", b"\x1b[2J", "\u202e".encode(), b"\x07"]


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("words", WORDS, ids=["escapes", "wide", "marks", "short"])
def test_no_line_is_wider_than_the_terminal(tmp_path: Path, words: str, columns: int) -> None:
    env = {**os.environ, "DEEPINFRA_TOKEN": KEY, "PYTHONPATH": str(ROOT), "KIMI_TUI_DATA_DIR": str(tmp_path)}
    refusal = Play([json.dumps({"detail": {"error": words}}).encode()], status=400, content_type="application/json")
    with endpoint(refusal) as server, kimi_tui(["ask", "x", "--base-url", server.url], env, columns, 24) as terminal:
        assert terminal.end() == 1
    lines = terminal.raw.decode().split("\r\n")
    assert lines[0].startswith("kimi-tui: The endpoint refused the request (HTTP 400")
    assert cell_len(lines[0]) <= columns
    assert all(cell_len(line) <= columns for line in lines if " " in line.strip())
    assert not any(raw in terminal.raw for raw in RAW)


@pytest.mark.parametrize("words", WORDS, ids=["escapes", "wide", "marks", "short"])
@pytest.mark.parametrize("is_late", [False, True], ids=["a status", "in the stream"])
def test_without_a_terminal_the_first_line_fits_eighty_columns(
    monkeypatch: pytest.MonkeyPatch, words: str, is_late: bool
) -> None:
    monkeypatch.setenv("DEEPINFRA_TOKEN", KEY)
    document = {"error": words}
    play = Play(sse(document)) if is_late else Play([json.dumps(document).encode()], status=400)
    with endpoint(play) as server:
        result = call("ask", "x", "--json", "--base-url", server.url)
    first, *more = result.err.split("\n")
    assert cell_len(first) <= 80
    assert (first + "".join(more)).isprintable()
    assert result.json["error"]["summary"].isprintable()
