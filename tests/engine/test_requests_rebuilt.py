"""Every request behind a reply, rebuilt from the session file: the body that a server got, byte by byte."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_tui.core.prompt.past_requests import requests_known
from kimi_tui.core.prompt.prompt_view import request_view
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.codec import decode_session, encode_session
from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.request_starts import requests_of
from kimi_tui.core.session.session import Message, MessageState, RequestRecord, Role, Session
from kimi_tui.core.wire.body import build_body
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from kimi_tui.core.wire.plans import Plan, answering, chosen, single
from kimi_tui.core.wire.reply_plans import going_on, refusal_to_continue
from kimi_tui.core.wire.thinking_budget import Budget
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.engine.openings import Asking, GoingOn
from kimi_tui.engine.turn_engine import Engine
from tests.core.prompt.test_conversation import session_of, user
from tests.engine.test_any_moment import NOW, REQUEST, Thinker, budgets, failures, pressed, presses
from tests.fakes.clock import HandClock
from tests.fakes.scripted_client import ScriptedClient, end, streaming, token


def bodies_of(session: Session, reply: Message) -> list[bytes]:
    """The body of each request behind it, as what is stored says."""
    assert list(requests_known(reply)) == list(range(len(requests_of(reply))))
    views = [request_view(session, reply, place, 1000) for place in requests_known(reply)]
    return [build_body(DEEPINFRA, "model", view.text, view.sent or {}, {}) for view in views]


@settings(max_examples=100, deadline=None)
@given(failures, presses, presses, budgets, st.integers(0, 2))
def test_whatever_was_pressed_every_body_can_be_rebuilt(
    failing: list[tuple[str, int]],
    first: list[tuple[int, str]],
    second: list[tuple[int, str]],
    budget: Budget,
    auto_continue: int,
) -> None:
    def plan(base: Plan) -> Plan:
        return chosen(base, budget, auto_continue=auto_continue)

    async def run() -> None:
        client = Thinker([], failures=list(failing))
        open_session = OpenSession(Session("s", NOW, NOW, "model"), None)
        engine = Engine(client, HandClock())
        ended = await pressed(engine.start(open_session, Asking("x"), REQUEST, plan(single)), first)
        sent = list(client.bodies)
        if ended.replies and not refusal_to_continue(ended.replies[0]):
            turn = engine.start(open_session, GoingOn(ended.replies[0]), REQUEST, plan(going_on))
            if (await pressed(turn, second)).replies:  # one that was continued in vain says nothing of that
                sent = client.bodies
        stored = decode_session(encode_session(open_session.value))
        if ended.replies:
            rebuilt = (json.loads(body) for body in bodies_of(stored, stored.messages[-1]))
            assert all(body in rebuilt for body in sent)  # in order; one that was cut at once was never sent

    asyncio.run(run())


async def test_half_a_mark_that_became_one_is_in_the_input_that_held_it() -> None:
    scripts = [
        streaming(token("hm</"), end("length")),
        streaming(token("thi"), end("length")),
        streaming(token("nk>yes"), end("length")),
        streaming(token("."), end()),
    ]
    client, open_session = ScriptedClient(scripts), OpenSession(Session("s", NOW, NOW, "model"), None)
    plan = chosen(single, auto_continue=3)
    turn = Engine(client, HandClock()).start(open_session, Asking("x"), RequestSettings({"stream": True}), plan)
    (reply,) = (await turn.finished()).replies
    assert (reply.reasoning, reply.content) == ("hm", "yes.")
    assert [record.start and record.start.retracted for record in reply.requests] == [None, "", "</thi", ""]
    stored = decode_session(encode_session(open_session.value))
    assert [json.loads(body) for body in bodies_of(stored, stored.messages[-1])] == client.bodies
    assert [body["input"].rpartition("<think>")[2] for body in client.bodies] == [
        "",
        "hm</",
        "hm</thi",
        "hm</think>yes",
    ]


async def test_a_budget_of_nothing_is_in_the_first_input() -> None:
    client, open_session = (
        ScriptedClient([streaming(token("yes"), end())]),
        OpenSession(Session("s", NOW, NOW, "m"), None),
    )
    plan = answering(single, Budget(tokens=0))
    await Engine(client, HandClock()).start(open_session, Asking("x"), RequestSettings({}), plan).finished()
    (view,) = [request_view(open_session.value, open_session.value.messages[-1], 0, 9)]
    assert view.text == client.bodies[0]["input"]
    assert view.text.endswith("<think></think>")


async def test_the_request_that_runs_is_the_one_just_sent() -> None:
    held = asyncio.Event()
    client = ScriptedClient([streaming(token("hm"), held), streaming(token("ye"), held)])
    session = replace(session_of(user("m1", "one")), system="Be brief.")
    open_session = OpenSession(session, None)
    turn = Engine(client, HandClock()).start(open_session, Asking("x"), REQUEST, answering(single))
    for place, (part, text) in enumerate([(ReplyPart.REASONING, "hm"), (ReplyPart.ANSWER, "ye")]):
        while str(turn.reply.texts[part]) != text:
            await asyncio.sleep(0)
        open_session.update(lambda value: replace(value, system="Be long."))  # that is for the next turn
        reply = turn.reply_so_far(NOW)
        assert reply is not None
        body = bodies_of(open_session.value, reply)[-1]
        assert json.loads(body) == client.bodies[place]
        assert len(client.bodies) == place + 1
        turn.cut()
    turn.stop()
    await turn.finished()


@pytest.mark.parametrize("began", [None, {"reasoning": 99, "content": 0, "thinking": True}])
def test_what_the_file_does_not_say_is_not_made_up(began: object) -> None:
    reply = Message(
        "m2", Role.ASSISTANT, "yes", "m1", reasoning="hm", state=MessageState.COMPLETE,
        requests=(RequestRecord("reply"), RequestRecord("continue"), RequestRecord("continue")),
    )  # fmt: skip
    plain: Any = encode_session(session_of(user("m1", "x"), reply))
    last = {"reasoning": 2, "content": 1, "thinking": False}
    plain["messages"][1]["requests"][1:] = [{"kind": "continue", "began": began}, {"kind": "continue", "began": last}]
    session = decode_session(plain)
    assert list(requests_known(session.messages[1])) == [0, 2]
    assert request_view(session, session.messages[1], 2, 9).text.endswith("<think>hm</think>y")
