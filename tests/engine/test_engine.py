"""Turns from question to saved reply, over a scripted endpoint."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest

from kimi_tui.core.errors import (
    AuthenticationError,
    ConnectionFailedError,
    InputTooLargeError,
    RateLimitedError,
    StorageError,
)
from kimi_tui.core.ports import RunningTurn, Tap
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session import tree
from kimi_tui.core.session.codec import decode_session, encode_session
from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.session import Message, MessageState, Role, Session, Timing, Usage
from kimi_tui.core.wire.turn_events import (
    AttemptBegan,
    Phase,
    PhaseChanged,
    ReplyDelta,
    RequestEnded,
    Retrying,
    TurnBegan,
    TurnEnded,
    TurnEvent,
    TurnNotice,
)
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.engine.openings import Asking, AskingAgain
from kimi_tui.engine.turn import Turn
from kimi_tui.engine.turn_engine import Engine
from tests.fakes.clock import HandClock
from tests.fakes.scripted_client import DONE, Script, ScriptedClient, Step, end, frame, streaming, think_end, token
from tests.prompts import past_prompt

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
REQUEST = RequestSettings(fields={"stream": True, "temperature": 1.0})
WHOLE = (token("hm"), think_end(), token("yes"), end(), DONE)


class MemoryStore:
    def __init__(self, *, fails: bool = False) -> None:
        self.saved: list[Session] = []
        self.fails = fails

    async def save(self, session: Session) -> None:
        if self.fails:
            raise StorageError("the disk is full")
        self.saved.append(session)


def opened(*messages: Message, store: MemoryStore | None = None) -> OpenSession:
    head = messages[-1].id if messages else None
    return OpenSession(Session("s", NOW, NOW, "model", messages=messages, head=head), store)


async def run(turn: Turn) -> list[TurnEvent]:
    return [event async for event in turn.listen()]


def ended(events: list[TurnEvent]) -> TurnEnded:
    assert isinstance(events[-1], TurnEnded)
    assert sum(isinstance(event, TurnEnded) for event in events) == 1
    return events[-1]


async def ask(
    *scripts: Script, session: OpenSession | None = None, request: RequestSettings = REQUEST
) -> list[TurnEvent]:
    engine = Engine(ScriptedClient(list(scripts)), HandClock())
    return await run(engine.start(session or opened(), Asking("Hello!"), request))


async def test_a_turn_from_question_to_saved_reply() -> None:
    store = MemoryStore()
    session = opened(store=store)
    client = ScriptedClient([streaming(*WHOLE)])
    turn = Engine(client, HandClock()).start(session, Asking("Hello!"), REQUEST)
    events = await run(turn)
    phases = [event.phase for event in events if isinstance(event, PhaseChanged)]
    assert isinstance(events[0], TurnBegan)
    assert phases == [Phase.WAITING, Phase.REASONING, Phase.ANSWERING, Phase.FINISHED]
    assert "".join(event.text(turn.reply) for event in events if isinstance(event, ReplyDelta)) == "hmyes"
    question, reply = session.value.messages
    assert (question.role, question.content, question.parent) == (Role.USER, "Hello!", None)
    assert (reply.reasoning, reply.content, reply.state, reply.finish_reason) == (
        "hm",
        "yes",
        MessageState.COMPLETE,
        "stop",
    )
    assert (reply.usage, reply.request_id, reply.parent) == (Usage(37, 5, 0.001), "r1", question.id)
    assert (reply.sent, reply.template, reply.thinking) == (REQUEST.fields, "deepinfra", True)
    assert (session.value.title, session.value.head) == ("Hello!", reply.id)
    assert [len(saved.messages) for saved in store.saved] == [1, 2]
    assert client.bodies == [
        {
            "input": "<|im_user|>ChatMessageRole.USER<|im_middle|>Hello!<|im_end|><|im_assistant|>assistant<|im_middle|><think>",
            "temperature": 1.0,
            "stream": True,
        }
    ]


async def test_ten_lines_print_a_reply() -> None:
    printed = ""
    turn = Engine(ScriptedClient([streaming(*WHOLE)]), HandClock()).start(opened(), Asking("Hello!"), REQUEST)
    async for event in turn.listen():
        if isinstance(event, ReplyDelta):
            printed += event.text(turn.reply)
    assert printed == "hmyes"


async def test_stopping_keeps_what_arrived_and_closes_the_connection() -> None:
    client = ScriptedClient([streaming(token("hm"), asyncio.Event())])
    session = opened()
    turn = Engine(client, HandClock()).start(session, Asking("Hello!"), REQUEST)
    events: list[TurnEvent] = []
    async for event in turn.listen():
        events.append(event)
        if isinstance(event, ReplyDelta):
            turn.stop()
            turn.stop()
    assert (ended(events).phase, ended(events).state, ended(events).error) == (
        Phase.STOPPED,
        MessageState.CANCELLED,
        None,
    )
    assert (session.value.messages[-1].reasoning, session.value.messages[-1].state) == ("hm", MessageState.CANCELLED)
    assert client.closed == 1


async def test_stopping_before_anything_leaves_the_question_alone() -> None:
    session = opened()
    turn = Engine(ScriptedClient([streaming(asyncio.Event())]), HandClock()).start(session, Asking("Hello!"), REQUEST)
    events: list[TurnEvent] = []
    async for event in turn.listen():
        events.append(event)
        turn.stop()
    assert ended(events).replies == ()
    assert [message.role for message in session.value.messages][:1] in ([], [Role.USER])


async def test_a_question_sent_again_is_an_alternative() -> None:
    session = opened()
    await ask(Script([], refuse=AuthenticationError("no", status=401)), session=session)
    assert len(session.value.messages) == 1
    await ask(streaming(*WHOLE), session=session)
    assert [(m.id, m.parent) for m in session.value.messages] == [("m1", None), ("m2", None), ("m3", "m2")]


async def test_attempts_are_made_again_where_the_first_came_to_nothing() -> None:
    clock, client = HandClock(), ScriptedClient([])
    client.scripts = [
        Script([], refuse=RateLimitedError("busy", retry_after_s=7)),
        Script([], refuse=ConnectionFailedError("out of reach", retryable=True)),
        streaming(*WHOLE),
    ]
    events = await run(Engine(client, clock, jitter=lambda: 0.0).start(opened(), Asking("Hello!"), REQUEST))
    retries = [event for event in events if isinstance(event, Retrying)]
    assert [(r.attempt, r.attempts, r.delay_s) for r in retries] == [(2, 4, 7), (3, 4, 1.0)]
    assert clock.sleeps == [7, 1.0]
    assert ended(events).state is MessageState.COMPLETE


@pytest.mark.parametrize(
    "script",
    [
        Script([], refuse=ConnectionFailedError("lost")),
        streaming(ConnectionFailedError("lost", retryable=True)),
        streaming(b": ping\n\n", ConnectionFailedError("lost", retryable=True)),
    ],
    ids=["before the headers", "behind them", "behind a comment"],
)
async def test_what_may_have_been_billed_is_not_sent_again(script: Script) -> None:
    events = await ask(script, streaming(*WHOLE))
    assert (ended(events).state, ended(events).replies) == (MessageState.FAILED, ())
    assert not any(isinstance(event, Retrying) for event in events)


async def test_a_reply_that_goes_on_behind_a_pause_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kimi_tui.engine.request_run.LINGER_S", 0.01)

    class Pausing(ScriptedClient):
        @asynccontextmanager
        async def send(self, body: bytes, model: str, tap: Tap | None = None) -> AsyncIterator[Any]:
            yield self

        is_event_stream, request_id = True, None

        async def chunks(self) -> AsyncIterator[bytes]:
            yield frame(token={"text": "a</think>b"}, num_output_tokens=2)
            yield frame(token={"text": ""}, num_output_tokens=3) + end() + token("c")
            await asyncio.sleep(0.05)
            yield token("LATE") + end() + DONE

    reply = ended(await run(Engine(Pausing([]), HandClock()).start(opened(), Asking("Hello!"), REQUEST))).replies[0]
    assert (reply.content, reply.state) == ("bcLATE", MessageState.COMPLETE)


async def test_a_connection_lost_amid_text_is_not_tried_again() -> None:
    session = opened()
    events = await ask(streaming(token("hm"), ConnectionFailedError("lost")), session=session)
    assert (ended(events).phase, ended(events).state) == (Phase.FAILED, MessageState.INTERRUPTED)
    assert session.value.messages[-1].reasoning == "hm"


async def test_an_error_inside_the_stream_keeps_what_came() -> None:
    events = await ask(streaming(token("hm"), frame(error="boom")))
    assert (ended(events).state, ended(events).replies[0].reasoning) == (MessageState.FAILED, "hm")


async def test_pings_do_not_hide_a_dead_reply() -> None:
    pings: list[Step] = [b": ping\n\n"] * 5
    events = await ask(streaming(*pings, asyncio.Event()), request=replace(REQUEST, silence_s=0.05, retries=0))
    error = ended(events).error
    assert error is not None
    assert error.kind == "timeout"


async def test_pings_that_go_on_and_on_do_not_either() -> None:
    class Pinging(ScriptedClient):
        @asynccontextmanager
        async def send(self, body: bytes, model: str, tap: Tap | None = None) -> AsyncIterator[Any]:
            self.bodies.append({})
            yield self

        is_event_stream, request_id = True, None

        async def chunks(self) -> AsyncIterator[bytes]:
            yield token("hm")
            for _ in range(200):
                yield b": ping\n\n"
                await asyncio.sleep(0.005)
            yield end()

    request = replace(REQUEST, silence_s=0.05)
    error = ended(await run(Engine(Pinging([]), HandClock()).start(opened(), Asking("x"), request))).error
    assert error is not None
    assert error.kind == "timeout"


async def test_what_cannot_fit_is_refused_before_anything_changes() -> None:
    session = opened()
    events = await ask(session=session, request=replace(REQUEST, context_tokens=3))
    assert isinstance(ended(events).error, InputTooLargeError)
    assert session.value.messages == ()


async def test_a_doubtful_size_is_told_and_sent() -> None:
    events = await ask(streaming(*WHOLE), request=replace(REQUEST, context_tokens=12))
    assert any(isinstance(event, TurnNotice) for event in events)
    assert ended(events).state is MessageState.COMPLETE


async def test_a_store_that_fails_loses_nothing_on_screen() -> None:
    session = opened(store=MemoryStore(fails=True))
    events = await ask(streaming(*WHOLE), session=session)
    assert isinstance(ended(events).save_error, StorageError)
    assert session.value.messages[-1].content == "yes"


async def test_several_replies_to_one_request_are_alternatives() -> None:
    body = b'{"results":[{"generated_text":"a</think>A"},{"generated_text":"b</think>B"}],"num_tokens":4,"num_input_tokens":2}'
    session = opened()
    events = await ask(Script([body], is_event_stream=False), session=session)
    first, second = ended(events).replies
    assert (first.content, second.content, first.parent, second.parent) == ("A", "B", "m1", "m1")
    assert (first.usage, second.usage) == (Usage(2, 4, None), None)
    assert session.value.head == first.id


@pytest.mark.parametrize("thinking", [True, False])
async def test_a_block_that_opens_a_reply_is_reasoning_in_both_modes(thinking: bool) -> None:
    session, client = opened(), ScriptedClient([streaming(token("<think>"), *WHOLE)])
    request = replace(REQUEST, thinking=thinking)
    (reply,) = ended(await run(Engine(client, HandClock()).start(session, Asking("Hello!"), request))).replies
    assert (reply.reasoning, reply.content, reply.thinking) == ("hm", "yes", True)
    assert reply.timing is not None
    assert reply.timing.thinking_s is not None
    assert past_prompt(session.value, reply.id) == client.bodies[0]["input"]
    assert decode_session(encode_session(session.value)).messages[-1].reopened is not thinking


async def test_turns_run_side_by_side() -> None:
    gate = asyncio.Event()
    client = ScriptedClient([streaming(token("a"), gate, end()), streaming(token("b"), end())])
    engine, first, second = Engine(client, HandClock()), opened(), opened()
    slow = engine.start(first, Asking("one"), REQUEST)
    events = slow.listen()
    await asyncio.sleep(0)
    await run(engine.start(second, Asking("two"), REQUEST))
    gate.set()
    assert ended([event async for event in events]).replies[0].reasoning == "a"
    assert second.value.messages[-1].reasoning == "b"


class HeldClock(HandClock):
    """Sleeps until it is cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self.sleeping = asyncio.Event()

    async def sleep(self, delay_s: float) -> None:
        self.sleeping.set()
        await asyncio.Event().wait()


