"""Turns from question to saved reply, over a scripted endpoint."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

from kimi_tui.core.errors import (
    AuthenticationError,
    ConnectionFailedError,
    InputTooLargeError,
    RateLimitedError,
    StorageError,
)
from kimi_tui.core.replies import (
    Phase,
    PhaseChanged,
    QuestionAdded,
    ReplyDelta,
    Retrying,
    TurnEnded,
    TurnEvent,
    TurnNotice,
)
from kimi_tui.core.request import RequestSettings
from kimi_tui.core.session import Message, MessageState, Role, Session, Usage
from kimi_tui.engine import Engine, OpenSession, RequestStep, Turn, TurnSoFar
from tests.fakes.clock import HandClock
from tests.fakes.scripted_client import DONE, Script, ScriptedClient, Step, end, frame, streaming, think_end, token

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
    return [event async for event in turn]


def ended(events: list[TurnEvent]) -> TurnEnded:
    assert isinstance(events[-1], TurnEnded)
    assert sum(isinstance(event, TurnEnded) for event in events) == 1
    return events[-1]


async def ask(
    *scripts: Script, session: OpenSession | None = None, request: RequestSettings = REQUEST
) -> list[TurnEvent]:
    engine = Engine(ScriptedClient(list(scripts)), HandClock())
    return await run(engine.start(session or opened(), "Hello!", request))


async def test_a_turn_from_question_to_saved_reply() -> None:
    store = MemoryStore()
    session = opened(store=store)
    client = ScriptedClient([streaming(*WHOLE)])
    events = await run(Engine(client, HandClock()).start(session, "Hello!", REQUEST))
    phases = [event.phase for event in events if isinstance(event, PhaseChanged)]
    assert isinstance(events[0], QuestionAdded)
    assert phases == [Phase.WAITING, Phase.REASONING, Phase.ANSWERING, Phase.FINISHED]
    assert "".join(event.text for event in events if isinstance(event, ReplyDelta)) == "hmyes"
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
    async for event in Engine(ScriptedClient([streaming(*WHOLE)]), HandClock()).start(opened(), "Hello!", REQUEST):
        if isinstance(event, ReplyDelta):
            printed += event.text
    assert printed == "hmyes"


async def test_stopping_keeps_what_arrived_and_closes_the_connection() -> None:
    client = ScriptedClient([streaming(token("hm"), asyncio.Event())])
    session = opened()
    turn = Engine(client, HandClock()).start(session, "Hello!", REQUEST)
    events: list[TurnEvent] = []
    async for event in turn:
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
    turn = Engine(ScriptedClient([streaming(asyncio.Event())]), HandClock()).start(session, "Hello!", REQUEST)
    events: list[TurnEvent] = []
    async for event in turn:
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


async def test_attempts_are_made_again_before_the_first_token_only() -> None:
    clock, client = HandClock(), ScriptedClient([])
    client.scripts = [
        Script([], refuse=RateLimitedError("busy", retry_after_s=7)),
        streaming(ConnectionFailedError("lost")),
        streaming(*WHOLE),
    ]
    events = await run(Engine(client, clock, jitter=lambda: 0.0).start(opened(), "Hello!", REQUEST))
    retries = [event for event in events if isinstance(event, Retrying)]
    assert [(r.attempt, r.attempts, r.delay_s) for r in retries] == [(2, 4, 7), (3, 4, 1.0)]
    assert clock.sleeps == [7, 1.0]
    assert ended(events).state is MessageState.COMPLETE


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


async def test_what_cannot_fit_is_refused_before_anything_changes() -> None:
    session = opened()
    events = await ask(session=session, request=replace(REQUEST, context_tokens=3))
    assert isinstance(ended(events).error, InputTooLargeError)
    assert session.value.messages == ()


async def test_a_doubtful_size_is_told_and_sent() -> None:
    events = await ask(streaming(*WHOLE), request=replace(REQUEST, context_tokens=22))
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


async def test_a_turn_of_two_requests_is_one_reply() -> None:
    def answer(so_far: TurnSoFar) -> RequestStep | None:
        if len(so_far.steps) == 2:
            return None
        prompt = so_far.steps[0].prompt + so_far.reasoning + "</think>"
        return RequestStep("answer", prompt, {"stream": True}, inside_reasoning=False)

    client = ScriptedClient(
        [streaming(token("hm"), end("stop", 10, 2, 0.1)), streaming(token("yes"), end("stop", 12, 1, 0.2))]
    )
    session = opened()
    turn = Engine(client, HandClock()).start(session, "Hello!", REQUEST, next_request=answer)
    events = await run(turn)
    reply = ended(events).replies[0]
    assert (reply.reasoning, reply.content) == ("hm", "yes")
    assert reply.usage == turn.usage
    assert (turn.usage.input_tokens, turn.usage.output_tokens, len(reply.requests)) == (22, 3, 2)
    assert [record.kind for record in reply.requests] == ["reply", "answer"]
    assert client.bodies[1]["input"] == client.bodies[0]["input"] + "hm</think>"


async def test_turns_run_side_by_side() -> None:
    gate = asyncio.Event()
    client = ScriptedClient([streaming(token("a"), gate, end()), streaming(token("b"), end())])
    engine, first, second = Engine(client, HandClock()), opened(), opened()
    slow = engine.start(first, "one", REQUEST)
    await asyncio.sleep(0)
    await run(engine.start(second, "two", REQUEST))
    gate.set()
    assert ended(await run(slow)).replies[0].reasoning == "a"
    assert second.value.messages[-1].reasoning == "b"


async def test_waiting_deltas_are_joined() -> None:
    turn = Engine(ScriptedClient([streaming(*[token("x")] * 500, end())]), HandClock()).start(
        opened(), "Hello!", REQUEST
    )
    await turn.finished()
    deltas = [event for event in await turn.drain() if isinstance(event, ReplyDelta)]
    assert [(delta.text, delta.tokens) for delta in deltas] == [("x" * 500, 500)]
    assert await turn.drain() == []
