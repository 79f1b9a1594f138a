"""Another attempt that waits: counted down on screen, made at once when asked for, called off by Escape."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from kimi_tui.core.errors import RateLimitedError
from kimi_tui.core.session.session import Role
from tests.fakes.clock import HandClock
from tests.fakes.scripted_client import DONE, Script, ScriptedClient, end, streaming, think_end, token
from tests.ui.program import Program, prepare

BUSY = Script([], refuse=RateLimitedError("The kitchen is busy (HTTP 429).", retry_after_s=9.0))
WHOLE = streaming(token("hm"), think_end(), token("Here it is."), end(), DONE)


@asynccontextmanager
async def waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *scripts: Script, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[Program]:
    """A program whose first attempt was refused, and whose clock stands still while it waits."""

    async def sleep(clock: HandClock, delay_s: float) -> None:
        end_s = clock.time_s + delay_s
        while clock.time_s < end_s:
            await asyncio.sleep(0.005)

    monkeypatch.setattr(HandClock, "sleep", sleep)
    prepared = prepare(tmp_path, *(scripts or (BUSY, WHOLE)))
    async with prepared.app.run_test(size=size) as pilot:
        running = prepared.run_by(pilot)
        await running.type("Lamb?<enter>")
        await running.shows("attempt 2 of 4 in 9 s")
        yield running


def attempts(running: Program) -> int:
    assert isinstance(running.client, ScriptedClient)
    return len(running.client.bodies)


def shows_twice(running: Program, words: str) -> bool:
    return running.text.count(words) == 2


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20)], ids=str)
async def test_the_countdown_stands_below_the_question_and_in_the_status_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    async with waiting(tmp_path, monkeypatch, size=size) as running:
        for left, time_s in ((9, 0.0), (6, 3.1), (1, 8.5)):
            running.clock.time_s = time_s
            await running.until(partial(shows_twice, running, f"attempt 2 of 4 in {left} s"))
        assert "The kitchen is busy" in running.text
        assert "Escape stop · Alt+R try now" in running.text
        assert attempts(running) == 1
        running.clock.time_s = 9.5
        await running.shows("Here it is.")
        assert "attempt" not in running.text
        assert "try now" not in running.text


@pytest.mark.parametrize("keys", ["<alt+r>", "/try-now<enter>"])
async def test_the_next_attempt_is_made_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
    async with waiting(tmp_path, monkeypatch) as running:
        if keys == "<alt+r>":
            await running.type("a draft")
        await running.type(keys)
        await running.shows("Here it is.")
        assert running.clock.time_s < 9
        assert (attempts(running), running.screen.composer.text) == (2, "a draft" if keys == "<alt+r>" else "")


async def test_escape_calls_it_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with waiting(tmp_path, monkeypatch) as running:
        await running.type("<escape>")
        await running.shows("○ stopped")
        assert "attempt" not in running.text
        running.clock.time_s = 60.0
        await running.pilot.pause(0.1)
        assert attempts(running) == 1
        assert [message.role for message in running.screen.chat.session.messages] == [Role.USER]


async def test_it_is_offered_only_while_an_attempt_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with waiting(tmp_path, monkeypatch, BUSY, BUSY, WHOLE) as running:
        await running.type("<alt+r>")
        await running.shows("attempt 3 of 4 in 9 s")
        await running.type("<alt+r>")
        await running.shows("Here it is.")
        await running.idle()
        await running.type("<alt+r>")
        await running.shows("there is no attempt that waits here.")
