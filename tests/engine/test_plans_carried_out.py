"""Turns of several requests: cut, gone on with, limited; the texts joined, the prompts as they are sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_tui.core.ports import Tap
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.growing_reply import ReplyPart, ReplyView
from kimi_tui.core.session.session import Message, MessageState, Role, Session
from kimi_tui.core.wire.plans import Cause, Limits, Plan, RequestEnd, RequestStep, answering, continuing, single
from kimi_tui.core.wire.thinking_budget import Budget
from kimi_tui.core.wire.turn_events import ReplyDelta
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.engine.openings import Asking, GoingOn
from kimi_tui.engine.turn import Turn
from kimi_tui.engine.turn_engine import Engine
from tests.fakes.clock import HandClock
from tests.fakes.scripted_client import Script, ScriptedClient, end, frame, streaming, think_end, token

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
REQUEST = RequestSettings(fields={"stream": True})
HELD = asyncio.Event
OPENING = "<|im_assistant|>assistant<|im_middle|><think>"


def opened(*messages: Message) -> OpenSession:
    head = messages[-1].id if messages else None
    return OpenSession(Session("s", NOW, NOW, "model", messages=messages, head=head), None)


def texts(message: Message) -> tuple[str | None, str]:
    return message.reasoning, message.content


def open_turns(client: ScriptedClient) -> list[str]:
    """How the inputs end, from the open turn's think block on."""
    return [body["input"].rpartition(OPENING)[2] for body in client.bodies]


async def cut_at(turn: Turn, *places: str) -> Message:
    """Cut each request when the reply ends with the next of these texts; the reply in the end."""
    waiting = list(places)
    async for event in turn.listen():
        if isinstance(event, ReplyDelta) and waiting and str(turn.reply.texts[event.part]).endswith(waiting[0]):
            assert turn.cut()
            waiting.pop(0)
    assert not waiting
    (reply,) = (await turn.finished()).replies
    return reply


async def test_thinking_cut_answered_and_gone_on_with_is_one_reply() -> None:
    plan = continuing(answering(single), 1)
    scripts = [
        streaming(token("hm"), token(" so"), HELD()),
        streaming(token("y"), token("e"), end("length", 10, 2, 0.1)),
        streaming(token("s."), end("stop", 12, 1, 0.2)),
    ]
    client, session = ScriptedClient(scripts), opened()
    turn = Engine(client, HandClock()).start(session, Asking("Hello!"), REQUEST, plan)
    reply = await cut_at(turn, "so")
    assert open_turns(client) == ["", "hm so</think>", "hm so</think>ye"]
    assert (texts(reply), reply.state, reply.finish_reason) == (("hm so", "yes."), MessageState.COMPLETE, "stop")
    assert [(r.kind, r.state, r.is_estimated) for r in reply.requests] == [
        ("reply", MessageState.CANCELLED, True),
        ("answer", MessageState.COMPLETE, False),
        ("continue", MessageState.COMPLETE, False),
    ]
    assert reply.usage is not None
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (22, 2 + 2 + 1)
    assert (client.closed, session.value.messages[-1], len(session.value.messages)) == (3, reply, 2)


async def test_a_request_that_is_not_to_be_cut_is_not() -> None:
    client = ScriptedClient([streaming(token("hm"), think_end(), token("yes"), end())])
    turn = Engine(client, HandClock()).start(opened(), Asking("Hello!"), REQUEST)
    async for _ in turn.listen():
        assert not turn.cut()
    assert texts((await turn.finished()).replies[0]) == ("hm", "yes")


async def test_a_budget_that_is_reached_as_the_connection_ends_counts_its_request_once() -> None:
    client = ScriptedClient([streaming(token("a"), token("b")), streaming(token("yes"), end("stop", 9, 1, 0.1))])
    plan = answering(single, Budget(tokens=2))
    (reply,) = (await Engine(client, HandClock()).start(opened(), Asking("Hi"), REQUEST, plan).finished()).replies
    assert [(record.kind, record.usage.output_tokens) for record in reply.requests] == [("reply", 2), ("answer", 1)]
    assert (texts(reply), reply.thinking_end) == (("ab", "yes"), "budget")


async def test_a_cut_that_comes_after_the_end_changes_nothing() -> None:
    client = ScriptedClient([streaming(token("hm"), think_end(), token("yes"), end(), HELD())])
    turn = Engine(client, HandClock()).start(opened(), Asking("Hello!"), REQUEST, answering(single))
    events = turn.listen()
    while turn.reply.texts[ReplyPart.ANSWER].between(0, 3) != "yes":
        await events.drain()
    for _ in range(10):  # the end is read
        await asyncio.sleep(0)
    turn.cut()
    (reply,) = (await turn.finished()).replies
    assert (texts(reply), reply.state, len(client.bodies)) == (("hm", "yes"), MessageState.COMPLETE, 1)