async def test_stopping_while_the_next_attempt_waits() -> None:
    clock, session = HeldClock(), opened()
    client = ScriptedClient([Script([], refuse=RateLimitedError("busy"))])
    turn = Engine(client, clock).start(session, Asking("Hello!"), REQUEST)
    listener = turn.listen()
    await clock.sleeping.wait()
    turn.stop()
    events = [event async for event in listener]
    assert (ended(events).phase, ended(events).error, len(client.bodies)) == (Phase.STOPPED, None, 1)
    assert [m.role for m in session.value.messages] == [Role.USER]


async def test_the_pause_before_the_next_attempt_can_be_skipped() -> None:
    clock, session = HeldClock(), opened()
    client = ScriptedClient([Script([], refuse=RateLimitedError("busy")), streaming(*WHOLE)])
    turn = Engine(client, clock).start(session, Asking("Hello!"), REQUEST)
    listener = turn.listen()
    assert not turn.skip_wait()
    await clock.sleeping.wait()
    assert turn.skip_wait()
    events = [event async for event in listener]
    kinds = [type(event) for event in events if isinstance(event, Retrying | AttemptBegan)]
    assert (ended(events).state, kinds) == (MessageState.COMPLETE, [Retrying, AttemptBegan])
    assert not turn.skip_wait()


