"""What is copied of a table: the rows that a selection touches, as they were written, however many lines each takes."""

from __future__ import annotations

import pytest
from rich.style import Style

from kimi_tui.ui.state.entry import Entry, EntryKind
from kimi_tui.ui.text.role_styles import Styles
from kimi_tui.ui.transcript.copying import selected_text
from kimi_tui.ui.transcript.pieces import Look
from kimi_tui.ui.transcript.selection_range import SelectionRange, point_at
from kimi_tui.ui.transcript.viewport import Place
from tests.ui.transcript.parts import window

HEAD = "| a | b |\n|---|---|\n"
LONG = "a cell with so many words that it takes several lines of any column there is"
WRAPPED = f"{HEAD}| one | 1 |\n| two | {LONG} |\n| three | 3 |\n| four | 4 |\n"
RECORDS = f"| {' | '.join(f'name{n}' for n in range(9))} |\n{'|---' * 9}|\n" + "".join(
    f"| {' | '.join(f'{row}{n}' for n in range(9))} |\n" for row in "abcd"
)


def copied(source: str, first: str, last: str, width: int = 40) -> str:
    """What is copied from the beginning of the line that holds `first` to the end of the one that holds `last`."""
    entry = Entry("a", EntryKind.ASSISTANT, "", f"Text.\n\n{source}\nThe end.\n")
    viewport, _ = window(entry, Look(Styles({}, Style()), width), 500)
    lines = list(viewport.walk(Place(0)))
    start = next(place for place, line in lines if first in line.text)
    end, line = next((place, line) for place, line in lines if last in line.text)
    return selected_text(
        viewport, SelectionRange(point_at(viewport, start, 0), point_at(viewport, end, len(line.text)))
    )


@pytest.mark.parametrize(
    ("first", "last", "rows"),
    [
        ("three", "four", "| three | 3 |\n| four | 4 |"),
        ("two", "three", f"| two | {LONG} |\n| three | 3 |"),
        ("several", "column", f"| two | {LONG} |"),
        ("─┼─", "one", f"{HEAD}| one | 1 |"),
        ("a ", "four", f"{WRAPPED}"),
    ],
)
def test_rows_that_are_touched_are_copied_beside_a_row_of_several_lines(first: str, last: str, rows: str) -> None:
    assert copied(WRAPPED, first, last) == rows.rstrip("\n")


def test_a_part_of_one_line_is_copied_as_it_is_shown() -> None:
    assert copied(WRAPPED, "three", "three") == "three │ 3"


@pytest.mark.parametrize("char", "\u2028\u0085\x0b")
def test_what_ends_no_line_of_markdown_ends_no_row(char: str) -> None:
    source = f"{HEAD}| one{char}more | 1 |\n| two | 2 |\n| three | 3 |\n"
    assert copied(source, "two", "three") == "| two | 2 |\n| three | 3 |"
    assert copied(source, "one", "two") == f"| one{char}more | 1 |\n| two | 2 |"


def test_rows_that_are_shown_as_lines_of_their_own_are_copied_as_rows() -> None:
    rows = RECORDS.splitlines()
    assert copied(RECORDS, "b3", "b5") == rows[3]
    assert copied(RECORDS, "b3", "c0") == f"{rows[3]}\n{rows[4]}"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("first", [3, 28, 29, 59, 100, 1_500])
def test_rows_of_a_long_table_are_copied_across_its_parts(first: int, end: str) -> None:
    """It goes on in parts of some rows, and in the next chunk."""
    rows = [f"| row{n}. | {LONG if n % 7 == 3 else n} |" for n in range(2_000)]
    source = HEAD.replace("\n", end) + "".join(row + end for row in rows)
    text = copied(source, f"row{first}.", f"row{first + 4}.")
    assert text.splitlines() == rows[first : first + 5]
