"""How wide a text is on a terminal, never too little, and lines folded to a width."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len
from wcwidth import wcswidth

from kimi_tui.core.text.cells import cells_of, cut, folded
from kimi_tui.core.text.visible import visible_line

WIDE = st.text(st.sampled_from("a 羊ｗ́́̈한👩\u200d\ufe0f❤🏽🇫🇷ﷺ᷿⁠—…"), max_size=40)


@given(st.text() | WIDE)
@example("e\u0301羊❤\ufe0f")
def test_no_terminal_takes_more(text: str) -> None:
    shown = visible_line(text)
    assert cells_of(shown) >= max(cell_len(shown), wcswidth(shown))


def test_marks_that_combine_take_no_cell_and_wide_characters_two() -> None:
    assert [cells_of(text) for text in ("abc", "e\u0301", "羊羊", "")] == [3, 1, 4, 0]


@given(st.lists(WIDE.map(lambda text: text.replace(" ", "")[:12]), max_size=30).map(" ".join), st.integers(30, 120))
def test_a_folded_line_keeps_its_width_and_its_words(line: str, columns: int) -> None:
    parts = list(folded(line, columns))
    assert all(cells_of(part) <= columns for part in parts)
    assert " ".join(parts).split() == line.split()
    assert all(part.startswith("  ") for part in parts[1:])


def test_what_has_no_blank_stays_whole() -> None:
    assert list(folded("See /a/path/of/many/letters there", 12)) == ["See", "  /a/path/of/many/letters", "  there"]


@given(WIDE, st.integers(1, 30))
def test_what_is_cut_keeps_its_width_and_begins_alike(text: str, cells: int) -> None:
    found = cut(text, cells)
    assert cells_of(found) <= cells
    assert found == text or (found.endswith("…") and text.startswith(found[:-1]))
