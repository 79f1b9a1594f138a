"""Where replies go that grow side by side: in the order of their beginning, whichever ended first and is shown."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import permutations

import pytest

from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.core.session.tree import is_later, with_replies
from kimi_tui.ui.state.branch import Branch, Growing

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ASKED = Session("s", NOW, NOW, "m").with_message(Message("m1", Role.USER, "Lamb?"))
OLD = Message("m2", Role.ASSISTANT, "old", "m1")
NEW = [Message(id_, Role.ASSISTANT, id_, "m1") for id_ in ("m9", "m10", "m11")]


@pytest.mark.parametrize("order", list(permutations(NEW)))
def test_whichever_ends_first_the_order_is_that_of_their_beginning(order: tuple[Message, ...]) -> None:
    session = with_replies(ASKED, [OLD], NOW)
    for count, reply in enumerate(order, start=1):
        session = with_replies(session, [reply], NOW, is_aside=True)
        growing = tuple(Growing(other.id, "m1") for other in NEW if other not in order[:count])
        assert Branch(session, growing).families["m1"] == ["m2", "m9", "m10", "m11"]
        assert session.head == "m2"
    assert session.messages[2:] == tuple(NEW)


def test_one_that_is_shown_is_the_head_and_one_aside_is_not() -> None:
    assert with_replies(ASKED, [NEW[0]], NOW).head == "m9"
    assert with_replies(ASKED, [NEW[0]], NOW, is_aside=True).head == "m1"


def test_messages_below_others_stay_where_they_are() -> None:
    session = with_replies(with_replies(ASKED, [NEW[2]], NOW), [NEW[0]], NOW).with_message(
        Message("m12", Role.USER, "More?", "m11")
    )
    assert [message.id for message in with_replies(session, [NEW[1]], NOW).messages] == [
        "m1",
        "m9",
        "m10",
        "m11",
        "m12",
    ]


@pytest.mark.parametrize(
    ("left", "right", "later"),
    [("m10", "m9", True), ("m9", "m10", False), ("m9", "m9", False), ("x10", "m9", False), ("m10", "x9", False)],
)
def test_which_id_was_taken_later(left: str, right: str, later: bool) -> None:
    assert is_later(left, right) is later
