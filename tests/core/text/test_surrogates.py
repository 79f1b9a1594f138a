"""Halves of UTF-16 pairs: joined where both come, replaced where one stays alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.text.surrogates import SurrogateJoiner, replace_lone
from kimi_tui.core.text.text_pieces import PIECE_CHARS
from tests.core.cuts import check_every_cut

HIGH, LOW = "\ud83d", "\udc4d"
ANY = st.text(st.sampled_from([HIGH, LOW, "a", "羊", "👍", "\ud800", "\udfff"]), max_size=12)


def join(pieces: list[str]) -> str:
    joiner = SurrogateJoiner()
    return "".join(map(joiner.feed, pieces)) + joiner.close()


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("plain", "plain"),
        (f"a{HIGH}{LOW}b", "a👍b"),
        (HIGH, "\ufffd"),
        (LOW, "\ufffd"),
        (LOW + HIGH, "\ufffd\ufffd"),
        (HIGH + HIGH + LOW, "\ufffd👍"),
        (f"{HIGH}a{LOW}", "\ufffda\ufffd"),
        ("👍" + HIGH, "👍\ufffd"),
        ("", ""),
    ],
)
def test_at_every_cut(text: str, whole: str) -> None:
    check_every_cut(text, join, whole)
    assert replace_lone(text) == whole


@given(ANY)
def test_what_comes_out_can_always_be_encoded(text: str) -> None:
    assert join(list(text)) == replace_lone(text)
    replace_lone(text).encode()


@given(st.text())
def test_whole_text_is_untouched(text: str) -> None:
    assert replace_lone(text) == text


@pytest.mark.parametrize("place", [0, PIECE_CHARS - 1, PIECE_CHARS, 2 * PIECE_CHARS])
def test_wherever_it_stands_in_a_long_text(place: int) -> None:
    before, behind = "é" * place, "é" * (2 * PIECE_CHARS - place)
    assert replace_lone(f"{before}{HIGH}{LOW}{behind}{LOW}") == f"{before}👍{behind}\ufffd"
