"""Recordings of turns that begin together: each is a whole file of its own, which is closed with its turn."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kimi_tui.adapters import recording_files
from kimi_tui.adapters.recording_files import Recordings, load_recording
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.engine.openings import AskingAgain
from kimi_tui.engine.turn_engine import Engine
from tests.fakes.clock import HandClock
from tests.fakes.scripted_client import DONE, ScriptedClient, end, streaming, think_end, token

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
SESSION = Session(
    "s", NOW, NOW, "m", title="Lamb?", messages=(Message("m1", Role.USER, "Lamb?", created=NOW),), head="m1"
)
REQUEST = RequestSettings(fields={"stream": True})


def is_held(path: Path) -> bool:
    """Whether a descriptor of this process still leads to it."""
    for descriptor in range(256):
        with suppress(OSError):
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return True
    return False


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "recordings").mkdir()
    return tmp_path / "recordings"


async def together(recordings: Recordings, count: int) -> None:
    """So many replies to one question, of another length each; which of them gets which, nobody knows."""
    scripts = [
        streaming(token("hm"), think_end(), *[token(f"word{number} ")] * (count - number), end(), DONE)
        for number in range(count)
    ]
    engine = Engine(ScriptedClient(scripts), HandClock(), listeners=[recordings], tape_for=recordings.tape_for)
    session = OpenSession(SESSION, None)
    turns = [
        engine.start(session, AskingAgain("m1"), replace(REQUEST, fields={**REQUEST.fields, "seed": number}))
        for number in range(count)
    ]
    for turn in turns:
        await turn.finished()


def seed_and_answer(path: Path) -> tuple[int, str]:
    (exchange,) = load_recording(path).exchanges
    assert exchange.end is not None
    lines = b"".join(data.piece for data in exchange.pieces).decode().splitlines()
    assert lines[-2] == "data: [DONE]"
    return json.loads(exchange.sent.body)["seed"], "".join(lines)


async def test_each_of_several_has_a_file_by_the_setting(folder: Path) -> None:
    await together(Recordings("deepinfra", HandClock(), folder), 6)
    found = sorted(map(seed_and_answer, folder.iterdir()))
    assert [seed for seed, _ in found] == [*range(6)]
    counts = [[text.count(f"word{number}") for number in range(6)] for _, text in found]
    assert sorted(counts) == [[6 - at if number == at else 0 for number in range(6)] for at in range(5, -1, -1)]
    assert not any(map(is_held, folder.iterdir()))


async def test_those_that_begin_together_make_room_one_after_the_other(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_files, "KEPT_FILES", 4)
    for number in range(4):
        (folder / f"2026-01-0{number + 1}T00-00-00Z-old.jsonl").touch()
    told: list[str] = []
    recordings = Recordings("deepinfra", HandClock(), folder)
    recordings.tell = told.append
    await together(recordings, 4)
    assert told == []
    assert sorted(seed for seed, _ in map(seed_and_answer, folder.iterdir())) == [*range(4)]


async def test_the_first_of_several_is_the_next_one(folder: Path) -> None:
    recordings = Recordings("deepinfra", HandClock())
    await recordings.save_next("s", folder / "next.jsonl")
    await together(recordings, 3)
    assert seed_and_answer(folder / "next.jsonl")[0] == 0
    for reply_id, seed in ((None, 2), ("m1", 2), ("m2", 0), ("m3", 1), ("m4", 2)):
        path = folder / f"{reply_id}.jsonl"
        assert await recordings.save_last("s", path, reply_id) is False
        assert seed_and_answer(path)[0] == seed
    assert await recordings.save_last("other", folder / "other.jsonl", "m2") is None
    assert not any(map(is_held, folder.iterdir()))
