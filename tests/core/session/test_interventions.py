"""What was done to a reply, taken back: exactly the reply that it was before, step by step."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_tui.core.session.codec import decode_session, encode_session
from kimi_tui.core.session.interventions import can_be_undone, is_same, undone
from kimi_tui.core.session.reply_edits import ReplyStart
from kimi_tui.core.session.request_starts import requests_of
from kimi_tui.core.session.session import Message, Session
from kimi_tui.core.wire.plans import chosen, single
from kimi_tui.core.wire.reply_plans import going_on, refusal_to_continue
from kimi_tui.core.wire.thinking_budget import Budget
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.engine.openings import Asking, GoingOn
from kimi_tui.engine.turn_engine import Engine
from tests.engine.test_any_moment import NOW, REQUEST, THOUGHT, Thinker, failures, pressed, presses
from tests.fakes.clock import HandClock


@settings(max_examples=80, deadline=None)
@given(failures, presses, st.integers(0, 40), st.sampled_from([Budget(), Budget(tokens=7)]))
def test_a_continuation_is_taken_off_again(
    failing: list[tuple[str, int]], first: list[tuple[int, str]], stop: int, budget: Budget
) -> None:
    async def run() -> None:
        client, open_session = Thinker([], failures=failing[:1]), OpenSession(Session("s", NOW, NOW, "model"), None)
        engine = Engine(client, HandClock())
        ended = await pressed(engine.start(open_session, Asking("x"), REQUEST, chosen(single, budget)), first)
        if not ended.replies or refusal_to_continue(ended.replies[0]):
            return
        (before,) = ended.replies
        turn = engine.start(open_session, GoingOn(before), REQUEST, chosen(going_on))
        await pressed(turn, [(stop, "stop")])
        stored = decode_session(encode_session(open_session.value))  # as after a restart
        reply = stored.messages[-1]
        if len(requests_of(reply)) == len(requests_of(before)):
            return  # nothing came
        assert can_be_undone(reply)
        back = undone(reply, "m9", NOW)
        assert is_same(back, replace(before, requests=back.requests))
        assert [r.kind for r in back.requests] == [r.kind for r in before.requests]
        same = ("reasoning", "content", "state", "finish_reason", "request_id", "thinking", "reopened", "thinking_end")
        for name in (*same, "cut_tail", "timing", "sent", "kept_thinking"):
            assert getattr(back, name) == getattr(before, name), name
        assert refusal_to_continue(back) == ""

    asyncio.run(run())


async def whole_story() -> Message:
    """Stopped while it thought, gone on with, answered at once, cut, gone on with."""
    client = Thinker([], failures=[("", 0), ("", 0), ("length", 3)])
    open_session = OpenSession(Session("s", NOW, NOW, "model"), None)
    engine = Engine(client, HandClock())
    (reply,) = (await pressed(engine.start(open_session, Asking("x"), REQUEST, chosen(single)), [(5, "stop")])).replies
    turn = engine.start(open_session, GoingOn(reply), REQUEST, chosen(going_on))
    (reply,) = (await pressed(turn, [(20, "cut")])).replies
    (reply,) = (await engine.start(open_session, GoingOn(reply), REQUEST, going_on).finished()).replies
    return reply


async def test_step_by_step_to_the_beginning() -> None:
    reply = await whole_story()
    seen = []
    while can_be_undone(reply):
        seen.append(([request.kind for request in reply.requests], reply.thinking_end, len(reply.content)))
        reply = undone(reply, "m9", NOW)
    assert [kinds for kinds, *_ in seen] == [
        ["reply", "continue", "answer", "continue"], ["reply", "continue", "answer"], ["reply", "continue"],
    ]  # fmt: skip
    assert [end for _, end, _ in seen] == ["user", "user", None]
    assert seen[1][2] == 3
    assert [(it.kind, it.is_estimated) for it in reply.requests] == [("reply", True)]
    assert (reply.content, reply.cut_tail) == ("", "")
    assert THOUGHT.startswith(reply.reasoning or "")
    assert reply.reasoning == THOUGHT[: len(reply.reasoning or "")] != THOUGHT


async def test_what_the_file_does_not_say_is_not_undone() -> None:
    reply = await whole_story()
    old = replace(reply, thinking_end=None, requests=tuple(replace(r, start=None) for r in reply.requests))
    assert can_be_undone(reply)
    assert not can_be_undone(old)


@pytest.mark.parametrize("kind", ["reply", "think"])
async def test_other_requests_are_no_steps(kind: str) -> None:
    reply = await whole_story()
    last = replace(reply.requests[-1], kind=kind)
    assert not can_be_undone(replace(reply, thinking_end=None, requests=(*reply.requests[:-1], last)))


@pytest.mark.parametrize("budget", [Budget(tokens=0), Budget()])
async def test_an_answer_without_a_thought_is_undone_and_thought_anew(budget: Budget) -> None:
    """By a budget of 0, or by answer now before a token had come."""
    open_session = OpenSession(Session("s", NOW, NOW, "model"), None)
    engine = Engine(Thinker([]), HandClock())
    turn = engine.start(open_session, Asking("x"), REQUEST, chosen(single, budget))
    (reply,) = (await pressed(turn, [(0, "cut")])).replies
    assert (reply.reasoning, reply.thinking_end) == (None, "user" if budget == Budget() else "budget")
    assert can_be_undone(reply)
    back = undone(reply, "m9", NOW)
    assert (back.reasoning, back.content, back.thinking_end, back.has_open_block) == (None, "", None, True)
    assert refusal_to_continue(back) == ""
    assert not can_be_undone(back)
    open_session.update(lambda value: value.with_message(back))
    (longer,) = (await engine.start(open_session, GoingOn(back), REQUEST, chosen(going_on)).finished()).replies
    assert (longer.reasoning, longer.content) == (THOUGHT, reply.content)
    assert decode_session(encode_session(open_session.value)).messages[-1] == longer


@pytest.mark.parametrize("how", ["break", "length", "stop"])
async def test_a_single_request_that_was_cut_tells_the_tokens_that_came(how: str) -> None:
    open_session = OpenSession(Session("s", NOW, NOW, "model"), None)
    engine = Engine(Thinker([], failures=[(how, 3)]), HandClock())
    turn = engine.start(open_session, Asking("x"), REQUEST, chosen(single))
    (reply,) = (await pressed(turn, [(4, "stop")] if how == "stop" else [])).replies
    assert reply.usage is not None
    assert (reply.usage.output_tokens, reply.usage.cost_usd, reply.is_partly_counted) == (3, None, True)
    assert decode_session(encode_session(open_session.value)).messages[-1] == reply


async def test_what_was_refused_took_nothing() -> None:
    open_session = OpenSession(Session("s", NOW, NOW, "model"), None)
    engine = Engine(Thinker([], failures=[("refuse", 0)]), HandClock())
    turn = engine.start(open_session, Asking("x", start=ReplyStart.seed(THOUGHT[:4])), REQUEST, chosen(single))
    ended = await turn.finished()
    assert not any(reply.is_partly_counted for reply in ended.replies)


async def test_where_a_budget_ended_a_thinking_that_the_user_began_its_beginning_stays() -> None:
    open_session, seed = OpenSession(Session("s", NOW, NOW, "model"), None), THOUGHT[:4]
    asking = Asking("x", start=ReplyStart.seed(seed))
    turn = Engine(Thinker([]), HandClock()).start(open_session, asking, REQUEST, chosen(single, Budget(tokens=0)))
    (reply,) = (await turn.finished()).replies
    assert (reply.reasoning, reply.thinking_end) == (seed, "budget")
    back = undone(reply, "m9", NOW)
    assert (back.reasoning, back.content, back.has_open_block, back.is_unasked) == (seed, "", True, True)
    assert back.written == reply.written
    assert not back.is_partly_counted
