"""Words beside each other, in one line and in several."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.text.cells import cells_of
from kimi_tui.core.text.dotted import SEPARATOR, dotted, packed


@pytest.mark.parametrize(("words", "line"), [((), ""), (("", ""), ""), (("", "a"), "a"), (("a", "", "b c"), "a · b c")])
def test_what_is_empty_is_left_out(words: tuple[str, ...], line: str) -> None:
    assert dotted(*words) == line


def test_lines_are_measured_in_cells() -> None:
    assert packed(["羊肉", "ab", "", "cd"], 9) == ["羊肉 · ab", "cd"]
    assert packed(["羊肉", "ab", "cd"], 8) == ["羊肉", "ab · cd"]


@given(st.lists(st.text("ab羊\u0301", max_size=6)), st.integers(0, 20))
def test_nothing_is_lost_or_cut_and_no_word_stands_lower_than_it_must(words: list[str], cells: int) -> None:
    lines = packed(words, cells)
    assert dotted(*lines) == dotted(*words)
    assert all(cells_of(line) <= cells or line in words for line in lines)
    for line, after in itertools.pairwise(lines):
        assert cells_of(dotted(line, after.split(SEPARATOR)[0])) > cells
