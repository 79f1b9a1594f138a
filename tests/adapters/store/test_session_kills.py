"""kill -9 while sessions are saved, renamed, converted, moved to the trash and back, imported or saved elsewhere.

The files that are left are read by other parsers than ours, and each word in them is counted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.store.killed_acts import ACTS, BACKUP, DRAFT, MORE, QUESTION, REPLY, files_in
from tests.cli.calls import ROOT

KILLS = 200
"""How often each act is killed at random."""
PARSERS = {".toml": tomllib.loads, ".json": json.loads}
MOVES = ("delete", "delete_open", "restore", "delete_and_restore")
SHORT = ("save", "rename", "convert", "delete", "restore", "import_file", "save_as")
"""What is killed at every step in the short form too; the rest is like one of them."""
WORDS = (QUESTION, REPLY, MORE, "words-of-import")


@pytest.fixture(autouse=True)
def _no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)  # what was written outlives a process without


def kill(folder: Path, act: str, *, count: int = 0, is_other_device: bool = False) -> dict[str, int]:
    """Kill an act before each of its file operations, or `count` times at random; how many died and were done."""
    task = json.dumps({"folder": str(folder), "act": act, "random": count, "other_device": is_other_device})
    argv = [sys.executable, "-m", "tests.adapters.store.killed_acts", task]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=ROOT)
    figures: dict[str, int] = json.loads(done.stdout)
    return figures


@pytest.mark.parametrize(
    ("act", "is_other_device"),
    [
        pytest.param(act, is_other_device, marks=() if act in SHORT else pytest.mark.slow)
        for act in ACTS
        for is_other_device in ((False, True) if act in MOVES else (False,))
    ],
)
def test_killed_before_any_file_operation(act: str, is_other_device: bool, tmp_path: Path) -> None:
    assert kill(tmp_path / "kills", act, is_other_device=is_other_device)["killed"] > 10
    check_all(tmp_path / "kills", act)


@pytest.mark.slow
@pytest.mark.parametrize("is_other_device", [False, True], ids=["one device", "two devices"])
@pytest.mark.parametrize("act", ACTS)
def test_killed_at_random_slow(act: str, is_other_device: bool, tmp_path: Path) -> None:
    figures = kill(tmp_path / "kills", act, count=KILLS, is_other_device=is_other_device)
    assert figures["killed"] + figures["done"] == KILLS
    assert figures["killed"] > KILLS / 5
    check_all(tmp_path / "kills", act)


def check_all(folder: Path, act: str) -> None:
    places = sorted(folder.iterdir())
    for place in places:
        files = files_in(place)
        files.recover()  # what any command does that reads sessions
        assert not files.list().unreadable
        check(place, act)


def check(place: Path, act: str) -> None:
    """Every session is whole, and each word where it was, once."""
    sessions = {path: PARSERS[path.suffix](path.read_text("utf-8")) for path in session_files(place)}
    ours = [path for path, session in sessions.items() if session["id"] == "s1"]
    is_there_twice = act == "save_as" and (place / "elsewhere" / "new.json").exists()
    assert len(ours) == 1 + is_there_twice, f"{place.name}: {ours}"
    for path in ours:
        said = [message["content"] for message in sessions[path]["messages"]]
        assert said in ([QUESTION, REPLY], [QUESTION, REPLY, MORE]), place.name
    found = Counter(word for session in sessions.values() for word in said_in(session))
    assert found[QUESTION] == found[REPLY] == len(ours)
    assert max(found[MORE], found["words-of-import"]) <= 1
    assert len(sessions) == len(ours) + found["words-of-import"], f"{place.name}: {list(sessions)}"
    check_companions(place, ours, act)


def check_companions(place: Path, ours: list[Path], act: str) -> None:
    """A draft and a backup lie beside the session, and nowhere else."""
    drafts = [path for path in place.rglob(".*.draft") if path.read_text() == DRAFT]
    beside = {path.with_name(f".{path.stem}.draft") for path in ours}
    assert set(drafts) <= beside, f"{place.name}: {drafts}"
    assert len(drafts) == 1 or (act == "save_as" and len(drafts) == 2), f"{place.name}: {drafts}"
    backups = [path for path in place.rglob(".*.backup-0_0_0") if path.read_bytes() == BACKUP]
    assert [path.parent for path in backups] == [drafts[0].parent] or act == "save_as", f"{place.name}: {backups}"


def said_in(session: dict[str, Any]) -> list[str]:
    return [word for word in WORDS for message in session["messages"] if message["content"] == word]


def session_files(place: Path) -> list[Path]:
    """Whatever anybody would take for a session."""
    found = [path for ending in PARSERS for path in place.glob(f"*/*{ending}")]
    return sorted(path for path in found if not path.name.startswith("."))
