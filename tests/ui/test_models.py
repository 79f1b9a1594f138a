"""Which model the screen asks: the session's own, unless the command line names one."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.core.session.session import Session
from tests.cli.calls import KEY
from tests.cli.loopback import Play, endpoint, tokens
from tests.terminal import kimi_tui

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("options", "asked"),
    [([], "sessions/own"), (["--model", "named/now"], "named/now")],
    ids=["the session's", "the option's"],
)
def test_a_session_is_asked_at_its_own_models_address(tmp_path: Path, options: list[str], asked: str) -> None:
    store = SessionFiles(tmp_path / "data" / "sessions", tmp_path / "data" / "trash")
    store.save_now(Session("20261123-081500-k3f9", NOW, NOW, "sessions/own", title="Lamb"))
    env = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "DEEPINFRA_TOKEN": KEY}
    with endpoint(Play(tokens("hm", "</think>", "There are two ways."))) as server:
        words = ["-r", "--data-dir", str(tmp_path / "data"), "--base-url", server.url, *options]
        with kimi_tui(words, env) as terminal:
            terminal.until("Message Kimi")
            terminal.send("name two ways\r")
            terminal.until("There are two ways.")
            terminal.send("\x11")
            assert terminal.end() == 0
    session = store.read_only(store.find(None))
    assert [request.path for request in server.received] == [f"/v1/inference/{asked}"]
    assert (session.model, session.messages[-1].model) == ("sessions/own", asked)
