"""`ask --record`, the setting that records every turn, `replay` and `demo-server --replay`, as they are called."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import time
from pathlib import Path

import pytest

from kimi_tui.adapters import recording_files
from kimi_tui.adapters.recording_files import load_recording
from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.core.session.session import Session
from kimi_tui.core.wire.recording import Data, Record, RecordingHead, encode_records
from tests.cli.calls import KEY, call, start
from tests.cli.loopback import Play, document, endpoint, tokens
from tests.fakes.scripted_client import token
from tests.recorded import plain, replay
from tests.terminal import kimi_tui

pytestmark = pytest.mark.usefixtures("places")


def only_session(folder: Path) -> Session:
    store = SessionFiles(folder / "data" / "sessions", folder / "data" / "trash")
    (summary,) = store.list().summaries
    return store.read_only(Path(summary.path))


REPLY = Play(tokens("So it", " is.", " Two", "</think>", "Sure", ":\n", "ok"))
WHOLE = document("hm</think>yes", "well</think>no")


@pytest.mark.parametrize(
    ("options", "played"),
    [
        ((), REPLY),
        (("--no-think",), Play(tokens("Sure", ":\n", "ok"))),
        (("-n", "2"), WHOLE),
        (("--thinking-budget", "2"), REPLY),
        (("--set", "temperature=0.5", "--set", "stop=", "--set", 'response_format={"type":"json_object"}'), REPLY),
    ],
)
def test_a_replay_makes_the_same_session(tmp_path: Path, options: tuple[str, ...], played: Play) -> None:
    path, question = tmp_path / "bug.jsonl", "What </think> is <|im_end|>?"
    with endpoint(REPLY, played) as server:
        base = ("--base-url", server.url)
        assert call("ask", "--save", "-s", "Be [EOS] short.", question, *base).status == 0
        first = only_session(tmp_path)
        assert call("ask", "--session", first.id, "--record", str(path), "And?", *base, *options).status == 0
        sent = [request.json for request in server.received][1:]
    saved = only_session(tmp_path)
    recording = load_recording(path)
    session, ended = asyncio.run(replay(recording))
    assert [json.loads(exchange.sent.body) for exchange in recording.exchanges] == sent
    assert (session.system, session.title) == (saved.system, saved.title)
    texts = [[(message.role, message.content) for message in one.messages] for one in (session, saved)]
    assert texts[0] == texts[1]
    count = len(ended.replies)
    assert [plain(reply) for reply in ended.replies] == [plain(reply) for reply in saved.messages[-count:]]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_is_there_stays_and_nothing_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "bug.jsonl"
    path.write_text("mine")
    with endpoint(Play(tokens("hm", "</think>", "yes"))) as server:
        for target, words in ((path, "is there already"), (tmp_path / "no" / "bug.jsonl", "could not be made")):
            result = call("ask", "x", "--record", str(target), "--base-url", server.url)
            assert (result.status, result.out) == (2, "")
            assert words in result.err
        assert server.received == []
    assert path.read_text() == "mine"
    assert call("ask", "x", "--record", "").status == 2


def test_what_is_not_answered_is_recorded_too(tmp_path: Path) -> None:
    path = tmp_path / "bug.jsonl"
    with endpoint(Play([b'{"detail":"no"}'], status=402, content_type="application/json")) as server:
        assert call("ask", "x", "--record", str(path), "--base-url", server.url).status == 1
    (exchange,) = load_recording(path).exchanges
    assert exchange.answer is not None
    assert (exchange.answer.status, exchange.pieces[0].piece) == (402, b'{"detail":"no"}')


def test_a_full_disk_is_told_and_the_reply_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bug.jsonl"
    real = os.write

    def full(descriptor: int, data: bytes) -> int:
        if path.exists() and os.fstat(descriptor).st_ino == path.stat().st_ino:
            raise OSError(28, "No space left on device")
        return real(descriptor, data)

    monkeypatch.setattr("kimi_tui.adapters.recording_files.os.write", full)
    with endpoint(REPLY) as server:
        result = call("ask", "hello", "--record", str(path), "--base-url", server.url)
    assert (result.status, result.out) == (1, "Sure:\nok\n")
    assert "not recorded" in result.err
    assert "No space left on device" in result.err


def test_the_setting_records_every_turn_and_keeps_the_last_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_files, "KEPT_FILES", 3)
    (tmp_path / "config.toml").write_text("[sessions]\nrecord_streams = true\n")
    folder = tmp_path / "data" / "recordings"
    with endpoint(REPLY) as server:
        for number in range(5):
            assert call("ask", f"hello {number}", "--base-url", server.url).status == 0
            if number == 0:
                (folder / "mine.jsonl").write_text("mine")
    own = [path for path in folder.iterdir() if path.name != "mine.jsonl"]
    asked = sorted(json.loads(load_recording(path).exchanges[0].sent.body)["input"] for path in own)
    assert [words in prompt for words, prompt in zip(("hello 2", "hello 3", "hello 4"), asked, strict=True)] == [
        True
    ] * 3
    assert (folder / "mine.jsonl").exists()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file"),
        ("data: {}\n", "is no recording"),
        ('{"format":"kimi-tui/recording","version":9}', "newer"),
    ],
)
def test_what_is_no_recording_is_refused_before_the_screen_is_drawn(
    tmp_path: Path, content: str | None, words: str
) -> None:
    path = tmp_path / "bug.jsonl"
    if content is not None:
        path.write_text(content)
    for argv in (("replay", str(path)), ("demo-server", "--replay", str(path))):
        result = call(*argv, terminal=True)
        assert (result.status, result.out) == (2, "")
        assert words in result.err


def test_the_speed_is_a_number(tmp_path: Path) -> None:
    for speed in ("0", "-1", "nan", "fast", "1e9"):
        result = call("replay", "x", f"--speed={speed}")
        assert result.status == 2
        assert "[0.1, 1000]" in result.err


def recorded(folder: Path, played: Play = REPLY) -> Path:
    path = folder / "bug.jsonl"
    with endpoint(played) as server:
        assert call("ask", "Hello!", "--record", str(path), "--base-url", server.url).status == 0
    return path


def environment(folder: Path) -> dict[str, str]:
    return {
        "HOME": str(folder),
        "TMPDIR": str(folder / "temporary"),
        "KIMI_TUI_CONFIG": str(folder / "none.toml"),
        "KIMI_TUI_DATA_DIR": str(folder / "elsewhere"),
    }


def test_the_screen_shows_it_once_more_and_keeps_nothing(tmp_path: Path) -> None:
    path = recorded(tmp_path)
    (tmp_path / "temporary").mkdir()
    with kimi_tui(["replay", str(path), "--speed", "10"], environment(tmp_path)) as terminal:
        terminal.until("replay")
        terminal.until("Sure:")
        terminal.until("ready")
        assert "Hello!" in terminal.text
        assert "Thought for" in terminal.text
        terminal.send("/tokens\r")
        terminal.until("token 1 of")
        terminal.send("\x1b")
        terminal.until("ready")
        terminal.send("and?\r")
        terminal.until("no further request")
        terminal.send("\x15\x11")
        assert terminal.end() == 0
        assert b"Resume with" not in terminal.raw
    assert list((tmp_path / "temporary").iterdir()) == []
    left = [found for found in (tmp_path / "elsewhere").rglob("*") if found.is_file()]
    assert left == []


def test_escape_stops_it(tmp_path: Path) -> None:
    path = recorded(tmp_path)
    exchange = load_recording(path).exchanges[0]
    assert exchange.answer is not None
    pieces = [Data(0.1, token("So it")), Data(600.0, token("never comes"))]
    records: list[Record] = [
        RecordingHead("deepinfra", "deepinfra", thinking=True),
        exchange.sent,
        exchange.answer,
        *pieces,
    ]
    path.write_bytes(encode_records(records))
    (tmp_path / "temporary").mkdir()
    with kimi_tui(["replay", str(path), "--speed", "0.5"], environment(tmp_path)) as terminal:
        terminal.until("Escape stop")
        terminal.send("\x1b")
        terminal.until("stopped")
        terminal.send("\x11")
        assert terminal.end() == 0


def test_a_server_answers_other_programs_with_it(tmp_path: Path) -> None:
    path = recorded(tmp_path)
    with start("demo-server", "--replay", str(path), "--speed", "1000") as process:
        assert process.stdout is not None
        address = process.stdout.readline().decode().strip()
        for _ in range(2):
            result = call("ask", "whatever", "--base-url", address)
            assert (result.status, result.out) == (0, "Sure:\nok\n")


def test_a_killed_program_leaves_what_had_come(tmp_path: Path) -> None:
    path = tmp_path / "bug.jsonl"
    with (
        endpoint(Play(tokens("hm", "</think>", "half")[:3], holds=True)) as server,
        start("ask", "x", "--record", str(path), "--base-url", server.url) as process,
    ):
        for _ in range(400):
            if path.exists() and b"half" in path.read_bytes():
                break
            assert process.poll() is None
            time.sleep(0.05)
        process.kill()
    (exchange,) = load_recording(path).exchanges
    assert b"half" in exchange.pieces[-1].piece
    assert exchange.end is None
    assert KEY.encode() not in path.read_bytes()
