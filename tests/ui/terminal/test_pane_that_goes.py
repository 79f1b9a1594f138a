"""Under a real terminal: what a pane leaves behind when it goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.terminal import kimi_tui

KEYS = {"sessions": "\x1bOQ", "reasoning": "\x1bOR", "settings": "\x1bOS", "prompt": "\x1b[15~"}


@pytest.mark.parametrize("pane", KEYS)
def test_the_rest_of_the_screen_stays_where_it_is(tmp_path: Path, pane: str) -> None:
    env = {"HOME": str(tmp_path), "KIMI_TUI_CONFIG": str(tmp_path / "config.toml")}
    with kimi_tui(["--demo", "--data-dir", str(tmp_path)], env, 80, 24) as terminal:
        terminal.until("Message Kimi")
        terminal.send("hello\r")
        terminal.until("say first?")
        terminal.until("○ ready")
        terminal.rest()
        before = terminal.text
        for _ in range(2):
            terminal.send(KEYS[pane])
            terminal.rest()
        assert terminal.text.splitlines()[:20] == before.splitlines()[:20]
