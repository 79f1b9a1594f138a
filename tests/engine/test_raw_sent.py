"""A raw input on its way: sent byte by byte as it stands, kept with the reply, gone on with as it came."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_tui.core.errors import CompletionError, InputTooLargeError, UsageError
from kimi_tui.core.ports import Tap
from kimi_tui.core.prompt.context_budget import counted_prefix
from kimi_tui.core.prompt.prompt_view import going_on_view, request_view
from kimi_tui.core.prompt.raw_prompt import RawInput, with_raw_input
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.prompt.template import DEFAULT_TEMPLATE
from kimi_tui.core.session.codec import decode_session, encode_session
from kimi_tui.core.session.endings import marks
from kimi_tui.core.session.file_formats import FORMATS
from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.interventions import can_be_undone, undone
from kimi_tui.core.session.reply_edits import edited_answer, edited_thinking, seeded, thinking_longer, without_answer
from kimi_tui.core.session.session import Message, MessageState, Role, Session
from kimi_tui.core.text.growing_text import GrowingText
from kimi_tui.core.wire.plans import answering, single
from kimi_tui.core.wire.reply_plans import going_on, refusal_to_answer_again, refusal_to_continue
from kimi_tui.core.wire.thinking_budget import Budget
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
    await carried_out_in(open_session, client, *openings)
    return open_session


async def carried_out_in(open_session: OpenSession, client: Any, *openings: Opening) -> None:
    engine = Engine(client, HandClock())
    for opening in openings:
        plan = going_on if isinstance(opening, GoingOn) else single
        ended = await engine.start(open_session, opening, REQUEST, plan).finished()
        assert ended.error is None


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


Making = Callable[[Message], Message]


def open_end(made: Message) -> Message:
    return replace(made, state=MessageState.CANCELLED, finish_reason=None)


MADE: dict[str, Making] = {
    "another answer's beginning": lambda it: open_end(edited_answer(it, "No", "m9", NOW)),
    "cut": lambda it: open_end(edited_answer(it, it.content[:2], "m9", NOW)),
    "cut in the thinking": lambda it: without_answer(
        edited_thinking(it, (it.reasoning or "")[:-1], "m9", NOW), is_closed=False
    ),
    "answered from another thinking": lambda it: without_answer(edited_thinking(it, "Or", "m9", NOW), is_closed=True),
    "thought on": lambda it: thinking_longer(it, "Wait,", "m9", NOW),
    "seeded": lambda it: seeded(it, "Let me [EOS]", "m9", NOW),
}
OF_THINKING = {"cut in the thinking", "answered from another thinking", "thought on"}
OF_RAW = [
    (f"{OPEN}<think>", "hm</think>yes"),
    (f"{OPEN}<think>so", " hm</think>yes"),
    (f"{OPEN} <think>so</think>\nIt", " is."),
    (f"{OPEN}<think></think>", "yes"),
    (f"{OPEN}<think></think>", "<think>hm</think>yes"),
    (OPEN, "<think>hm</think>yes"),
    (f"{OPEN}It", " is <think>"),
    ("Once<think>", "hm <think></think>yes"),
    ("Once<think>so", "hm</think>yes"),
    ("Once [EOS]", "yes"),
    ("Once upon", " a time</think>"),
]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(OF_RAW),
    st.lists(st.sampled_from([*sorted(MADE), "answered again", "gone on with"]), min_size=1, max_size=4),
    st.sampled_from(["more", " so</think>Yes", "<think>hm</think>Yes", "</think>", "</thi"]),
)
def test_what_is_made_of_its_reply_follows_in_it_and_can_be_rebuilt(
    of: tuple[str, str], makings: list[str], came: str
) -> None:
    async def run() -> None:
        client = ScriptedClient([streaming(token(of[1]), end(), DONE)])
        opened = await carried_out(client, BLANK, asking(f"[BOS]{of[0]}"))
        for making in makings:
            source = opened.value.messages[-1]
            client.scripts.append(streaming(token(came), end(), DONE))
            if making == "answered again":
                if refusal_to_answer_again(source):
                    continue
                opening: Opening = AnsweringAgain(source)
            elif making == "gone on with":
                opening = GoingOn(source)
            elif making in OF_THINKING and not source.reasoning:
                continue  # there is no thinking that could be edited
            else:
                try:
                    made = with_raw_input(MADE[making](source), source)
                except UsageError:
                    continue
                made = replace(made, id=f"a{len(opened.value.messages)}")
                opened.update(lambda session, made=made: session.with_message(made))  # type: ignore[misc]
                assert going_on_view(opened.value, made, REQUEST).text == made.raw_input
                opening = GoingOn(made)
            count = len(client.bodies)
            turn = Engine(client, HandClock()).start(opened, opening, REQUEST, going_on)
            assert (await turn.finished()).error is None
            stored = decode_session(encode_session(opened.value))
            if len(client.bodies) > count and stored.messages[-1].state is MessageState.COMPLETE:
                assert [json.loads(it) for it in bodies_of(stored, stored.messages[-1])][-1] == client.bodies[-1]
            assert client.bodies[-1]["input"].startswith(f"[BOS]{of[0].partition('<think>')[0].removesuffix('It')}")
            assert USER not in client.bodies[-1]["input"]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("text", "came", "making", "sent"),
    [
        (f"{OPEN}<think>so", "hm</think>yes", "thought on", f"{OPEN}<think>sohm\n\nWait,"),
        (f"{OPEN}<think>so", "hm</think>yes", "answered from another thinking", f"{OPEN}<think>Or</think>"),
        (f"{OPEN}<think></think>It", " is", "cut", f"{OPEN}<think></think>It"),
        (f"{OPEN}<think></think>It", " is", "another answer's beginning", f"{OPEN}<think></think>No"),
        (f"{OPEN}<think></think>It", " is", "seeded", f"{OPEN}<think>Let me [EOS]"),
        ("Once upon", " a time", "cut", "Once upon a"),
        ("Once<think>so", "hm</think>yes", "cut in the thinking", "Once<think>soh"),
        ("Once [EOS]", "<think>hm</think>yes", "thought on", "Once [EOS]<think>hm\n\nWait,"),
    ],
)
async def test_what_is_made_of_its_reply_follows_as_it_stands(text: str, came: str, making: str, sent: str) -> None:
    reply = (
        await carried_out(ScriptedClient([streaming(token(came), end(), DONE)]), BLANK, asking(text))
    ).value.messages[-1]
    assert with_raw_input(MADE[making](reply), reply).raw_input == sent


async def test_a_thinking_has_no_place_in_the_midst_of_a_text() -> None:
    client = ScriptedClient([streaming(token(" a time"), end(), DONE)])
    reply = (await carried_out(client, BLANK, asking("Once upon"))).value.messages[-1]
    with pytest.raises(UsageError, match="has no place for that"):
        with_raw_input(seeded(reply, "Let me", "m9", NOW), reply)


async def test_a_budget_of_nothing_is_in_its_first_input() -> None:
    client, opened = ScriptedClient([streaming(token("yes"), end(), DONE)]), OpenSession(BLANK, None)
    plan = answering(single, Budget(tokens=0))
    await Engine(client, HandClock()).start(opened, asking(f"{OPEN}<think>"), REQUEST, plan).finished()
    stored = decode_session(encode_session(opened.value))
    assert [json.loads(it) for it in bodies_of(stored, stored.messages[-1])] == client.bodies
    assert client.bodies[0]["input"] == f"{OPEN}<think></think>"


async def test_another_answer_to_its_thinking_is_asked_for_by_it() -> None:
    scripts = [streaming(token(text), end(), DONE) for text in ("hm</think>yes", "no", " more")]
    client = ScriptedClient(scripts)
    opened = await carried_out(client, BLANK, Asking("Raw", start=raw("Once<think>so"), is_stand_in=True))
    await carried_out_in(opened, client, AnsweringAgain(opened.value.messages[-1]))
    await carried_out_in(opened, client, GoingOn(opened.value.messages[-1]))
    assert [it["input"] for it in client.bodies[1:]] == ["Once<think>sohm</think>", "Once<think>sohm</think>no"]
    stored = decode_session(encode_session(opened.value))
    assert [json.loads(it) for it in bodies_of(stored, stored.messages[-1])] == client.bodies[1:]


async def test_a_file_that_cannot_be_has_no_other_answer() -> None:
    opened = await carried_out(
        ScriptedClient([streaming(token("hm</think>yes"), end())]), BLANK, asking(f"{OPEN}<think>so")
    )
    reply = replace(opened.value.messages[-1], raw_input="Once")
    opened.update(lambda session: replace(session, messages=(session.messages[0], reply)))
    before = opened.value
    ended = await Engine(ScriptedClient([]), HandClock()).start(opened, AnsweringAgain(reply), REQUEST).finished()
    assert isinstance(ended.error, CompletionError)
    assert opened.value == before


async def test_half_a_mark_that_an_alternative_begins_with_becomes_one() -> None:
    client = ScriptedClient([streaming(token(text), end("length"), DONE) for text in ("hm</th", "ink>yes", " so")])
    opened = await carried_out(client, BLANK, asking("Once<think>"))
    reply = replace(opened.value.messages[-1], reasoning="hm</th")
    made = with_raw_input(without_answer(edited_thinking(reply, "hm</th", "m9", NOW), is_closed=False), reply)
    opened.update(lambda session: session.with_message(made))
    await carried_out_in(opened, client, GoingOn(made))
    grown = opened.value.messages[-1]
    assert (grown.reasoning, grown.content) == ("hm", "yes")
    await carried_out_in(opened, client, GoingOn(grown))
    assert client.bodies[2]["input"] == "Once<think>hm</think>yes"
    stored = decode_session(encode_session(opened.value))
    assert [json.loads(it) for it in bodies_of(stored, stored.messages[-1])] == client.bodies[1:]


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


@pytest.mark.parametrize("text", ["Once<think>so", f"{USER}x<|im_end|>{OPEN}<think>so"])
async def test_another_answer_to_its_thinking_is_recorded_and_replayed(text: str) -> None:
    client = ScriptedClient([streaming(token("hm"), think_end(), token("yes"), end()), streaming(token("no"), end())])
    opened = await carried_out(client, BLANK, asking(text))
    reply = opened.value.messages[-1]
    data, _ = await record(client, AnsweringAgain(reply), REQUEST, opened, plan=going_on)
    again, _ = await replay(read(data))
    (told, kept) = (it.messages[-1] for it in (again, opened.value))
    assert (told.reasoning, told.content, told.raw_input) == (kept.reasoning, kept.content, f"{text}hm</think>")
    assert told.content == "no"


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
