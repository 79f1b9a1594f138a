"""Silence is counted while the program runs: a stopped process, a machine that slept, a clock that was set."""

from __future__ import annotations

import asyncio
import socket
import time
from datetime import UTC, datetime

import pytest

from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.session import MessageState
from kimi_tui.core.wire.turn_events import ReplyDelta, Retrying, TurnEvent
from kimi_tui.engine import silence
from kimi_tui.engine.openings import Asking
from kimi_tui.engine.turn_engine import Engine
from tests.engine.test_engine import ended, opened, run
from tests.fakes.clock import HandClock
from tests.fakes.scripted_client import DONE, ScriptedClient, Step, end, streaming, think_end, token

REQUEST = RequestSettings(fields={"stream": True}, silence_s=120.0)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silence, "LOOK_S", 0.01)
    monkeypatch.setattr(silence, "WAKE_S", 0.1)


async def sleeping_through(*steps: Step, after_tokens: int, clock: HandClock) -> list[TurnEvent]:
    """A turn on a machine that sleeps for an hour once so many tokens are there."""
    client = ScriptedClient([streaming(*steps)] * 2)
    turn = Engine(client, clock).start(opened(), Asking("Hello!"), REQUEST)
    listener = turn.listen()
    if after_tokens == 0:
        await asyncio.sleep(0.05)
        clock.slept_s += 3600
    events: list[TurnEvent] = []
    async for event in listener:
        events.append(event)
        if isinstance(event, ReplyDelta) and sum(isinstance(e, ReplyDelta) for e in events) == after_tokens:
            await asyncio.sleep(0.03)
            clock.slept_s += 3600
    assert len(client.bodies) == 1
    return events


async def test_a_reply_that_does_not_outlive_a_sleep_ends_soon_and_keeps_what_came() -> None:
    clock = HandClock()
    steps = (token("hm"), think_end(), token("half"), asyncio.Event())
    async with asyncio.timeout(10):
        last = ended(await sleeping_through(*steps, after_tokens=1, clock=clock))
    assert last.error is not None
    assert (last.state, last.error.kind, last.error.retryable) == (MessageState.INTERRUPTED, "connection", False)
    assert "slept" in last.error.summary
    assert (last.replies[0].reasoning, last.replies[0].content) == ("hm", "half")
    assert last.replies[0].timing is not None
    assert (last.replies[0].timing.total_s or 0) < 60


async def test_a_sleep_before_the_first_token_is_no_reason_to_ask_again() -> None:
    async with asyncio.timeout(10):
        events = await sleeping_through(asyncio.Event(), after_tokens=0, clock=HandClock())
    assert not any(isinstance(event, Retrying) for event in events)
    assert (ended(events).state, ended(events).replies) == (MessageState.FAILED, ())


async def test_a_reply_that_goes_on_after_a_sleep_is_whole() -> None:
    gate = asyncio.Event()
    steps = (token("hm"), gate, think_end(), token("whole"), end(), DONE)
    clock = HandClock()
    asyncio.get_running_loop().call_later(0.1, gate.set)
    last = ended(await sleeping_through(*steps, after_tokens=1, clock=clock))
    assert (last.state, last.replies[0].content) == (MessageState.COMPLETE, "whole")


async def test_what_came_while_the_process_was_stopped_is_read_before_its_silence_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(silence, "LATE_S", 0.1)
    there, here = socket.socketpair()
    with there, here:
        here.setblocking(False)
        async with silence.Silence(HandClock(), 0.3):
            await asyncio.sleep(0.02)
            there.send(b"token")
            time.sleep(0.6)  # nothing of this process runs
            assert await asyncio.get_running_loop().sock_recv(here, 10) == b"token"
            await asyncio.sleep(0.05)


async def test_silence_ends_a_block_in_its_time() -> None:
    with pytest.raises(TimeoutError):
        async with silence.Silence(HandClock(), 0.05):
            await asyncio.Event().wait()


async def test_less_time_than_before_is_kept_too() -> None:
    async def less() -> None:
        async with silence.Silence(HandClock(), 100.0) as limit:
            limit.allow(0.02)
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await less()


@pytest.mark.parametrize("jump_s", [-86_400 * 365, 86_400 * 365])
async def test_a_clock_that_is_set_breaks_neither_limits_nor_figures(jump_s: int) -> None:
    class SetClock(HandClock):
        """Its time of day is set while the reply comes."""

        def now(self) -> datetime:
            past = super().now()
            return datetime.fromtimestamp(past.timestamp() + (jump_s if self.time_s else 0), UTC)

    clock = SetClock()
    steps = (token("hm"), think_end(), token("whole"), end(), DONE)
    session = opened()
    turn = Engine(ScriptedClient([streaming(*steps)]), clock).start(session, Asking("Hello!"), REQUEST)
    events: list[TurnEvent] = []
    async for event in turn.listen():
        events.append(event)
        if isinstance(event, ReplyDelta):
            clock.time_s += 1.0
    reply = ended(events).replies[0]
    assert (ended(events).state, reply.content) == (MessageState.COMPLETE, "whole")
    assert reply.timing is not None
    assert all(0 <= (value or 0) <= 5 for value in (reply.timing.first_token_s, reply.timing.total_s))
    again = ended(await run(Engine(ScriptedClient([streaming(*steps)]), clock).start(session, Asking("And?"), REQUEST)))
    assert (again.state, [m.parent for m in session.value.messages]) == (
        MessageState.COMPLETE,
        [None, "m1", "m2", "m3"],
    )
