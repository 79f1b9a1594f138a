"""Secrets are taken out of bytes wherever these are cut, and nothing else is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.text.redaction import HALF_BYTES, Redactor
from tests.core.cuts import cuts

KEY = 'sk-3f9a"71c2/d8é'


def clean(secrets: list[str], *pieces: bytes) -> bytes:
    redactor = Redactor(secrets)
    return b"".join([*map(redactor.feed, pieces), redactor.close()])


@pytest.mark.parametrize(
    "spelled",
    [KEY, json.dumps(KEY)[1:-1], json.dumps(KEY, ensure_ascii=False)[1:-1], "sk-3f9a%2271c2%2Fd8%C3%A9"],
)
def test_every_spelling_goes_at_every_cut(spelled: str) -> None:
    data = f"before {spelled}{spelled} behind".encode()
    for pieces in cuts(data):
        assert clean([KEY, "other"], *pieces) == b"before [key][key] behind"
    assert Redactor([KEY]).whole(data) == b"before [key][key] behind"
    assert Redactor([KEY]).clean(data.decode()) == "before [key][key] behind"


def test_a_secret_that_begins_like_another_does_not_save_its_end() -> None:
    for pieces in cuts(b"x abcdef abcdefghij y"):
        assert clean(["abcdef", "abcdefghij"], *pieces) == b"x [key] [key] y"
    assert Redactor(["abcdef", "abcdefghij"]).clean("x abcdef abcdefghij \udc80") == "x [key] [key] \udc80"


def test_half_a_secret_at_the_end_goes_and_a_letter_or_two_stay() -> None:
    assert clean(["secret-word"], b"it is secret-w") == b"it is [key]"
    assert clean(["secret-word"], b"it is secr"[: 6 + HALF_BYTES - 1]) == b"it is secr"


def test_without_secrets_every_byte_passes_at_once() -> None:
    assert Redactor(["", ""]).feed(b"\x00\xff") == b"\x00\xff"


WORDS = st.text("ab", min_size=1, max_size=4)


@given(st.lists(WORDS, max_size=3), st.lists(st.text("abc", max_size=5).map(str.encode)))
def test_no_cut_changes_what_comes_out(secrets: list[str], pieces: list[bytes]) -> None:
    assert clean(secrets, *pieces) == clean(secrets, b"".join(pieces))


@given(st.lists(st.binary()))
def test_what_holds_no_secret_is_untouched(pieces: list[bytes]) -> None:
    harmless = [piece.replace(b"~", b"-") for piece in pieces]
    assert clean(["~never-there~"], *harmless) == b"".join(harmless)
