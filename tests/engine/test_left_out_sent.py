"""Conversations that have no room: the inputs as a server gets them, byte by byte, and again the same later on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from kimi_tui.core.errors import InputTooLargeError, LeftOutError
from kimi_tui.core.prompt.leaving_out import OverBudget
from kimi_tui.core.prompt.prompt_view import request_view
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.codec import decode_session, encode_session
from kimi_tui.core.session.session import Message, MessageState, Role, Session
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from kimi_tui.core.wire.plans import chosen, single
from kimi_tui.core.wire.reply_plans import answering_again, going_on
from kimi_tui.core.wire.strict_answers import thinking_first
from kimi_tui.core.wire.thinking_budget import Budget
from kimi_tui.core.wire.turn_events import TurnNotice
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.engine.openings import AnsweringAgain, Asking, AskingAgain, GoingOn
from kimi_tui.engine.turn_engine import Engine
from tests.fakes.clock import HandClock
from tests.fakes.scripted_client import ScriptedClient, end, streaming, token
from tests.prompts import next_prompt, past_prompt

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
LAMB = "lamb rests " * 16  # 44 tokens; a message takes 50 or so
ROOM = RequestSettings(
    fields={"stream": True, "max_new_tokens": 60}, context_tokens=360, over_budget=OverBudget.KEEP_PINNED
)
OPENING = "<|im_assistant|>assistant<|im_middle|>"


def user(text: str) -> str:
    return f"<|im_user|>ChatMessageRole.USER<|im_middle|>{text}<|im_end|>"


def closed(text: str) -> str:
    return f"{OPENING}<think></think>{text}<|im_end|>"


def talk(turns: int = 3) -> Session:
    """Some of it would fit: the first question is pinned."""
    messages = list[Message]()
    for number in range(turns):
        parent = messages[-1].id if messages else None
        question = Message(f"m{2 * number + 1}", Role.USER, f"{number} {LAMB}", parent, pinned=number == 0)
        text = f"A{number} {LAMB}"
        reply = Message(f"m{2 * number + 2}", Role.ASSISTANT, text, question.id, state=MessageState.COMPLETE)
        messages += [question, replace(reply, thinking=True, template="deepinfra")]
    return Session("s", NOW, NOW, "model", messages=tuple(messages), head=messages[-1].id, system="Be brief.")


SYSTEM = "<|im_system|>ChatMessageRole.SYSTEM<|im_middle|>Be brief.<|im_end|>"
SENT = f"{SYSTEM}{user(f'0 {LAMB}')}{user(f'2 {LAMB}')}{closed(f'A2 {LAMB}')}{user('next')}{OPENING}<think>"
GONE = ("m2", "m3", "m4")


async def test_the_oldest_turns_are_not_sent_and_what_is_pinned_is() -> None:
    open_session = OpenSession(talk(), None)
    client = ScriptedClient([streaming(token("hm"), token("</think>"), token("Yes."), end())] * 2)
    engine = Engine(client, HandClock())
    turn = engine.start(open_session, Asking("next"), ROOM)
    listener = turn.listen()
    await turn.finished()
    told = [event.error for event in await listener.drain() if isinstance(event, TurnNotice)]
    assert client.bodies[0]["input"] == SENT
    assert [(type(error), error.summary) for error in told] == [
        (LeftOutError, "Not sent, for want of room: 3 older messages.")
    ]
    stored = decode_session(encode_session(open_session.value))
    reply = stored.messages[-1]
    assert (reply.left_out, past_prompt(stored, reply.id)) == (GONE, SENT)
    view = request_view(stored, reply, 0, 360)
    assert (view.text, tuple(message.id for message in view.left_out)) == (SENT, GONE)
    assert next_prompt(talk(), ROOM, "next") == SENT
    # Another reply to the same question, where pins do not count: its own input, and the old one stays.
    await engine.start(open_session, AskingAgain("m7"), replace(ROOM, over_budget=OverBudget.LEAVE_OUT)).finished()
    others = f"{user(f'1 {LAMB}')}{closed(f'A1 {LAMB}')}"
    assert client.bodies[1]["input"] == SENT.replace(user(f"0 {LAMB}"), others)
    assert past_prompt(open_session.value, reply.id) == SENT


async def test_every_request_of_a_turn_goes_on_from_the_same_beginning() -> None:
    form = {"type": "json_object"}
    request = replace(ROOM, fields={**ROOM.fields, "response_format": form})
    scripts = [streaming(token("hm"), end("stop")), streaming(token("{"), end("length")), streaming(token("}"), end())]
    client, open_session = ScriptedClient(scripts), OpenSession(talk(), None)
    plan = chosen(single, Budget(), auto_continue=1, parted=lambda plan: thinking_first(plan, request, DEEPINFRA))
    await Engine(client, HandClock()).start(open_session, Asking("next"), request, plan).finished()
    inputs = [body["input"] for body in client.bodies]
    assert inputs == [SENT, f"{SENT}hm</think>", f"{SENT}hm</think>{{"]
    reply = open_session.value.messages[-1]
    assert reply.left_out == GONE
    stored = decode_session(encode_session(open_session.value))
    assert [request_view(stored, stored.messages[-1], place, 360).text for place in range(3)] == inputs


async def test_going_on_and_answering_again_leave_out_what_the_reply_did_whatever_is_set_by_then() -> None:
    scripts = [
        streaming(token("hm"), end("length")),
        streaming(token("."), token("</think>"), token("Yes."), end()),
        streaming(token("No."), end()),
    ]
    client, open_session = ScriptedClient(scripts), OpenSession(talk(), None)
    engine = Engine(client, HandClock())
    await engine.start(open_session, Asking("next"), ROOM).finished()
    later = replace(ROOM, over_budget=OverBudget.REFUSE, context_tokens=100_000)
    reply = open_session.value.messages[-1]
    await engine.start(open_session, GoingOn(reply), later, going_on).finished()
    assert client.bodies[1]["input"] == f"{SENT}hm"
    thought = open_session.value.messages[-1]
    assert (thought.content, thought.left_out) == ("Yes.", GONE)
    # More room, so that all would nearly fit: the cut stays where the thinking's was.
    await engine.start(
        open_session, AnsweringAgain(thought), replace(ROOM, context_tokens=460), answering_again
    ).finished()
    assert client.bodies[2]["input"] == f"{SENT}hm.</think>"
    assert open_session.value.messages[-1].left_out == GONE


async def test_the_cut_stays_for_the_next_turn_so_that_its_beginning_is_the_same() -> None:
    client = ScriptedClient([streaming(token("</think>"), token("Yes."), end())] * 2)
    open_session = OpenSession(talk(), None)
    engine = Engine(client, HandClock())
    await engine.start(open_session, Asking("next"), ROOM).finished()
    await engine.start(open_session, Asking("and"), ROOM).finished()
    prefix = SENT.removesuffix(f"{OPENING}<think>")
    assert client.bodies[1]["input"] == f"{prefix}{closed('Yes.')}{user('and')}{OPENING}<think>"


@pytest.mark.parametrize("chars", [1500, 3000])
async def test_a_question_that_surely_cannot_fit_alone_is_refused_with_a_word(chars: int) -> None:
    """In doubt it is sent, with everything else left out."""
    client = ScriptedClient([streaming(token("</think>"), token("Yes."), end())])
    open_session = OpenSession(talk(), None)
    request = replace(ROOM, over_budget=OverBudget.LEAVE_OUT)
    turn = Engine(client, HandClock()).start(open_session, Asking("x" * chars), request)
    listener = turn.listen()
    ended = await turn.finished()
    if chars == 1500:  # at least 250 tokens, about 375
        assert client.bodies[0]["input"] == f"{SYSTEM}{user('x' * 1500)}{OPENING}<think>"
        told = [event.error for event in await listener.drain() if isinstance(event, TurnNotice)]
        assert [type(error) for error in told] == [InputTooLargeError, LeftOutError]
    else:
        assert client.bodies == []
        assert ended.error is not None
        assert ended.error.summary.startswith("Even without the turns before it, the input has at least ")
        assert open_session.value == talk()


@pytest.mark.parametrize(
    ("session", "way", "is_named"),
    [
        (talk(), OverBudget.REFUSE, True),
        (talk(), OverBudget.LEAVE_OUT, False),
        (replace(talk(), messages=(), head=None), OverBudget.REFUSE, False),
    ],
)
async def test_a_refusal_names_leaving_out_where_that_would_help(
    session: Session, way: OverBudget, is_named: bool
) -> None:
    turn = Engine(ScriptedClient([]), HandClock()).start(
        OpenSession(session, None), Asking("x" * 3000), replace(ROOM, over_budget=way)
    )
    error = (await turn.finished()).error
    assert isinstance(error, InputTooLargeError)
    assert ("/over-budget leave-out" in error.hint) is is_named


async def test_what_is_excluded_is_no_part_of_the_count_and_makes_room() -> None:
    session = talk()
    session = replace(session, messages=tuple(replace(m, excluded=m.id in {"m4", "m5"}) for m in session.messages))
    client, open_session = (
        ScriptedClient([streaming(token("</think>"), token("Yes."), end())]),
        OpenSession(session, None),
    )
    await Engine(client, HandClock()).start(open_session, Asking("next"), ROOM).finished()
    whole = f"{SYSTEM}{user(f'0 {LAMB}')}{closed(f'A0 {LAMB}')}{user(f'1 {LAMB}')}{closed(f'A2 {LAMB}')}{user('next')}"
    assert client.bodies[0]["input"] == f"{whole}{OPENING}<think>"
    assert open_session.value.messages[-1].left_out == ("m4", "m5")
