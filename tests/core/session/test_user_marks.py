"""What a user puts on a message: a name, a pin; and the whole input of a raw send."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from kimi_tui.core.session.message_codec import decode_message, encode_message
from kimi_tui.core.session.session import Message, Role

PLAIN = Message("m1", Role.USER, "Hello", created=datetime(2026, 11, 23, tzinfo=UTC))


def test_they_come_back_as_they_were_saved() -> None:
    message = replace(PLAIN, name="the short one", pinned=True, raw_input="[BOS]<|im_user|>\r\n")
    table = encode_message(message)
    assert (table["name"], table["pinned"], table["raw_input"]) == ("the short one", True, "[BOS]<|im_user|>\r\n")
    assert decode_message(table) == message


def test_a_message_without_them_says_nothing_of_them() -> None:
    assert encode_message(PLAIN).keys().isdisjoint({"name", "pinned", "raw_input"})


@pytest.mark.parametrize(("key", "value"), [("name", 3), ("pinned", "yes"), ("pinned", False), ("raw_input", ["a"])])
def test_what_others_mean_by_such_a_key_stays(key: str, value: object) -> None:
    table = {**encode_message(PLAIN), key: value}
    message = decode_message(dict(table))
    assert (message.name, message.pinned, message.raw_input) == ("", False, None)
    assert encode_message(message) == table
