"""Two requests in one turn: think freely, then answer in the form; the bytes that are sent, and the reply that is kept."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from kimi_tui.core.errors import ConnectionFailedError
from kimi_tui.core.ports import Tap
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.session import Message, MessageState, Session
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from kimi_tui.core.wire.plans import chosen, single
from kimi_tui.core.wire.reply_plans import going_on
from kimi_tui.core.wire.strict_answers import thinking_first
from kimi_tui.core.wire.thinking_budget import Budget
from kimi_tui.core.wire.turn_events import ReplyDelta
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.engine.openings import Asking, GoingOn
from kimi_tui.engine.turn import Turn
from kimi_tui.engine.turn_engine import Engine
from tests.fakes.clock import HandClock
from tests.fakes.scripted_client import DONE, Script, ScriptedClient, end, frame, streaming, think_end, token

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
FORM = {"type": "json_schema", "json_schema": {"name": "lamb", "schema": {"type": "object"}}}
FIELDS: dict[str, Any] = {
    "max_new_tokens": 100,
    "temperature": 1.0,
    "stop": ["<|im_end|>", "[EOS]"],
    "response_format": FORM,
    "stream": True,
}
REQUEST = RequestSettings(fields=FIELDS)
PROMPT = "<|im_user|>ChatMessageRole.USER<|im_middle|>Lamb?<|im_end|><|im_assistant|>assistant<|im_middle|><think>"
STOP = end("stop", 10, 3, 0.1)
ANSWER = streaming(token('{"a"'), token(": 1}"), end("stop", 14, 2, 0.2), DONE)
SWALLOWED = [token("hm"), token(" so"), STOP, DONE]
RETURNED = [token("hm"), token(" so"), think_end(), STOP, DONE]
RETURNED_IN_PIECES = [token("hm"), token(" so</"), token("think"), token(">\n"), STOP, DONE]
GOES_ON = [token("hm"), token(" so"), think_end(), token("Lamb"), token(" is"), STOP, DONE]
GOES_ON_AT_ONCE = [token("hm so</think>Lamb is"), STOP, DONE]


class RawClient(ScriptedClient):
    """Keeps the bytes that it was sent."""

    def __init__(self, scripts: list[Script]) -> None:
        super().__init__(scripts)
        self.raw: list[bytes] = []

    @asynccontextmanager
    async def send(self, body: bytes, model: str, tap: Tap | None = None) -> AsyncIterator[Any]:
        self.raw.append(body)
        async with super().send(body, model, tap) as response:
            yield response


def started(
    client: ScriptedClient,
    request: RequestSettings = REQUEST,
    *,
    session: OpenSession | None = None,
    message: Message | None = None,
    budget: Budget | None = None,
    auto_continue: int = 0,
) -> Turn:
    base, opening = (single, Asking("Lamb?")) if message is None else (going_on, GoingOn(message))
    plan = chosen(
        base,
        budget or Budget(),
        auto_continue=auto_continue,
        parted=partial(thinking_first, request=request, dialect=DEEPINFRA),
    )
    return Engine(client, HandClock()).start(session or opened(), opening, request, plan)


def opened() -> OpenSession:
    return OpenSession(Session("s", NOW, NOW, "model"), None)


async def reply_of(turn: Turn) -> Message:
    (reply,) = (await turn.finished()).replies
    return reply


def body(prompt: str, fields: dict[str, Any]) -> bytes:
    return json.dumps({"input": prompt, **fields}, ensure_ascii=False, separators=(",", ":")).encode()


THINK_FIELDS = {
    "max_new_tokens": 100,
    "temperature": 1.0,
    "stop": ["<|im_end|>", "[EOS]", "</think>"],
    "stream": True,
}
THINK_BODY = (
    b'{"input":"<|im_user|>ChatMessageRole.USER<|im_middle|>Lamb?<|im_end|><|im_assistant|>assistant<|im_middle|><think>",'
    b'"max_new_tokens":100,"temperature":1.0,"stop":["<|im_end|>","[EOS]","</think>"],"stream":true}'
)


@pytest.mark.parametrize(
    "steps",
    [SWALLOWED, RETURNED, RETURNED_IN_PIECES, GOES_ON, GOES_ON_AT_ONCE],
    ids=["swallowed", "returned", "in pieces", "goes on", "at once"],
)
async def test_both_bodies_byte_by_byte_whatever_the_server_does_with_the_stop_text(steps: list[bytes]) -> None:
    client = RawClient([streaming(*steps), ANSWER])
    reply = await reply_of(started(client))
    tokens = 1 if steps is GOES_ON_AT_ONCE else 2
    rest = json.loads(client.raw[1])["max_new_tokens"]
    assert client.raw == [THINK_BODY, body(f"{PROMPT}hm so</think>", {**FIELDS, "max_new_tokens": rest})]
    assert 100 - tokens - 2 <= rest <= 100 - tokens
    assert (reply.reasoning, reply.content) == ("hm so", '{"a": 1}')
    assert (reply.state, reply.finish_reason, reply.thinking_end) == (MessageState.COMPLETE, "stop", None)
    assert [request.kind for request in reply.requests] == ["think", "answer"]


@pytest.mark.parametrize("steps", [SWALLOWED, RETURNED, GOES_ON], ids=["swallowed", "returned", "goes on"])
async def test_at_every_cut_of_the_frames(steps: list[bytes]) -> None:
    stream = b"".join(steps)
    for place in range(1, len(stream)):
        client = RawClient([streaming(stream[:place], stream[place:]), ANSWER])
        reply = await reply_of(started(client))
        assert json.loads(client.raw[1])["input"] == f"{PROMPT}hm so</think>", place
        assert (reply.reasoning, reply.content) == ("hm so", '{"a": 1}'), place


async def test_the_mark_at_every_cut_of_its_characters() -> None:
    text = "hm so</think>"
    for first, second in itertools.combinations(range(len(text) + 1), 2):
        pieces = [piece for piece in (text[:first], text[first:second], text[second:]) if piece]
        reply = await reply_of(started(ScriptedClient([streaming(*map(token, pieces), STOP), ANSWER])))
        assert (reply.reasoning, reply.content) == ("hm so", '{"a": 1}'), pieces


async def test_what_both_used_adds_up_and_each_says_what_it_sent() -> None:
    reply = await reply_of(started(ScriptedClient([streaming(*SWALLOWED), ANSWER])))
    assert reply.usage is not None
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (24, 5)
    assert reply.usage.cost_usd == pytest.approx(0.3)
    assert reply.sent == THINK_FIELDS
    assert [request.sent for request in reply.requests] == [None, {**FIELDS, "max_new_tokens": 98}]


async def test_where_the_server_went_on_to_answer_that_is_cut_and_estimated() -> None:
    client = ScriptedClient([streaming(*GOES_ON[:-2], asyncio.Event()), ANSWER])  # it would go on for ever
    reply = await reply_of(started(client))
    assert (reply.content, client.closed) == ('{"a": 1}', 2)
    assert [(r.state, r.is_estimated) for r in reply.requests] == [
        (MessageState.CANCELLED, True),
        (MessageState.COMPLETE, False),
    ]


async def test_nothing_thought_is_an_empty_block() -> None:
    client = RawClient([streaming(frame(details={"finish_reason": "stop"}), DONE), ANSWER])
    reply = await reply_of(started(client))
    assert json.loads(client.raw[1])["input"] == f"{PROMPT}</think>"
    assert (reply.reasoning, reply.content) == (None, '{"a": 1}')


async def test_unstreamed_the_counts_say_what_remains() -> None:
    def document(text: str, tokens: int) -> Script:
        content = {
            "results": [{"generated_text": text}],
            "num_tokens": tokens,
            "inference_status": {"status": "succeeded"},
        }
        return Script([json.dumps(content).encode()], is_event_stream=False)

    request = replace(REQUEST, fields={**FIELDS, "stream": False})
    client = ScriptedClient([document("hm so</think>Lamb", 7), document('{"a": 1}', 3)])
    reply = await reply_of(started(client, request))
    assert client.bodies[1]["max_new_tokens"] == 93
    assert (reply.reasoning, reply.content) == ("hm so", '{"a": 1}')


async def test_several_answers_to_one_thought() -> None:
    results = {
        "results": [{"generated_text": "{}"}, {"generated_text": "[]"}],
        "inference_status": {"status": "succeeded"},
    }
    client = ScriptedClient([streaming(*SWALLOWED), Script([json.dumps(results).encode()], is_event_stream=False)])
    request = replace(REQUEST, fields={**FIELDS, "num_responses": 2, "stream": False})
    replies = (await started(client, request).finished()).replies
    assert [(client.bodies[n].get("num_responses"), client.bodies[n]["stream"]) for n in range(2)] == [
        (None, True),
        (2, False),
    ]
    assert [(reply.reasoning, reply.content) for reply in replies] == [("hm so", "{}"), ("hm so", "[]")]
    assert replies[0].usage is not None
    assert (replies[0].usage.input_tokens, replies[1].usage) == (10, None)


# -- what can go wrong


@pytest.mark.parametrize("steps", [SWALLOWED, RETURNED], ids=["swallowed", "returned"])
async def test_where_the_second_request_fails_the_thinking_stays_and_is_answered_later(steps: list[bytes]) -> None:
    session = opened()
    refused = Script([], refuse=ConnectionFailedError("no network"))
    request = replace(REQUEST, retries=0)
    kept = await reply_of(started(ScriptedClient([streaming(*steps), refused]), request, session=session))
    assert (kept.reasoning, kept.content, kept.state) == ("hm so", "", MessageState.FAILED)
    assert kept.thinking_end == "model"
    client = RawClient([ANSWER])
    reply = await reply_of(started(client, session=session, message=kept))
    assert client.raw == [body(f"{PROMPT}hm so</think>", FIELDS)]
    assert (reply.id, reply.reasoning, reply.content) == (kept.id, "hm so", '{"a": 1}')
    assert [request.kind for request in reply.requests] == ["think", "answer", "answer"]
    assert reply.thinking_end is None


@pytest.mark.parametrize("ending", [end("length", 10, 2), ConnectionFailedError("gone"), None])
async def test_a_thinking_that_breaks_off_is_thought_on_and_then_answered(ending: Any) -> None:
    session = opened()
    steps = [token("hm"), *([ending] if ending is not None else [])]
    client = ScriptedClient([streaming(*steps)])
    kept = await reply_of(started(client, replace(REQUEST, retries=0), session=session))
    assert (kept.reasoning, kept.content, kept.thinking_end, len(client.bodies)) == ("hm", "", None, 1)
    more = RawClient([streaming(token(" so"), STOP), ANSWER])
    reply = await reply_of(started(more, session=session, message=kept))
    assert [json.loads(raw)["input"] for raw in more.raw] == [f"{PROMPT}hm", f"{PROMPT}hm so</think>"]
    assert ["response_format" in json.loads(raw) for raw in more.raw] == [False, True]
    assert (reply.id, reply.reasoning, reply.content) == (kept.id, "hm so", '{"a": 1}')
    assert [request.kind for request in reply.requests[1:]] == ["think", "answer"]


async def test_length_inside_the_thinking_goes_on_by_itself_with_all_its_room() -> None:
    scripts = [streaming(token("hm"), end("length")), streaming(token(" so"), token("."), STOP), ANSWER]
    client = ScriptedClient(scripts)
    reply = await reply_of(started(client, auto_continue=1))
    assert [body["max_new_tokens"] for body in client.bodies] == [100, 100, 98]
    assert (reply.reasoning, reply.content) == ("hm so.", '{"a": 1}')


async def test_a_budget_ends_the_thinking_and_the_answer_is_in_the_format() -> None:
    client = ScriptedClient([streaming(*[token("a. ")] * 9), ANSWER])
    reply = await reply_of(started(client, budget=Budget(tokens=2)))
    assert [("response_format" in body, body["input"].removeprefix(PROMPT)) for body in client.bodies] == [
        (False, ""),
        (True, "a. a. </think>"),
    ]
    assert (reply.thinking_end, reply.content, client.bodies[1]["max_new_tokens"]) == ("budget", '{"a": 1}', 98)


async def test_answer_now_cuts_to_the_answer_in_the_format() -> None:
    client = ScriptedClient([streaming(token("hm."), asyncio.Event()), ANSWER])
    turn = started(client)
    async for event in turn.listen():
        if isinstance(event, ReplyDelta) and event.part is ReplyPart.REASONING:
            assert turn.cut()
    reply = await reply_of(turn)
    assert [("response_format" in body, body["stop"][-1]) for body in client.bodies] == [
        (False, "</think>"),
        (True, "[EOS]"),
    ]
    assert (reply.thinking_end, reply.reasoning, reply.content) == ("user", "hm.", '{"a": 1}')


@pytest.mark.parametrize("place", range(1, 12))
async def test_stopped_at_any_moment_what_came_stays(place: int) -> None:
    client = ScriptedClient([streaming(*RETURNED), ANSWER])
    turn = started(client)
    events = 0
    async for _ in turn.listen():
        events += 1
        if events == place:
            turn.stop()
    ended = await turn.finished()
    for reply in ended.replies:
        assert "hm so".startswith(reply.reasoning or "")
        assert '{"a": 1}'.startswith(reply.content)
