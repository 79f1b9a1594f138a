"""The rows of two compared texts: all of both, none too wide, and level where they correspond."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from kimi_tui.ui.screens.compare_rows import CompareRows, SideRows, compared, rows_of

LINES = st.lists(st.sampled_from(["", "Sear the leg.", "Let it rest for long.", "羊肉を焼きます。", "x" * 30, "\tend"]), max_size=9)  # fmt: skip
WIDTHS = st.integers(2, 40)


def laid_out(left: str, right: str, width: int = 20) -> CompareRows:
    return rows_of(compared(left, right), width)


def shown(side: SideRows) -> list[str | None]:
    return [None if row is None else side.text[slice(*row)] for row in side.rows]


def level(left: str, right: str) -> list[tuple[str | None, str | None]]:
    rows = laid_out(left, right)
    return list(zip(shown(rows.left), shown(rows.right), strict=True))


@given(LINES, LINES, WIDTHS)
def test_the_rows_are_the_whole_of_both_texts(left: list[str], right: list[str], width: int) -> None:
    rows = laid_out("\n".join(left), "\n".join(right), width)
    assert len(rows.left.rows) == len(rows.right.rows) == rows.count
    for side, lines in ((rows.left, left), (rows.right, right)):
        filled = [row for row in side.rows if row is not None]
        assert "".join(side.text[start:end] for start, end in filled) == "".join(lines)
        assert all(cell_len(side.text[start:end].expandtabs(4)) <= max(width, 4) for start, end in filled)
        for row in filled:
            assert "".join(side.text[start:end] for start, end, _ in side.pieces(row)) == side.text[slice(*row)]


def spans_in(rows: CompareRows, row: int) -> set[int]:
    """The numbers of the parts that a row shows of either side."""
    found = set[int]()
    for side in (rows.left, rows.right):
        if (it := side.rows[row]) is not None:
            found |= {number for _, _, number in side.pieces(it)}
            found |= {side.span_at(it[1])} if side.has_different_end(it) else set()
    return found


@given(LINES, LINES, WIDTHS)
def test_a_difference_begins_in_the_first_row_that_shows_it(left: list[str], right: list[str], width: int) -> None:
    rows = laid_out("\n".join(left), "\n".join(right), width)
    for number, row in rows.differences:
        assert number in spans_in(rows, row)
        assert not any(number in spans_in(rows, above) for above in range(row))


@given(LINES, LINES, WIDTHS, WIDTHS)
def test_what_is_at_the_top_stays_there_in_another_width(left: list[str], right: list[str], old: int, new: int) -> None:
    comparison = compared("\n".join(left), "\n".join(right))
    before, after = rows_of(comparison, old), rows_of(comparison, new)
    for row in range(before.count):
        assert 0 <= before.moved(row, after) < after.count
        assert before.moved(row, before) == row


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("Sear it.\nRest.", "Sear it.\nSalt.\nRest.", [("Sear it.", "Sear it."), (None, "Salt."), ("Rest.", "Rest.")]),
        ("Sear the leg.", "Sear the big leg.", [("Sear the leg.", "Sear the big leg.")]),
        ("", "Salt.", [("", "Salt.")]),
        (
            "One.\nSear the leg.\nTwo.",
            "Sear the leg for an hour.\nThree.\nFour.",
            [
                ("One.", None),
                ("Sear the leg.", "Sear the leg for an "),
                (None, "hour."),
                ("Two.", "Three."),
                (None, "Four."),
            ],
        ),
    ],
)
def test_lines_that_correspond_are_level(left: str, right: str, expected: list[tuple[str | None, str | None]]) -> None:
    assert level(left, right) == expected


def test_control_characters_are_shown_and_compared_as_shown() -> None:
    rows = laid_out("a\x1b[31mb\r\nc", "ab\nc", 40)
    assert shown(rows.left)[0] == "a␛[31mb␍"
    assert [row for _, row in rows.differences] == [0]


def test_a_line_end_of_one_side_alone_is_told() -> None:
    rows = laid_out("a b", "a\nb")
    first = rows.right.rows[0]
    assert first is not None
    assert rows.right.has_different_end(first)
    assert not any(row is not None and rows.left.has_different_end(row) for row in rows.left.rows)