async def test_a_pause_that_is_skipped_does_not_take_away_the_next_one() -> None:
    clock = HeldClock()
    client = ScriptedClient([Script([], refuse=RateLimitedError("busy"))] * 2)
    turn = Engine(client, clock).start(opened(), Asking("Hello!"), REQUEST)
    events = turn.listen()
    for _ in range(2):
        await clock.sleeping.wait()
        clock.sleeping.clear()
        turn.skip_wait()
        turn.skip_wait()
        if len(client.bodies) == 1:
            await asyncio.sleep(0)
    async with asyncio.timeout(5):
        while len(client.bodies) < 2:
            await asyncio.sleep(0)
    turn.stop()
    last = ended([event async for event in events])
    assert (last.phase, len(client.bodies)) == (Phase.STOPPED, 2)


async def test_stopping_at_once_still_ends_and_keeps_the_question() -> None:
    store, client = MemoryStore(), ScriptedClient([])
    session = opened(store=store)
    turn = Engine(client, HandClock()).start(session, Asking("Hello!"), REQUEST)
    turn.stop()
    events = await run(turn)
    assert (ended(events).phase, ended(events).state) == (Phase.STOPPED, MessageState.CANCELLED)
    assert (client.bodies, [m.content for m in store.saved[-1].messages]) == ([], ["Hello!"])


