"""Several whole replies to one question through the engine: the same input, their own fields, one journal each."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from kimi_tui.core.errors import BrokenStreamError, RateLimitedError, RejectedRequestError
from kimi_tui.core.ports import Tap
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.differing_fields import setting_labels
from kimi_tui.core.session.session import Message, MessageState, Role, Session
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.engine.openings import AskingAgain
from kimi_tui.engine.turn import Turn
from kimi_tui.engine.turn_engine import Engine
from tests.fakes.clock import HandClock
from tests.fakes.scripted_client import Script, ScriptedClient, end, streaming, think_end, token

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
SESSION = Session(
    "s", NOW, NOW, "m", title="Lamb?", messages=(Message("m1", Role.USER, "Lamb?", created=NOW),), head="m1"
)
REQUEST = RequestSettings(fields={"stream": True}, retries=2)


@dataclass
class ByTemperature(ScriptedClient):
    """Plays to each request the script of its temperature: several begin in whichever order."""

    by_value: dict[float, list[Script]] = field(default_factory=dict)

    @asynccontextmanager
    async def send(self, body: bytes, model: str, tap: Tap | None = None) -> AsyncIterator[Any]:
        self.scripts.append(self.by_value[json.loads(body)["temperature"]].pop(0))
        async with super().send(body, model, tap) as response:
            yield response


def begun(open_session: OpenSession, client: ScriptedClient, temperatures: list[float | None]) -> list[Turn]:
    engine, turns = Engine(client, HandClock()), []
    for value in temperatures:
        fields = {**REQUEST.fields, **({} if value is None else {"temperature": value})}
        turns.append(engine.start(open_session, AskingAgain("m1"), replace(REQUEST, fields=fields)))
    open_session.shown_reply = turns[0].reply.id
    return turns


def labels(session: Session) -> dict[str, str]:
    return setting_labels((it.parent, it.id, it.sent) for it in session.messages)


async def test_each_sends_its_own_field_with_the_same_input() -> None:
    session = OpenSession(SESSION, None)
    client = ScriptedClient([streaming(token("hm"), think_end(), token("Yes."), end()) for _ in range(3)])
    for turn in begun(session, client, [0, 0.5, None]):
        await turn.finished()
    assert {body.get("temperature") for body in client.bodies} == {0, 0.5, None}
    assert len({body["input"] for body in client.bodies}) == 1
    assert labels(session.value) == {"m2": "temperature 0", "m3": "temperature 0.5", "m4": "no temperature"}
    assert session.value.head == "m2"


async def test_whatever_becomes_of_one_the_others_keep_their_own_figures() -> None:
    session, gate = OpenSession(SESSION, None), asyncio.Event()
    busy, refused = RateLimitedError("Slow down."), RejectedRequestError("No.")
    scripts: dict[float, list[Script]] = {
        0: [streaming(token("hm"), think_end(), token("Yes."), end("stop", 10, 2, 0.1))],
        1: [Script([], refuse=refused)],
        2: [
            Script([], refuse=busy),
            streaming(token("so"), think_end(), token("Well."), end("stop", 11, 3, 0.2)),
        ],
        3: [streaming(token("hm"), gate, BrokenStreamError("It broke."))],
    }
    client = ByTemperature([], by_value=scripts)
    turns = begun(session, client, [0, 1, 2, 3])
    ends = [await turns[place].finished() for place in (0, 1, 2)]
    gate.set()
    ends.append(await turns[3].finished())
    assert [ended.state for ended in ends] == [
        MessageState.COMPLETE,
        MessageState.FAILED,
        MessageState.COMPLETE,
        MessageState.INTERRUPTED,
    ]
    costs = {it.id: it.usage and it.usage.cost_usd for it in session.value.messages[1:]}
    assert sorted(costs.values(), key=lambda it: it or 0) == [None, 0.1, 0.2]
    assert {it.parent for it in session.value.messages[1:]} == {"m1"}


@pytest.mark.parametrize("stopped", range(3))
async def test_one_that_is_stopped_keeps_what_came_and_the_others_go_on(stopped: int) -> None:
    session, gate = OpenSession(SESSION, None), asyncio.Event()
    client = ScriptedClient(
        [streaming(token("hm"), think_end(), token("Yes"), gate, token("!"), end()) for _ in range(3)]
    )
    turns = begun(session, client, [0, 1, 2])
    while not all(len(turn.reply.texts["answer"]) for turn in turns):  # type: ignore[index]
        await asyncio.sleep(0)
    turns[stopped].stop()
    await turns[stopped].finished()
    gate.set()
    for turn in turns:
        await turn.finished()
    found = {message.id: message.content for message in session.value.messages[1:]}
    assert found == {f"m{place + 2}": "Yes" if place == stopped else "Yes!" for place in range(3)}
