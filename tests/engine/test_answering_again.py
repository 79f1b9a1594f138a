"""Other answers to the thinking of a reply: the input as a server gets it, the message as the file keeps it, the costs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_tui.core.errors import BrokenStreamError, CompletionError
from kimi_tui.core.ports import Tap
from kimi_tui.core.prompt.open_turn import OpenTurn
from kimi_tui.core.prompt.prompt_view import PromptViewer
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.codec import decode_session, encode_session
from kimi_tui.core.session.endings import thinking_end
from kimi_tui.core.session.session import Message, MessageState, Role, Session, Usage
from kimi_tui.core.session.tree import before
from kimi_tui.core.session.written import Begun
from kimi_tui.core.wire.reply_plans import answering_again, going_on, refusal_to_answer_again
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.engine.openings import AnsweringAgain, GoingOn
from kimi_tui.engine.turn_engine import Engine
from tests.fakes.clock import HandClock
from tests.fakes.scripted_client import Script, ScriptedClient, end, frame, streaming, token
from tests.prompts import past_prompt

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
THOUGHT = "Two ways. 👍🏽 \r\nNot <think> nor <|im_end|>"
QUESTION = Message("m1", Role.USER, "Lamb?", created=NOW)
FIRST = Message(
    "m2", Role.ASSISTANT, "Roast it.", "m1", NOW, THOUGHT, MessageState.COMPLETE, "stop", model="m",
    template="deepinfra", thinking=True, sent={"stream": True}, usage=Usage(10, 200, 0.5),
)  # fmt: skip
SESSION = Session("s", NOW, NOW, "m", title="Lamb?", system="Be brief.", messages=(QUESTION, FIRST), head="m2")
REQUEST = RequestSettings(fields={"stream": True, "max_new_tokens": 50}, retries=0)
INPUT = (
    "<|im_system|>ChatMessageRole.SYSTEM<|im_middle|>Be brief.<|im_end|>"
    "<|im_user|>ChatMessageRole.USER<|im_middle|>Lamb?<|im_end|>"
    "<|im_assistant|>assistant<|im_middle|><think>"
    "Two ways. 👍🏽 \r\nNot <think> nor <\u2060|im_end|></think>"
)


async def answered(*scripts: Script, source: Message = FIRST, count: int = 1) -> tuple[OpenSession, ScriptedClient]:
    client, session = ScriptedClient(list(scripts)), OpenSession(replace(SESSION, messages=(QUESTION, source)), None)
    fields = {**REQUEST.fields, **({"num_responses": count, "stream": False} if count > 1 else {})}
    request = replace(REQUEST, fields=fields)
    turn = Engine(client, HandClock()).start(session, AnsweringAgain(source), request, answering_again)
    await turn.finished()
    return session, client


async def test_the_thinking_is_sent_along_and_only_the_answer_is_new() -> None:
    session, client = await answered(streaming(token("Grill"), token(" it."), end("stop", 300, 2, 0.01)))
    assert [body["input"] for body in client.bodies] == [INPUT]
    assert {name: value for name, value in client.bodies[0].items() if name != "input"} == REQUEST.fields
    first, second = session.value.messages[1:]
    assert first == FIRST
    assert (second.id, second.parent, session.value.head) == ("m3", "m1", "m3")
    assert (second.reasoning, second.content, second.state) == (THOUGHT, "Grill it.", MessageState.COMPLETE)
    assert second.usage == Usage(300, 2, 0.01)
    assert second.timing is not None
    assert second.timing.thinking_s is None
    assert second.took_thinking
    assert thinking_end(second) == "taken from another reply"


async def test_it_is_the_same_after_the_file_was_read_again() -> None:
    session, _ = await answered(streaming(token("Grill it."), end()))
    read = decode_session(encode_session(session.value))
    assert read.messages[-1].took_thinking
    assert past_prompt(read, "m3") == INPUT
    assert read.messages[-1].begun == Begun(len(THOUGHT), 0, "m2")
    assert past_prompt(read, "m2") + THOUGHT.replace("<|im_end|>", "<\u2060|im_end|>") + "</think>" == INPUT


def test_the_input_is_seen_before_it_is_sent() -> None:
    open_turn = OpenTurn.of(REQUEST.door, is_closed=True, reasoning=THOUGHT)
    view = PromptViewer().view(before(SESSION, "m2"), REQUEST, None, open_turn)
    assert view.text == INPUT


async def test_it_is_gone_on_with_where_it_broke_off() -> None:
    session, client = await answered(streaming(token("Gri"), BrokenStreamError("It broke.")))
    reply = session.value.messages[-1]
    assert (reply.content, reply.state, reply.took_thinking) == ("Gri", MessageState.INTERRUPTED, True)
    client.scripts.append(streaming(token("ll it."), end("stop", 310, 3, 0.02)))
    await Engine(client, HandClock()).start(session, GoingOn(reply), REQUEST, going_on).finished()
    assert client.bodies[1]["input"] == INPUT + "Gri"
    reply = session.value.messages[-1]
    assert (reply.content, reply.reasoning, [it.kind for it in reply.requests]) == (
        "Grill it.",
        THOUGHT,
        ["answer", "continue"],
    )
    assert past_prompt(session.value, reply.id) == INPUT


async def test_what_ended_the_thinking_is_kept() -> None:
    source = replace(FIRST, thinking_end="budget", cut_tail=" And")
    session, _ = await answered(streaming(token("Grill it."), end()), source=source)
    assert thinking_end(session.value.messages[-1]) == "ended by its budget · taken from another reply"


async def test_nothing_but_the_old_reply_is_there_where_nothing_came() -> None:
    session, _ = await answered(Script([], refuse=CompletionError("No.")))
    assert session.value == replace(SESSION, updated=session.value.updated)


async def test_one_request_brings_several_and_the_first_carries_what_it_took() -> None:
    results = [{"generated_text": text} for text in ("Grill it.", INPUT + "Stew it.", "</think>Braise it.")]
    document = json.dumps({"results": results, "num_tokens": 9, "num_input_tokens": 300}).encode()
    session, client = await answered(Script([document], is_event_stream=False), count=3)
    assert [body["input"] for body in client.bodies] == [INPUT]
    replies = session.value.messages[2:]
    assert [(it.reasoning, it.content) for it in replies] == [
        (THOUGHT, "Grill it."),
        (THOUGHT, "Stew it."),
        (THOUGHT, "</think>Braise it."),
    ]
    assert [it.usage is not None for it in replies] == [True, False, False]
    assert all(it.took_thinking and past_prompt(session.value, it.id) == INPUT for it in replies)


@pytest.mark.parametrize(
    ("message", "refusal"),
    [
        (FIRST, ""),
        (replace(FIRST, content="", thinking_end="user"), ""),
        (replace(FIRST, content=""), "Its thinking broke off."),
        (replace(FIRST, reasoning=None), "This message has no thinking."),
        (QUESTION, "This message has no thinking."),
    ],
)
def test_what_can_be_answered_again(message: Message, refusal: str) -> None:
    assert refusal_to_answer_again(message) == refusal


class Answerer(ScriptedClient):
    """Goes on with its answer wherever the open turn ends, and breaks off after so many characters of it."""

    answer = "Yes:\r\n```py\nx = '</think>'\n```\n👍🏽|im_endx"

    def __init__(self, breaks: list[int]) -> None:
        super().__init__([])
        self.breaks = breaks

    @asynccontextmanager
    async def send(self, body: bytes, model: str, tap: Tap | None = None) -> AsyncIterator[Any]:
        begun = json.loads(body)["input"].removeprefix(INPUT)
        assert self.answer.startswith(begun)
        steps: list[Any] = [token(char) for char in self.answer[len(begun) :]]
        if self.breaks:
            steps = [*steps[: self.breaks.pop(0)], BrokenStreamError("It broke.")]
        self.scripts.append(Script([*steps, frame(details={"finish_reason": "stop"})]))
        async with super().send(body, model, tap) as response:
            yield response


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 30), max_size=3))
def test_cut_anywhere_and_gone_on_with_it_is_the_uncut_answer(breaks: list[int]) -> None:
    async def run() -> None:
        client, session = Answerer(list(breaks)), OpenSession(SESSION, None)
        engine = Engine(client, HandClock())
        await engine.start(session, AnsweringAgain(FIRST), REQUEST, answering_again).finished()
        while session.value.messages[-1].state is not MessageState.COMPLETE:
            await engine.start(session, GoingOn(session.value.messages[-1]), REQUEST, going_on).finished()
        assert (session.value.messages[1], len(session.value.messages)) == (FIRST, 3)
        assert (session.value.messages[-1].reasoning, session.value.messages[-1].content) == (THOUGHT, client.answer)

    asyncio.run(run())


async def test_one_aside_that_brings_nothing_leaves_the_one_that_is_shown() -> None:
    gate = asyncio.Event()
    client = ScriptedClient(
        [streaming(token("Gri"), gate, token("ll it."), end()), Script([], refuse=CompletionError("No."))]
    )
    session, engine = OpenSession(SESSION, None), Engine(client, HandClock())
    shown = engine.start(session, AnsweringAgain(FIRST), REQUEST, answering_again)
    while not client.bodies:
        await asyncio.sleep(0)
    aside = engine.start(session, AnsweringAgain(FIRST), REQUEST, answering_again)
    session.shown_reply = shown.reply.id
    aside.head_before = FIRST.id
    await aside.finished()
    assert session.value.head == "m1"
    gate.set()
    await shown.finished()
    assert session.value.head == shown.reply.id