async def test_a_request_that_was_stopped_before_it_was_sent_took_no_time() -> None:
    clock, client = HandClock(), ScriptedClient([])
    clock.time_s = 5000.0
    turn = Engine(client, clock).start(opened(), Asking("Hello!"), REQUEST)
    async for event in turn.listen():
        if event == PhaseChanged("m2", Phase.WAITING):  # its body is still to be written
            turn.stop()
    assert (client.bodies, [record.timing for record in turn.reply.requests]) == ([], [Timing(total_s=0.0)])


async def test_a_turn_that_is_cancelled_from_outside_keeps_what_came() -> None:
    session = opened()
    turn = Engine(ScriptedClient([streaming(token("hm"), asyncio.Event())]), HandClock()).start(
        session, Asking("x"), REQUEST
    )
    async for event in turn.listen():
        if isinstance(event, ReplyDelta):
            for task in asyncio.all_tasks():
                if task.get_name() == turn.reply.id:
                    task.cancel()
    assert (session.value.messages[-1].reasoning, session.value.messages[-1].state) == ("hm", MessageState.CANCELLED)


async def test_stopping_after_the_end_changes_nothing() -> None:
    turn = Engine(ScriptedClient([streaming(*WHOLE)]), HandClock()).start(opened(), Asking("x"), REQUEST)
    end_ = await turn.finished()
    turn.stop()
    assert (end_.state, turn.is_stopped) == (MessageState.COMPLETE, False)


