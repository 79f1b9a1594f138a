"""The cells of a table's row, in the source."""

from __future__ import annotations

import re

BLANKS = " \t\n\v\f\r"
"""What the parser takes off both ends of a cell."""
_BAR = re.compile(r"(?<!\\)\|")


def row_cells(line: str, columns: int | None = None) -> list[str]:
    """There may be fewer than `columns` (None = not known yet); what stands behind the last of them stays in it."""
    line = line.strip(BLANKS)
    cells = line.split("|") if "\\" not in line else [cell.replace("\\|", "|") for cell in _BAR.split(line)]
    if cells[0] == "":
        del cells[0]
    if cells and cells[-1] == "":
        del cells[-1]
    if columns is not None and len(cells) > columns:
        while len(cells) > columns and not cells[-1].strip(BLANKS):
            del cells[-1]
        cells[columns - 1 :] = ["|".join(cells[columns - 1 :])]
    return [cell.strip(BLANKS) for cell in cells]
