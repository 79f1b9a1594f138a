"""The table of replies: its rows and columns, what is left out where there is no room, and what is copied."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kimi_tui.core.text.cells import cells_of
from kimi_tui.core.text.visible import visible
from kimi_tui.ui.state.reply_rows import BRIEF_CELLS, ReplyRow, brief_lines, markdown_table, plain_table, table_lines

ROWS = [
    ReplyRow("m2", "complete", 1, "temperature 0", is_shown=True, input_tokens=15, output_tokens=171, thinking_s=0.7,
             first_token_s=0.4, total_s=3.31, rate=60.2, cost_usd=0.0005, reason="stop"),
    ReplyRow("m3", "stopped", 2, "temperature 0.5", output_tokens=80, total_s=2.0, rate=40, is_estimated=True),
    ReplyRow("m4", "failed: That is | too much\x1b[31m", 3, "temperature 2", is_there=False),
]  # fmt: skip


def test_with_room_all_is_told() -> None:
    lines = [" ".join(line.split()) for line in table_lines(ROWS, 130)]
    assert lines == [
        "setting state tokens in out thinking s first s total s tok/s cost end",
        "1 temperature 0 complete 15 171 0.7 0.4 3.3 60 $0.0005 stop",
        "2 temperature 0.5 stopped – ~80 – – 2.0 ~40 –",
        "3 temperature 2 failed: That is | too much␛[31m – – – – – – –",
    ]


@pytest.mark.parametrize(
    ("cells", "headings"),
    [
        (112, "setting state tokens in out thinking s first s total s tok/s cost end"),
        (76, "setting state out total s tok/s cost"),
        (50, "setting state out"),
    ],
)
def test_columns_are_left_out_from_the_least_missed(cells: int, headings: str) -> None:
    assert table_lines(ROWS, cells)[0].split() == headings.split()


def test_a_column_that_says_nothing_is_left_out() -> None:
    plain = [ReplyRow("m2", "complete", 1, "", cost_usd=0.01)]
    assert "setting" not in table_lines(plain, 200)[0]
    assert "end" not in table_lines(plain, 200)[0]


CUT_BEFORE_A_WIDE_ONE = "00000000\x80\u0a77\u0ace\u0d97\u0e5c0"


@example(101, [(CUT_BEFORE_A_WIDE_ONE, CUT_BEFORE_A_WIDE_ONE, None)])
@given(st.integers(1, 200), st.lists(st.tuples(st.text(), st.text(), st.none() | st.floats(0, 1e6)), min_size=1))
def test_no_line_is_longer_than_its_place(cells: int, texts: list[tuple[str, str, float | None]]) -> None:
    rows = [ReplyRow(f"m{n}", state, n, setting, total_s=s) for n, (setting, state, s) in enumerate(texts, 1)]
    lines = table_lines(rows, cells)
    assert len(lines) == len(rows) + 1
    assert all(cells_of(line) <= cells for line in lines)


def test_what_is_copied_holds_all_columns() -> None:
    table = markdown_table(ROWS).splitlines()
    assert table[0] == "| # | setting | state | tokens in | out | thinking s | first s | total s | tok/s | cost | end |"
    assert table[1].startswith("| ---: | --- | --- | ---: |")
    assert table[2] == "| 1 | temperature 0 | complete | 15 | 171 | 0.7 | 0.4 | 3.3 | 60 | $0.0005 | stop |"
    assert table[3] == "| 2 | temperature 0.5 | stopped | – | ~80 | – | – | 2.0 | ~40 | – |  |"
    assert "failed: That is \\| too much␛[31m" in table[4]
    assert len({line.replace("\\|", "").count("|") for line in table}) == 1
    assert [line.split()[0] for line in plain_table(ROWS).splitlines()[1:]] == ["1", "2", "3"]


def test_the_brief_table_holds_what_is_missed_most() -> None:
    assert [" ".join(line.split()) for line in brief_lines(ROWS)] == [
        "value state tokens out total s cost",
        "1 temperat… complete 171 3.3 $0.0005",
        "2 temperat… stopped ~80 2.0 –",
        "3 temperat… failed:… – – –",
    ]


@given(st.lists(st.tuples(st.text(), st.text(), st.none() | st.floats(0, 1e6)), min_size=1))
def test_the_brief_table_fits_and_holds_no_control_character(texts: list[tuple[str, str, float | None]]) -> None:
    rows = [ReplyRow(f"m{n}", state, n, setting, total_s=s) for n, (setting, state, s) in enumerate(texts, 1)]
    lines = brief_lines(rows)
    assert len(lines) == len(texts) + 1
    assert all(cells_of(line) <= BRIEF_CELLS and visible(line) == line for line in lines)