async def test_a_connection_that_stays_open_after_the_end_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kimi_tui.engine.request_run.LINGER_S", 0.02)
    client = ScriptedClient([streaming(token("</think>yes"), end(), asyncio.Event())])
    events = await run(Engine(client, HandClock()).start(opened(), Asking("x"), REQUEST))
    assert (ended(events).state, ended(events).error, client.closed) == (MessageState.COMPLETE, None, 1)


UNSTREAMED = Script([b'{"results":[{"generated_text":"hm</think>yes"}]}'], is_event_stream=False)


def later(*, by_s: int) -> type[ScriptedClient]:
    """An endpoint that answers when the loop's clock has been moved on, a second at a time."""

    class Late(ScriptedClient):
        @asynccontextmanager
        async def send(self, body: bytes, model: str, tap: Tap | None = None) -> AsyncIterator[Any]:
            loop = asyncio.get_running_loop()
            now_s = loop.time()
            with patch.object(loop, "time", lambda: now_s):
                for _ in range(by_s):
                    now_s += 1
                    await asyncio.sleep(0)
                    await asyncio.sleep(0)
                async with super().send(body, model, tap) as response:
                    yield response

    return Late


@pytest.mark.parametrize(
    ("fields", "by_s", "kind"),
    [
        ({"stream": True}, 119, None),
        ({"stream": True}, 121, "timeout"),
        ({"stream": False, "max_new_tokens": 4000}, 519, None),
        ({"stream": False, "max_new_tokens": 4000}, 521, "timeout"),
        ({"max_new_tokens": 4000, "num_responses": 4}, 519, None),
        ({"stream": False}, 1700, None),
        ({"stream": False}, 1800, "timeout"),
    ],
)
async def test_an_unstreamed_reply_may_take_the_time_to_write_it(
    fields: dict[str, object], by_s: int, kind: str | None
) -> None:
    script = streaming(*WHOLE) if fields.get("stream") else UNSTREAMED
    client = later(by_s=by_s)([script])
    events = await run(Engine(client, HandClock()).start(opened(), Asking("x"), replace(REQUEST, fields=fields)))
    error = ended(events).error
    assert (error and error.kind) == kind


async def test_what_the_endpoint_says_is_cleaned_of_secrets() -> None:
    class Cleaning(ScriptedClient):
        def without_secrets(self, words: str) -> str:
            return words.replace("hush", "[key]")

    script = streaming(token("hm"), frame(error="bad key hush", request_id="r hush"))
    last = ended(await run(Engine(Cleaning([script]), HandClock()).start(opened(), Asking("x"), REQUEST)))
    assert last.error is not None
    assert "bad key [key]" in last.error.summary
    assert str(last.error) == last.error.summary
    assert last.replies[0].request_id == "r [key]"


async def test_the_model_that_was_asked_stands_in_the_reply() -> None:
    client = ScriptedClient([streaming(*WHOLE)])
    session = opened()
    events = await run(Engine(client, HandClock()).start(session, Asking("x"), replace(REQUEST, model="other/model")))
    assert (client.models, ended(events).replies[0].model) == (["other/model"], "other/model")
    assert session.value.model == "model"


async def test_silence_amid_text_keeps_it_and_is_not_tried_again() -> None:
    client = ScriptedClient([streaming(token("hm"), b": ping\n\n", asyncio.Event())])
    request = replace(REQUEST, silence_s=0.05)
    events = await run(Engine(client, HandClock()).start(opened(), Asking("x"), request))
    error = ended(events).error
    assert error is not None
    assert (error.kind, ended(events).state, ended(events).replies[0].reasoning) == (
        "timeout",
        MessageState.INTERRUPTED,
        "hm",
    )
    assert len(client.bodies) == 1


async def test_a_token_that_shows_no_text_yet_is_a_first_token() -> None:
    client = ScriptedClient([streaming(token("\n"), ConnectionFailedError("lost"))])
    events = await run(Engine(client, HandClock()).start(opened(), Asking("x"), REQUEST))
    assert (len(client.bodies), ended(events).state) == (1, MessageState.INTERRUPTED)


async def test_a_stream_that_just_ends_is_interrupted() -> None:
    events = await ask(streaming(token("hm")))
    error = ended(events).error
    assert error is not None
    assert (error.kind, error.summary) == ("stream", "The connection closed before the reply was complete.")
    assert (ended(events).state, ended(events).replies[0].reasoning) == (MessageState.INTERRUPTED, "hm")