@pytest.mark.parametrize("is_begun", [True, False])
async def test_stopping_in_a_later_request_keeps_what_all_of_them_brought(is_begun: bool) -> None:
    plan = answering(single)
    client = ScriptedClient([streaming(token("hm"), HELD()), streaming(*[token("ye")] * is_begun, HELD())])
    turn = Engine(client, HandClock()).start(opened(), Asking("Hello!"), REQUEST, plan)
    async for event in turn.listen():
        if isinstance(event, ReplyDelta) and event.part is ReplyPart.REASONING:
            assert turn.cut()
            while len(client.bodies) < 2:
                await asyncio.sleep(0)
            if not is_begun:
                turn.stop()
        elif isinstance(event, ReplyDelta):
            turn.stop()
    (reply,) = (await turn.finished()).replies
    assert (texts(reply), reply.state) == (("hm", "ye" if is_begun else ""), MessageState.CANCELLED)
    assert reply.thinking_end == "user"


def limited(limits: Limits) -> Plan:
    """Thinks up to a limit, then answers."""

    def plan(reply: ReplyView, ends: Sequence[RequestEnd]) -> RequestStep | None:
        if not ends:
            return RequestStep("think", limits=limits)
        return RequestStep("answer", ends_thinking="user") if ends[-1].cause is Cause.BUDGET else None

    return plan


async def test_a_budget_of_tokens_ends_the_thinking() -> None:
    client = ScriptedClient([streaming(*[token("a")] * 9, HELD()), streaming(token("yes"), end())])
    turn = Engine(client, HandClock()).start(opened(), Asking("x"), REQUEST, limited(Limits(thinking_tokens=4)))
    (reply,) = (await turn.finished()).replies
    assert (texts(reply), open_turns(client)[1]) == (("aaaa", "yes"), "aaaa</think>")


async def test_a_budget_in_seconds_counts_from_the_first_token_of_the_thinking() -> None:
    clock = HandClock()
    client = ScriptedClient([streaming(token("a"), HELD()), streaming(token("yes"), end())])
    turn = Engine(client, clock).start(opened(), Asking("x"), REQUEST, limited(Limits(thinking_s=20.0)))
    (reply,) = (await turn.finished()).replies
    assert (texts(reply), clock.sleeps) == (("a", "yes"), [20.0])


@pytest.mark.parametrize("limits", [Limits(thinking_tokens=2), Limits(thinking_s=20.0)])
async def test_a_budget_of_thinking_never_cuts_an_answer(limits: Limits) -> None:
    client = ScriptedClient([streaming(token("a"), think_end(), *[token("b")] * 9, end())])
    turn = Engine(client, HeldClock()).start(opened(), Asking("x"), REQUEST, limited(limits))
    (reply,) = (await turn.finished()).replies
    assert (texts(reply), len(client.bodies)) == (("a", "b" * 9), 1)


class HeldClock(HandClock):
    """Its time does not pass."""

    async def sleep(self, delay_s: float) -> None:
        await asyncio.Event().wait()


QUESTION = Message("m1", Role.USER, "Hello!", created=NOW)


def broken(reasoning: str | None, content: str, **more: Any) -> Message:
    kept: dict[str, Any] = {"thinking": True, "template": "deepinfra", "state": MessageState.INTERRUPTED, **more}
    return replace(Message("m2", Role.ASSISTANT, content, "m1", NOW, reasoning), **kept)


@pytest.mark.parametrize(
    ("kept", "open_turn", "brought", "expected"),
    [
        (broken("hm", "ye"), "hm</think>ye", ["s."], ("hm", "yes.")),
        (broken("h", ""), "h", ["m", "</think>", "yes"], ("hm", "yes")),
        (broken("hm", "", thinking_end="model"), "hm</think>", ["yes"], ("hm", "yes")),
        (broken(None, "ye", thinking=False), "</think>ye", ["s"], (None, "yes")),
        (broken(None, ""), "", ["hm", "</think>", "yes"], ("hm", "yes")),
        (broken("a <think> b", "c </think> d"), "a <think> b</think>c </think> d", [" <think> e"],
         ("a <think> b", "c </think> d <think> e")),
    ],
)  # fmt: skip
async def test_a_saved_reply_is_gone_on_with_where_it_broke(
    kept: Message, open_turn: str, brought: list[str], expected: tuple[str | None, str]
) -> None:
    session = opened(QUESTION, kept)
    client = ScriptedClient([streaming(*map(token, brought), end())])
    turn = Engine(client, HandClock()).start(session, GoingOn(kept), REQUEST)
    (reply,) = (await turn.finished()).replies
    assert open_turns(client) == [open_turn]
    assert (texts(reply), reply.id, reply.created, reply.state) == (expected, "m2", NOW, MessageState.COMPLETE)
    assert (session.value.messages, session.value.head) == ((QUESTION, reply), "m2")


