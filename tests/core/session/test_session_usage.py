"""What a session took: every request that ran, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.session.codec import decode_session, encode_session
from kimi_tui.core.session.growing_reply import GrowingReply, ReplyPart
from kimi_tui.core.session.interventions import can_be_undone, undone
from kimi_tui.core.session.reply_edits import edited_answer, thinking_longer
from kimi_tui.core.session.session import NO_USAGE, Message, MessageState, RequestRecord, Role, Session, Timing, Usage
from kimi_tui.core.session.session_usage import total_usage

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
QUESTION = Message("m1", Role.USER, "Lamb?", created=NOW)
BLANK = Message("m2", Role.ASSISTANT, "", "m1", thinking=True)
SESSION = Session("s", NOW, NOW, "model", messages=(QUESTION,), head="m1")

usages = st.builds(
    Usage, st.none() | st.integers(1, 3), st.integers(1, 3), st.none() | st.sampled_from([0.25, 0.5])
) | st.just(NO_USAGE)  # fmt: skip
steps = st.lists(
    st.tuples(st.sampled_from(["ask", "continue", "continue", "undo", "edit", "longer"]), st.integers(0, 9))
)


def requested(beginning: Message, record: RequestRecord) -> Message:
    """A request brings a word, and is cut."""
    reply = GrowingReply(beginning, is_thinking=beginning.has_open_block)
    record = replace(record, start=reply.start)
    reply.grow(ReplyPart.REASONING if reply.is_thinking else ReplyPart.ANSWER, "word", 1)
    reply.end_request(record)
    return reply.message(NOW)


@given(steps, st.data(), st.sampled_from(["own", "one", "none"]))
def test_whatever_is_gone_on_with_and_undone_each_request_counts_once(
    steps: list[tuple[str, int]], data: st.DataObject, ids: str
) -> None:
    session, ran = SESSION, list[Usage]()

    def record(kind: str) -> RequestRecord:
        usage = data.draw(usages)
        ran.append(usage)
        name = {"own": f"r{len(ran)}", "one": "r", "none": None}[ids]
        timing = Timing(0.125, None, len(ran) / 8)
        estimated = usage.cost_usd is None and usage != NO_USAGE
        return RequestRecord(kind, MessageState.CANCELLED, name, None, usage, timing, is_estimated=estimated)

    for step, place in steps:
        (id_,) = session.next_message_ids(1)
        replies = session.messages[1:]
        target = replies[place % len(replies)] if replies else None
        if step == "ask" or target is None:
            session = session.with_message(requested(replace(BLANK, id=id_), record("reply")))
        elif step == "continue":
            longer = requested(target, record("continue"))
            messages = tuple(longer if message.id == target.id else message for message in session.messages)
            session = replace(session, messages=messages)
        elif step == "edit":
            session = session.with_message(edited_answer(target, "Mine.", id_, NOW))
        elif step == "longer":
            session = session.with_message(thinking_longer(target, "Wait,", id_, NOW))
        elif can_be_undone(target):
            session = session.with_message(undone(target, id_, NOW))
        read = decode_session(encode_session(session))
        assert total_usage(session.messages) == total_usage(read.messages) == sum(ran, NO_USAGE)


def test_siblings_of_one_request_count_it_once() -> None:
    first = replace(BLANK, content="a", state=MessageState.COMPLETE, request_id="r", usage=Usage(10, 20, 0.5))
    second = replace(first, id="m3", content="b", usage=None)
    assert total_usage([QUESTION, first, second]) == Usage(10, 20, 0.5)


@pytest.mark.parametrize("parent", ["m1", "m4"])
def test_other_requests_are_counted_though_an_endpoint_names_all_the_same(parent: str) -> None:
    first = replace(
        BLANK, state=MessageState.COMPLETE, request_id="r", usage=Usage(10, 20), timing=Timing(0.5, None, 1)
    )
    second = replace(first, id="m3", parent=parent, timing=Timing(0.5, None, 2))
    assert total_usage([first, second]) == Usage(20, 40)


def test_what_a_file_tells_of_all_requests_alone_counts() -> None:
    reply = replace(BLANK, usage=Usage(10, 20, 0.5), requests=(RequestRecord(), RequestRecord("continue")))
    assert total_usage([reply]) == Usage(10, 20, 0.5)
