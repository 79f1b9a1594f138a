"""A long prompt is written beside the event loop: meanwhile the session changes, and the turn is stopped."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from kimi_tui.core.errors import InputTooLargeError
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.growing_reply import ReplyView
from kimi_tui.core.session.session import Message, MessageState, Role, Session
from kimi_tui.core.session.tree import with_system
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from kimi_tui.core.wire.turn_events import TurnBegan
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.engine.openings import Asking
from kimi_tui.engine.turn_engine import Engine
from tests.fakes.clock import HandClock
from tests.fakes.scripted_client import DONE, ScriptedClient, end, streaming, think_end, token

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
REQUEST = RequestSettings(fields={"stream": True})
LIMIT_S = 20.0


class Gate:
    """Holds whoever passes it in a thread until it is opened."""

    def __init__(self) -> None:
        self._reached, self._opened = threading.Event(), threading.Event()

    def pass_through(self) -> None:
        self._reached.set()
        assert self._opened.wait(LIMIT_S)

    async def reached(self) -> None:
        """Wait for it; this comes to an end only where the event loop goes on."""
        assert await asyncio.to_thread(self._reached.wait, LIMIT_S)

    def open(self) -> None:
        self._opened.set()


class SlowAsking(Asking):
    """A question that takes long to get its place in a prompt."""

    gate = Gate()

    def apply(self, session: Session, reply: ReplyView, now: datetime) -> Session:
        self.gate.pass_through()
        return super().apply(session, reply, now)


def slow(text: str) -> SlowAsking:
    SlowAsking.gate = Gate()
    return SlowAsking(text)


def answering() -> ScriptedClient:
    return ScriptedClient([streaming(token("hm"), think_end(), token("yes"), end(), DONE)])


def opened(*messages: Message) -> OpenSession:
    return OpenSession(Session("s", NOW, NOW, "model", messages=messages), None)


async def test_what_changes_meanwhile_is_in_the_prompt() -> None:
    session, client, asking = opened(Message("m1", Role.USER, "first")), answering(), slow("Hello!")
    turn = Engine(client, HandClock()).start(session, asking, REQUEST)
    await asking.gate.reached()
    assert turn.question is None
    session.update(lambda value: replace(with_system(value, "Be brief."), title="kept"))
    asking.gate.open()
    ended = await turn.finished()
    assert ended.state is MessageState.COMPLETE
    assert "Be brief." in client.bodies[0]["input"]
    assert (session.value.system, session.value.title) == ("Be brief.", "kept")
    assert [message.content for message in session.value.messages] == ["first", "Hello!", "yes"]


async def test_stopped_meanwhile_the_question_stays_and_nothing_is_sent() -> None:
    session, client, asking = opened(), answering(), slow("Hello!")
    turn = Engine(client, HandClock()).start(session, asking, REQUEST)
    events = turn.listen()
    await asking.gate.reached()
    turn.stop()
    asking.gate.open()
    ended = await turn.finished()
    assert (ended.state, ended.replies, client.bodies) == (MessageState.CANCELLED, (), [])
    assert [message.content for message in session.value.messages] == ["Hello!"]
    assert isinstance((await events.drain())[0], TurnBegan)
    assert session.take_ids(1) == ("m2",)


async def test_what_does_not_fit_changes_nothing_though_the_session_did_meanwhile() -> None:
    session, client, asking = opened(), answering(), slow("word " * 1000)
    turn = Engine(client, HandClock()).start(session, asking, replace(REQUEST, context_tokens=100))
    await asking.gate.reached()
    changed = session.update(lambda value: replace(value, title="new"))
    asking.gate.open()
    ended = await turn.finished()
    assert isinstance(ended.error, InputTooLargeError)
    assert (session.value, client.bodies) == (changed, [])
    assert session.take_ids(2) == ("m1", "m2")


async def test_stopped_while_the_body_is_written_nothing_is_sent() -> None:
    gate = Gate()

    def write_body(model: str, prompt: str, fields: Mapping[str, object]) -> dict[str, object]:
        gate.pass_through()
        return DEEPINFRA.write_body(model, prompt, fields)

    session, client = opened(), answering()
    client.dialect = replace(DEEPINFRA, write_body=write_body)
    turn = Engine(client, HandClock()).start(session, Asking("Hello!"), REQUEST)
    await gate.reached()
    turn.stop()
    ended = await turn.finished()  # it is not waited for
    gate.open()
    assert (ended.state, client.bodies) == (MessageState.CANCELLED, [])
    assert [message.content for message in session.value.messages] == ["Hello!"]
