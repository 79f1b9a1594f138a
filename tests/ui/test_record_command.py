"""/record: the stream of the last reply, the running one, or the next one, into a file that replays it."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from kimi_tui.adapters.recording_files import load_recording
from kimi_tui.core.session.session import MessageState
from tests.fakes.scripted_client import DONE, Script, end, streaming, think_end, token
from tests.recorded import plain, replay
from tests.ui.program import Program, program


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # short names are typed faster


def whole() -> Script:
    return streaming(token("hm"), think_end(), token("Yes."), end(), DONE)


async def same_as_on_screen(running: Program, path: Path) -> None:
    session, _ = await replay(load_recording(path))
    shown = running.screen.chat.branch
    assert [message.content for message in session.messages] == [message.content for message in shown]
    assert plain(session.messages[-1]) == plain(shown[-1])


async def test_the_last_reply_is_written_afterwards(tmp_path: Path) -> None:
    async with program(tmp_path, whole(), whole()) as running:
        for question in ("Lamb?", "Fish?"):
            await running.type(f"{question}<enter>")
            await running.shows(question)
            await running.idle()
        await running.type("/record a file.jsonl<enter>")
        await running.shows("The last reply was recorded into")
        await running.shows("kimi-tui replay 'a file.jsonl'")
        await same_as_on_screen(running, tmp_path / "a file.jsonl")
    assert (tmp_path / "a file.jsonl").stat().st_mode & 0o777 == 0o600


async def test_the_running_reply_is_written_as_it_comes(tmp_path: Path) -> None:
    path, go_on = tmp_path / "bug.jsonl", asyncio.Event()
    script = streaming(token("hm"), think_end(), token("Ye"), go_on, token("s."), end(), DONE)
    async with program(tmp_path, script) as running:
        await running.type("Lamb?<enter>")
        await running.shows("Ye")
        await running.type(f"/record {path.name}<enter>")
        await running.shows("The running reply is recorded into")
        await running.until(lambda: b'"Ye' in path.read_bytes().replace(b"\\", b""))
        assert load_recording(path).exchanges[0].end is None
        go_on.set()
        await running.idle()
        await running.until(lambda: b'"end"' in path.read_bytes())
        await same_as_on_screen(running, path)


async def test_the_next_reply_is_written_when_it_comes(tmp_path: Path) -> None:
    path = tmp_path / "bug.jsonl"
    async with program(tmp_path, whole(), whole()) as running:
        await running.type("Lamb?<enter>")
        await running.idle()
        await running.type(f"/record next {path.name}<enter>")
        await running.shows("The next reply of this session is recorded into")
        assert path.read_bytes() == b""
        await running.type("Fish?<enter>")
        await running.until(lambda: b'"end"' in path.read_bytes())
        await running.idle()
        await same_as_on_screen(running, path)
        await running.type("And?<enter>")
        await running.idle()
        assert len(load_recording(path).exchanges) == 1


async def test_what_cannot_be_recorded_is_told(tmp_path: Path) -> None:
    there = tmp_path / "there.jsonl"
    there.write_text("mine")
    async with program(tmp_path, whole()) as running:
        for line, words in (
            ("/record", "needs a file name"),
            ("/record next", "needs a file name"),
            ("/record new.jsonl", "/record next FILE"),
            ("/record next there.jsonl", "Name a new file"),
            ("/record next no/such.jsonl", "No such file"),
        ):
            await running.type(f"{line}<enter>")
            await running.shows(words)
            await running.type("<ctrl+u>/dismiss<enter>")
        await running.type("Lamb?<enter>")
        await running.idle()
        assert running.screen.chat.branch[-1].state is MessageState.COMPLETE
    assert there.read_text() == "mine"


def says(text: str, *, waits: asyncio.Event | None = None) -> Script:
    gate = [] if waits is None else [waits]
    return streaming(token("hm"), think_end(), token(text), *gate, token("."), end(), DONE)


def is_held(path: Path) -> bool:
    """Whether a descriptor of this process still leads to it."""
    for descriptor in range(256):
        with suppress(OSError):
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return True
    return False


def is_over(path: Path) -> bool:
    return b'"end"' in path.read_bytes()


async def answer_in(path: Path) -> str:
    _, ended = await replay(load_recording(path))
    return ended.replies[0].content


async def test_of_replies_that_begin_together_each_is_found_again(tmp_path: Path) -> None:
    waits = [asyncio.Event(), asyncio.Event()]
    scripts = [says(text, waits=gate) for text, gate in zip(("One", "Two"), waits, strict=True)]
    async with program(tmp_path, whole(), *scripts) as running:
        await running.type("Lamb?<enter>")
        await running.idle()
        await running.type("/record next next.jsonl<enter>")
        await running.shows("it is the first")
        await running.type("/regenerate 2<enter>")
        await running.shows("2 side by side")
        await running.until(lambda: all(it.turn.growing.has_grown for it in running.screen.chat.replies.running))
        await running.type("/record shown.jsonl<enter>")
        await running.shows("The running reply is recorded into shown.jsonl")
        waits[1].set()
        await running.until(lambda: len(running.screen.chat.replies.running) == 1)
        waits[0].set()
        await running.idle()
        _, _, first, second = running.screen.chat.session.messages
        assert {first.content, second.content} == {"One.", "Two."}
        for name in ("next.jsonl", "shown.jsonl"):
            await running.until(partial(is_over, tmp_path / name))
            assert await answer_in(tmp_path / name) == first.content
        await running.type("<shift+tab><right><escape>/record other.jsonl<enter>")
        await running.shows("The last reply was recorded into other.jsonl")
        assert await answer_in(tmp_path / "other.jsonl") == second.content
        assert not [path.name for path in tmp_path.glob("*.jsonl") if is_held(path)]
