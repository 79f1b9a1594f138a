"""Which characters the user wrote: ranges read kindly and kept, cut where texts end, found by a diff."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_tui.core.session.codec import decode_session, encode_session
from kimi_tui.core.session.file_formats import FORMATS
from kimi_tui.core.session.growing_reply import FIELD_OF, GrowingReply, OpenRequest, ReplyPart
from kimi_tui.core.session.interventions import undone
from kimi_tui.core.session.journal import GrowthLog, JournalledTurn, TurnStart, encode_record, read_journal
from kimi_tui.core.session.recovery import recover
from kimi_tui.core.session.reply_edits import (
    NUDGE,
    edited_answer,
    edited_thinking,
    seeded,
    thinking_longer,
    without_answer,
)
from kimi_tui.core.session.session import Message, MessageState, RequestRecord, Role, Session, Timing, Usage
from kimi_tui.core.session.tree import SentContext
from kimi_tui.core.session.written import (
    CONTENT,
    REASONING,
    Begun,
    WrittenRange,
    after_edit,
    clipped,
    last_end,
    spans,
)

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
HARD = "A 👍🏽 <think> is\r\nnot. ```py\nx = '</think>'\n``` <|im_endx <|im_end|> [EOS]"
REPLY = Message(
    "m2", Role.ASSISTANT, HARD, "m1", NOW, f"One. {HARD}", MessageState.COMPLETE, "stop", "r", "model",
    thinking=True, sent={"top_p": 0.5}, usage=Usage(3, 4, 0.1),
)  # fmt: skip
texts = st.text(st.sampled_from("ab \n👍\r<>"), max_size=30)


def session_of(**keys: Any) -> dict[str, Any]:
    message = {"id": "m1", "role": "assistant", "content": "Hello", "created": NOW, **keys}
    return {"format": "kimi-tui/session", "version": 1, "id": "s", "created": NOW, "messages": [message]}


def plain(session: Session) -> dict[str, Any]:
    messages = encode_session(session)["messages"]
    assert isinstance(messages, list)
    (message,) = messages
    assert isinstance(message, dict)
    return message


RANGE = {"field": "content", "start": 0, "end": 2}
ODD: list[Any] = [
    {"field": "content", "start": 2, "end": 2}, {"field": "content", "start": -1, "end": 2}, {"field": "title"},
    {"field": "content", "start": True, "end": 2}, {"field": "name", "start": 0, "end": 2}, {**RANGE, "by": "me"},
    {"field": "content", "start": "0", "end": 2}, {"field": "content", "start": 0.5, "end": 2},
]  # fmt: skip


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("written", [[RANGE], [RANGE, *ODD], ODD, [], [{**RANGE, "end": 99}]])
def test_ranges_and_what_is_none_survive_a_load_and_a_save(form: str, written: list[Any]) -> None:
    session = decode_session(session_of(written=list(written)))
    known = [WrittenRange(CONTENT, row["start"], row["end"]) for row in written if row not in ODD]
    assert list(session.messages[0].written) == known
    saved = decode_session(FORMATS[form].load(FORMATS[form].encode(session)))
    assert saved == session
    assert plain(saved).get("written", []) == [r for r in written if r not in ODD] + [r for r in written if r in ODD]


@pytest.mark.parametrize("key", ["written", "begun", "edited"])
@pytest.mark.parametrize("value", ["yes", 3, {"a": 1}, [1, 2], {"reasoning": -1}, {"of": 7}, {"content": True}])
def test_what_others_mean_by_these_words_is_kept(key: str, value: Any) -> None:
    session = decode_session(session_of(**{key: value}))
    assert (session.messages[0].written, session.messages[0].edited) == ((), False)
    again = decode_session(encode_session(session))
    assert again == session
    assert plain(session)[key] == value


def test_what_a_reply_began_with_survives_a_load_and_a_save() -> None:
    begun = {"reasoning": 3, "content": 0, "of": "m9", "by": "somebody"}
    session = decode_session(session_of(begun=begun, edited=True))
    assert session.messages[0].begun == Begun(3, 0, "m9", {"by": "somebody"})
    assert plain(session)["begun"] == begun
    assert plain(session)["edited"] is True


def test_ranges_count_as_far_as_there_is_text() -> None:
    ranges = [WrittenRange(CONTENT, 4, 9), WrittenRange(CONTENT, 0, 2), WrittenRange(CONTENT, 2, 3)]
    assert spans(ranges, CONTENT, 6) == ((0, 3), (4, 6))
    assert spans(ranges, REASONING, 6) == ()
    assert clipped(ranges, {CONTENT: 4}) == tuple(ranges[1:])
    assert (last_end(ranges, CONTENT, 20), last_end(ranges, REASONING, 20)) == (9, 0)


# -- what an edit changes


@given(texts, texts, st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=3))
def test_what_is_not_the_users_stands_in_the_text_before_in_the_same_order(
    before: str, after: str, known: list[tuple[int, int]]
) -> None:
    theirs = [(start, end) for start, end in known if start < end <= len(before)]
    found = after_edit(before, after, theirs)
    own = {place for start, end in found for place in range(start, end)}
    rest = iter(before)
    assert all(char in rest for place, char in enumerate(after) if place not in own)
    assert all(0 <= start < end <= len(after) for start, end in found)
    assert all(left[1] < right[0] for left, right in itertools.pairwise(found))
    assert after_edit(before, before, theirs) == spans([WrittenRange("x", *it) for it in theirs], "x", len(before))


@pytest.mark.parametrize("place", range(len(HARD) + 1))
def test_what_is_put_in_anywhere_is_the_users_alone(place: int) -> None:
    (span,) = after_edit(HARD, f"{HARD[:place]}§§{HARD[place:]}")
    assert span == (place, place + 2)
    assert after_edit(HARD, HARD[:place]) == after_edit(HARD, HARD[place:]) == ()


def test_letters_that_are_the_same_by_chance_do_not_tear_what_the_user_wrote() -> None:
    before, after = "Roast it slowly, then salt it.", "Roast with thyme slowly, and then it is salted."
    own = [after[start:end] for start, end in after_edit(before, after)]
    assert own == ["with thyme", "and ", "it is ", "ed"]


def test_a_text_of_a_million_characters_is_compared_at_once() -> None:
    before = "word and word. " * 70_000
    after = "A" + before[:500_000] + "B" + before[500_010:] + "C"
    found = after_edit(before, after)
    assert found[0][0] == 0
    assert found[-1][1] == len(after)
    assert after_edit(before, f"{before}!") == ((len(before), len(before) + 1),)


# -- what becomes of them while a reply grows


@pytest.mark.parametrize("part", ReplyPart)
@pytest.mark.parametrize("cut", range(len(HARD) + 1))
def test_a_growing_reply_keeps_them_through_every_cut_and_its_journal_too(part: ReplyPart, cut: int) -> None:
    name = FIELD_OF[part]
    written = (WrittenRange(name, 2, 9), WrittenRange(name, 12, len(HARD)))
    beginning = Message("m2", Role.ASSISTANT, HARD, "m1", NOW, HARD, MessageState.CANCELLED, written=written)
    reply = GrowingReply(beginning, is_thinking=part is ReplyPart.REASONING)
    log = GrowthLog(reply)
    reply.shorten(part, len(HARD) - cut)
    reply.grow(part, "xyz")
    message = reply.message(NOW)
    assert message.written == clipped(written, {name: cut})
    growth = log.look(None)
    assert growth is not None
    (turn,) = read_journal(encode_record(growth)).turns.values()
    assert turn.reply(beginning, is_thinking=False).message(NOW).written == message.written


def test_a_journal_that_tells_nothing_of_them_leaves_those_of_the_beginning() -> None:
    beginning = Message("m2", Role.ASSISTANT, "", "m1", NOW, "Ab", written=(WrittenRange(REASONING, 0, 2),))
    reply = JournalledTurn("m2").reply(beginning, is_thinking=True)
    assert reply.message(NOW).written == beginning.written


# -- alternatives that the user makes


def test_an_edited_answer_is_an_alternative_that_nobody_was_asked_for() -> None:
    made = edited_answer(REPLY, f"Well. {HARD[2:]}", "m3", NOW)
    assert (made.id, made.parent, made.reasoning, made.content) == ("m3", "m1", REPLY.reasoning, f"Well. {HARD[2:]}")
    assert (made.state, made.finish_reason, made.edited) == (MessageState.COMPLETE, "stop", True)
    assert (made.usage, made.timing, made.requests, made.request_id, made.sent) == (None, None, (), None, REPLY.sent)
    assert made.begun == Begun(len(REPLY.reasoning or ""), len(made.content), "m2")
    assert made.written == (WrittenRange(CONTENT, 0, 5),)
    assert (made.is_unasked, made.has_open_block) == (True, False)
    assert not edited_answer(REPLY, "", "m3", NOW).has_open_block


def test_an_edited_thinking_keeps_its_answer_or_goes_on_inside_or_behind_it() -> None:
    made = edited_thinking(REPLY, "One. Two.", "m3", NOW)
    assert (made.reasoning, made.content, made.state) == ("One. Two.", HARD, MessageState.COMPLETE)
    inside, behind = (without_answer(made, is_closed=is_closed) for is_closed in (False, True))
    assert (inside.content, inside.has_open_block, inside.begun) == ("", True, Begun(9, None, "m2"))
    assert (behind.content, behind.has_open_block, behind.begun) == ("", False, Begun(9, 0, "m2"))
    assert behind.thinking_end == "user"


def test_a_thinking_that_is_taken_up_again_ends_with_a_blank_line_and_the_nudge() -> None:
    made = thinking_longer(REPLY, NUDGE, "m3", NOW)
    assert made.reasoning == f"{REPLY.reasoning}\n\nWait,"
    (own,) = made.written
    assert made.reasoning[own.start : own.end] == "Wait,"
    assert (made.content, made.has_open_block, made.thinking_end) == ("", True, None)


def test_what_was_the_users_stays_so_when_it_is_edited_again_or_the_thinking_ended_is_undone() -> None:
    first = seeded(REPLY, "Lamb it is", "m3", NOW)
    again = edited_thinking(replace(first, content="x"), "Lamb it is. So", "m4", NOW)
    assert again.written == (WrittenRange(REASONING, 0, 14),)
    ended = replace(first, cut_tail=" and", thinking_end="user", content="Yes", sent={})
    back = undone(replace(ended, written=(*ended.written, WrittenRange(CONTENT, 0, 2))), "m5", NOW)
    assert (back.reasoning, back.written) == ("Lamb it is and", (WrittenRange(REASONING, 0, 10),))


@settings(max_examples=50)
@given(texts, texts)
def test_alternatives_survive_every_format(thought: str, answer: str) -> None:
    made = edited_answer(replace(REPLY, reasoning=thought or None), answer, "m3", NOW)
    question = Message("m1", Role.USER, "?", None, NOW)
    session = Session("s", NOW, NOW, "model", head="m3", messages=(question, REPLY, made))
    for form in FORMATS.values():
        assert decode_session(form.load(form.encode(session))) == session


@pytest.mark.parametrize("is_in_file", [True, False])
@pytest.mark.parametrize("came", ["", " so", " so it is."])
def test_what_a_dead_process_leaves_of_a_reply_with_words_of_the_users_comes_back(is_in_file: bool, came: str) -> None:
    question = Message("m1", Role.USER, "?", None, NOW)
    made = thinking_longer(REPLY, NUDGE, "m3", NOW)
    session = Session("s", NOW, NOW, "model", head="m2", messages=(question, REPLY))
    session = session.with_message(made) if is_in_file else session
    beginning = replace(made, sent={"top_p": 0.9})
    reply = GrowingReply(beginning, is_thinking=True)
    log = GrowthLog(reply)
    lines = encode_record(TurnStart(beginning, question, True, SentContext(None), "m3" if is_in_file else "m2"))
    reply.grow(ReplyPart.REASONING, came)
    record = RequestRecord("continue", MessageState.INTERRUPTED, timing=Timing(total_s=1.0))
    growth = log.look(OpenRequest(record, is_thinking=True))
    assert growth is not None
    found = recover(session, read_journal(lines + encode_record(growth)), NOW).session
    if not came:
        assert found == session
        return
    message = found.messages[-1]
    assert message.reasoning == f"{REPLY.reasoning}\n\nWait,{came}"
    assert (message.written, message.begun, message.sent) == (made.written, made.begun, beginning.sent)
    assert (message.state, message.is_unasked) == (MessageState.INTERRUPTED, False)
    assert found.head == session.head  # where it was not in the file, others may have gone on since
    assert found.messages[1] == REPLY
