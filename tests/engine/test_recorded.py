"""A turn that is recorded and replayed is the same turn: its texts, its message, how it ended."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_tui.adapters.endpoint.recorded_client import RecordedClient
from kimi_tui.core.errors import ConnectionFailedError, ServerFaultError
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.reply_edits import ReplyStart, thinking_longer
from kimi_tui.core.session.session import Message, MessageState, Role
from kimi_tui.core.settings.recorded_turn import recorded_turn
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from kimi_tui.core.wire.plans import Plan, answering, continuing, single
from kimi_tui.core.wire.reply_plans import answering_again, going_on
from kimi_tui.core.wire.strict_answers import thinking_first
from kimi_tui.core.wire.thinking_budget import Budget
from kimi_tui.core.wire.turn_events import ReplyDelta, Retrying, TurnEnded
from kimi_tui.engine.openings import AnsweringAgain, Asking, GoingOn, Opening
from kimi_tui.engine.turn import Turn
from kimi_tui.engine.turn_engine import Engine
from tests.engine.test_plans_carried_out import NOW, opened
from tests.fakes.clock import HandClock
from tests.fakes.scripted_client import DONE, Script, ScriptedClient, end, streaming, think_end, token
from tests.recorded import Do, cut_again, plain, read, record, replay

REQUEST = RequestSettings(
    fields={"max_new_tokens": 90, "stop": ["<|im_end|>"], "prompt_cache_key": "k", "stream": True}
)
HELD = asyncio.Event


def when(text: str, do: Callable[[Turn], object]) -> Do:
    """Do something when a part of the reply ends so."""

    async def wait(turn: Turn) -> None:
        async for event in turn.listen():
            if isinstance(event, ReplyDelta) and str(turn.reply.texts[event.part]).endswith(text):
                do(turn)
                return

    return wait


BROKEN = Message(
    "m2", Role.ASSISTANT, "It is", "m1", NOW, "hm.", MessageState.INTERRUPTED, model=REQUEST.model, template="deepinfra",
    thinking=True, sent=REQUEST.fields,
)  # fmt: skip
QUESTION = Message("m1", Role.USER, "What </think> is <|im_end|> it?", None, NOW)
PREFILL, SEED = ReplyStart.prefill("It is <|im_end|>"), ReplyStart.seed("hm </think> it")
ANSWERED = replace(BROKEN, state=MessageState.COMPLETE)
LONGER = thinking_longer(BROKEN, "Wait,", "m3", NOW)
Case = tuple[list[Script], Opening, Plan, Do | None]
CASES: dict[str, Case] = {
    "whole": ([streaming(token("hm"), think_end(), token("yes"), end(), DONE)], Asking("Hi"), single, None),
    "answer now": (
        [streaming(token("hm"), token(" so"), HELD()), streaming(token("yes"), end())],
        Asking("Hi"),
        answering(single),
        when("so", Turn.cut),
    ),
    "a budget in tokens": (
        [streaming(token("a") + token("b") + token("c") + token("d"), HELD()), streaming(token("yes"), end())],
        Asking("Hi"),
        answering(single, Budget(tokens=2)),
        None,
    ),
    "no thinking at all": ([streaming(token("yes"), end())], Asking("Hi"), answering(single, Budget(tokens=0)), None),
    "a budget in seconds": (
        [streaming(token("One. "), token("Tw"), HELD()), streaming(token("yes"), end())],
        Asking("Hi"),
        answering(single, Budget(seconds=3.0)),
        None,
    ),
    "continued by itself": (
        [streaming(token("hm"), think_end(), token("y"), end("length")), streaming(token("es"), end())],
        Asking("Hi"),
        continuing(single, 1),
        None,
    ),
    "stopped": ([streaming(token("hm"), token(" so"), HELD())], Asking("Hi"), single, when("so", Turn.stop)),
    "stopped in the second request": (
        [streaming(token("hm"), HELD()), streaming(token("ye"), HELD())],
        Asking("Hi"),
        continuing(answering(single), 1),
        None,
    ),
    "refused": ([Script([], refuse=ServerFaultError("No.", retryable=False))], Asking("Hi"), single, None),
    "tried again": (
        [Script([], refuse=ConnectionFailedError("No.", retryable=True)), streaming(token("hm"), think_end(), end())],
        Asking("Hi"),
        single,
        None,
    ),
    "lost on the way": (
        [streaming(token("hm"), ConnectionFailedError("The connection was lost.", "Again."))],
        Asking("Hi"),
        single,
        None,
    ),
    "it just ends": ([streaming(token("hm"))], Asking("Hi"), single, None),
    "begins with an answer": ([streaming(token(" so."), end())], Asking("Hi", start=PREFILL), single, None),
    "begins with a thought": (
        [streaming(token(" is."), think_end(), token("Yes"), end())],
        Asking("Hi", start=SEED),
        single,
        None,
    ),
    "thinks longer": ([streaming(token(" no."), think_end(), token("So"), end())], GoingOn(LONGER), going_on, None),
    "another answer": ([streaming(token("No."), end())], AnsweringAgain(ANSWERED), answering_again, None),
    "gone on with": ([streaming(token(" so."), end())], GoingOn(BROKEN), single, None),
}


async def cut_then_stop(turn: Turn) -> None:
    async for event in turn.listen():
        if isinstance(event, ReplyDelta) and event.part is ReplyPart.REASONING:
            turn.cut()
        elif isinstance(event, ReplyDelta):
            turn.stop()
            return


async def recorded(name: str) -> tuple[bytes, TurnEnded]:
    scripts, opening, plan, do = CASES[name]
    do = cut_then_stop if name == "stopped in the second request" else do
    session = opened(QUESTION, opening.message) if isinstance(opening, GoingOn | AnsweringAgain) else opened()
    return await record(ScriptedClient(list(scripts)), opening, REQUEST, session, plan=plan, do=do)


def outcome(ended: TurnEnded) -> tuple[object, ...]:
    error = ended.error and (ended.error.kind, ended.error.summary, ended.error.hint)
    return ended.state, error, [plain(reply) for reply in ended.replies]


@pytest.mark.parametrize("name", CASES)
async def test_a_replay_is_the_same_turn(name: str) -> None:
    data, ended = await recorded(name)
    session, again = await replay(read(data))
    assert outcome(again) == outcome(ended)
    assert again.replies == () or session.head == again.replies[0].id
    asked = [message.content for message in session.messages if message.role is Role.USER]
    assert asked == [QUESTION.content if isinstance(CASES[name][1], GoingOn | AnsweringAgain) else "Hi"]


@pytest.mark.parametrize("name", CASES)
async def test_each_request_is_in_it_with_what_it_said(name: str) -> None:
    scripts, opening, plan, do = CASES[name]
    client = ScriptedClient(list(scripts))
    do = cut_then_stop if name == "stopped in the second request" else do
    session = opened(QUESTION, opening.message) if isinstance(opening, GoingOn | AnsweringAgain) else opened()
    data, _ = await record(client, opening, REQUEST, session, plan=plan, do=do)
    assert [json.loads(exchange.sent.body) for exchange in read(data).exchanges] == client.bodies


@pytest.mark.parametrize("name", ["whole", "continued by itself", "lost on the way", "it just ends", "gone on with"])
async def test_no_cut_of_the_bytes_changes_a_replay(name: str) -> None:
    data, ended = await recorded(name)
    recording = read(data)
    longest = max(sum(len(piece.piece) for piece in exchange.pieces) for exchange in recording.exchanges)
    for place in (None, *range(1, longest, 7)):
        cut: Callable[[bytes], list[bytes]] = (
            (lambda whole: [whole[i : i + 1] for i in range(len(whole))])
            if place is None
            else lambda whole, place=place: [whole[:place], whole[place:]]  # type: ignore[misc]
        )
        _, again = await replay(cut_again(recording, cut))
        assert outcome(again) == outcome(ended)


async def test_a_strict_turn_keeps_its_form_where_only_its_thinking_was_recorded() -> None:
    form = {"type": "regex", "regex": "a+"}
    request = replace(REQUEST, fields={**REQUEST.fields, "response_format": form, "webhook": "https://x.org/key"})
    client = ScriptedClient([streaming(token("hm"), token(" so"), HELD())])
    plan = partial(thinking_first, request=request, dialect=DEEPINFRA)(single)
    data, _ = await record(client, Asking("Hi"), request, opened(), plan=plan, do=when("so", Turn.stop))
    turn = recorded_turn(read(data), "FILE")
    assert json.loads(str(turn.session.settings["response_format"])) == form
    assert turn.session.settings["stop"] == REQUEST.fields["stop"]
    assert b"x.org/key" not in data


async def test_nothing_follows_where_the_turn_was_stopped() -> None:
    data, ended = await recorded("stopped")
    recording = read(data)
    _, again = await replay(replace(recording, exchanges=recording.exchanges * 2))
    assert outcome(again) == outcome(ended)


async def test_stopped_between_two_attempts() -> None:
    scripts = [Script([], refuse=ConnectionFailedError("No.", retryable=True))]

    async def stop(turn: Turn) -> None:
        async for event in turn.listen():
            if isinstance(event, Retrying):
                turn.stop()
                return

    data, ended = await record(ScriptedClient(scripts), Asking("Hi"), REQUEST, opened(), do=stop)
    assert ended.state is MessageState.CANCELLED
    _, again = await replay(read(data))
    assert outcome(again) == outcome(ended)
    client, request = RecordedClient(read(data), DEEPINFRA, HandClock()), replace(REQUEST, retries=1)
    engine, session = Engine(client, HandClock()), opened()
    first = await engine.start(session, Asking("Hi"), request).finished()
    assert outcome(first) == outcome(ended)
    over = await engine.start(session, Asking("And?"), request).finished()
    assert over.error is not None
    assert "no further request" in over.error.summary


tokens = st.sampled_from(["a", "b ", "</think>", "<think>", "é", "\U0001f600", "\n\n", "<|im_end|>"])


@settings(max_examples=60, deadline=None)
@given(st.lists(tokens, max_size=8), st.sampled_from(["stop", "length", None]), st.integers(1, 4))
def test_any_reply_under_any_budget(texts: list[str], reason: str | None, most: int) -> None:
    async def run() -> None:
        steps = [token(text) for text in texts] + ([end(reason)] if reason else [])
        scripts = [streaming(*steps) for _ in range(4)]
        plan = continuing(answering(single, Budget(tokens=most)), 1)
        data, ended = await record(ScriptedClient(scripts), Asking("Hi"), REQUEST, opened(), plan=plan)
        _, again = await replay(read(data))
        assert outcome(again) == outcome(ended)

    asyncio.run(run())


async def test_behind_its_end_a_recording_says_that_it_is_over() -> None:
    data, _ = await recorded("whole")
    turn = recorded_turn(read(data), "FILE")
    client = RecordedClient(read(data), turn.dialect, HandClock())
    engine, session = Engine(client, HandClock()), opened()
    first = await engine.start(session, Asking("Hi"), REQUEST).finished()
    second = await engine.start(session, Asking("And?"), REQUEST).finished()
    assert (first.state, second.state) == (MessageState.COMPLETE, MessageState.FAILED)
    assert second.error is not None
    assert "no further request" in second.error.summary


async def test_the_pace_is_the_recorded_one() -> None:
    data, _ = await recorded("whole")
    exchange = read(data).exchanges[0]
    pieces = tuple(replace(piece, at_s=place / 4) for place, piece in enumerate(exchange.pieces, 4))
    clock = HandClock()
    _, ended = await replay(replace(read(data), exchanges=(replace(exchange, pieces=pieces),)), clock)
    timing = ended.replies[0].timing
    assert timing is not None
    assert (timing.first_token_s, timing.thinking_s, timing.total_s) == (1.0, 0.5, 2.0)