async def test_a_reply_with_messages_below_it_gets_an_alternative_that_goes_on() -> None:
    kept, below = broken("hm", "ye"), Message("m3", Role.USER, "And?", "m2")
    session = opened(QUESTION, kept, below)
    turn = Engine(ScriptedClient([streaming(token("s."), end())]), HandClock()).start(session, GoingOn(kept), REQUEST)
    (reply,) = (await turn.finished()).replies
    assert (reply.id, reply.parent, texts(reply)) == ("m4", "m1", ("hm", "yes."))
    assert (session.value.messages, session.value.head) == ((QUESTION, kept, below, reply), "m4")


async def test_going_on_in_vain_leaves_the_reply_as_it_was() -> None:
    kept = broken("hm", "ye")
    session = opened(QUESTION, kept)
    turn = Engine(ScriptedClient([streaming(HELD())]), HandClock()).start(session, GoingOn(kept), REQUEST)
    while turn.question is None:
        await asyncio.sleep(0)
    turn.stop()
    assert (await turn.finished()).replies == ()
    assert (session.value.messages, session.value.head) == ((QUESTION, kept), "m2")


@pytest.mark.parametrize("change", [lambda m: replace(m, content="other"), lambda _: None], ids=["changed", "gone"])
async def test_a_reply_that_has_changed_is_not_gone_on_with(change: Callable[[Message], Message | None]) -> None:
    kept = broken("hm", "ye")
    session = opened(*filter(None, (QUESTION, change(kept))))
    before, client = session.value, ScriptedClient([])
    ended = await Engine(client, HandClock()).start(session, GoingOn(kept), REQUEST).finished()
    assert ended.error is not None
    assert (ended.replies, session.value, client.bodies) == ((), before, [])


class Model(ScriptedClient):
    """Has one reply in mind: it goes on with it wherever an input breaks off, and sends it in tokens of one character."""

    def __init__(self, whole: str) -> None:
        super().__init__([])
        self.whole = whole

    @asynccontextmanager
    async def send(self, body: bytes, model: str, tap: Tap | None = None) -> AsyncIterator[Any]:
        before = json.loads(body)["input"].rpartition(OPENING)[2]
        assert self.whole.startswith(before), (self.whole, before)
        self.scripts.append(Script([*map(token, self.whole[len(before) :]), frame(details={"finish_reason": "stop"})]))
        async with super().send(body, model, tap) as response:
            yield response


def cut_after(chars: int) -> Plan:
    """Lets a first request be cut, and goes on."""

    def plan(reply: ReplyView, ends: Sequence[RequestEnd]) -> RequestStep | None:
        if not ends:
            return RequestStep(limits=Limits(can_be_cut=True))
        return RequestStep("continue") if ends[-1].cause is Cause.USER else None

    return plan


WHOLE = "I <think> so…</think>```py\nprint('👍🏽')\n```\r\n| a | b |</think> <|im_endx it"


@settings(max_examples=40, deadline=None)
@given(place=st.integers(1, len(WHOLE) - 1))
def test_a_reply_that_was_cut_anywhere_and_gone_on_with_is_the_uncut_one(place: int) -> None:
    async def run() -> Message:
        turn = Engine(Model(WHOLE), HandClock()).start(opened(), Asking("x"), REQUEST, cut_after(place))
        async for event in turn.listen():
            if isinstance(event, ReplyDelta) and sum(map(len, turn.reply.texts.values())) >= place:
                turn.cut()
        (reply,) = (await turn.finished()).replies
        return reply

    reply = asyncio.run(run())
    reasoning, _, content = WHOLE.partition("</think>")
    assert texts(reply) == (reasoning, content)


async def test_what_came_beyond_a_budget_in_the_same_burst_is_off_the_most_tokens_of_the_reply() -> None:
    burst = token("One. ") + token("b") + token("c") + token("d")
    client = ScriptedClient([streaming(burst, HELD()), streaming(token("yes"), end())])
    request = replace(REQUEST, fields={**REQUEST.fields, "max_new_tokens": 90})
    turn = Engine(client, HandClock()).start(opened(), Asking("Hi"), request, answering(single, Budget(tokens=2)))
    (reply,) = (await turn.finished()).replies
    assert (reply.reasoning, reply.cut_tail) == ("One.", " bcd")
    assert [body["max_new_tokens"] for body in client.bodies] == [90, 86]
    assert reply.requests[0].usage.output_tokens == 4
