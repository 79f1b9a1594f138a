"""The tokens of replies, through turns of several requests, cuts, goings on and edits: joined they are the reply."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_tui.adapters.endpoint.recorded_client import RecordedClient
from kimi_tui.adapters.recording_files import load_recording
from kimi_tui.core.errors import BrokenStreamError, ConnectionFailedError
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.growing_reply import ReplyPart, texts_of
from kimi_tui.core.session.kept_traces import Absent, KeptTraces
from kimi_tui.core.session.reply_edits import edited_answer, edited_thinking, without_answer
from kimi_tui.core.session.request_starts import requests_of
from kimi_tui.core.session.session import Message, Role, Session, Timing
from kimi_tui.core.session.timeline import timeline
from kimi_tui.core.session.token_trace import TokenTrace
from kimi_tui.core.settings.recorded_turn import recorded_turn
from kimi_tui.core.settings.sampling import resolve_request
from kimi_tui.core.settings.settings import Settings
from kimi_tui.core.wire.plans import answering, chosen, single
from kimi_tui.core.wire.reply_plans import going_on, refusal_to_continue
from kimi_tui.core.wire.thinking_budget import Budget
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.engine.openings import Asking, AskingAgain, GoingOn, recorded_opening
from kimi_tui.engine.turn_engine import Engine
from tests.engine.test_any_moment import REQUEST, Thinker, budgets, failures, pressed, presses
from tests.fakes.clock import HandClock
from tests.fakes.scripted_client import Script, ScriptedClient, end, frame, streaming, think_end, token
from tests.recorded import cut_again

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)


def pieces(trace: TokenTrace, message: Message) -> list[tuple[str, bool]]:
    """The texts of a reply as its trace cuts them, each with whether it is a token; joined they are the reply."""
    found = list[tuple[str, bool]]()
    for part, text in texts_of(message).items():
        tokens = list(trace.tokens(part, len(text)))
        assert "".join(text[token.start : token.end] for token in tokens) == text
        found += [(text[token.start : token.end], token.is_known) for token in tokens]
    return found


def known(engine: Engine, message: Message) -> TokenTrace:
    found = engine.traces.of("s", message)
    assert isinstance(found, TokenTrace)
    return found


def opened() -> OpenSession:
    return OpenSession(Session("s", NOW, NOW, "model"), None)


@settings(max_examples=120, deadline=None)
@given(failing=failures, first=presses, second=presses, budget=budgets, forgets=st.booleans())
def test_joined_they_are_the_reply_whatever_happens(
    *,
    failing: list[tuple[str, int]],
    first: list[tuple[int, str]],
    second: list[tuple[int, str]],
    budget: Budget,
    forgets: bool,
) -> None:
    """Every token is one character here."""

    async def run() -> None:
        session = opened()
        engine = Engine(Thinker([], failures=list(failing)), HandClock())
        plan = chosen(single, budget, auto_continue=1)
        ended = await pressed(engine.start(session, Asking("x"), REQUEST, plan), first)
        if not ended.replies:
            return
        (before,) = ended.replies
        traced = engine.traces.of("s", before)
        if isinstance(traced, TokenTrace):
            assert all(is_known and len(text) == 1 for text, is_known in pieces(traced, before))
        else:
            assert not before.content
            assert not before.reasoning
        if refusal_to_continue(before):
            return
        if forgets:
            engine.traces = KeptTraces()
        plan = chosen(going_on, budget, auto_continue=1)
        ended = await pressed(engine.start(session, GoingOn(before), REQUEST, plan), second)
        (reply,) = ended.replies or (session.value.messages[-1],)
        traced = engine.traces.of("s", reply)
        if not isinstance(traced, TokenTrace):
            return
        shown = pieces(traced, reply)
        assert all(len(text) == 1 for text, is_known in shown if is_known)
        unknown = [text for text, is_known in shown if not is_known]
        assert len(unknown) <= (2 if forgets else 0)
        assert all((before.reasoning or "").startswith(text) or text == before.content for text in unknown)

    asyncio.run(run())


async def replied(*scripts: Script, clock: HandClock | None = None, retries: int = 0) -> tuple[Engine, Message]:
    engine = Engine(ScriptedClient(list(scripts)), clock or HandClock())
    request = RequestSettings(fields={"stream": True}, retries=retries)
    ended = await engine.start(opened(), Asking("x"), request, answering(single)).finished()
    return engine, ended.replies[0]


async def test_a_token_says_how_likely_it_was_and_when_it_came() -> None:
    clock, go_on = HandClock(), asyncio.Event()
    engine = Engine(
        ScriptedClient(
            [streaming(frame(token={"text": "h", "logprob": -1.5}), think_end(), go_on, token("yes"), end())]
        ),
        clock,
    )
    clock.time_s = 5.0
    turn = engine.start(opened(), Asking("x"), RequestSettings(fields={"stream": True}))
    while turn.trace.count < 2:
        await asyncio.sleep(0)
    clock.time_s = 7.25
    go_on.set()
    (reply,) = (await turn.finished()).replies
    trace = known(engine, reply)
    (thought,), (said,) = (list(trace.tokens(part, len(text))) for part, text in texts_of(reply).items())
    assert trace.logprob(thought) == -1.5
    assert (trace.after_s(thought), trace.after_s(said), trace.request_of(said)) == (0.0, 2.25, 0)
    assert (trace.count, trace.has_certainty) == (3, True)
    assert list(trace.arrivals_ms(0)) == [0, 0, 2250]
    assert trace.requests[0].timing(99.0) == reply.timing == Timing(0.0, 2.25, 2.25)
    assert (trace.requests[0].sent_s, trace.requests[0].ended_s) == (5.0, 7.25)


async def test_an_attempt_that_failed_is_known() -> None:
    clock = HandClock()
    refused = ConnectionFailedError("No.", retryable=True)
    engine, reply = await replied(
        Script([], refuse=refused), streaming(token("hm"), think_end(), token("yes"), end()), clock=clock, retries=1
    )
    (request,) = known(engine, reply).requests
    ((attempt),) = request.failed
    assert (attempt.sent_s, attempt.failed_s, request.sent_s) == (0.0, 0.0, clock.sleeps[0])


async def test_0_of_every_token_says_nothing() -> None:
    engine, reply = await replied(
        streaming(frame(token={"text": "h", "logprob": 0}), think_end_of_0(), frame(token={"text": "y"}), end())
    )
    trace = known(engine, reply)
    assert not trace.has_certainty
    assert [trace.logprob(token) for token in trace.tokens(ReplyPart.ANSWER, 1)] == [None]


def think_end_of_0() -> bytes:
    return frame(token={"text": "</think>", "special": True, "logprob": 0})


async def test_a_reply_that_came_in_one_piece_has_no_tokens() -> None:
    engine, reply = await replied(
        Script([b'{"results": [{"generated_text": "hm</think>yes"}]}'], is_event_stream=False)
    )
    assert (reply.content, engine.traces.of("s", reply)) == ("yes", Absent.WHOLE)
    assert engine.traces.of("s", replace(reply, id="m9")) is Absent.EARLIER


@pytest.mark.parametrize("part", list(ReplyPart))
async def test_what_an_edit_leaves_keeps_its_tokens_and_what_follows_has_its_own(part: ReplyPart) -> None:
    """It is what cutting there and going on does."""
    session = opened()
    scripts = [
        streaming(token("a"), token("b"), think_end(), token("c"), token("d"), end()),
        streaming(*([token("B"), think_end()] if part is ReplyPart.REASONING else []), token("D"), end()),
    ]
    engine = Engine(ScriptedClient(scripts), HandClock())
    (reply,) = (await engine.start(session, Asking("x"), REQUEST).finished()).replies
    if part is ReplyPart.REASONING:
        made = without_answer(edited_thinking(reply, "a", "m9", NOW), is_closed=False)
    else:
        made = edited_answer(reply, "c", "m9", NOW)
    session.update(lambda value: value.with_message(made))
    assert all(is_known for _, is_known in pieces(known(engine, made), made))
    (other,) = (await engine.start(session, GoingOn(made), REQUEST, going_on).finished()).replies
    trace = known(engine, other)
    assert [text for text, is_known in pieces(trace, other) if is_known] == (
        ["a", "B", "D"] if part is ReplyPart.REASONING else ["a", "b", "c", "D"]
    )
    assert [request.is_of_another for request in trace.requests] == [True, False]
    assert [text for text, _ in pieces(known(engine, reply), reply)] == ["a", "b", "c", "d"]


async def test_an_alternative_that_goes_on_with_a_reply_has_its_tokens() -> None:
    session = opened()
    scripts = [streaming(token("a"), think_end(), token("b"), end("length")), streaming(token("C"), end())]
    engine = Engine(ScriptedClient(scripts), HandClock())
    (reply,) = (await engine.start(session, Asking("x"), REQUEST).finished()).replies
    session.update(lambda value: value.with_message(Message("m9", Role.USER, "More?", reply.id, NOW)))
    (other,) = (await engine.start(session, GoingOn(reply), REQUEST, going_on).finished()).replies
    assert other.id != reply.id
    assert pieces(known(engine, other), other) == [("a", True), ("b", True), ("C", True)]


async def test_what_the_user_typed_is_no_token() -> None:
    engine, reply = await replied(streaming(token("a"), token("b"), think_end(), token("c"), token("d"), end()))
    made = edited_answer(reply, "c mine", "m9", NOW)
    assert pieces(known(engine, made), made) == [("a", True), ("b", True), ("c", True), (" mine", False)]


@pytest.mark.parametrize(("end", "left"), [(5, [(0, 3), (3, 5)]), (3, [(0, 3)]), (2, [(0, 2)]), (0, [])])
def test_a_text_that_was_shortened_grows_on_from_there(end: int, left: list[tuple[int, int]]) -> None:
    trace, part = TokenTrace(), ReplyPart.REASONING
    trace.begin_request("reply", 0.0)
    trace.come([-0.1] * 3, 1.0)
    trace.grow(part, 0, [(0, 3), (1, 4)], 1.0)
    trace.shorten(part, end)
    trace.grow(part, end, [(2, 2)], 1.0)
    assert [token[1:] for token in trace.tokens(part, end + 2)] == [
        *((start, stop, number) for number, (start, stop) in enumerate(left)),
        (end, end + 2, 2),
    ]


async def test_of_too_many_tokens_those_used_last_are_kept() -> None:
    script = [token("a"), think_end(), token("c"), end()]
    engine, first = await replied(streaming(*script))
    traces, trace = KeptTraces(max_tokens=7), known(engine, first)
    replies = [replace(first, id=f"m{number}") for number in range(3)]
    for reply in replies[:2]:
        traces.keep("s", reply, trace)
    assert isinstance(traces.of("s", replies[0]), TokenTrace)
    traces.keep("s", replies[2], trace)
    assert isinstance(traces.of("s", replies[0]), TokenTrace)
    assert traces.of("s", replies[1]) is Absent.GIVEN_UP
    assert traces.of("other", replies[0]) is Absent.EARLIER
    KeptTraces(max_tokens=1).keep("s", first, trace)


async def test_a_turn_that_brings_nothing_leaves_what_was_known() -> None:
    session = opened()
    broken = BrokenStreamError("It broke.")
    engine = Engine(
        ScriptedClient([streaming(token("a"), broken), Script([], refuse=broken), streaming(token("n"), end())]),
        HandClock(),
    )
    (reply,) = (await engine.start(session, Asking("x"), REQUEST).finished()).replies
    assert not (await engine.start(session, GoingOn(reply), REQUEST, going_on).finished()).replies
    assert len(known(engine, reply).requests) == 1
    (other,) = (await engine.start(session, AskingAgain(session.value.messages[0].id), REQUEST).finished()).replies
    assert [request.is_of_another for request in known(engine, other).requests] == [False]


IN_ONE_PIECE = {
    "json-in-a-stream-s-name", "only-generated-text", "queued-for-a-webhook", "two-replies-at-once", "unstreamed",
}  # fmt: skip
RECORDINGS = sorted((Path(__file__).parents[1] / "recordings").glob("*.jsonl"))


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
@pytest.mark.parametrize("size", [None, 1, 7])
async def test_a_replay_knows_the_tokens_of_what_was_recorded(path: Path, size: int | None) -> None:
    """Whatever is wrong with it, and wherever its bytes are cut."""
    recording = load_recording(path)
    if size is not None:
        recording = cut_again(recording, lambda whole: [whole[at : at + size] for at in range(0, len(whole), size)])
    turn = recorded_turn(recording, path.name)
    clock = HandClock()
    client = RecordedClient(recording, turn.dialect, clock)
    session, opening = OpenSession(turn.session, None), recorded_opening(turn)
    request = resolve_request(turn.settings(Settings()), turn.session, opening.options)
    engine = Engine(client, clock, lambda: 0.0)
    ended = await engine.start(session, opening, request, turn.plan).finished()
    for reply in ended.replies[:1]:
        traced = engine.traces.of(session.value.id, reply)
        if isinstance(traced, TokenTrace):
            assert all(is_known for _, is_known in pieces(traced, reply))
            assert len(timeline(requests_of(reply), traced, clock.time_s).lanes) == len(requests_of(reply))
        elif traced is Absent.EARLIER:
            assert not reply.reasoning
            assert not reply.content
        else:
            assert path.stem in IN_ONE_PIECE


async def test_a_token_of_which_a_part_was_held_back_is_one() -> None:
    engine, reply = await replied(streaming(token("h</thi"), token("s"), token("</th"), token("ink>y"), end()))
    assert pieces(known(engine, reply), reply) == [("h</thi", True), ("s", True), ("y", True)]
