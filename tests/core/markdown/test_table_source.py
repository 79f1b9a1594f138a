"""Rows of tables as they are written: they are what the parser makes of them."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kimi_tui.core.markdown.blocks import parse
from kimi_tui.core.markdown.rules import row_cells
from kimi_tui.core.markdown.table_source import cell_text, rows_end, without_plain_marks

HEAD = "| a | b | c |\n|---|---|---|\n"
BEGINS = [
    "|", "| ", "a", "é", "羊", "✓", "1", "12 | x", "1. x", "12) x", "1.5", "1234567890. x", "- x", "-x", "-", "+ x", "* x", "*x*",
    "**x**", "***", "* * *", "_x_", "__x__", "___", "---", "===", "> x", ">", "# x", "#x", "#", "####### x", "```", "``x``", "`x`",
    "~~~", "~~x~~", "<div>", "<b>x", "<!-- x", "<https://e.org>", "[x]", "[x]: y", "[^1]: y", "$$", "$x$", "\\[", "\\(x", "\\|", "(x",
    '"x', "'", "    x", "   x", "\tx", "", " ", "\u00a0", "!", "![a](b)", "&", ":", "=", ".", ",", "@", "/", "~", "-5", "+x", "--x", "-+x", "?", ";", "%", "^", "{", "}", ")", "]", "[^1]", ": x", "! x", "x\ty",
]  # fmt: skip
CELLS = st.text(st.sampled_from("ab1 |\\`*_[]()<>-"), max_size=12)


def rows_of(text: str) -> list[list[str]]:
    """The cells of the rows below a head, as the parser finds them."""
    blocks, _ = parse(HEAD + text)
    rows: list[list[str]] = []
    for token in blocks[0].tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(token.content)
    return rows[1:]


@pytest.mark.parametrize("begin", BEGINS)
@pytest.mark.parametrize("rest", ["", " | y |"])
def test_rows_end_where_the_parser_ends_them(begin: str, rest: str) -> None:
    first, line = "| 1 | 2 | 3 |\n", f"{begin}{rest}\n"
    text = f"{first}{line}| x | y | z |\n"
    count = len(rows_of(text))
    assert rows_end(text) == (len(first) if count == 1 else len(text))


@settings(max_examples=300, deadline=None)
@given(CELLS)
@example("a \\| b | `c|d` \\\\| e")
def test_cells_are_those_of_the_parser(row: str) -> None:
    row = f"x{row}"
    (cells,) = rows_of(f"{row}\n")
    assert [*row_cells(row, 3), "", ""][:3] == cells


@pytest.mark.parametrize(
    ("row", "last"),
    [
        ("a|b|c|d e", "c|d e"),
        ("| a | b | c | d | e |", "c | d | e"),
        ("|a|b|`c || d`|", "`c || d`"),
        ("|a|b|c| | |", "c"),
    ],
)
def test_cells_beyond_the_head_stay_in_the_last_column(row: str, last: str) -> None:
    assert rows_of(f"{row}\n") == [["a", "b", last]]
    assert row_cells(row, 3) == ["a", "b", last]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("plain", "plain"),
        ("**b** and *e*, ***both***, ~~s~~, __b__ and _e_", "b and e, both, s, b and e"),
        ("`code` and ``co`de``", "code and co`de"),
        ("`**no**`", "**no**"),
        ("snake_case_name, 2 * 3, a*b", "snake_case_name, 2 * 3, a*b"),
        ("12*3*4 and a*b*c, *e*", "12*3*4 and a*b*c, e"),
        ("\\*no\\*", "*no*"),
        ("[**b**](u) and [u](u)", "b (u) and u"),
        ("![](p.png)", "▣ image (p.png)"),
        ("[x], [y][X] and [z]", "x (https://e.org), y (https://e.org) and [z]"),
        ("[\u1e9e]", "\u1e9e (https://e.org)"),
        ("a<br>b", "a\nb"),
    ],
)
def test_of_a_cell_is_measured_what_is_shown(source: str, text: str) -> None:
    references = {"X": "https://e.org", "SS": "https://e.org"}
    assert cell_text(source, references) == text
    assert cell_text(without_plain_marks(source), references) == text
