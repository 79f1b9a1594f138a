"""How wide the columns of a table want to be, by the source of its rows: each is read once, and most of them cheaply.

Rows whose cells are no wider than those before are passed over by one pattern; of the others the marks are taken away.
"""

from __future__ import annotations

import re

from kimi_tui.core.markdown.inline import References
from kimi_tui.core.markdown.source_cells import row_cells
from kimi_tui.core.markdown.table_source import cell_text, rows_end, without_plain_marks
from kimi_tui.ui.transcript.layout import displayable
from kimi_tui.ui.transcript.table_layout import MAX_WORD_CELLS, Wants, Widths, longest_word

MAX_CELLS = 200
"""No column wants more."""
MAX_ROW_CHARS = 3_000
"""A longer line is cut, and is no row any more."""
CALM_ROWS = 8
"""After so many rows that changed nothing a pattern is made for those that will not either."""
_ONE_CELL = r"!-Z\]-{}~\xa0-\xac\xae-\u02ff\u0370-\u0482\u2010-\u2027\u2500-\u25fc\u2800-\u28ff"
"""Characters of one cell each; not the blank and the bar, nor those that may stand for more: "\\" and "["."""
_WIDER = re.compile(rf"[^{_ONE_CELL} \\\[]")


class TableMeasure:
    """Measures a table whose source comes from its beginning on."""

    def __init__(self, start: int, references: References) -> None:
        """Nothing of it is known yet.

        Args:
            start: Where its head begins, in characters of the whole text.
            references: Targets of links.
        """
        self.end = start
        """How far it was read, in characters of the whole text."""
        self.is_over = False
        """Whether its last row was read."""
        self.references = references
        """Targets of the links in it."""
        self.has_brackets = False
        """Whether it may have links whose targets stand elsewhere."""
        self.read_chars = 0
        """How much was read in all, for those who count."""
        self._wants: Wants | None = None
        self._open: Wants | None = None  # with the row that is being written
        self._half = ""
        self._has_rule = False  # whether the line below the head was read
        self._calm = 0
        self._fitting: re.Pattern[str] | None = None

    def read(self, text: str) -> None:
        """Go on with more of the text; nothing is read behind its last row."""
        self.end += len(text)
        text = self._half + text
        self.read_chars += len(text)
        end = max(text.rfind("\n"), text.rfind("\r", 0, -1)) + 1
        whole, self._half = text[:end].replace("\r\n", "\n").replace("\r", "\n"), text[end:]
        if not self._has_rule:
            whole = self._without_head(whole)
        self._open = None
        if self._wants is None or not self._has_rule:
            return
        rows = whole[: rows_end(whole)]
        self._read_rows(self._wants, rows)
        self.is_over = len(rows) < len(whole)
        if not self.is_over and 0 < len(self._half) <= MAX_ROW_CHARS and rows_end(self._half):
            self._open = Wants([*self._wants.most], [*self._wants.words])
            self._read_row(self._open, without_plain_marks(self._half))

    def widths(self, width: int) -> Widths:
        """Those of its columns, at so many cells per line."""
        wants = self._open or self._wants or Wants.nothing(1)
        return Wants([min(cells, width) for cells in wants.most], wants.words).widths(width)

    def _without_head(self, text: str) -> str:
        while text and not self._has_rule:
            line, _, text = text.partition("\n")
            self._has_rule = self._wants is not None
            if self._wants is None:
                self._wants = Wants.nothing(len(row_cells(line)))
                self._read_row(self._wants, line)
        return text

    def _read_rows(self, wants: Wants, rows: str) -> None:
        self.has_brackets = self.has_brackets or "[" in rows
        rows = without_plain_marks(rows)
        place = 0
        while place < len(rows):
            if self._calm >= CALM_ROWS and self._fitting is None:
                self._fitting = self._pattern(wants)
            if self._fitting is not None and (fitting := self._fitting.match(rows, place)):
                place = fitting.end()
            end = rows.find("\n", place) + 1
            if end:
                self._calm = 0 if self._read_row(wants, rows[place : end - 1]) else self._calm + 1
            place = end or len(rows)
            if not self._calm:
                self._fitting = None

    def _read_row(self, wants: Wants, row: str) -> bool:
        """Whether a row makes a column wider."""
        has_changed = False
        if len(row) > MAX_ROW_CHARS:
            return has_changed
        is_plain = row.isprintable() and not (self.references and "[" in row)
        for column, cell in enumerate(row_cells(row, len(wants.most))):
            cells = len(cell) if cell.isascii() else len(cell) + len("".join(_WIDER.findall(cell)))
            if is_plain and self._fits(wants, column, cells, cell):
                continue
            before = wants.most[column], wants.words[column]
            wants.add(column, displayable(cell_text(cell, self.references)))
            wants.most[column] = min(wants.most[column], MAX_CELLS)
            has_changed = has_changed or before != (wants.most[column], wants.words[column])
        return has_changed

    @staticmethod
    def _fits(wants: Wants, column: int, cells: int, cell: str) -> bool:
        """Whether a cell, of so many cells at most, changes nothing."""
        word = wants.words[column]
        if cells > wants.most[column]:
            return False
        return cells <= word or word == MAX_WORD_CELLS or longest_word(cell) <= word

    def _pattern(self, wants: Wants) -> re.Pattern[str]:
        """Rows, with bars at both ends, that change nothing."""
        chars = _ONE_CELL if self.references else rf"{_ONE_CELL}\["
        cells = ""
        for most, word in zip(wants.most, wants.words, strict=True):
            longest = word if word < MAX_WORD_CELLS else MAX_CELLS
            cells += rf"(?= *+[^|\n]{{0,{most}}} *+\|) *+(?:[{chars}]{{1,{longest}}}+(?: ++|(?=\|)))*+\|"
        return re.compile(rf"(?: {{0,3}}\|{cells} *\n)*+")