@pytest.mark.parametrize("reason", ["length", "tool_calls", "content_filter", "malformed_function_call", "new word"])
async def test_every_finish_reason_completes(reason: str) -> None:
    reply = ended(await ask(streaming(token("hm"), end(reason)))).replies[0]
    assert (reply.state, reply.finish_reason, reply.reasoning, reply.content) == (
        MessageState.COMPLETE,
        reason,
        "hm",
        "",
    )


async def test_json_in_answer_to_a_stream_request() -> None:
    body = b'{"results":[{"generated_text":"hm</think>yes"}],"num_tokens":4}'
    reply = ended(await ask(Script([body], is_event_stream=False))).replies[0]
    assert (reply.reasoning, reply.content, reply.state) == ("hm", "yes", MessageState.COMPLETE)


async def test_a_queued_request_leaves_a_queued_message() -> None:
    body = b'{"inference_status":{"status":"queued"},"request_id":"r5"}'
    end_ = ended(await ask(Script([body], is_event_stream=False)))
    assert (end_.phase, end_.replies[0].state, end_.replies[0].request_id) == (
        Phase.FINISHED,
        MessageState.QUEUED,
        "r5",
    )


async def test_durations_come_from_the_clock() -> None:
    clock = HandClock()

    class Slow(ScriptedClient):
        @asynccontextmanager
        async def send(self, body: bytes, model: str, tap: Tap | None = None) -> AsyncIterator[Any]:
            clock.time_s += 2
            async with super().send(body, model, tap) as response:
                yield response

    client = Slow([Script([], refuse=RateLimitedError("busy", retry_after_s=9)), streaming(*WHOLE)])
    reply = ended(await run(Engine(client, clock).start(opened(), Asking("x"), REQUEST))).replies[0]
    assert reply.timing == Timing(2.0, 0.0, 2.0)
    assert reply.created == datetime(2026, 11, 23, 8, 15, 13, tzinfo=UTC)


async def test_what_the_prompt_said_stays_with_the_reply() -> None:
    hidden = Message("m1", Role.USER, "hidden", excluded=True)
    shown = Message("m2", Role.ASSISTANT, "shown", parent="m1", state=MessageState.COMPLETE)
    session, gate = opened(hidden, shown), asyncio.Event()
    session.update(lambda value: replace(value, system="old"))
    client = ScriptedClient([streaming(token("hm"), gate, end())])
    turn = Engine(client, HandClock()).start(session, Asking("x"), REQUEST)
    while not client.bodies:
        await asyncio.sleep(0)
    session.update(lambda value: tree.with_system(value, "new"))
    gate.set()
    reply = (await turn.finished()).replies[0]
    assert (reply.system, reply.left_out) == ("old", ("m1",))
    assert past_prompt(session.value, reply.id) == client.bodies[0]["input"]


async def test_a_question_deleted_meanwhile_takes_its_reply_along() -> None:
    session, gate = opened(), asyncio.Event()
    turn = Engine(ScriptedClient([streaming(token("hm"), gate, end())]), HandClock()).start(
        session, Asking("x"), REQUEST
    )
    await turn.listen().drain()
    session.update(lambda value: tree.without(value, "m1"))
    gate.set()
    assert ((await turn.finished()).replies, session.value.messages) == ((), ())


async def test_a_user_who_went_elsewhere_is_not_called_back() -> None:
    first = Message("m1", Role.USER, "other branch")
    session, gate = opened(first), asyncio.Event()
    turn = Engine(ScriptedClient([streaming(token("hm"), gate, end())]), HandClock()).start(
        session, Asking("x"), REQUEST
    )
    await turn.listen().drain()
    session.update(lambda value: tree.select(value, "m1"))
    gate.set()
    (reply,) = (await turn.finished()).replies
    assert (session.value.head, reply.parent) == ("m1", "m2")


async def test_a_lone_surrogate_in_a_question_becomes_a_replacement() -> None:
    session = opened()
    turn = Engine(ScriptedClient([streaming(*WHOLE)]), HandClock()).start(session, Asking("a\ud83d"), REQUEST)
    await run(turn)
    assert turn.question is not None
    assert turn.question.content == session.value.messages[0].content == "a\ufffd"


