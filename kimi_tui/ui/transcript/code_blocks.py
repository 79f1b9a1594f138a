"""The blocks of code of a message: their source, and the numbers by which one is chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from kimi_tui.core.markdown.blocks import Block
from kimi_tui.ui.transcript.entry_list import EntriesChange, EntryList
from kimi_tui.ui.transcript.lines import Line
from kimi_tui.ui.transcript.painter import RowLook
from kimi_tui.ui.transcript.view import View
from kimi_tui.ui.transcript.viewport import Place

if TYPE_CHECKING:
    from markdown_it.token import Token

CODE_TOKENS = frozenset({"fence", "code_block"})
"""What the parser calls code."""


class CodeBlocks:
    """Lists and numbers the code of messages. Parts of a block that was cut are one."""

    def __init__(self, entries: EntryList, view: View) -> None:
        self._entries, self._view = entries, view
        self._numbered: str | None = None

    def sources(self, key: str) -> list[str]:
        """The code of a message's blocks, in order; [] when it is not there."""
        blocks: list[str] = []
        for block, token in self._code_of(key):
            if _goes_on(block) and blocks:
                blocks[-1] += token.content
            else:
                blocks.append(token.content)
        return blocks

    def has_any(self, key: str) -> bool:
        """Whether a message has a block of code; what stands behind the first one is not parsed for it."""
        return next(self._code_of(key), None) is not None

    def _code_of(self, key: str) -> Iterator[tuple[Block, Token]]:
        """The code of a message, with the blocks that it stands in."""
        self._view.fit()
        for _, content in self._blocks(self._entries.index(key)):
            yield from ((content, token) for token in _code_tokens(content))

    def _blocks(self, index: int | None) -> Iterator[tuple[Place, Block]]:
        for place in () if index is None else self._view.viewport.body_pieces(index):
            content = self._view.viewport.piece(place).content
            if isinstance(content, Block):
                yield place, content

    # -- numbers

    def show_numbers(self, key: str) -> None:
        """Number the code blocks of a message, from 1."""
        self._numbered = key
        self._view.repaint()

    def hide_numbers(self) -> None:
        """Show no numbers any more."""
        self._numbered = None
        self._view.repaint()

    def count_above(self, key: str) -> int:
        """How many code blocks of a message begin above what is in view."""
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
        """The pieces of an entry in which blocks of code begin, in order, and how many do."""
        for place, content in self._blocks(index):
            if not _goes_on(content) and (count := len(_code_tokens(content))):
                yield place, count

    def entries_changed(self, change: EntriesChange) -> None:
        """Go on with the same message under another key."""
        if change.renamed is not None and self._numbered == change.renamed[0]:
            self._numbered = change.renamed[1]

    def mark(self, looks: list[RowLook]) -> None:
        """Put the numbers on the rows where the blocks begin."""
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
    """Whether there is code in a block, other than what goes on with the block before."""
    return (not block.goes_on or block.kind not in CODE_TOKENS) and bool(_code_tokens(block))


def _goes_on(block: Block) -> bool:
    """Whether a block is fenced code that began in the block before."""
    return block.goes_on and block.kind == "fence"


def _code_tokens(block: Block) -> list[Token]:
    """The code in a block, that inside lists and quotes too; what shows nothing is left out."""
    if block.kind not in CODE_TOKENS and "`" not in block.source and "~" not in block.source:
        return [token for token in block.tokens if token.type == "code_block"]
    return [token for token in block.tokens if token.type in CODE_TOKENS and (token.content or token.info.strip())]


def start_lines(lines: Sequence[Line]) -> list[int]:
    """The lines of a piece on which its blocks of code begin: with their label, or with code behind other text."""
    starts = []
    for number, line in enumerate(lines):
        is_label = line.padding is not None and line.joint == "" and line.lead_chars == len(line.text)
        if is_label and line.runs[-1][0].startswith("  "):
            continue  # a label goes on
        if line.padding is not None and (is_label or number == 0 or lines[number - 1].padding is None):
            starts.append(number)
    return starts
