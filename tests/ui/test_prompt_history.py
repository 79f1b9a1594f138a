"""Up in the empty composer: the prompts of this session, then those of earlier ones."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.core.errors import StorageError
from kimi_tui.core.session.session import Session
from tests.fakes.scripted_client import DONE, Script, end, streaming, think_end, token
from tests.ui.program import NOW, Program, program, talk

HERE = talk(("one here", "Yes."), ("two here", "Yes."))


def earlier(number: int, *prompts: str) -> Session:
    """A session of some days ago."""
    session = talk(*((prompt, "Yes.") for prompt in prompts))
    asked = NOW - timedelta(days=number)
    messages = tuple(replace(message, created=asked) for message in session.messages)
    return replace(session, id=f"2026110{number}-081500-aaaa", messages=messages, created=asked, updated=asked)


def reply() -> Script:
    return streaming(token("hm"), think_end(), token("Yes."), end(), DONE)


def draft(running: Program) -> str:
    return running.screen.composer.draft


async def recalls(running: Program, key: str, *prompts: str) -> None:
    """The key brings these, one after the other."""
    for prompt in prompts:
        await running.type(f"<{key}>")
        await running.until(lambda prompt=prompt: draft(running) == prompt)  # type: ignore[misc]


class Gate:
    """Holds the reading of earlier prompts until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        self.loop_thread = threading.get_ident()
        self._open = threading.Event()
        read: Callable[[SessionFiles], Sequence[str]] = SessionFiles.recent_prompts

        def held(library: SessionFiles) -> Sequence[str]:
            self.calls += 1
            assert threading.get_ident() != self.loop_thread
            assert self._open.wait(10)
            return read(library)

        monkeypatch.setattr(SessionFiles, "recent_prompts", held)

    def open(self) -> None:
        self._open.set()


async def test_a_new_session_offers_the_prompts_of_earlier_ones(tmp_path: Path) -> None:
    async with program(tmp_path) as running:
        running.files.save_now(earlier(1, "one yesterday", "/two yesterday"))
        running.files.save_now(earlier(2, "before"))
        await recalls(running, "up", "//two yesterday", "one yesterday", "before")
        await running.type("<up>")
        assert draft(running) == "before"
        await recalls(running, "down", "one yesterday", "//two yesterday", "")


async def test_the_prompts_of_this_session_come_first(tmp_path: Path) -> None:
    async with program(tmp_path, session=HERE) as running:
        running.files.save_now(earlier(1, "yesterday", "one here"))
        await recalls(running, "up", "two here", "one here", "yesterday")
        await recalls(running, "down", "one here", "two here", "")


async def test_what_was_asked_a_moment_ago_is_offered_in_the_next_session(tmp_path: Path) -> None:
    async with program(tmp_path, reply()) as running:
        running.files.save_now(earlier(1, "yesterday"))
        await recalls(running, "up", "yesterday")
        await running.type("<ctrl+u>just now<enter>")
        await running.idle()
        await running.until(lambda: bool(running.screen.chat.session.messages))
        await running.type("<ctrl+n>")
        await running.until(lambda: not running.screen.chat.session.messages)
        await recalls(running, "up", "just now", "yesterday")


async def test_no_key_waits_for_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(monkeypatch)
    async with program(tmp_path) as running:
        running.files.save_now(earlier(1, "one", "two"))
        await running.type("<up>typed meanwhile")
        assert draft(running) == "typed meanwhile"
        gate.open()
        await running.pilot.pause(0.05)
        assert draft(running) == "typed meanwhile"
        await running.type("<ctrl+u><up>")
        await running.until(lambda: draft(running) == "two")
        assert gate.calls == 1


async def test_keys_that_came_before_the_files_were_read_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(monkeypatch)
    async with program(tmp_path) as running:
        running.files.save_now(earlier(1, "one", "two", "three"))
        await running.type("<up><up><up>")
        assert draft(running) == ""
        gate.open()
        await running.until(lambda: draft(running) == "one")


async def test_a_message_that_was_sent_meanwhile_is_followed_by_no_prompt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    async with program(tmp_path, reply()) as running:
        running.files.save_now(earlier(1, "one"))
        await running.type("<up>sent<enter>")
        gate.open()
        await running.idle()
        await running.pilot.pause(0.05)
        assert draft(running) == ""


async def test_another_session_gets_no_prompt_that_was_asked_for_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    async with program(tmp_path, session=HERE) as running:
        running.files.save_now(earlier(1, "one"))
        await running.type("<up><up><up><ctrl+n>")
        await running.until(lambda: not running.screen.chat.session.messages)
        gate.open()
        await running.pilot.pause(0.05)
        assert draft(running) == ""


async def test_a_folder_that_cannot_be_read_offers_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(library: SessionFiles) -> Sequence[str]:
        raise StorageError("The folder cannot be read.")

    monkeypatch.setattr(SessionFiles, "recent_prompts", refuse)
    async with program(tmp_path) as running:
        await running.type("<up><up>still here")
        assert draft(running) == "still here"
        assert "cannot be read" not in running.text


async def test_a_prompt_that_was_changed_is_not_replaced(tmp_path: Path) -> None:
    async with program(tmp_path) as running:
        running.files.save_now(earlier(1, "one", "two"))
        await recalls(running, "up", "two")
        await running.type("!<up>")
        assert draft(running) == "two!"


async def test_a_refused_command_that_was_typed_over_comes_back(tmp_path: Path) -> None:
    async with program(tmp_path, session=HERE) as running:
        await running.type("/sweep top_p 0.1 2<enter>")
        await running.until(lambda: draft(running) == "/sweep top_p 0.1 2")
        await running.type("x")
        assert draft(running) == "x"
        await running.type("<ctrl+z>")
        assert draft(running) == "/sweep top_p 0.1 2"
        await running.type("x<backspace>")
        await recalls(running, "up", "/sweep top_p 0.1 2", "two here", "one here")
