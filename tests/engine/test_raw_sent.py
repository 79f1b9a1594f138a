"""A raw input on its way: sent byte by byte as it stands, kept with the reply, gone on with as it came."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_tui.core.errors import InputTooLargeError
from kimi_tui.core.ports import Tap
from kimi_tui.core.prompt.context_budget import counted_prefix
from kimi_tui.core.prompt.prompt_view import going_on_view, request_view
from kimi_tui.core.prompt.raw_prompt import RawInput
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.prompt.template import DEFAULT_TEMPLATE
from kimi_tui.core.session.codec import decode_session, encode_session
from kimi_tui.core.session.endings import marks, refusal_to_continue
from kimi_tui.core.session.file_formats import FORMATS
from kimi_tui.core.session.growing_reply import GrowingText, ReplyPart
from kimi_tui.core.session.interventions import can_be_undone, undone
from kimi_tui.core.session.reply_edits import edited_answer, thinking_longer
from kimi_tui.core.session.session import Message, MessageState, Role, Session
from kimi_tui.core.wire.plans import answering, going_on, single
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.engine.openings import AnsweringAgain, Asking, AskingAgain, GoingOn, Opening
from kimi_tui.engine.turn import Turn
from kimi_tui.engine.turn_engine import Engine
from tests.core.cuts import cuts
from tests.engine.test_any_moment import ANSWER, THOUGHT, Thinker, failures, pressed, presses
from tests.engine.test_any_moment import REQUEST as PRESSED
from tests.engine.test_journalled_cuts import killed, said
from tests.engine.test_recorded import when
from tests.engine.test_requests_rebuilt import bodies_of
from tests.fakes.clock import HandClock
from tests.fakes.scripted_client import DONE, ScriptedClient, end, streaming, think_end, token
from tests.prompts import next_prompt, past_view
from tests.recorded import plain, read, record, replay
from tests.ui.program import NOW

REQUEST = RequestSettings(fields={"stream": True})
OPEN = "<|im_assistant|>assistant<|im_middle|>"
USER = "<|im_user|>ChatMessageRole.USER<|im_middle|>"
BLANK = Session("s", NOW, NOW, "model")
HELD = asyncio.Event
any_text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
parts = st.sampled_from(
    [OPEN, USER, "<think>", "</think>", "[EOS]", "[BOS]", "<|im_end|>", "\r\n", "\0", "\u2028", "<"]
)


def raw(text: str) -> RawInput:
    return RawInput.of(text, DEFAULT_TEMPLATE)


def asking(text: str) -> Asking:
    return Asking("x", start=raw(text))


async def carried_out(client: Any, session: Session, *openings: Opening) -> OpenSession:
    open_session = OpenSession(session, None)
    engine = Engine(client, HandClock())
    for opening in openings:
        plan = going_on if isinstance(opening, GoingOn) else single
        ended = await engine.start(open_session, opening, REQUEST, plan).finished()
        assert ended.error is None
    return open_session


class Wire(ScriptedClient):
    """Keeps the bytes that were sent."""

    @asynccontextmanager
    async def send(self, body: bytes, model: str, tap: Tap | None = None) -> AsyncIterator[Any]:
        self.sent = body
        async with super().send(body, model, tap) as response:
            yield response


@settings(max_examples=200, deadline=None)
@given(any_text | st.lists(parts | any_text, min_size=1).map("".join), st.sampled_from(sorted(FORMATS)))
def test_the_bytes_on_the_wire_are_the_text_and_every_file_keeps_it(text: str, name: str) -> None:
    async def run() -> None:
        client = Wire([streaming(token("yes"), end(), DONE)])
        open_session = await carried_out(client, BLANK, asking(text))
        beginning = b'{"input":' + json.dumps(text, ensure_ascii=False).encode() + b","
        assert json.loads(client.sent)["input"] == text
        if text.isprintable():
            assert client.sent.startswith(beginning)
        form = FORMATS[name]
        stored = decode_session(form.load(form.encode(open_session.value)))
        reply = stored.messages[-1]
        assert reply.raw_input == text
        assert past_view(stored, reply.id, 1000).text == text
        assert bodies_of(stored, reply)[0].startswith(client.sent[: len(beginning)])

    asyncio.run(run())


@pytest.mark.parametrize(
    ("tail", "came", "reasoning", "content"),
    [
        ("<think>", "hm</think>yes", "hm", "yes"),
        ("<think>", "<think>hm</think>yes", "hm", "yes"),
        ("<think>so", " <think>hm</think>yes", "so <think>hm", "yes"),
        ("<think>so</thi", "nk>yes</think>no", "so</think>yes", "no"),
        ("<think>so</think>", "<think>yes</think>", "so", "<think>yes</think>"),
        ("<think>so</think>It", " is</think>", "so", "It is</think>"),
        ("<think></think>", " <think>hm</think>yes", "hm", "yes"),
        ("<think></think>", "yes</think>", None, "yes</think>"),
        ("", "<think>hm</think>yes", "hm", "yes"),
        ("It", "<think>hm</think>", None, "It<think>hm</think>"),
        ("<think>", "hm", "hm", ""),
    ],
)
async def test_what_answers_it_is_parted_as_its_open_turn_says(
    tail: str, came: str, reasoning: str | None, content: str
) -> None:
    for pieces in cuts(came):
        client = ScriptedClient([streaming(*map(token, pieces), end(), DONE)])
        reply = (await carried_out(client, BLANK, asking(OPEN + tail))).value.messages[-1]
        assert (reply.reasoning, reply.content) == (reasoning, content), pieces


@settings(max_examples=150, deadline=None)
@given(failures, presses, presses, st.integers(0, len(THOUGHT)), st.integers(-1, len(ANSWER)))
def test_whatever_was_pressed_every_body_can_be_rebuilt(
    failing: list[tuple[str, int]],
    first: list[tuple[int, str]],
    second: list[tuple[int, str]],
    thought: int,
    said: int,
) -> None:
    """`said` = how much of the answer the input holds; -1 = its block is open."""
    tail = THOUGHT[:thought] if said < 0 else f"{THOUGHT}</think>{ANSWER[:said]}"
    text = f"[BOS]\r\n{USER}x\u2028<|im_end|>{OPEN}<think>{tail}"

    async def run() -> None:
        client = Thinker([], failures=list(failing))
        open_session = OpenSession(BLANK, None)
        engine = Engine(client, HandClock())
        ended = await pressed(engine.start(open_session, asking(text), PRESSED, answering(single)), first)
        sent = list(client.bodies)
        assert all(body["input"].startswith(text) for body in sent)
        if ended.replies and not refusal_to_continue(ended.replies[0]):
            turn = engine.start(open_session, GoingOn(ended.replies[0]), PRESSED, answering(going_on))
            if (await pressed(turn, second)).replies:
                sent = client.bodies
        stored = decode_session(encode_session(open_session.value))
        if ended.replies:
            reply = stored.messages[-1]
            assert reply.raw_input == text
            assert f"{THOUGHT}</think>".startswith((reply.reasoning or "") + reply.cut_tail)
            assert ANSWER.startswith(reply.content)
            rebuilt = (json.loads(body) for body in bodies_of(stored, reply))
            assert all(body in rebuilt for body in sent)

    asyncio.run(run())


async def test_going_on_shows_before_what_it_sends() -> None:
    scripts = [streaming(token("hm [E"), token("OS]</th"), end("length")), streaming(token("ink>yes"), end(), DONE)]
    client = ScriptedClient(scripts)
    text = f"{USER}x<|im_end|>{OPEN}<think>so "
    open_session = await carried_out(client, BLANK, asking(text))
    reply = open_session.value.messages[-1]
    shown = going_on_view(open_session.value, reply, REQUEST).text
    await Engine(client, HandClock()).start(open_session, GoingOn(reply), REQUEST, going_on).finished()
    assert client.bodies[1]["input"] == shown == f"{text}hm [EOS]</th"
    reply = open_session.value.messages[-1]
    assert (reply.reasoning, reply.content, reply.raw_input) == ("so hm [EOS]", "yes", text)
    assert [request_view(open_session.value, reply, place, 99).text for place in (0, 1)] == [text, shown]
    assert can_be_undone(reply)
    assert undone(reply, "m9", NOW).raw_input == text


async def test_answer_now_closes_its_block_behind_what_was_thought() -> None:
    held = HELD()
    client = ScriptedClient([streaming(token("hm"), held), streaming(token("yes"), end(), DONE)])
    open_session = OpenSession(BLANK, None)
    turn = Engine(client, HandClock()).start(open_session, asking(f"{OPEN}<think>so "), REQUEST, answering(single))
    await when("hm", Turn.cut)(turn)
    await turn.finished()
    assert client.bodies[1]["input"] == f"{OPEN}<think>so hm</think>"
    assert open_session.value.messages[-1].content == "yes"


async def test_the_next_turn_is_made_of_the_messages_again() -> None:
    client = ScriptedClient([streaming(token(" is."), end(), DONE), streaming(token("ok"), end(), DONE)])
    session = replace(BLANK, system="Be brief.")
    opening = Asking("What?", start=raw(f"<|im_system|>x[EOS]{OPEN}It"))
    open_session = await carried_out(client, session, opening, Asking("More?"))
    assert client.bodies[0]["input"] == f"<|im_system|>x[EOS]{OPEN}It"
    assert client.bodies[1]["input"] == (
        "<|im_system|>ChatMessageRole.SYSTEM<|im_middle|>Be brief.<|im_end|>"
        f"{USER}What?<|im_end|>{OPEN}<think></think>It is.<|im_end|>{USER}More?<|im_end|>{OPEN}<think>"
    )
    assert open_session.value.messages[-1].raw_input is None
    assert marks(open_session.value.messages[1]) == "raw · begins with your words"


async def test_a_stand_in_for_a_question_is_in_no_later_prompt() -> None:
    client = ScriptedClient([streaming(token("there was"), end(), DONE)])
    opening = Asking("Raw input: Once", start=raw("Once"), is_stand_in=True)
    session = (await carried_out(client, BLANK, opening)).value
    assert session.messages[0].excluded
    assert session.messages[1].content == "there was"
    assert next_prompt(session, REQUEST, "More?") == (
        f"{OPEN}<think></think>there was<|im_end|>{USER}More?<|im_end|>{OPEN}<think>"
    )


async def test_it_is_sent_again_as_it_was() -> None:
    scripts = [streaming(token("a"), end(), DONE), streaming(token("b"), end(), DONE)]
    client, start = ScriptedClient(scripts), raw("[BOS]\rOnce")
    session = (await carried_out(client, BLANK, Asking("x", start=start), AskingAgain("m1", start))).value
    assert [body["input"] for body in client.bodies] == ["[BOS]\rOnce"] * 2
    assert [it.raw_input for it in session.messages] == [None, "[BOS]\rOnce", "[BOS]\rOnce"]


async def test_what_the_user_makes_of_a_reply_is_asked_for_with_the_messages() -> None:
    reply = replace(raw(f"{OPEN}<think>hm").put_on(Message("m2", Role.ASSISTANT, "", "m1")), content="yes")
    assert edited_answer(reply, "no", "m3", NOW).raw_input is None
    assert thinking_longer(reply, "Wait,", "m3", NOW).raw_input is None
    session = BLANK.with_message(Message("m1", Role.USER, "x")).with_message(
        replace(reply, state=MessageState.COMPLETE)
    )
    client = ScriptedClient([streaming(token("no"), end(), DONE)])
    session = (await carried_out(client, session, AnsweringAgain(session.messages[-1]))).value
    assert session.messages[-1].raw_input is None
    assert client.bodies[0]["input"] == f"{USER}x<|im_end|>{OPEN}<think>hm</think>"


async def test_what_the_endpoint_counted_of_it_is_no_count_of_the_messages() -> None:
    client = ScriptedClient([streaming(token("yes"), end(inputs=77), DONE)])
    session = (await carried_out(client, BLANK, Asking("x", start=raw(f"Once{OPEN}<think></think>")))).value
    assert counted_prefix(session, GrowingText(next_prompt(session, REQUEST, "y"))) is None
    assert counted_prefix(session, GrowingText(f"Once{OPEN}<think></think>more")) == 77


async def test_one_that_surely_does_not_fit_is_refused() -> None:
    open_session = OpenSession(BLANK, None)
    engine = Engine(ScriptedClient([]), HandClock())
    request = replace(REQUEST, context_tokens=10)
    ended = await engine.start(open_session, asking("word " * 100), request).finished()
    assert isinstance(ended.error, InputTooLargeError)
    assert open_session.value == BLANK


TEXTS = ("hm</think>yes", "a</thi", " <think>so</think>yes", "<|im_end|> [EOS]")


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("tail", ["<think>", "<think>so", "<think></think>", "It"])
async def test_a_process_that_dies_leaves_it_in_the_journal(tail: str, text: str) -> None:
    for cut in range(1, len(text) + 1):
        found, stopped = await killed(BLANK, asking(f"[BOS]\r{OPEN}{tail}"), single, text[:cut])
        last, expected = found.messages[-1], stopped.messages[-1]
        if expected.role is Role.USER:
            continue  # nothing of the reply had come
        assert last.raw_input == expected.raw_input == f"[BOS]\r{OPEN}{tail}"
        assert said(last) == said(expected)


CASES: dict[str, tuple[str, list[Any], Any]] = {
    "a block": (f"{USER}x<|im_end|>{OPEN}<think>so", [streaming(token("hm"), think_end(), token("y"), end())], None),
    "an answer": (f"{USER}x<|im_end|>{OPEN}It", [streaming(token(" is"), end())], None),
    "no template": ("[BOS]Once\r\n", [streaming(token(" upon"), end("length"))], None),
    "answer now": (
        f"Hi{OPEN}<think>",
        [streaming(token("hm"), token(" so"), HELD()), streaming(token("yes"), end())],
        when("so", Turn.cut),
    ),
}


@pytest.mark.parametrize("name", CASES)
async def test_it_is_recorded_and_replayed(name: str) -> None:
    text, scripts, do = CASES[name]
    opened = OpenSession(BLANK, None)
    data, ended = await record(ScriptedClient(scripts), asking(text), REQUEST, opened, plan=answering(single), do=do)
    again, end_again = await replay(read(data))
    assert end_again.state is ended.state
    assert plain(again.messages[-1]) == plain(opened.value.messages[-1])
    assert again.messages[-1].raw_input == text


async def test_going_on_with_one_is_recorded_and_replayed() -> None:
    client = ScriptedClient([streaming(token("hm"), end("length")), streaming(token("m"), think_end(), end())])
    opened = await carried_out(client, BLANK, asking("Once<think>"))
    reply = opened.value.messages[-1]
    data, _ = await record(client, GoingOn(reply), REQUEST, opened, plan=going_on)
    again, _ = await replay(read(data))
    assert plain(again.messages[-1]) == plain(opened.value.messages[-1])
    assert client.bodies[1]["input"] == "Once<think>hm"


async def test_a_reply_that_grows_shows_the_input_that_it_answers() -> None:
    held = HELD()
    client, opened = ScriptedClient([streaming(token("hm"), held)]), OpenSession(BLANK, None)
    turn = Engine(client, HandClock()).start(opened, asking("Once<think>"), REQUEST)
    while str(turn.reply.texts[ReplyPart.REASONING]) != "hm":
        await asyncio.sleep(0)
    reply = turn.reply_so_far(NOW)
    assert reply is not None
    assert request_view(opened.value, reply, 0, 99).text == "Once<think>"
    turn.stop()
    await turn.finished()
