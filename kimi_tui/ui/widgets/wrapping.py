"""Where the lines of a text break, at a cost that does not grow with the text: the rows in view, and not all of it.

The library wraps a line as a whole, and notes down every row of the whole text, at every key. A draft may be a pasted
file of megabytes, in one line or in hundreds of thousands.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate

from rich.cells import get_character_cell_size

from kimi_tui.ui.terminal.textual_internals import compute_wrap_offsets

LONG_LINE = 1_000
"""A line of more characters is wrapped row by row, and only where it changed."""
RESYNC_ROWS = 40
"""After so many changed rows the next one is cut short at an old break, so that the rest need not be wrapped again."""
CHARS_PER_CELL = 8
"""Most characters of a row for each of its cells: a text may be megabytes of joiners."""
BLOCK = 512
"""How many lines are counted together."""
NO_BREAKS: list[int] = []
"""Of all the lines that fit into one row; nobody writes into it."""


def breaks(line: str, width: int, tab: int) -> list[int]:
    """Where the rows of a line begin, but for the first; `width` in cells, 0 = rows are endless; `tab` likewise."""
    if not width or (len(line) <= width and _is_plain(line)):
        return NO_BREAKS
    if len(line) <= LONG_LINE and not _is_plain(line):
        return compute_wrap_offsets(line, width, tab) or NO_BREAKS
    found, start = [], 0
    while (start := row_end(line, start, width, tab)) < len(line):
        found.append(start)
    return found


def changed_breaks(old: list[int], line: str, change: tuple[int, int, int], width: int, tab: int) -> list[int]:
    """Where the rows of a long line begin after a part of it was replaced.

    `old` is where they began before; `change` is where the part began, where it ended before, and where its replacement
    ends. `width` is at least 1, in cells.
    """
    begin, old_end, new_end = change
    shift = new_end - old_end
    kept = max(bisect_right(old, begin) - 1, 0)  # the row before may have room now for the first word of this one
    found, start = old[:kept], old[kept - 1] if kept else 0
    behind = bisect_right(old, old_end)
    for count in itertools.count():
        end = row_end(line, start, width, tab)
        # Where an old row began, the rest is as it was; what has no words would go on to the end of the line.
        wanted = start + 1 if count >= RESYNC_ROWS else end
        place = bisect_left(old, wanted - shift, behind)
        if place < len(old) and old[place] + shift <= end:
            return found + [known + shift for known in old[place:]]
        if end >= len(line):
            break
        found.append(end)
        start = end
    return found


def row_end(line: str, start: int, width: int, tab: int) -> int:
    """Say where the row that begins at a place ends: behind the last word that fits, else within it."""
    text = line[start : start + width + 1]
    if _is_plain(text):
        if len(text) <= width:
            return start + len(text)
        return start + _last_word(text, width)
    text = line[start : start + width * CHARS_PER_CELL]
    fitting = _fitting(text, width, tab)
    if start + fitting == len(line):
        return len(line)
    word = _last_word(text, fitting) if fitting < len(text) else fitting
    return start + max(word, 1)


def _is_plain(text: str) -> bool:
    """Whether each character takes one cell, so that nothing has to be measured."""
    return text.isascii() and text.isprintable()


def _last_word(text: str, limit: int) -> int:
    """Where the last word begins that a row of so many characters has no room for; the limit where it is one word."""
    if text[limit] == " ":
        limit_of_word = len(text[:limit].rstrip(" "))  # blanks belong to the word before them
        return text.rfind(" ", 0, limit_of_word) + 1 or limit
    return text.rfind(" ", 0, limit) + 1 or limit


def _fitting(text: str, width: int, tab: int) -> int:
    if "\t" not in text[:width]:
        ends = list(accumulate(map(get_character_cell_size, text[:width])))
        if ends[-1] > width:
            return bisect_right(ends, width)
    cells = 0
    for place, char in enumerate(text):
        cells += tab - cells % tab if char == "\t" else get_character_cell_size(char)
        if cells > width:
            return place
    return len(text)


class Rows(Sequence[str]):
    """The rows of a long line, cut when they are looked at."""

    def __init__(self, line: str, starts: list[int]) -> None:
        self._line, self._starts = line, starts

    def __len__(self) -> int:
        return len(self._starts) + 1

    def __getitem__(self, row: int) -> str:  # type: ignore[override]  # nobody asks for a slice
        begin, end = self.span(range(len(self))[row])
        return self._line[begin:end]

    def span(self, row: int) -> tuple[int, int]:
        starts = self._starts
        return starts[row - 1] if row else 0, starts[row] if row < len(starts) else len(self._line)


class RowCounts:
    """How many rows each line of a text has: counted in blocks, so that a change costs what it changes."""

    def __init__(self, counts: Sequence[int] = ()) -> None:
        """Begin with these, each at least 1."""
        self._blocks = _cut(counts) or [[]]
        self._sums = [sum(block) for block in self._blocks]
        self._count()

    def _count(self) -> None:
        self._lines = list(accumulate((len(block) for block in self._blocks), initial=0))
        self._rows = list(accumulate(self._sums, initial=0))

    @property
    def total(self) -> int:
        return self._rows[-1]

    def replace(self, first: int, last: int, counts: Sequence[int]) -> None:
        """Put other lines in the place of those from `first` to before `last`."""
        head, tail = self._block_of(first), self._block_of(max(last - 1, first))
        before = self._blocks[head][: first - self._lines[head]]
        after = self._blocks[tail][last - self._lines[tail] :]
        changed = [*before, *counts, *after]
        blocks = [changed] if 0 < len(changed) <= 2 * BLOCK else _cut(changed)
        self._blocks[head : tail + 1] = blocks
        self._sums[head : tail + 1] = [sum(block) for block in blocks]
        if not self._blocks:
            self._blocks, self._sums = [[]], [0]
        self._count()

    def _block_of(self, line: int) -> int:
        return min(bisect_right(self._lines, line) - 1, len(self._blocks) - 1)

    def before(self, line: int) -> int:
        block = self._block_of(line)
        return self._rows[block] + sum(self._blocks[block][: line - self._lines[block]])

    def find(self, row: int) -> tuple[int, int]:
        """The line that a row is in, which has to be there, and which of its rows it is."""
        block = bisect_right(self._rows, row) - 1
        ends = list(accumulate(self._blocks[block], initial=self._rows[block]))
        line = bisect_right(ends, row) - 1
        return self._lines[block] + line, row - ends[line]


def _cut(counts: Iterable[int]) -> list[list[int]]:
    whole = list(counts)
    return [whole[place : place + BLOCK] for place in range(0, len(whole), BLOCK)]
