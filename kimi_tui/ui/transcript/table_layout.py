"""Tables as lines: columns aligned, cells wrapped; where the columns do not fit, a row becomes lines of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len

from kimi_tui.ui.text.role_styles import Styles
from kimi_tui.ui.transcript.lines import Line, Run, is_narrow, line_of, wrap

MIN_COLUMN_CELLS = 6
"""A column is not narrower than that where it holds more."""
MAX_WORD_CELLS = 16
"""A longer word may be broken; where a column has no room for another, the rows are shown as lines."""
Cell = list[Run]
Row = list[Cell]
Widths = tuple[int, ...]
"""Cells of each column; () = they do not fit, and each row is shown as lines of its own."""


@dataclass(slots=True)
class Wants:
    most: list[int]
    """Cells of the widest cell of each column, at least 1."""
    words: list[int]
    """Cells of its longest word that should not be broken."""

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Wants:
        """`rows` are all of their table."""
        wants = cls.nothing(max(map(len, rows)))
        for row in rows:
            for column, cell in enumerate(row):
                wants.add(column, "".join([text for text, _ in cell]))
        return wants

    @classmethod
    def nothing(cls, columns: int) -> Wants:
        return cls([1] * columns, [2] * columns)

    def add(self, column: int, text: str) -> None:
        cells = len(text) if is_narrow(text) else max(map(cell_len, text.split("\n")))
        self.most[column] = max(self.most[column], cells)
        if self.words[column] < min(cells, MAX_WORD_CELLS):
            self.words[column] = max(self.words[column], longest_word(text))

    def widths(self, width: int) -> Widths:
        """As wide as the widest cell, narrowed together where they do not fit."""
        most, columns = self.most, len(self.most)
        room = width - 3 * (columns - 1)
        if sum(most) <= room:
            return tuple(most)
        if columns == 1:
            return (room,)
        least = [min(max(MIN_COLUMN_CELLS, word), cells) for word, cells in zip(self.words, most, strict=True)]
        return tuple(_shared(least, most, room)) if sum(least) <= room else ()


def table_lines(
    rows: Sequence[Row], widths: Widths, aligns: Sequence[str], width: int, styles: Styles, *, has_head: bool
) -> Iterator[Line]:
    """`rows` begins with the head, which is left out without `has_head`, being a repetition.

    `aligns` has "left", "center", "right" or "" per column; `width` is in cells per line.
    """
    if not widths:
        yield from _records(rows[1:], rows[0], width, styles, is_first=has_head)
        return
    rule = styles.role("rule")
    for place, row in enumerate(rows):
        if place or has_head:
            yield from _numbered(_row(row, widths, aligns, styles), place)
        if place == 0 and has_head:
            yield from _numbered([line_of([("─┼─".join("─" * column for column in widths), rule)])], place)


def _shared(least: Sequence[int], most: Sequence[int], room: int) -> list[int]:
    """The room that is left is shared evenly by those that want more."""
    widths, left = list(least), room - sum(least)
    wanting = sorted(range(len(least)), key=lambda column: most[column] - least[column])
    for place, column in enumerate(wanting):
        more = min(most[column] - least[column], left // (len(wanting) - place))
        widths[column] += more
        left -= more
    return widths


def longest_word(text: str) -> int:
    return max((min(len(word), MAX_WORD_CELLS) for word in text.split() if is_narrow(word)), default=2)


def _numbered(lines: Iterable[Line], row: int) -> Iterator[Line]:
    for line in lines:
        yield replace(line, row=row)


def _row(row: Row, widths: Sequence[int], aligns: Sequence[str], styles: Styles) -> Iterator[Line]:
    cells = [wrap(cell, column) for cell, column in zip(row, widths, strict=False)]
    cells += [[line_of(())] for _ in widths[len(cells) :]]
    rule = styles.role("rule")
    for place in range(max(len(cell) for cell in cells)):
        runs: list[Run] = []
        for number, (cell, column) in enumerate(zip(cells, widths, strict=True)):
            piece = cell[place] if place < len(cell) else line_of(())
            gap = max(column - piece.width, 0)
            align = aligns[number] if number < len(aligns) else ""
            before = gap if align == "right" else gap // 2 if align == "center" else 0
            after = gap - before if number < len(widths) - 1 else 0
            runs += [(" │ " if number else "", rule), (" " * before, styles.base)]
            runs += [*piece.runs, (" " * after, styles.base)]
        yield line_of(runs)


def _records(rows: Sequence[Row], head: Row, width: int, styles: Styles, *, is_first: bool) -> Iterator[Line]:
    """Every row as lines "name: value", for a table that is wider than the screen; of one without rows the names."""
    if not rows and is_first:
        for name in head:
            yield from _numbered(wrap([*name, (":", styles.role("dim-text"))], width), 0)
    for place, row in enumerate(rows, 1):
        if place > 1 or not is_first:
            yield from _numbered([line_of([("─" * min(width, 20), styles.role("rule"))])], place)
        for name, cell in zip(head, row, strict=False):
            yield from _numbered(wrap([*name, (": ", styles.role("dim-text")), *cell], width), place)
