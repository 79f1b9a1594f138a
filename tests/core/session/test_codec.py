from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kimi_tui.core.errors import StorageError
from kimi_tui.core.session.codec import decode_session, encode_session
from kimi_tui.core.session.endings import ending
from kimi_tui.core.session.session import Message, MessageState, Role

HEAD: dict[str, Any] = {"format": "kimi-tui/session", "version": 1, "id": "a"}


def row(id_: str, **more: object) -> dict[str, object]:
    return {"id": id_, "role": "user", "content": "x", **more}


def test_a_session_may_be_nearly_empty() -> None:
    assert decode_session({**HEAD, "messages": [row("1"), row("2")]}).head is None


@pytest.mark.parametrize("time", ["2026-11-23T10:15:00.9+02:00", "2026-11-23T08:15:00Z", datetime(2026, 11, 23, 8, 15)])  # noqa: DTZ001
def test_times_become_whole_seconds_utc(time: object) -> None:
    assert decode_session({**HEAD, "created": time}).created == datetime(2026, 11, 23, 8, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"format": "x"}, "format"),
        ({"version": True}, "version"),
        ({"id": None}, "id: is missing"),
        ({"created": "0001-01-01T00:00:00+10:00"}, "created"),
        ({"tags": [1]}, "tags"),
        ({"head": "9"}, 'head: "9"'),
        ({"messages": [1]}, r"messages\[0\]"),
        ({"messages": [row("1"), row("1")]}, r"messages\[1\]\.id"),
        ({"messages": [row("1", parent="7")]}, r"messages\[0\]\.parent: \"7\""),
        ({"messages": [row("1", parent="2"), row("2", parent="1")]}, "own ancestor"),
        ({"messages": [row("1", role="system")]}, r"messages\[0\]\.role"),
        ({"messages": [row("1", usage={"input_tokens": "1"})]}, r"messages\[0\]\.usage\.input_tokens"),
    ],
)
def test_what_cannot_be_right_is_refused_by_its_place(change: dict[str, object], place: str) -> None:
    with pytest.raises(StorageError, match=place):
        decode_session({**HEAD, **change})


def test_replies_that_sent_the_same_share_it_and_others_do_not() -> None:
    """1, 1.0 and true are equal, and not the same in a file."""
    sent = [{"n": 1}, {"n": 1}, {"n": 1.0}, {"n": True}, {}]
    rows = [{"id": f"m{n}", "role": "assistant", "content": "", "sent": it} for n, it in enumerate(sent)]
    messages = decode_session(HEAD | {"messages": rows}).messages
    assert [repr(message.sent) for message in messages] == [repr(it) for it in sent]
    assert messages[0].sent is messages[1].sent


def test_huge_seeds_and_formats_are_text() -> None:
    data = {**HEAD, "settings": {"seed": 2**64, "response_format": {"type": "text"}}}
    assert encode_session(decode_session(data))["settings"] == {
        "seed": str(2**64),
        "response_format": '{"type": "text"}',
    }


def test_a_long_finish_reason_is_told_in_short() -> None:
    message = Message("m2", Role.ASSISTANT, "text", "m1", finish_reason="W" * 20_000, state=MessageState.COMPLETE)
    assert ending(message) == f"ended by {'W' * 59}…"
    assert message.finish_reason == "W" * 20_000
