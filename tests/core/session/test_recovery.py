"""What a journal holds put into its session: what is missing comes back, what is there stays, nothing is doubled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_tui.core.session.codec import decode_session, encode_session
from kimi_tui.core.session.growing_reply import GrowingReply, OpenRequest, ReplyPart
from kimi_tui.core.session.journal import (
    GAP,
    GrowthLog,
    Journal,
    JournalHead,
    Record,
    TurnResult,
    TurnStart,
    encode_record,
    read_journal,
)
from kimi_tui.core.session.recovery import Recovery, recover
from kimi_tui.core.session.session import Message, MessageState, RequestRecord, Role, Session, Timing, Usage
from kimi_tui.core.session.tree import SentContext, branch

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
LATER = datetime(2026, 11, 23, 8, 20, tzinfo=UTC)
EMPTY = Session("s1", NOW, NOW, "m", system="Be kind.")
QUESTION = Message("m1", Role.USER, "Lamb?", None, NOW)
ASKED = replace(EMPTY.with_message(QUESTION), title="Lamb?", tags=("food",), extra={"x": 1})
BLANK = Message("m2", Role.ASSISTANT, "", "m1", model="m", thinking=True)
WHOLE = replace(BLANK, reasoning="hm", content="yes", state=MessageState.COMPLETE, created=NOW)
RUNNING = RequestRecord(
    "reply", MessageState.INTERRUPTED, "r1", None, Usage(output_tokens=2), Timing(0.1, 0.2, 0.3), is_estimated=True
)


def turn(
    reasoning: str = "hm",
    content: str = "ye",
    *,
    beginning: Message = BLANK,
    question: Message = QUESTION,
    head_before: str | None = None,
    system: str | None = "Be kind.",
    ended: RequestRecord | None = None,
    result: Sequence[Message] | None = None,
) -> bytes:
    """What a turn writes, one look for each part."""
    reply = GrowingReply(beginning, is_thinking=not beginning.content)
    context = SentContext(system)
    records: list[Record] = [TurnStart(beginning, question, reply.is_thinking, context, head_before)]
    log = GrowthLog(reply)
    for part, text in ((ReplyPart.REASONING, reasoning), (ReplyPart.ANSWER, content)):
        if text:
            reply.grow(part, text, 1)
        if (growth := log.look(OpenRequest(RUNNING, is_thinking=reply.is_thinking))) is not None:
            records.append(growth)
    if ended is not None:
        reply.end_request(ended)
        growth = log.look(None)
        assert growth is not None
        records.append(growth)
    if result is not None:
        records.append(TurnResult(beginning.id, tuple(result)))
    return b"".join(map(encode_record, records))


HEAD = encode_record(JournalHead("s1.toml", "host", 1, EMPTY))


def journal(*turns: bytes) -> Journal:
    return read_journal(HEAD + b"".join(turns))


def recovered(session: Session, *turns: bytes) -> Recovery:
    """Recover, check that the session can be saved and read, and that doing it again changes nothing."""
    found = recover(session, journal(*turns), LATER)
    again = decode_session(encode_session(found.session))
    assert again == found.session
    assert recover(again, journal(*turns), LATER).session is again
    return found


def test_a_reply_comes_back_as_far_as_it_came() -> None:
    found = recovered(ASKED, turn())
    question, reply = found.session.messages
    assert question == QUESTION
    assert reply == replace(
        BLANK,
        reasoning="hm",
        thinking_tokens=1,
        content="ye",
        created=LATER,
        state=MessageState.INTERRUPTED,
        request_id="r1",
        usage=RUNNING.usage,
        timing=RUNNING.timing,
        requests=(RUNNING,),
    )
    assert replace(found.session, messages=ASKED.messages, head="m1", updated=NOW) == ASKED
    assert (found.session.head, found.session.updated) == ("m2", LATER)
    assert (found.questions, found.replies, found.chars) == (0, 1, 4)
    assert "came back" in found.words


def test_a_reply_that_had_ended_comes_back_as_it_ended() -> None:
    ended = replace(RUNNING, state=MessageState.COMPLETE, finish_reason="stop")
    reply = recovered(ASKED, turn(ended=ended)).session.messages[-1]
    assert (reply.state, reply.finish_reason) == (MessageState.COMPLETE, "stop")
    cut = replace(RUNNING, state=MessageState.CANCELLED)
    assert recovered(ASKED, turn(ended=cut)).session.messages[-1].state is MessageState.INTERRUPTED


@pytest.mark.parametrize(
    "said", [turn(), turn("h", ""), turn(content="yes"), turn(result=[WHOLE]), turn("", ""), b'{"x"', b"\n"]
)
def test_what_the_session_holds_already_changes_nothing(said: bytes) -> None:
    session = ASKED.with_message(WHOLE)
    found = recover(session, journal(said), LATER)
    assert found.session is session
    assert found.words == ""


def test_with_a_gap_neither() -> None:
    lines = turn().split(b"\n")
    session = ASKED.with_message(WHOLE)
    assert recover(session, journal(b"\n".join([lines[0], b"xx", *lines[2:]])), LATER).session is session


def test_a_question_that_was_not_saved_comes_back() -> None:
    found = recovered(EMPTY, turn())
    assert [message.content for message in found.session.messages] == ["Lamb?", "ye"]
    assert (found.session.title, found.session.head, found.questions) == ("Lamb?", "m2", 1)
    alone = recovered(EMPTY, turn("", ""))
    assert [message.id for message in alone.session.messages] == ["m1"]
    assert (alone.replies, alone.words) == (
        0,
        "A question came back that was not saved when the program ended.",
    )


def test_where_what_it_stood_below_is_gone_it_begins_anew() -> None:
    below = replace(QUESTION, id="m5", parent="m4")
    found = recovered(EMPTY, turn(question=below, beginning=replace(BLANK, id="m6", parent="m5")))
    assert [(message.id, message.parent) for message in found.session.messages] == [("m5", None), ("m6", "m5")]


GONE_ON = replace(WHOLE, state=MessageState.INTERRUPTED, requests=(), excluded=True, extra={"note": "mine"})


def test_a_reply_that_was_gone_on_with_is_the_same_message() -> None:
    session = ASKED.with_message(GONE_ON)
    found = recovered(session, turn("", ", lamb", beginning=GONE_ON))
    question, reply = found.session.messages
    assert (reply.id, reply.content, reply.created, reply.state) == ("m2", "yes, lamb", NOW, MessageState.INTERRUPTED)
    assert (reply.extra, reply.excluded, len(reply.requests)) == ({"note": "mine"}, True, 2)
    assert (question, found.chars, found.session.head) == (QUESTION, 6, "m2")


def test_one_that_has_messages_below_stays_and_gets_an_alternative() -> None:
    more = Message("m3", Role.USER, "More?", "m2", NOW)
    session = ASKED.with_message(GONE_ON).with_message(more)
    found = recovered(session, turn("", ", lamb", beginning=replace(GONE_ON, id="m4", created=None)))
    assert found.session.messages[:3] == session.messages
    assert (found.session.messages[3].content, found.session.messages[3].parent) == ("yes, lamb", "m1")
    assert found.session.head == "m3"


def test_ids_that_others_have_taken_since_are_left_to_them() -> None:
    other = ASKED.with_message(replace(WHOLE, content="no"))
    found = recovered(other, turn())
    assert [(message.id, message.content) for message in found.session.messages] == [
        ("m1", "Lamb?"), ("m2", "no"), ("m3", "ye"),
    ]  # fmt: skip
    stew = replace(EMPTY.with_message(replace(QUESTION, content="Stew?")), title="Stew?").with_message(WHOLE)
    next_turn = turn(
        "so", "", question=Message("m3", Role.USER, "And?", "m2", NOW), beginning=replace(BLANK, id="m4", parent="m3")
    )
    found = recovered(stew, turn(), next_turn)
    assert [(m.id, m.parent, m.content or m.reasoning) for m in branch(found.session)] == [
        ("m1", None, "Stew?"), ("m2", "m1", "yes"),
    ]  # fmt: skip
    assert [(m.id, m.parent, m.content or m.reasoning) for m in branch(found.session, "m6")] == [
        ("m3", None, "Lamb?"), ("m4", "m3", "ye"), ("m5", "m4", "And?"), ("m6", "m5", "so"),
    ]  # fmt: skip
    assert found.session.messages[:2] == stew.messages


def test_a_question_that_was_edited_comes_back_on_screen() -> None:
    session = ASKED.with_message(WHOLE)
    edited = replace(QUESTION, id="m3", content="Stew?")
    said = turn(question=edited, beginning=replace(BLANK, id="m4", parent="m3"), head_before="m2")
    found = recovered(session, said)
    assert [message.id for message in branch(found.session)] == ["m3", "m4"]


def test_several_replies_of_a_turn_that_could_not_be_saved() -> None:
    second = replace(WHOLE, id="m3", content="no")
    found = recovered(ASKED, turn("", "", result=[WHOLE, second]))
    assert found.session.messages == (QUESTION, WHOLE, second)
    assert (found.session.head, found.replies) == ("m2", 2)
    assert found.words.startswith("2 replies came back")


def test_the_turns_of_a_session_come_back_in_order() -> None:
    more = Message("m3", Role.USER, "More?", "m2", NOW)
    last = turn("so", "", question=more, beginning=replace(BLANK, id="m4", parent="m3"), head_before="m2")
    found = recovered(EMPTY, turn(result=[WHOLE]), last)  # the second began with the first as its head
    assert [message.id for message in branch(found.session)] == ["m1", "m2", "m3", "m4"]


def test_a_question_that_was_asked_again_in_vain_shows_its_old_reply() -> None:
    session = replace(ASKED.with_message(WHOLE), head="m1")
    again = turn("", "", beginning=replace(BLANK, id="m3"), head_before="m2")
    assert recovered(session, again).session == replace(session, head="m2", updated=LATER)
    found = recovered(session, turn("so", "", beginning=replace(BLANK, id="m3"), head_before="m2"))
    assert found.session.head == "m3"


def test_the_system_prompt_that_was_sent_is_noted_where_it_is_another_now() -> None:
    assert recovered(ASKED, turn()).session.messages[-1].system is None
    assert recovered(ASKED, turn(system="Be rude.")).session.messages[-1].system == "Be rude."
    assert recovered(ASKED, turn(system=None)).session.messages[-1].system is False


def test_a_turn_whose_beginning_is_lost_goes_below_the_last_question() -> None:
    lines = turn().split(b"\n")
    found = recovered(ASKED, b"\n".join([b"{garbled", *lines[1:]]))
    assert [(m.id, m.parent, m.content) for m in found.session.messages] == [("m1", None, "Lamb?"), ("m2", "m1", "ye")]
    on = turn("", ", lamb", beginning=GONE_ON).split(b"\n")
    found = recovered(ASKED.with_message(GONE_ON), b"\n".join([b"{", *on[1:]]))
    assert found.session.messages[-1].content == "yes, lamb"


def test_what_is_missing_is_marked() -> None:
    lines = written_in_two(("hm ", "well"))
    found = recovered(ASKED, b"\n".join([lines[0], lines[2]]) + b"\n")
    assert found.session.messages[-1].reasoning == f"{GAP}well"


def written_in_two(pieces: tuple[str, str]) -> list[bytes]:
    """A turn's lines: its beginning and two looks."""
    reply = GrowingReply(BLANK, is_thinking=True)
    log, lines = GrowthLog(reply), turn().split(b"\n")[:1]
    for piece in pieces:
        reply.grow(ReplyPart.REASONING, piece)
        growth = log.look(None)
        assert growth is not None
        lines.append(encode_record(growth).rstrip())
    return lines


@settings(max_examples=300)
@given(st.data())
def test_whatever_stands_in_a_journal_the_session_stays_whole(data: st.DataObject) -> None:
    session = data.draw(st.sampled_from([EMPTY, ASKED, ASKED.with_message(WHOLE), ASKED.with_message(GONE_ON)]))
    more = Message("m3", Role.USER, "More?", "m2", NOW)
    turns = [
        turn(),
        turn("", ", lamb", beginning=GONE_ON),
        turn("", "", result=[WHOLE, replace(WHOLE, id="m3")]),
        turn("so", "", question=more, beginning=replace(BLANK, id="m4", parent="m3"), head_before="m2"),
    ]
    said = bytearray(HEAD + b"".join(data.draw(st.lists(st.sampled_from(turns), max_size=3))))
    for _ in range(data.draw(st.integers(0, 6))):
        said[data.draw(st.integers(0, len(said) - 1))] = data.draw(st.integers(0, 255))
    found = recover(session, read_journal(bytes(said)), LATER).session
    again = decode_session(encode_session(found))
    assert {message.id for message in session.messages} <= {message.id for message in again.messages}
    assert again.extra == session.extra
