"""Cells measured are cells drawn: what comes out of the last filter, measured by an emulator and by another library."""

from __future__ import annotations

from unicodedata import combining

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from wcwidth import wcwidth

from kimi_tui.core.text.visible import visible
from kimi_tui.ui.state.entry import Entry, EntryKind
from kimi_tui.ui.text.role_styles import Styles
from kimi_tui.ui.text.safe_text import SafeFilter, steady
from kimi_tui.ui.transcript.entry_chrome import arrow_at, head_lines
from kimi_tui.ui.transcript.lines import chop, line_of, wrap
from kimi_tui.ui.transcript.painter import char_at
from kimi_tui.ui.transcript.pieces import Look

ALPHABET = "ab é羊肉。「」한ﾊ\u0301\u20d7👩\u200d💻\ufe0f☁⚠❤🇩🇪👍🏽🏿🏳🌈#1\u20e3\u200b\u2060\ufe0e✅🧠─│•☑▣①…\u1112\u1161\u11ab\x07\u202e"
DRAWN = "".join(char for char in ALPHABET if wcwidth(char) or combining(char) or not steady(char))
"""The same without what the emulator cannot draw at all: it knows no combining characters but those of a class."""
TEXTS = st.lists(st.text(alphabet=DRAWN, max_size=30), min_size=1, max_size=3)


def drawn(runs: tuple[tuple[str, Style], ...]) -> str:
    segments = SafeFilter().apply([Segment(text, style) for text, style in runs], Color(0, 0, 0))
    return "".join(segment.text for segment in segments)


def drawn_cells(text: str) -> int:
    """The column at which an emulator writes what stands behind a text."""
    screen = pyte.Screen(200, 1)
    pyte.Stream(screen).feed(f"{text}§")
    return next(column for column, cell in screen.buffer[0].items() if cell.data.startswith("§"))


@settings(max_examples=400, deadline=None)
@given(TEXTS, st.integers(2, 20))
def test_a_row_is_as_wide_as_it_says(texts: list[str], width: int) -> None:
    runs = [(visible(text), Style(bold=bool(place % 2))) for place, text in enumerate(texts)]
    for line in [*wrap(runs, width), *chop(runs, width)]:
        text = drawn(line.runs)
        assert drawn_cells(text) == line.width <= width
        assert sum(map(wcwidth, text)) == line.width


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=DRAWN, max_size=20))
def test_a_character_is_found_at_each_of_its_cells(text: str) -> None:
    line = line_of([(visible(text), Style())])
    places = [char_at(line, cell) for cell in range(line.width + 1)]
    assert places[-1] == len(line.text)
    assert places == sorted(places)
    for cell, place in enumerate(places):
        assert cell_len(line.text[:place]) <= cell < cell_len(line.text[:place]) + 2


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("👨\u200d👩\u200d👧 abc", [0, 0, 5, 6, 7, 8, 9]),
        ("⚠\ufe0f!", [0, 0, 2, 3]),
        ("👍🏽!", [0, 0, 2, 3]),
        ("e\u0301a", [0, 2, 3]),
        ("羊a", [0, 0, 1, 2]),
    ],
)
def test_the_character_at_a_cell(text: str, places: list[int]) -> None:
    line = line_of([(text, Style())])
    assert [char_at(line, cell) for cell in range(line.width + 1)] == places


def test_what_is_special_about_a_request_is_cut_by_the_cells_it_takes() -> None:
    setting = "preset 👨\u200d👩\u200d👧👨\u200d👩\u200d👧"
    entry = Entry("r", EntryKind.ASSISTANT, "Kimi", "answer", setting=setting)
    for width in range(20, 40):
        line = next(head_lines(entry, Look(Styles({}, Style()), width), has_thought=False, is_folded=False))
        assert line.width <= width
        assert (setting in line.text) == (width >= len("Kimi") + 4 + cell_len(setting))


def test_the_arrows_of_a_heading_are_where_they_are_drawn() -> None:
    name = "👨\u200d👩\u200d👧 Stew"
    entry = Entry("r", EntryKind.ASSISTANT, "Kimi", "answer", alternatives=(2, 3), branch_name=name)
    line = next(head_lines(entry, Look(Styles({}, Style()), 60), has_thought=False, is_folded=False))
    for arrow, step in (("◂", -1), ("▸", 1)):
        cell = cell_len(line.text.partition(arrow)[0])
        assert arrow_at(entry, line.text, char_at(line, cell)) == step


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("👩\u200d💻!", "👩!"),
        ("⚠\ufe0f!", "⚠ !"),
        ("👍🏽!", "👍!"),
        ("🇫🇷!", "FR!"),
        ("🏳\ufe0f\u200d🌈", "🏳 "),
        ("1\ufe0f\u20e3.", "1 \u20e3."),
        ("e\u0301", "e\u0301"),
        ("a\u200bb\u2060c", "abc"),
        ("羊肉 한국어 🧠", "羊肉 한국어 🧠"),
    ],
)
def test_what_is_drawn_for_characters_made_of_several(text: str, cells: str) -> None:
    assert steady(text) == cells
    assert cell_len(text) == cell_len(cells)


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet=ALPHABET, max_size=20))
def test_steady_text_takes_the_cells_that_were_measured(text: str) -> None:
    text = visible(text)
    assert sum(map(wcwidth, steady(text))) == cell_len(text) == cell_len(steady(text))
    assert steady(steady(text)) == steady(text)
