"""Tables of several parts: their columns are as wide from the first row to the last, however little is in view.

Such a table is measured by the source of its rows, each row once, when a part of it comes into view; what is added
later is measured then. A table of one part is measured by what is shown of it, where it is laid out.
"""

from __future__ import annotations

from itertools import islice

from kimi_tui.core.markdown.blocks import LINES
from kimi_tui.core.markdown.source import Block
from kimi_tui.ui.transcript.column_measures import TableMeasure
from kimi_tui.ui.transcript.stretches import Part
from kimi_tui.ui.transcript.table_layout import Widths


class LongTables:
    """The measures of the long tables of an entry."""

    def __init__(self) -> None:
        """None is known yet."""
        self._measures: dict[int, TableMeasure] = {}

    def widths(self, part: Part, stretch_place: int, place: int, width: int) -> Widths:
        """The widths of the columns of the long table that a piece is a part of, all its rows being measured."""
        start = _start(part, stretch_place, place)
        measure = self._measures.get(start)
        if measure is None or (measure.has_brackets and measure.references is not part.references):
            measure = self._measures[start] = TableMeasure(start, part.references)
        measure.references = part.references
        while not measure.is_over and measure.end < part.chars:
            stretch = part.stretches[part.stretch_at(measure.end)]
            if stretch.start == measure.end != start and stretch.table != start:
                break  # what stands there is no part of it
            measure.read(stretch.text[measure.end - stretch.start :])
        return measure.widths(width)


def is_long(part: Part, stretch_place: int, place: int) -> bool:
    """Whether a piece is a part of a table that has several."""
    stretch = part.stretches[stretch_place]
    content = stretch.pieces[place].content
    if not isinstance(content, Block) or content.kind != "table":
        return False
    if content.head is not None:
        return True
    if place + 1 < len(stretch.pieces):
        following = stretch.pieces[place + 1].content
        return isinstance(following, Block) and following.head is not None and following.head.start == content.start
    return stretch_place + 1 < len(part.stretches) and part.stretches[stretch_place + 1].table >= stretch.start


def _start(part: Part, stretch_place: int, place: int) -> int:
    """Where the head of a long table begins, in characters of the whole text."""
    stretch = part.stretches[stretch_place]
    content = stretch.pieces[place].content
    assert isinstance(content, Block)
    head = content.head or content
    if stretch.table >= 0 and head.start == 0:
        return stretch.table
    above = sum(len(line[0]) for line in islice(LINES.finditer(head.source), head.first_line))
    return stretch.start + head.start - len(stretch.opening) + above
