"""Tables as lines: columns aligned, cells wrapped; where the columns do not fit, a row becomes lines of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len

from kimi_tui.ui.widgets.transcript.lines import Line, Run, is_narrow, line_of, wrap
from kimi_tui.ui.widgets.transcript.styles import Styles

MIN_COLUMN_CELLS = 6
"""A column is not narrower than that where it holds more."""
MAX_WORD_CELLS = 16
"""A longer word may be broken; where a column has no room for another, the rows are shown as lines."""
Cell = list[Run]
Row = list[Cell]


def table_lines(
    rows: Sequence[Row], measured: Sequence[Row], aligns: Sequence[str], width: int, styles: Styles, *, has_head: bool
) -> Iterator[Line]:
    """Lay out rows.

    Args:
        rows: What is laid out.
        measured: The first rows of the table, whose cells set the widths of the columns; the head is its first.
        aligns: "left", "center", "right" or "" per column.
        width: Cells per line.
        styles: The theme.
        has_head: Whether the first of the rows is the head; else it is left out, being a repetition.
    """
    columns = max(len(row) for row in measured)
    widths = _column_widths(measured, columns, width)
    if widths is None:
        yield from _records(rows[1:], measured[0], width, styles, is_first=has_head)
        return
    rule = styles.role("rule")
    for place, row in enumerate(rows):
        if place or has_head:
            yield from _row(row, widths, aligns, styles)
        if place == 0 and has_head:
            yield line_of([("─┼─".join("─" * column for column in widths), rule)])


def _size(cell: Cell) -> int:
    text = "".join([text for text, _ in cell])
    return max(map(cell_len, text.split("\n")))


def _column_widths(rows: Sequence[Row], columns: int, width: int) -> list[int] | None:
    """As wide as the widest cell, narrowed together where they do not fit; None = they cannot fit."""
    columns_of = [[row[n] for row in rows if n < len(row)] for n in range(columns)]
    natural = [max(map(_size, cells), default=1) or 1 for cells in columns_of]
    room = width - 3 * (columns - 1)
    if sum(natural) <= room:
        return natural
    if columns == 1:
        return [room]
    least = [
        min(max(MIN_COLUMN_CELLS, *map(_longest_word, cells)), most)
        for cells, most in zip(columns_of, natural, strict=True)
    ]
    return _shared(least, natural, room) if sum(least) <= room else None


def _shared(least: Sequence[int], most: Sequence[int], room: int) -> list[int]:
    """Widths between the least and the most, the room that is left shared evenly by those that want more."""
    widths, left = list(least), room - sum(least)
    wanting = sorted(range(len(least)), key=lambda column: most[column] - least[column])
    for place, column in enumerate(wanting):
        more = min(most[column] - least[column], left // (len(wanting) - place))
        widths[column] += more
        left -= more
    return widths


def _longest_word(cell: Cell) -> int:
    """Cells of the longest word that should not be broken."""
    words = "".join([text for text, _ in cell]).split()
    return max((min(len(word), MAX_WORD_CELLS) for word in words if is_narrow(word)), default=2)


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
    """Every row as lines "name: value", for a table that is wider than the screen."""
    for place, row in enumerate(rows):
        if place or not is_first:
            yield line_of([("─" * min(width, 20), styles.role("rule"))])
        for name, cell in zip(head, row, strict=False):
            yield from wrap([*name, (": ", styles.role("dim-text")), *cell], width)
