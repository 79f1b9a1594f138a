"""Tables of several blocks: their columns are as wide from the first row to the last, however little is in view.

Such a table is measured by the source of its rows, each row once and most of them cheaply, when a part of it comes into
view; what is added later is measured then. A table of one block is measured by what is shown of it, where it is laid
out.
"""

from __future__ import annotations

from collections.abc import Callable

from kimi_tui.core.markdown.blocks import Block
from kimi_tui.core.markdown.chunked_text import ChunkedText
from kimi_tui.core.markdown.inline import References
from kimi_tui.core.markdown.rules import row_cells
from kimi_tui.core.markdown.table_source import MAX_ROW_CHARS, TableRows, cell_text, small_rows
from kimi_tui.ui.transcript.layout import displayable
from kimi_tui.ui.transcript.lines import NARROW_CHARS, most_cells
from kimi_tui.ui.transcript.table_layout import MAX_WORD_CELLS, Wants, Widths, longest_word

MAX_CELLS = 200
CALM_ROWS = 8
"""After so many rows that changed nothing a pattern is made for those that will not either."""


class LongTables:
    def __init__(self, text: ChunkedText) -> None:
        self._text = text
        self._measures: dict[int, _Measure] = {}  # by where a table begins

    def widths(self, block: Block, chunk: int, place: int, width: int) -> Widths | None:
        """None = the block, at that place of that chunk, is the whole table. `width` is in cells per line."""
        text = self._text
        if not self._is_long(block, chunk, place):
            return None
        measure = self._measures.get(block.table)
        if measure is None or (measure.has_brackets and measure.references is not text.references):
            measure = self._measures[block.table] = _Measure(block.table, text.references)
        measure.references = text.references
        rows = measure.rows
        while not rows.is_over and rows.end < text.chars:
            following = text.chunks[text.chunk_at(rows.end)]
            if following.start == rows.end != block.table and following.table != block.table:
                break  # what stands there is no part of it
            measure.read(following.behind(rows.end - following.start))
        return measure.widths(width)

    def _is_long(self, block: Block, chunk: int, place: int) -> bool:
        chunks = self._text.chunks
        if block.goes_on:
            return True
        if place + 1 < len(blocks := chunks[chunk].blocks):
            following = blocks[place + 1]
            return isinstance(following, Block) and following.table == block.table
        return chunk + 1 < len(chunks) and chunks[chunk + 1].table == block.table


class _Measure:
    def __init__(self, start: int, references: References) -> None:
        self.rows = TableRows(start)
        self.references = references
        self.has_brackets = False  # whether it may have links whose targets stand elsewhere
        self._wants: Wants | None = None
        self._open: Wants | None = None  # with the row that is being written
        self._calm = 0
        self._end_of_fitting: Callable[[str, int], int] | None = None

    def read(self, text: str) -> None:
        """Nothing is read behind the table's last row."""
        rows = self.rows.read(text)
        if self._wants is None and self.rows.head is not None:
            self._wants = Wants.nothing(len(row_cells(self.rows.head)))
            self._read_row(self._wants, self.rows.head)
        if self._wants is None:
            return
        self.has_brackets = self.has_brackets or "[" in rows
        self._read_rows(self._wants, rows)
        self._open = None
        if self.rows.half:
            self._open = Wants([*self._wants.most], [*self._wants.words])
            self._read_row(self._open, self.rows.half)

    def widths(self, width: int) -> Widths:
        wants = self._open or self._wants or Wants.nothing(1)
        return Wants([min(cells, width) for cells in wants.most], wants.words).widths(width)

    def _read_rows(self, wants: Wants, rows: str) -> None:
        place = 0
        while place < len(rows):
            if self._calm >= CALM_ROWS:
                self._end_of_fitting = self._end_of_fitting or self._fitting(wants)
                place = self._end_of_fitting(rows, place)
            end = rows.find("\n", place) + 1
            if end:
                self._calm = 0 if self._read_row(wants, rows[place : end - 1]) else self._calm + 1
            place = end or len(rows)
            if not self._calm:
                self._end_of_fitting = None

    def _read_row(self, wants: Wants, row: str) -> bool:
        has_changed = False
        if len(row) > MAX_ROW_CHARS:
            return has_changed
        is_plain = row.isprintable() and not (self.references and "[" in row)
        for column, cell in enumerate(row_cells(row, len(wants.most))):
            if is_plain and self._fits(wants, column, cell):
                continue
            before = wants.most[column], wants.words[column]
            wants.add(column, displayable(cell_text(cell, self.references)))
            wants.most[column] = min(wants.most[column], MAX_CELLS)
            has_changed = has_changed or before != (wants.most[column], wants.words[column])
        return has_changed

    @staticmethod
    def _fits(wants: Wants, column: int, cell: str) -> bool:
        cells, word = most_cells(cell), wants.words[column]
        if cells > wants.most[column]:
            return False
        return cells <= word or word == MAX_WORD_CELLS or longest_word(cell) <= word

    def _fitting(self, wants: Wants) -> Callable[[str, int], int]:
        words = [word if word < MAX_WORD_CELLS else MAX_CELLS for word in wants.words]
        limits = zip(wants.most, words, strict=True)
        return small_rows(limits, NARROW_CHARS, has_references=bool(self.references))
