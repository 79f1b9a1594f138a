"""Figures and endings as people read them."""

from __future__ import annotations

import pytest

from kimi_tui.core.errors import ServerFaultError
from kimi_tui.core.session.endings import ending
from kimi_tui.core.session.growing_reply import GrowingReply, ReplyPart
from kimi_tui.core.session.session import Message, MessageState, Role
from kimi_tui.core.wire.turn_events import ReplyDelta, Retrying
from kimi_tui.ui.state.figures import Figures
from kimi_tui.ui.state.live_turn import LiveTurn
from kimi_tui.ui.state.status_line import meter
from kimi_tui.ui.text import words


@pytest.mark.parametrize(("value", "text"), [(0.84, "0.8 s"), (12.4, "12.4 s"), (125.2, "2 min 5 s")])
def test_seconds(value: float, text: str) -> None:
    assert words.seconds(value) == text


@pytest.mark.parametrize(("value", "text"), [(840, "840"), (12_345, "12.3k"), (262_144, "256k"), (128_000, "128k")])
def test_count(value: int, text: str) -> None:
    assert words.count(value) == text


def test_thought_label() -> None:
    assert words.thought_label(12.4, 840) == "Thought for 12.4 s · 840 tok"
    assert words.thought_label(None, None) == "Thought"


@pytest.mark.parametrize(
    ("state", "reason", "reasoning", "content", "text"),
    [
        (MessageState.COMPLETE, "stop", None, "a", ""),
        (MessageState.CANCELLED, None, None, "a", "stopped"),
        (MessageState.INTERRUPTED, None, None, "a", "interrupted"),
        (MessageState.COMPLETE, "length", None, "a", "cut by max_new_tokens"),
        (MessageState.COMPLETE, "content_filter", None, "a", "ended by content_filter"),
        (MessageState.COMPLETE, "stop", "r", "", "it ended inside its thinking: there is no answer"),
        (MessageState.CANCELLED, None, "r", "", "stopped inside its thinking: there is no answer"),
        (MessageState.COMPLETE, "eos_token", None, "a", ""),
        (MessageState.COMPLETE, "length", None, "", "cut by max_new_tokens · it is empty"),
        (MessageState.QUEUED, None, None, "", "queued: the text goes to the webhook"),
    ],
)
def test_ending(state: MessageState, reason: str | None, reasoning: str | None, content: str, text: str) -> None:
    reply = Message("m2", Role.ASSISTANT, content, reasoning=reasoning, state=state, finish_reason=reason)
    assert ending(reply) == text


@pytest.mark.parametrize(("share", "drawn"), [(0, "▕    ▏"), (0.5, "▕██  ▏"), (1.5, "▕████▏"), (0.28, "▕█▏  ▏")])
def test_meter(share: float, drawn: str) -> None:
    assert meter(share) == drawn


def test_a_live_turn_tells_its_figures() -> None:
    reply = GrowingReply(Message("m2", Role.ASSISTANT, ""), is_thinking=True)
    live = LiveTurn(reply, started_s=100.0)

    def come(part: ReplyPart, text: str, tokens: int, now_s: float) -> None:
        live.note(ReplyDelta("m2", part, *reply.grow(part, text, tokens), tokens), now_s)

    assert live.figures(101.5, Figures("ready", session_usd=0.5)) == Figures("waiting 1.5 s", session_usd=0.5)
    come(ReplyPart.REASONING, "hm", 1, 100.8)
    come(ReplyPart.REASONING, "hm", 60, 101.8)
    assert live.thought_label(101.8) == "Thinking for 1.0 s · 61 tok"
    figures = live.figures(101.8, Figures("ready"))
    assert (figures.state, round(figures.rate or 0), figures.output_tokens) == ("thinking", 61, 61)
    assert figures.first_token_s == pytest.approx(0.8)
    reply.close_thinking()
    assert live.figures(101.8, Figures("ready")).state == "answering"
    come(ReplyPart.ANSWER, "yes", 1, 102.8)
    assert live.thought_label(110.0) == "Thought for 2.0 s · 61 tok"


def test_a_live_turn_shows_what_has_been_told_and_not_what_the_reply_holds_already() -> None:
    reply = GrowingReply(Message("m2", Role.ASSISTANT, "So", reasoning="h"), is_thinking=True)
    live = LiveTurn(reply, started_s=100.0)
    start, end = reply.grow(ReplyPart.REASONING, "m")
    reply.grow(ReplyPart.REASONING, " more that is told later")
    assert (live.text(ReplyPart.REASONING), live.text(ReplyPart.ANSWER)) == ("h", "So")
    live.note(ReplyDelta("m2", ReplyPart.REASONING, start, end, 1), 100.5)
    assert live.text(ReplyPart.REASONING) == "hm"


WHOLE = Figures("ready", 61.2, 0.41, 12_345, 420, 0.0021, 0.014)


@pytest.mark.parametrize(
    ("width", "left", "right"),
    [
        (118, "○ ready · 61 tok/s · first token 0.4 s · 12.3k in, 420 out", "context 12.8k/256k ▕▏   ▏ · turn $0.0021 · session $0.014"),
        (112, "○ ready · 61 tok/s · first 0.4 s · 12.3k in, 420 out", "context 12.8k/256k ▕▏   ▏ · turn $0.0021 · session $0.014"),
        (98, "○ ready · 61 tok/s · first 0.4 s · 12.3k→420", "12.8k/256k ▕▏   ▏ · turn $0.0021 · session $0.014"),
        (78, "○ ready · 61 tok/s · first 0.4 s · 12.3k→420", "12.8k/256k · $0.0021/$0.014"),
        (58, "○ ready · 61/s · 12.3k→420", "12.8k/256k · $0.0021/$0.014"),
        (24, "○ ready", "12.8k/256k"),
    ],
)  # fmt: skip
def test_the_status_line_tells_what_it_owes_at_every_width(width: int, left: str, right: str) -> None:
    fitting = (pair for pair in WHOLE.variants("○", "12.8k/256k ▕▏   ▏") if len("".join(pair)) + 2 <= width)
    assert next(fitting) == (left, right)


def test_another_attempt_is_told_before_its_reason() -> None:
    event = Retrying("turn-1", 3, 4, 5.2, ServerFaultError("The endpoint is busy (HTTP 503)."))
    assert words.retrying(event, 4.2) == "attempt 3 of 4 in 5 s · The endpoint is busy (HTTP 503)."


def test_a_reason_that_is_no_word_takes_no_more_room_than_one() -> None:
    reply = Message("m2", Role.ASSISTANT, "a", state=MessageState.COMPLETE, finish_reason="\x1b[2J\n" + "羊" * 100_000)
    assert ending(reply).startswith("ended by ␛[2J 羊羊")
    assert len(ending(reply)) <= 70
