"""The growing reply: one owner of the text, given out by place, and the message it becomes at any moment."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.session.growing_reply import GrowingReply, ReplyPart
from kimi_tui.core.session.session import Message, MessageState, RequestRecord, Role, Timing, Usage
from kimi_tui.core.text import growing_text
from kimi_tui.core.text.growing_text import GrowingText

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
LATER = datetime(2026, 11, 23, 8, 20, tzinfo=UTC)


def growing(*, thinking: bool = True) -> GrowingReply:
    return GrowingReply(Message("m2", Role.ASSISTANT, "", "m1", thinking=thinking), is_thinking=thinking)


def record(kind: str, state: MessageState, usage: Usage, timing: Timing) -> RequestRecord:
    return RequestRecord(kind, state, f"id of {kind}", None, usage, timing)


@given(st.lists(st.text(max_size=5)), st.integers(0, 40), st.integers(0, 40), st.booleans())
def test_every_part_of_a_growing_text_is_that_of_the_whole(pieces: list[str], a: int, b: int, is_joined: bool) -> None:
    text, whole = GrowingText(), "".join(pieces)
    for piece in pieces:
        text.append(piece)
    if is_joined:
        assert str(text) == whole
    start, end = sorted((min(a, len(whole)), min(b, len(whole))))
    assert (text.between(start, end), len(text), str(text)) == (whole[start:end], len(whole), whole)


def test_small_pieces_are_joined_and_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing_text, "JOINED_CHARS", 5)
    chance, text, whole, large = random.Random(4), GrowingText(), "", "a large one"
    for _ in range(60):
        piece = chance.choice(["", "x", "yz", "é羊", large])
        text.append(piece)
        whole += piece
        if chance.random() < 0.1:
            end = chance.randrange(len(whole) + 1)
            text.shorten(end)
            whole = whole[:end]
        start = chance.randrange(len(whole) + 1)
        end = chance.randint(start, len(whole))
        assert (len(text), text.between(start, end), "".join(text.pieces)) == (len(whole), whole[start:end], whole)
    assert len(text.pieces) <= len(whole) / 5 + 1
    text.append(large)
    assert text.pieces[-1] is large
    assert str(text) == whole + large


def test_giving_out_the_end_of_a_long_text_copies_nothing_else() -> None:
    text = GrowingText()
    for _ in range(1000):
        text.append("x" * 1000)
    last = "the very end"
    text.append(last)
    assert text.between(len(text) - len(last), len(text)) is last


def test_where_each_piece_stands_is_told() -> None:
    reply = growing()
    assert reply.grow(ReplyPart.REASONING, "h") == (0, 1)
    assert reply.grow(ReplyPart.REASONING, "m", 2) == (1, 2)
    assert reply.grow(ReplyPart.ANSWER, "yes") == (0, 3)
    assert reply.tokens == {ReplyPart.REASONING: 2, ReplyPart.ANSWER: 0}


def test_it_is_a_message_at_any_moment() -> None:
    reply = growing()
    reply.grow(ReplyPart.REASONING, "hm")
    first = reply.message(NOW)
    assert (first.id, first.parent, first.reasoning, first.content, first.created) == ("m2", "m1", "hm", "", NOW)
    reply.grow(ReplyPart.ANSWER, "yes")
    reply.end_request(record("reply", MessageState.COMPLETE, Usage(1, 2, 0.5), Timing(0.1, 0.2, 0.3)))
    whole = reply.message(NOW)
    assert (whole.content, whole.state, whole.request_id, whole.requests) == (
        "yes",
        MessageState.COMPLETE,
        "id of reply",
        (),
    )
    assert (whole.usage, whole.timing) == (Usage(1, 2, 0.5), Timing(0.1, 0.2, 0.3))


@pytest.mark.parametrize(
    ("thinking", "reasoning", "content", "closes", "expected"),
    [
        (True, "hm", "yes", True, (True, False, None)),
        (True, "hm", "", True, (True, False, "model")),
        (True, "hm", "", False, (True, False, None)),
        (True, "", "", True, (True, False, "model")),
        (False, "", "yes", True, (False, False, None)),
        (False, "", "", True, (False, False, None)),
        (False, "hm", "yes", True, (True, True, None)),
        (False, "hm", "", True, (True, True, "model")),
        (False, "hm", "", False, (True, True, None)),
    ],
)
def test_what_is_kept_of_the_think_block(
    thinking: bool, reasoning: str, content: str, closes: bool, expected: tuple[object, ...]
) -> None:
    reply = growing(thinking=thinking)
    if reasoning:
        reply.grow(ReplyPart.REASONING, reasoning)
    if closes:
        reply.close_thinking()
    if content:
        reply.grow(ReplyPart.ANSWER, content)
    message = reply.message(NOW)
    assert (message.thinking, message.reopened, message.thinking_end) == expected


def test_going_on_keeps_id_and_time_joins_the_text_and_adds_up() -> None:
    reply = growing()
    reply.grow(ReplyPart.REASONING, "hm")
    reply.grow(ReplyPart.ANSWER, "ye")
    reply.end_request(record("reply", MessageState.INTERRUPTED, Usage(1, 2, 0.5), Timing(0.1, 0.2, 0.3)))
    kept = reply.message(NOW)

    again = GrowingReply(kept, is_thinking=False)
    grown = [again.has_grown]
    assert again.grow(ReplyPart.ANSWER, "s.") == (2, 4)
    assert [*grown, again.has_grown] == [False, True]
    again.end_request(record("continue", MessageState.COMPLETE, Usage(3, 4, 0.5), Timing(0.4, None, 0.5)))
    message = again.message(LATER)
    assert (message.id, message.created, message.reasoning, message.content) == ("m2", NOW, "hm", "yes.")
    assert (message.state, message.request_id) == (MessageState.COMPLETE, "id of continue")
    assert (message.usage, message.timing) == (Usage(4, 6, 1.0), Timing(0.1, 0.2, 0.8))
    assert [request.kind for request in message.requests] == ["reply", "continue"]
    assert GrowingReply(message, is_thinking=False).requests == message.requests
