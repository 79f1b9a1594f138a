"""The raw send in the real program: the user's own editor has the terminal, and what it wrote is what is sent."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.terminal import kimi_tui

RAW = "<|im_user|>ChatMessageRole.USER<|im_middle|>lamb<|im_end|><|im_assistant|>assistant<|im_middle|><think>Hm,\r"


@pytest.mark.parametrize(("columns", "rows"), [(80, 24)])
def test_the_editor_s_file_is_sent_and_kept(tmp_path: Path, env: dict[str, str], columns: int, rows: int) -> None:
    script, text = tmp_path / "editor", tmp_path / "text"
    text.write_bytes(RAW.encode())
    script.write_text(f'#!/bin/sh\ncp "$1" {tmp_path}/before\necho EDITING; read line; cp {text} "$1"\n')
    script.chmod(0o755)
    with kimi_tui(["--demo"], {**env, "EDITOR": str(script)}, columns, rows) as terminal:
        terminal.until("Message Kimi")
        terminal.send("/raw\r")
        terminal.until("Ctrl+S sends it once")
        terminal.send("mine")
        terminal.until("mine")
        terminal.send("\x07")
        terminal.until("EDITING")
        assert not terminal.is_raw()
        assert (tmp_path / "before").read_text().endswith("<think>mine")
        terminal.send("\n")
        terminal.until("Hm,")
        terminal.send("\x13")
        terminal.until("raw · ")
        terminal.until("○ ready")
        terminal.send("\x11")
        assert terminal.end() == 0
    (path,) = (tmp_path / "data" / "sessions").glob("*.toml")
    question, reply = tomllib.loads(path.read_text("utf-8"))["messages"]
    assert (question["content"], reply["raw_input"]) == ("lamb", RAW)
    assert reply["reasoning"].startswith("Hm,\r")
    assert reply["state"] == "complete"
    assert not list(path.parent.glob(".*raw-draft"))
