"""The blocks of code of a message: their source, and the numbers by which one is chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from kimi_tui.core.markdown.blocks import Block
from kimi_tui.ui.transcript.entry_list import EntryList
from kimi_tui.ui.transcript.lines import Line
from kimi_tui.ui.transcript.painter import RowLook
from kimi_tui.ui.transcript.view import View
from kimi_tui.ui.transcript.viewport import Place

if TYPE_CHECKING:
    from markdown_it.token import Token

CODE_TOKENS = frozenset({"fence", "code_block"})


class CodeBlocks:
    """Parts of a block that was cut count as one."""

    def __init__(self, entries: EntryList, view: View) -> None:
        self._entries, self._view = entries, view
        self._numbered: str | None = None

    def sources(self, key: str) -> list[str]:
        """The code, in order; [] when the message is not there."""
        self._view.fit()
        sources: list[str] = []
        for _, block, codes in self._code(self._entries.index(key)):
            if _goes_on(block) and sources:
                sources[-1] += codes[0].content
            else:
                sources += [token.content for token in codes]
        return sources

    def has_any(self, key: str) -> bool:
        """What stands behind the first block of code is not parsed for it."""
        self._view.fit()
        return next(self._code(self._entries.index(key)), None) is not None

    def _code(self, index: int | None) -> Iterator[tuple[Place, Block, list[Token]]]:
        """Each piece of an entry in which code stands, in order."""
        for place in () if index is None else self._view.viewport.body_pieces(index):
            block = self._view.viewport.piece(place).content
            if isinstance(block, Block) and (codes := _code_tokens(block)):
                yield place, block, codes

    # -- numbers

    def show_numbers(self, key: str) -> None:
        """The numbers count from 1."""
        self._numbered = key
        self._view.repaint()

    def hide_numbers(self) -> None:
        self._numbered = None
        self._view.repaint()

    def count_above(self, key: str) -> int:
        """How many begin above what is in view."""
        rows, index, above = self._view.rows, self._entries.index(key), 0
        if not rows:
            return 0
        first = rows[0][0]
        for place, count in self._starting_pieces(index):
            if place >= first.of_piece:
                starts = start_lines(self._view.viewport.lines(place))[:count] if place == first.of_piece else []
                return above + sum(place._replace(line=line) < first for line in starts)
            above += count
        return above

    def _starting_pieces(self, index: int | None) -> Iterator[tuple[Place, int]]:
        """Each piece of an entry in which blocks of code begin, in order, and how many do."""
        return ((place, len(codes)) for place, block, codes in self._code(index) if not _goes_on(block))

    def mark(self, looks: list[RowLook]) -> None:
        index = self._entries.index(self._numbered)
        rows = {place: row for row, (place, _) in enumerate(self._view.rows) if place.item == index}
        pieces = {place.of_piece for place in rows}
        number = 0
        for place, count in self._starting_pieces(index) if rows else ():
            if place in pieces:
                for order, line in enumerate(start_lines(self._view.viewport.lines(place))[:count], 1):
                    if (row := rows.get(place._replace(line=line))) is not None:
                        looks[row] = looks[row]._replace(hint=f"[{number + order}]")
            number += count


def begins_code(block: Block) -> bool:
    """Code that goes on with the block before does not count."""
    return not _goes_on(block) and bool(_code_tokens(block))


def _goes_on(block: Block) -> bool:
    """Whether it is fenced code that began in the block before."""
    return block.goes_on and block.kind == "fence"


def _code_tokens(block: Block) -> list[Token]:
    """Code inside lists and quotes too; what shows nothing is left out."""
    return [token for token in block.tokens if token.type in CODE_TOKENS and (token.content or token.info.strip())]


def start_lines(lines: Sequence[Line]) -> list[int]:
    return [number for number, line in enumerate(lines) if line.begins_code]
