"""The same cells for fewer bytes: what a terminal shows of the diff equals what it shows of the plain drawings."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual import _ansi_sequences
from wcwidth import wcwidth

from kimi_tui.ui.terminal.screen_diff import PLAIN, SYNC_END, SYNC_START, ScreenDiff

COLUMNS, ROWS = 24, 9
STYLES = [
    "",
    "1",
    "4;38;2;1;2;3",
    "38;2;1;2;3;48;2;20;22;27",
    "38;2;9;9;9;48;2;20;22;27",
    "1;38;2;9;9;9;48;2;20;22;27",
    "7;31",
    "31;44",
    "91;104",
    "38;5;200;48;5;17",
    "3;39;49",
]
TEXTS = [
    "a",
    "lamb",
    "rosemary and thyme",
    " ",
    "     ",
    "│",
    "…",
    "▕▏",
    "羊",
    "羊肉 lamb",
    "é",
    "e\u0301",
    "👍🏽",
    "½ ² ж",
    "□羊",
]


class Twins:
    """Two terminals: one gets what the library writes, the other what the diff makes of it."""

    def __init__(self, columns: int = COLUMNS, rows: int = ROWS) -> None:
        self.screens = [pyte.Screen(columns, rows) for _ in range(2)]
        self._streams = [pyte.Stream(screen) for screen in self.screens]
        self._diff = ScreenDiff()
        self.plain_chars = self.chars = 0
        self.last = ""
        for stream in self._streams:  # no wrap, as the library has it
            stream.feed("\x1b[?7l")

    @property
    def size(self) -> tuple[int, int]:
        return self.screens[0].columns, self.screens[0].lines

    def write(self, data: str) -> None:
        """Let the library write: its line ends between rows mean nothing, since each row says where it stands."""
        self.last = self._diff.reduce(data, self.size)
        self.plain_chars += len(data)
        self.chars += len(self.last)
        for stream, text in zip(self._streams, (data.replace("\n\x1b[", "\x1b["), self.last), strict=True):
            stream.feed(text.replace("\n", "\r\n"))  # the terminal's output mode

    def foreign(self, data: str) -> None:
        """Write past the library."""
        for stream in self._streams:
            stream.feed(data)

    def resize(self, columns: int, rows: int) -> None:
        for screen in self.screens:
            screen.resize(rows, columns)
        self._diff.note_resize()

    def check(self) -> None:
        plain, ours = self.screens
        for y in range(self.size[1]):
            for x in range(self.size[0]):
                assert ours.buffer[y][x] == plain.buffer[y][x], (y, x)
        assert (ours.cursor.x, ours.cursor.y) == (plain.cursor.x, plain.cursor.y)
        assert ours.cursor.attrs == plain.cursor.attrs
        assert ours.margins is None


Runs = Sequence[tuple[str, str]]


def styled(runs: Iterable[tuple[str, str]]) -> str:
    """A text as the library writes it."""
    return "".join(f"\x1b[{style}m{text}\x1b[0m" if style else text for style, text in runs)


def fitted(runs: Runs, columns: int) -> list[tuple[str, str]]:
    """Cut or filled to so many columns."""
    found, used = list[tuple[str, str]](), 0
    for style, text in runs:
        if used + cell_len(text) > columns:
            break
        found.append((style, text))
        used += cell_len(text)
    return [*found, ("48;2;20;22;27", " " * (columns - used))]


def drawing(rows: dict[int, list[tuple[int, str]]], cursor: tuple[int, int] = (0, 0)) -> str:
    """A drawing of pieces, by row, as the library writes it."""
    moved = (f"\x1b[{y + 1};{x + 1}H{text}" for y, pieces in rows.items() for x, text in pieces)
    return "\n".join(moved) + f"\x1b[{cursor[1] + 1};{cursor[0] + 1}H"


def lines(texts: Sequence[str], top: int = 0, columns: int = COLUMNS) -> str:
    """A drawing of whole rows."""
    return drawing({top + y: [(0, styled(fitted([("", text)], columns)))] for y, text in enumerate(texts)})


runs = st.lists(st.tuples(st.sampled_from(STYLES), st.sampled_from(TEXTS)), max_size=5)
whole_rows = st.lists(runs, min_size=1, max_size=ROWS * 3)


@st.composite
def frames(draw: st.DrawFn) -> tuple[str, object]:
    """What happens to a screen: a view that scrolls, pieces here and there, a resize, something foreign."""
    kind = draw(st.sampled_from(["view", "view", "view", "pieces", "pieces", "whole", "foreign", "clear", "resize"]))
    if kind == "view":
        return kind, (
            draw(st.integers(0, 2)),
            draw(st.integers(2, ROWS - 2)),
            draw(st.integers(0, 12)),
            draw(st.booleans()),
        )
    if kind == "pieces":
        place = st.tuples(st.integers(0, ROWS - 1), st.integers(0, COLUMNS - 1), st.integers(0, COLUMNS), runs)
        return kind, draw(st.lists(place, min_size=1, max_size=4))
    if kind == "whole":
        return kind, draw(st.lists(runs, min_size=ROWS, max_size=ROWS))
    if kind == "resize":
        return kind, (draw(st.integers(20, 30)), draw(st.integers(7, 11)))
    return kind, None


def play(twins: Twins, document: Sequence[Runs], kind: str, what: object) -> None:  # noqa: C901 - one branch a kind
    columns, rows = twins.size
    match kind, what:
        case "view", (int(top), int(height), int(first), bool(has_bar)):
            shown: dict[int, list[tuple[int, str]]] = {}
            for y in range(top, min(top + height, rows)):
                line = document[(first + y) % len(document)]
                shown[y] = [(0, styled(fitted(line, columns - has_bar)))]
                if has_bar:
                    shown[y].append((columns - 1, styled([("1", "┃" if y == first % rows else "│")])))
            twins.write(SYNC_START)
            twins.write(drawing(shown, (first % columns, top)))
            twins.write(SYNC_END)
        case "pieces", list(places):
            pieces: dict[int, list[tuple[int, str]]] = {}
            for y, x, width, text in places:
                if y < rows and x < columns:
                    pieces.setdefault(y, []).append((x, styled(fitted(text, min(width, columns - x)))))
            if pieces:
                twins.write(drawing(pieces, (3, 2)))
        case "whole", list(texts):
            twins.write(drawing({y: [(0, styled(fitted(text, columns)))] for y, text in enumerate(texts[:rows])}))
        case "foreign", _:
            twins.write("\x1b[2;3Hsomebody else\x1b[1mwrote this\x1b[0m")
        case "clear", _:
            twins.write("\x1b[2J")
        case "resize", (int(width), int(height)):
            twins.resize(width, height)


@given(whole_rows, st.lists(frames(), min_size=1, max_size=12))
@settings(max_examples=400, deadline=None)
def test_the_terminal_shows_the_same(document: list[Runs], happening: list[tuple[str, object]]) -> None:
    twins = Twins()
    for kind, what in happening:
        play(twins, document, kind, what)
        twins.check()


def test_what_a_resize_cut_off_is_drawn_again_though_the_size_is_what_it_was() -> None:
    twins = Twins()
    for columns in (COLUMNS, COLUMNS - 3, COLUMNS):
        twins.resize(columns, ROWS)
    twins.write(lines(["lamb"]))
    for columns in (COLUMNS - 3, COLUMNS):
        twins.resize(columns, ROWS)
    twins.write(lines(["lamb"]))
    twins.check()


@pytest.mark.slow
@given(whole_rows, st.lists(frames(), min_size=5, max_size=40))
@settings(max_examples=5000, deadline=None)
def test_the_terminal_shows_the_same_for_long(document: list[Runs], happening: list[tuple[str, object]]) -> None:
    twins = Twins()
    for kind, what in happening:
        play(twins, document, kind, what)
    twins.check()


def test_characters_that_are_taken_for_one_column_are_one_column_wide() -> None:
    wrong = [
        char
        for char in PLAIN
        if (wcwidth(char), cell_len(char)) != (1, 1)
        or unicodedata.east_asian_width(char) in "WF"
        or unicodedata.combining(char)
    ]
    assert wrong == []


def test_the_library_marks_updates_as_we_know_them() -> None:
    assert (_ansi_sequences.SYNC_START, _ansi_sequences.SYNC_END) == (SYNC_START, SYNC_END)


# -- what it costs

TEXT = [f"line {number} of it" for number in range(40)]


@pytest.mark.parametrize(("first", "moved"), [(1, "\x1b[1M"), (3, "\x1b[3M")])
def test_rows_that_only_moved_are_scrolled_and_not_written(first: int, moved: str) -> None:
    twins = Twins()
    twins.write(lines(TEXT[10:17]))
    twins.write(lines(TEXT[10 + first : 17 + first]))
    twins.check()
    assert moved in twins.last
    assert "line 16 " not in twins.last
    assert "line 17 " in twins.last


def test_backwards_too() -> None:
    twins = Twins()
    twins.write(lines(TEXT[10:17]))
    twins.write(lines(TEXT[8:15]))
    twins.check()
    assert "\x1b[2L" in twins.last
    assert "line 10 " not in twins.last


def test_what_stands_beside_the_rows_that_moved_stays() -> None:
    twins = Twins()
    for first in (0, 1):
        twins.write(drawing({y: [(0, f"left {y}  "), (8, f"line {first + y} of it   ")] for y in range(6)}))
        twins.check()


def test_rows_beside_which_something_unknown_stands_do_not_move() -> None:
    twins = Twins()
    twins.foreign("\x1b[1;14Hbeside\x1b[2;14Hthis\x1b[1;1H")
    twins.write(drawing({y: [(0, f"line {y}   ")] for y in range(6)}))
    twins.write(drawing({y: [(0, f"line {y + 1}   " + (" " * 15 if y == 5 else ""))] for y in range(6)}))
    twins.check()


def test_what_did_not_change_is_not_written() -> None:
    twins = Twins()
    row = styled([("38;2;1;2;3;48;2;4;5;6", "● answering · 99 tok/s"), ("", "  ")])
    twins.write(drawing({8: [(0, row)]}))
    for data in (SYNC_START, drawing({8: [(0, row)]}), SYNC_END):
        twins.write(data)
        assert twins.last == ""
    twins.write(drawing({8: [(0, row.replace("99", "98"))]}))
    assert twins.last == "\x1b[9;16H\x1b[38;2;1;2;3;48;2;4;5;6m8\x1b[0m\x1b[1;1H"
    twins.check()


def test_styles_run_on_and_only_what_differs_is_said() -> None:
    twins = Twins()
    ground = "48;2;20;22;27"
    twins.write(
        drawing({0: [(0, styled([(f"38;2;1;1;1;{ground}", "a"), (f"38;2;2;2;2;{ground}", "b"), (ground, "c")]))]})
    )
    assert twins.last == f"\x1b[1;1H\x1b[38;2;1;1;1;{ground}ma\x1b[38;2;2;2;2mb\x1b[0;{ground}mc\x1b[0m\x1b[1;1H"
    twins.check()


def test_a_drawing_of_the_whole_screen_is_written_whole() -> None:
    twins = Twins()
    for _ in range(2):
        twins.foreign("\x1b[4;4Hgarbled by somebody else\x1b[1;1H")
        twins.write(lines(TEXT[:ROWS]))
        twins.check()


@pytest.mark.parametrize(
    "data", ["\x1b[?1049h", "\x1b[2J", "\x1b]52;c;aGk=\x07", "\x07", "\x1b[3;1Hhi", "\x1b[1;1H\x1b[K\x1b[1;1H", ""]
)
def test_what_is_no_drawing_passes_as_it_is(data: str) -> None:
    twins = Twins()
    twins.write(lines(TEXT[:4]))
    twins.write(data)
    assert twins.last == data
    twins.write(lines(TEXT[:4]))
    assert all(text in twins.last for text in TEXT[:4])


def test_what_is_larger_than_the_terminal_passes_as_it_is() -> None:
    twins = Twins()
    for data in (
        lines(["x"], columns=COLUMNS + 1),
        drawing({ROWS: [(0, "x")]}),
        drawing({0: [(0, "x")]}, (COLUMNS, 0)),
    ):
        twins.write(data)
        assert twins.last == data


@pytest.mark.parametrize("size", [(0, 0), (80, 0)])
def test_without_a_size_everything_passes(size: tuple[int, int]) -> None:
    diff, data = ScreenDiff(), lines(TEXT[:4])
    assert [diff.reduce(data, size) for _ in range(2)] == [data.replace("\n", "")] * 2


@pytest.mark.parametrize("bell", ["", "\a"])
def test_rows_of_which_nothing_is_drawn_scroll_nothing(bell: str) -> None:
    twins = Twins()
    twins.write(drawing({y: [(0, f"row {y}")] for y in range(ROWS)}, (3, ROWS - 1)))
    twins.write("\n" * 5 + drawing({ROWS - 2: [(0, f"{bell}new\n\n")]}, (3, ROWS - 1)))
    assert [twins.screens[1].buffer[y][4].data for y in range(ROWS - 2)] == [str(y) for y in range(ROWS - 2)]


def test_a_terminal_of_another_size_is_unknown() -> None:
    twins = Twins()
    twins.write(lines(TEXT[:4]))
    twins.resize(COLUMNS + 4, ROWS)
    twins.write(lines(TEXT[:4]))
    assert all(text in twins.last for text in TEXT[:4])


def test_what_stands_behind_characters_of_doubtful_width_is_written_again() -> None:
    twins = Twins()
    for text in ("👍🏽 one", "👍🏽 two"):
        twins.write(drawing({y: [(0, f"{text:<20}"), (23, "┃")] for y in range(3)}))
        assert twins.last.count("┃") == 3
    twins.write(drawing({y: [(0, f"{text:<20}"), (23, "┃")] for y in range(3)}))
    assert twins.last == ""


def test_a_link_is_written_with_its_text() -> None:
    twins = Twins()
    link = "\x1b]8;id=1;https://example.org\x1b\\\x1b[4mhere\x1b[0m\x1b]8;;\x1b\\"
    twins.write(drawing({0: [(2, link)]}))
    assert link in twins.last
    twins.write(drawing({0: [(2, link.replace("org", "com"))]}))
    assert "example.com" in twins.last


def test_following_a_reply_costs_its_own_characters() -> None:
    twins = Twins(80, 24)
    document = [f"a line of the reply, the {number}th one, with some text" for number in range(200)]
    for first in range(170):
        twins.write(lines(document[first : first + 22], columns=80))
    twins.check()
    assert twins.chars < 1.6 * 80 * len(document)
    assert twins.plain_chars > 10 * twins.chars