async def test_what_nobody_expected_is_a_failed_end_without_texts_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    class Faulty(ScriptedClient):
        @asynccontextmanager
        async def send(self, body: bytes, model: str, tap: Tap | None = None) -> AsyncIterator[Any]:
            if body:
                raise ZeroDivisionError(body.decode())
            yield

    with caplog.at_level(logging.INFO, "kimi_tui"):
        events = await run(Engine(Faulty([]), HandClock()).start(opened(), Asking("my secret"), REQUEST))
    error = ended(events).error
    assert error is not None
    assert (error.kind, "ZeroDivisionError" in error.summary) == ("error", True)
    assert "ZeroDivisionError" in caplog.text
    assert "my secret" not in caplog.text + error.summary


async def test_the_log_holds_no_texts(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "kimi_tui"):
        await ask(streaming(token("very private"), end()))
    assert "r1" in caplog.text
    assert "complete" in caplog.text
    assert "very private" not in caplog.text
    assert "Hello!" not in caplog.text


async def settled() -> None:
    """Let every task run until it waits for something."""
    for _ in range(10):
        await asyncio.sleep(0)


class GatedStore(MemoryStore):
    """Saves when it is let, and notices when two saves overlap."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.running, self.most = asyncio.Event(), 0, 0

    async def save(self, session: Session) -> None:
        self.running += 1
        self.most = max(self.most, self.running)
        await self.gate.wait()
        self.running -= 1
        await super().save(session)


async def test_saves_never_overlap_even_when_one_is_cancelled() -> None:
    store = GatedStore()
    session = OpenSession(Session("s", NOW, NOW, "model"), store)
    first = asyncio.create_task(session.save())
    await settled()
    first.cancel()
    session.update(lambda value: replace(value, title="a"))
    second = asyncio.create_task(session.save())
    session.update(lambda value: replace(value, title="b"))
    third = asyncio.create_task(session.save())
    await settled()
    store.gate.set()
    await asyncio.gather(first, second, third, return_exceptions=True)
    assert (store.most, [saved.title for saved in store.saved]) == (1, ["", "b"])


async def test_waiting_deltas_are_joined_for_every_listener() -> None:
    client = ScriptedClient([streaming(*[token("x")] * 500, end())])
    turn = Engine(client, HandClock()).start(opened(), Asking("Hello!"), REQUEST)
    listeners = [turn.listen(), turn.listen()]
    await turn.finished()
    for listener in listeners:
        deltas = [event for event in await listener.drain() if isinstance(event, ReplyDelta)]
        assert [(delta.text(turn.reply), delta.tokens) for delta in deltas] == [("x" * 500, 500)]
        assert await listener.drain() == []


async def test_an_edited_question_becomes_an_alternative() -> None:
    client = ScriptedClient([streaming(*WHOLE), streaming(*WHOLE), streaming(*WHOLE)])
    engine, session = Engine(client, HandClock()), opened()
    await run(engine.start(session, Asking("one"), REQUEST))
    await run(engine.start(session, Asking("two"), REQUEST))
    await run(engine.start(session, Asking("zwei", "m3"), REQUEST))
    assert [(m.id, m.parent, m.content) for m in session.value.messages if m.role is Role.USER] == [
        ("m1", None, "one"), ("m3", "m2", "two"), ("m5", "m2", "zwei"),
    ]  # fmt: skip
    assert "two" not in client.bodies[2]["input"]
    assert session.value.head == "m6"


async def test_a_regenerated_reply_becomes_an_alternative() -> None:
    client = ScriptedClient([streaming(*WHOLE), streaming(*WHOLE)])
    engine, session = Engine(client, HandClock()), opened()
    await run(engine.start(session, Asking("one"), REQUEST))
    end_ = ended(await run(engine.start(session, AskingAgain("m1"), REQUEST)))
    assert [m.parent for m in session.value.messages] == [None, "m1", "m1"]
    assert session.value.head == end_.replies[0].id == "m3"
    assert client.bodies[0]["input"] == client.bodies[1]["input"]


@pytest.mark.parametrize("stops", [False, True])
async def test_a_question_asked_again_in_vain_shows_its_old_reply(stops: bool) -> None:
    store = MemoryStore()
    script = streaming(asyncio.Event()) if stops else Script([], refuse=AuthenticationError("no"))
    session = opened(store=store)
    engine = Engine(ScriptedClient([streaming(*WHOLE), script]), HandClock())
    await run(engine.start(session, Asking("one"), REQUEST))
    turn = engine.start(session, AskingAgain("m1"), REQUEST)
    if stops:
        turn.stop()
    assert ended(await run(turn)).replies == ()
    assert (session.value.head, store.saved[-1].head) == ("m2", "m2")


async def test_asking_again_what_is_gone_fails_in_words() -> None:
    engine = Engine(ScriptedClient([]), HandClock())
    assert ended(await run(engine.start(opened(), AskingAgain("m1"), REQUEST))).phase is Phase.FAILED


async def test_no_half_of_a_secret_is_left_where_words_are_cut() -> None:
    class Cleaning(ScriptedClient):
        def without_secrets(self, words: str) -> str:
            return words.replace("hush" * 20, "[key]")

    for before in range(0, 320, 7):
        script = streaming(frame(error="x" * before + "hush" * 20 + "."))
        last = ended(await run(Engine(Cleaning([script]), HandClock()).start(opened(), Asking("x"), REQUEST)))
        assert last.error is not None
        assert "hush" not in last.error.summary + last.error.quote


async def test_whoever_hears_every_turn_hears_it_from_its_first_event_on() -> None:
    heard, finished = list[TurnEvent](), list[int]()

    async def listener(turn: RunningTurn) -> None:
        events = turn.listen()
        while batch := await events.drain():
            heard.extend(batch)
        await asyncio.sleep(0.01)
        finished.append(len(turn.reply.requests))

    async def broken(turn: RunningTurn) -> None:
        raise RuntimeError("a text that no log may hold")

    engine = Engine(ScriptedClient([streaming(*WHOLE)]), HandClock(), listeners=[broken, listener])
    turn = engine.start(opened(), Asking("Hello!"), REQUEST)
    events = await run(turn)
    assert not finished  # nobody waits for it who shows the turn
    assert (await turn.finished()).replies
    assert finished == [1]
    assert isinstance(heard[0], TurnBegan)
    assert heard[-1] is events[-1]
    (ended_,) = (event for event in heard if isinstance(event, RequestEnded))
    assert (ended_.reply_id, ended_.record.request_id, ended_.record.state) == ("m2", "r1", MessageState.COMPLETE)


async def test_a_listener_that_fails_is_logged_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(turn: RunningTurn) -> None:
        raise RuntimeError(f"secret {turn.reply.id}")

    engine = Engine(ScriptedClient([streaming(*WHOLE)]), HandClock(), listeners=[broken])
    assert (await engine.start(opened(), Asking("Hello!"), REQUEST).finished()).replies
    assert "a listener failed, RuntimeError" in caplog.text
    assert "secret m2" not in caplog.text


async def test_a_pause_ends_with_the_turn() -> None:
    turn = Engine(ScriptedClient([streaming(*WHOLE)]), HandClock()).start(opened(), Asking("Hello!"), REQUEST)
    events = turn.listen()
    async with asyncio.timeout(5):
        await events.pause(60)
    assert isinstance((await events.drain())[-1], TurnEnded)


async def test_a_request_that_runs_is_told_as_if_it_broke_off() -> None:
    held = asyncio.Event()
    script = streaming(token("hm"), frame(request_id="r7 sk-key"), token("so"), held, *WHOLE[1:])
    client = ScriptedClient([script])
    client.without_secrets = lambda words: words.replace("sk-key", "…")  # type: ignore[method-assign]
    turn = Engine(client, HandClock()).start(opened(), Asking("Hello!"), REQUEST)
    running = partial(getattr, turn, "open_request")
    assert running() is None
    while len(turn.reply.texts[ReplyPart.REASONING]) < 4:
        await asyncio.sleep(0)
    record = running().record
    assert (record.kind, record.state, record.request_id) == ("reply", MessageState.INTERRUPTED, "r7 …")
    assert (record.usage, record.is_estimated) == (Usage(output_tokens=2), True)
    held.set()
    await turn.finished()
    assert running() is None
