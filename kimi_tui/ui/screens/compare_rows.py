"""Two texts in rows beside each other, what corresponds level: pure layout, laid out as a whole in a thread.

Lines that share most of their words stand level, and so do the lines between them; the shorter side is filled up.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest

from kimi_tui.core.text.visible import visible
from kimi_tui.core.text.word_diff import DiffSpan, WordDiff, word_diff
from kimi_tui.ui.widgets.wrapping import breaks

TAB_CELLS = 4
LIKE_SHARE = 4
"""Lines stand level when more than a fourth of the shorter one is in the other too."""

Row = tuple[int, int]
"""A row's part of its text, [start, end) in code points, without the line's end."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared: both texts as they are shown, and how they differ."""

    left: str
    right: str
    diff: WordDiff


def compared(left: str, right: str) -> Comparison:
    """Control characters are visible ones in it."""
    left, right = visible(left), visible(right)
    return Comparison(left, right, word_diff(left, right))


class SideRows:
    """One side's text, its rows, and which parts of it are different."""

    def __init__(self, text: str, rows: Sequence[Row | None], spans: Sequence[tuple[int, int, bool]]) -> None:
        """`rows` None = nothing stands there; `spans` = [start, end), and whether the other side has it too."""
        self.text, self.rows, self._spans = text, rows, spans
        self._starts = [start for start, _, _ in spans]

    def pieces(self, row: Row) -> Iterator[tuple[int, int, int]]:
        """A row in parts, [start, end), each with the number of its span, from 0."""
        start, end = row
        number = max(bisect_right(self._starts, start) - 1, 0)
        while start < end:
            stop = min(self._spans[number][1], end)
            if stop > start:
                yield start, stop, number
            start, number = max(start, stop), number + 1

    def is_different(self, number: int) -> bool:
        return not self._spans[number][2]

    def has_different_end(self, row: Row) -> bool:
        """Whether the line end behind a row is one that the other side has not."""
        end = row[1]
        if end >= len(self.text) or self.text[end] != "\n":
            return False
        return self.is_different(self.span_at(end))

    def span_at(self, place: int) -> int:
        """Of several that begin there the last, which alone is not empty."""
        return max(bisect_right(self._starts, place) - 1, 0)

    @cached_property
    def _filled(self) -> tuple[list[int], list[int]]:
        filled = [(row[0], number) for number, row in enumerate(self.rows) if row is not None]
        return [start for start, _ in filled], [number for _, number in filled]

    def row_of(self, place: int) -> int:
        """The number of the row that a place of the text is in."""
        starts, numbers = self._filled
        return numbers[max(bisect_right(starts, place) - 1, 0)]

    def place_of(self, row: int) -> int:
        """Where the text of a row, or of the next one that has any, begins; its end where there is none."""
        starts, numbers = self._filled
        at = bisect_left(numbers, row)
        return starts[at] if at < len(starts) else len(self.text)


@dataclass(frozen=True, slots=True)
class CompareRows:
    left: SideRows
    right: SideRows
    differences: Sequence[tuple[int, int]]
    """The number of each different span, and the row that it begins in."""

    @property
    def count(self) -> int:
        return len(self.left.rows)

    def moved(self, row: int, other: CompareRows) -> int:
        """Where the text of a row stands when the same texts are laid out in another width."""
        side, there = (self.left, other.left) if self.left.rows[row] is not None else (self.right, other.right)
        return there.row_of(side.place_of(row))


def rows_of(comparison: Comparison, width: int) -> CompareRows:
    """Lay both sides out in rows of so many cells (> 0)."""
    spans = comparison.diff.spans
    left_lines, right_lines = comparison.left.split("\n"), comparison.right.split("\n")
    left_rows, right_rows = _wrapped(left_lines, width), _wrapped(right_lines, width)
    left, right = list[Row | None](), list[Row | None]()
    at = at_right = 0

    def put(end: int, right_end: int) -> None:
        nonlocal at, at_right
        a = [row for line in left_rows[at:end] for row in line]
        b = [row for line in right_rows[at_right:right_end] for row in line]
        for row, right_row in zip_longest(a, b):
            left.append(row)
            right.append(right_row)
        at, at_right = end, right_end

    for line, right_line in _level_lines(left_lines, right_lines, spans):
        put(line, right_line)
        put(line + 1, right_line + 1)
    put(len(left_lines), len(right_lines))
    left_side = SideRows(comparison.left, left, [(s.left_start, s.left_end, s.is_equal) for s in spans])
    right_side = SideRows(comparison.right, right, [(s.right_start, s.right_end, s.is_equal) for s in spans])
    differences = [(n, _first_row(left_side, right_side, span)) for n, span in enumerate(spans) if not span.is_equal]
    return CompareRows(left_side, right_side, differences)


def _first_row(left: SideRows, right: SideRows, span: DiffSpan) -> int:
    rows = [left.row_of(span.left_start)] if span.left_start < span.left_end else []
    rows += [right.row_of(span.right_start)] if span.right_start < span.right_end else []
    return min(rows)


def _wrapped(lines: Sequence[str], width: int) -> list[list[Row]]:
    found, place = list[list[Row]](), 0
    for line in lines:
        begins = breaks(line, width, TAB_CELLS)
        starts, end = [place, *(place + start for start in begins)], place + len(line)
        found.append(list(zip(starts, [*starts[1:], end], strict=True)) if begins else [(place, end)])
        place = end + 1
    return found


def _level_lines(left: Sequence[str], right: Sequence[str], spans: Sequence[DiffSpan]) -> list[tuple[int, int]]:
    """The lines that stand beside each other, in order: each is the one that the other shares most with."""
    shared: dict[tuple[int, int], int] = {}
    starts, right_starts = _line_starts(left), _line_starts(right)
    for span in spans:
        if span.is_equal:
            line, right_line = (
                bisect_right(starts, span.left_start) - 1,
                bisect_right(right_starts, span.right_start) - 1,
            )
            at = span.left_start
            while at < span.left_end:
                end = min(starts[line + 1], span.left_end)
                shared[line, right_line] = shared.get((line, right_line), 0) + end - at
                if end == starts[line + 1]:
                    line, right_line = line + 1, right_line + 1
                at = end
    best, right_best = dict[int, tuple[int, int]](), dict[int, tuple[int, int]]()
    for (line, right_line), chars in shared.items():
        best[line] = max(best.get(line, (0, -1)), (chars, right_line))
        right_best[right_line] = max(right_best.get(right_line, (0, -1)), (chars, line))
    return [
        (line, right_line)
        for line, (chars, right_line) in best.items()
        if right_best[right_line][1] == line and chars * LIKE_SHARE > min(len(left[line]), len(right[right_line]))
    ]


def _line_starts(lines: Sequence[str]) -> list[int]:
    """And behind them where the next one would begin."""
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    return starts
