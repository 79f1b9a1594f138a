"""The journal's records: written, cut at any byte, garbled, and read back as the reply that they tell of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.session.growing_reply import GrowingReply, OpenRequest, ReplyPart
from kimi_tui.core.session.journal import (
    GAP,
    GrowthLog,
    Journal,
    JournalHead,
    Record,
    TurnResult,
    TurnStart,
    broken_off,
    encode_record,
    read_journal,
)
from kimi_tui.core.session.session import Message, MessageState, RequestRecord, Role, Session, Timing, Usage
from kimi_tui.core.session.tree import SentContext

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
SESSION = Session("s1", NOW, NOW, "m", "Lamb", system="Be kind.", settings={"temperature": 0.5})
QUESTION = Message("m1", Role.USER, "Lamb?\u2028\r\n", None, NOW)
BLANK = Message("m2", Role.ASSISTANT, "", "m1", model="m", thinking=True, sent={"stream": True})
HEAD = JournalHead("s1.toml", "host", 12, SESSION)
OPEN = RequestRecord("reply", MessageState.INTERRUPTED, "r1", None, Usage(output_tokens=3), Timing(0.1, 0.2, 0.3))


def start_of(reply: GrowingReply) -> TurnStart:
    return TurnStart(reply.beginning, QUESTION, reply.is_thinking, SentContext("Be kind.", ("m0",)), "m0")


def told(journal: Journal, reply_id: str = "m2") -> GrowingReply:
    """The reply as its journal tells it."""
    turn = journal.turns[reply_id]
    assert turn.start is not None
    return turn.reply(turn.start.beginning, is_thinking=turn.start.is_thinking)


def written(*pieces: tuple[ReplyPart, str]) -> list[bytes]:
    """A journal's lines: its head, a turn's beginning, and one for each piece."""
    reply = GrowingReply(BLANK, is_thinking=True)
    log, records = GrowthLog(reply), list[Record]([HEAD, start_of(reply)])
    for part, text in pieces:
        reply.grow(part, text)
        growth = log.look(None)
        assert growth is not None
        records.append(growth)
    return [encode_record(record) for record in records]


def texts(reply: GrowingReply) -> tuple[str, str]:
    return str(reply.texts[ReplyPart.REASONING]), str(reply.texts[ReplyPart.ANSWER])


PIECES = (
    (ReplyPart.REASONING, "hm “ö”\n"),
    (ReplyPart.REASONING, "well"),
    (ReplyPart.ANSWER, "yes 🍖"),
    (ReplyPart.ANSWER, "!"),
)


def test_everything_that_is_written_is_read() -> None:
    journal = read_journal(b"".join(written(*PIECES)))
    assert (journal.head, journal.is_garbled, journal.is_newer, list(journal.turns)) == (HEAD, False, False, ["m2"])
    assert journal.turns["m2"].start == start_of(GrowingReply(BLANK, is_thinking=True))
    assert texts(told(journal)) == ("hm “ö”\nwell", "yes 🍖!")


def test_what_a_turn_brought_is_read() -> None:
    replies = (replace(BLANK, content="yes", state=MessageState.COMPLETE, created=NOW), replace(BLANK, id="m3"))
    journal = read_journal(b"".join(written(*PIECES)) + encode_record(TurnResult("m2", replies)))
    assert journal.turns["m2"].result == TurnResult("m2", replies)


def test_a_journal_that_is_cut_anywhere_loses_its_last_record_at_most() -> None:
    lines = written(*PIECES)
    whole = b"".join(lines)
    for cut in range(len(whole) + 1):
        journal = read_journal(whole[:cut])
        count = sum(cut >= len(b"".join(lines[: place + 1])) - 1 for place in range(len(lines)))
        assert not journal.is_garbled
        assert (journal.head is not None, bool(journal.turns)) == (count > 0, count > 1)
        if count > 1:
            assert texts(told(journal)) == texts(told(read_journal(b"".join(lines[:count]))))
    assert read_journal(b"").is_empty


@given(st.data())
def test_a_garbled_byte_costs_the_record_it_is_in_at_most(data: st.DataObject) -> None:
    lines = written(*PIECES)
    place = data.draw(st.integers(0, len(lines) - 1))
    at = data.draw(st.integers(0, len(lines[place]) - 1))
    byte = data.draw(st.integers(0, 255))
    line = lines[place][:at] + bytes([byte]) + lines[place][at + 1 :]
    journal = read_journal(b"".join([*lines[:place], line, *lines[place + 1 :]]))
    if journal.is_newer:  # it stays as it is
        return
    kept = "".join(texts(journal.turns["m2"].reply(BLANK, is_thinking=True)))
    for number, (_, text) in enumerate(PIECES, start=2):
        if number not in {place, place + 1}:  # a line end that went takes the next line with it
            assert text in kept


def test_where_a_record_is_missing_its_place_is_marked() -> None:
    lines = written(*PIECES)
    journal = read_journal(b"".join([*lines[:2], b"\0\0\0\n", *lines[3:]]))
    assert journal.is_garbled
    assert texts(told(journal)) == (f"{GAP}well", "yes 🍖!")


@given(st.binary(max_size=200))
def test_any_bytes_can_be_read(data: bytes) -> None:
    journal = read_journal(data)
    assert journal.is_empty or journal.turns or journal.head


def test_lines_that_are_no_records_are_told_apart() -> None:
    for line in ("[]", "{}", "7", '{"x": 1}', '{"grows": 3}', '{"grows": "m2"}', '{"journal": true}', "[" * 100_000):
        journal = read_journal(line.encode() + b"\n")
        assert (journal.is_empty, journal.is_garbled) == (True, True), line[:20]


def test_a_journal_of_a_newer_version_is_not_read() -> None:
    lines = written(*PIECES)
    newer = lines[0].replace(b'"journal": 1', b'"journal": 2')
    assert read_journal(b"".join([newer, *lines[1:]])) == Journal(is_newer=True)


def test_a_turn_that_is_written_again_counts_once() -> None:
    lines = written(*PIECES)
    journal = read_journal(b"".join([*lines[:3], lines[3][:20], b"\n", *lines]))
    assert texts(told(journal)) == ("hm “ö”\nwell", "yes 🍖!")


# -- the reply that the journal tells is the one that grew

RECORDS = st.builds(
    RequestRecord,
    kind=st.sampled_from(["reply", "think", "answer", "continue"]),
    state=st.sampled_from(MessageState),
    request_id=st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    finish_reason=st.none() | st.just("stop"),
    usage=st.builds(Usage, st.none() | st.integers(0, 9), st.none() | st.integers(0, 9), st.none() | st.just(0.5)),
    timing=st.builds(Timing, st.none() | st.just(0.1), st.none() | st.just(0.2), st.floats(0, 9)),
    is_estimated=st.booleans(),
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
STEPS = st.one_of(
    st.tuples(st.just("grow"), st.sampled_from(ReplyPart), TEXTS),
    st.tuples(st.just("whole"), TEXTS, TEXTS, st.booleans()),
    st.tuples(st.just("close")),
    st.tuples(st.just("request"), RECORDS),
    st.tuples(st.just("runs"), RECORDS),
    st.tuples(st.just("look")),
)
BEGINNINGS = st.sampled_from(
    [
        BLANK,
        replace(BLANK, thinking=False),
        replace(BLANK, reasoning="so", state=MessageState.INTERRUPTED, created=NOW, usage=Usage(1, 2)),
        replace(BLANK, content="far", reasoning="so", state=MessageState.COMPLETE, requests=(OPEN, OPEN)),
    ]
)


@given(BEGINNINGS, st.booleans(), st.lists(STEPS))
def test_the_journal_makes_the_message_that_the_reply_would_be(
    beginning: Message, is_thinking: bool, steps: Sequence[tuple[object, ...]]
) -> None:
    reply = GrowingReply(beginning, is_thinking=is_thinking)
    log, lines = GrowthLog(reply), [encode_record(HEAD), encode_record(start_of(reply))]
    running: RequestRecord | None = None

    def look() -> None:
        open_request = None if running is None else OpenRequest(running, is_thinking=reply.is_thinking)
        if (growth := log.look(open_request)) is not None:
            lines.append(encode_record(growth))

    for step in steps:
        match step:
            case ("look",):
                look()
            case ("runs", RequestRecord() as record):
                running = record
            case ("request", RequestRecord() as record):
                reply.end_request(record)
                running = None
            case _:
                do(reply, step)
    reply.grow(ReplyPart.ANSWER, "!")
    look()
    again = told(read_journal(b"".join(lines)))
    if running is not None:
        reply.end_request(running)
    assert again.message(NOW) == reply.message(NOW)
    assert (again.has_grown, again.is_new) == (reply.has_grown, reply.is_new)


def do(reply: GrowingReply, step: tuple[object, ...]) -> None:
    match step:
        case ("grow", ReplyPart() as part, str() as text):
            reply.grow(part, text, 1)
        case ("whole", str() as reasoning, str() as content, bool() as is_open):
            reply.grow_whole(reasoning, content, is_thinking=is_open)
        case ("close",):
            reply.close_thinking()


def test_what_had_ended_by_itself_is_not_marked() -> None:
    for state in (None, *MessageState):
        is_open = state in {None, MessageState.CANCELLED}
        assert broken_off(replace(BLANK, state=state)).state is (MessageState.INTERRUPTED if is_open else state)


def test_a_growing_reply_that_did_not_grow_says_nothing_twice() -> None:
    reply = GrowingReply(BLANK, is_thinking=True)
    log = GrowthLog(reply)
    assert log.look(None) is not None
    assert log.look(None) is None
    reply.grow(ReplyPart.REASONING, "hm")
    assert log.look(None) is not None
    assert log.look(None) is None


@pytest.mark.parametrize("looks_between", [True, False])
def test_thinking_that_was_cut_back_and_ended_is_told(looks_between: bool) -> None:
    reply = GrowingReply(BLANK, is_thinking=True)
    log, lines = GrowthLog(reply), [encode_record(HEAD), encode_record(start_of(reply))]

    def look() -> None:
        growth = log.look(None)
        assert growth is not None
        lines.append(encode_record(growth))

    reply.grow(ReplyPart.REASONING, "One is so. Two")
    look()
    reply.shorten(ReplyPart.REASONING, 4)
    reply.end_thinking("user", " Two")
    if looks_between:
        look()
    reply.grow(ReplyPart.ANSWER, "Yes, indeed.")
    look()
    found = told(read_journal(b"".join(lines)))
    assert texts(found) == ("One is so.", "Yes, indeed.")
    assert (found.is_thinking, found.thinking_end, found.cut_tail) == (False, "user", " Two")
