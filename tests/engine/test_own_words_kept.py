"""Replies that begin with words of the user's: whatever is pressed and fails, those stay, and nothing comes twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_tui.core.errors import BrokenStreamError, ServerFaultError
from kimi_tui.core.ports import Tap
from kimi_tui.core.prompt.prompt_view import going_on_view
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.journal import GrowthLog, JournalledTurn, encode_record, read_journal
from kimi_tui.core.session.reply_edits import (
    ReplyStart,
    edited_answer,
    edited_thinking,
    seeded,
    thinking_longer,
    without_answer,
)
from kimi_tui.core.session.session import Message, MessageState, Role, Session
from kimi_tui.core.session.written import Begun, WrittenRange
from kimi_tui.core.wire.plans import chosen, single
from kimi_tui.core.wire.reply_plans import going_on, refusal_to_continue
from kimi_tui.core.wire.thinking_budget import Budget
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.engine.openings import Asking, AskingAgain, GoingOn, Opening
from kimi_tui.engine.turn_engine import Engine
from tests.engine.test_any_moment import budgets, failures, pressed, presses
from tests.fakes.clock import HandClock
from tests.fakes.scripted_client import Script, ScriptedClient, end, frame, streaming, token
from tests.prompts import past_prompt

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
OWN = "My 👍🏽:\r\n```py\n</think> <|im_end|> [EOS] <think>"
SENT = "My 👍🏽:\r\n```py\n<\u2060/think> <\u2060|im_end|> [\u2060EOS] <\u2060think>"
THOUGHT = " So it is. <think> Not\r\nyet."
ANSWER = "Yes:\r\n```\n</think>\n```"
QUESTION = Message("m1", Role.USER, "Lamb?", None, NOW)
REPLY = Message(
    "m2", Role.ASSISTANT, "Roast <think> it.", "m1", NOW, "Hm <think>.", MessageState.COMPLETE, "stop", "r", "model",
    thinking=True, sent={"stream": True},
)  # fmt: skip
TALK = Session("s", NOW, NOW, "model", head="m2", messages=(QUESTION, REPLY))
REQUEST = RequestSettings(fields={"stream": True, "max_new_tokens": 500}, retries=0)
BEFORE = "<|im_user|>ChatMessageRole.USER<|im_middle|>Lamb?<|im_end|><|im_assistant|>assistant<|im_middle|>"


def last_sent(client: ScriptedClient) -> str:
    text = client.bodies[-1]["input"]
    assert isinstance(text, str)
    return text


def made(how: str) -> Message:
    match how:
        case "seed":
            return seeded(REPLY, OWN, "m3", NOW)
        case "longer":
            return thinking_longer(REPLY, OWN, "m3", NOW)
        case "thinking":
            return without_answer(edited_thinking(REPLY, f"Hm <think>{OWN}", "m3", NOW), is_closed=False)
        case "into the answer":
            return without_answer(edited_thinking(REPLY, f"Hm <think>{OWN}", "m3", NOW), is_closed=True)
        case _:
            answered = edited_answer(REPLY, f"Roast <think>{OWN}", "m3", NOW)
            return replace(answered, state=MessageState.CANCELLED, finish_reason=None)


OPEN_TURNS = {
    "seed": f"<think>{SENT}",
    "longer": f"<think>Hm <think>.\n\n{SENT}",
    "thinking": f"<think>Hm <think>{SENT}",
    "into the answer": f"<think>Hm <think>{SENT}</think>",
    "answer": f"<think>Hm <think>.</think>Roast <think>{SENT}",
}
"""How the input ends that an alternative is gone on with: the model's marks as they came, the user's harmless."""


@pytest.mark.parametrize("how", OPEN_TURNS)
async def test_alternatives_are_sent_byte_by_byte_and_keep_whose_words_they_are(how: str) -> None:
    client, start = ScriptedClient([streaming(token("!"), end("stop", 7, 1, 0.1))]), made(how)
    session = OpenSession(TALK.with_message(start), None)
    turn = Engine(client, HandClock()).start(session, GoingOn(start), REQUEST, going_on)
    (reply,) = (await turn.finished()).replies
    assert last_sent(client) == BEFORE + OPEN_TURNS[how]
    assert past_prompt(session.value, "m3") == last_sent(client)
    assert going_on_view(session.value, start, REQUEST).text == last_sent(client)
    assert (reply.written, reply.begun, reply.parent) == (start.written, start.begun, "m1")
    assert (reply.reasoning or "") + reply.content == (start.reasoning or "") + start.content + "!"
    assert (reply.requests, reply.sent) == ((), REQUEST.fields)
    assert reply.usage is not None
    assert (reply.usage.input_tokens, reply.usage.cost_usd) == (7, 0.1)
    assert session.value.messages[1] == REPLY


@dataclass
class Player(ScriptedClient):
    """Goes on with its thought or its answer behind words that are not its own; each request may fail."""

    opening: str = ""
    """How the first open turn ends."""
    whole: str = ""
    """All that is said behind it, in any number of requests."""
    failures: list[tuple[str, int]] = field(default_factory=list)

    @asynccontextmanager
    async def send(self, body: bytes, model: str, tap: Tap | None = None) -> AsyncIterator[Any]:
        prompt = json.loads(body)["input"]
        assert prompt.startswith(BEFORE + self.opening)
        said = prompt.removeprefix(BEFORE + self.opening)
        rest = self.whole[len(said) :] if self.whole.startswith(said) else ANSWER[len(said.partition("</think>")[2]) :]
        how, after = self.failures.pop(0) if self.failures else ("", 0)
        steps: list[Any] = [token(char) for char in rest]
        match how:
            case "refuse":
                self.scripts.append(Script([], refuse=ServerFaultError("No.")))
            case "break":
                self.scripts.append(Script([*steps[:after], BrokenStreamError("It broke.")]))
            case "length":
                self.scripts.append(Script([*steps[:after], frame(details={"finish_reason": "length"})]))
            case _:
                self.scripts.append(Script([*steps, frame(details={"finish_reason": "stop"})]))
        async with super().send(body, model, tap) as response:
            yield response


def check(reply: Message, reasoning: str, content: str) -> None:
    """The user's words stand, whole and marked, at the beginning; behind them the model's, none lost or doubled."""
    thought, whole = reply.reasoning or "", reply.content
    assert thought.startswith(reasoning)
    assert whole.startswith(content)
    assert f"{THOUGHT}</think>".startswith((thought + reply.cut_tail)[len(reasoning) :])
    assert ANSWER.startswith(whole[len(content) :])
    texts = {"reasoning": thought, "content": whole}
    assert "".join(texts[it.field][it.start : it.end] for it in reply.written) == OWN
    if reply.state is MessageState.COMPLETE and reply.finish_reason == "stop":
        assert whole == content + ANSWER


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["prefill", "ask", *OPEN_TURNS]), failures, presses, presses, budgets, st.integers(0, 2)
)  # fmt: skip
def test_any_key_at_any_moment(  # noqa: PLR0917 - one for each thing that varies
    how: str,
    failing: list[tuple[str, int]],
    first: list[tuple[int, str]],
    second: list[tuple[int, str]],
    budget: Budget,
    auto_continue: int,
) -> None:
    start, session, opening = None, OpenSession(TALK, None), ""
    begin: Opening
    if how in {"prefill", "ask"}:
        words = ReplyStart.prefill(OWN) if how == "prefill" else ReplyStart.seed(OWN)
        begin, opening = AskingAgain("m1", words), f"<think>{'</think>' * (how == 'prefill')}{SENT}"
        reasoning, content = ("", OWN) if how == "prefill" else (OWN, "")
    else:
        start, opening = made(how), OPEN_TURNS[how]
        session, begin = OpenSession(TALK.with_message(start), None), GoingOn(start)
        reasoning, content = start.reasoning or "", start.content
    is_closed = "</think>" in opening
    whole = ANSWER if is_closed else f"{THOUGHT}</think>{ANSWER}"

    async def run() -> None:
        client = Player([], opening=opening, whole=whole, failures=list(failing))
        engine = Engine(client, HandClock())
        plan = chosen(single if start is None else going_on, budget, auto_continue=auto_continue)
        ended = await pressed(engine.start(session, begin, REQUEST, plan), first)
        if not ended.replies and start is None:
            assert session.value == TALK
            return
        reply = ended.replies[0] if ended.replies else session.value.messages[-1]
        check(reply, reasoning, content)
        if refusal_to_continue(reply):
            return
        plan = chosen(going_on, budget, auto_continue=auto_continue)
        ended = await pressed(engine.start(session, GoingOn(reply), REQUEST, plan), second)
        reply = ended.replies[0] if ended.replies else session.value.messages[-1]
        check(reply, reasoning, content)
        assert len(session.value.messages) == 3

    asyncio.run(run())


async def test_a_new_reply_that_begins_so_is_rebuilt_from_its_journal_at_every_length() -> None:
    client = ScriptedClient([streaming(*map(token, f"{THOUGHT}</think>{ANSWER}"), end())])
    session = OpenSession(Session("s", NOW, NOW, "model"), None)
    turn = Engine(client, HandClock()).start(session, Asking("Lamb?", start=ReplyStart.seed(OWN)), REQUEST)
    log, growths, events = GrowthLog(turn.reply), [], turn.listen()
    while await events.drain():
        if (growth := log.look(turn.open_request)) is None:
            continue
        growths += read_journal(encode_record(growth)).turns[turn.reply.id].growths
        journalled = JournalledTurn(turn.reply.id, growths=growths).reply(turn.reply.beginning, is_thinking=True)
        assert journalled.message(NOW).written == (WrittenRange("reasoning", 0, len(OWN)),)
        assert str(journalled.texts["reasoning"]) == str(turn.reply.texts["reasoning"])  # type: ignore[index]
    reply = session.value.messages[-1]
    assert (reply.reasoning, reply.content, reply.begun) == (OWN + THOUGHT, ANSWER, Begun(len(OWN)))
    assert last_sent(client) == f"{BEFORE}<think>{SENT}"
    assert past_prompt(session.value, reply.id) == last_sent(client)
