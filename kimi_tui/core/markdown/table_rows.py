"""Tables, row by row: what the parser makes of a row depends on the table's first two lines alone.

So further rows are parsed under these lines and put to those that are known, and a table that is too long is parted
without being parsed again. Where tokens inside a table stand (`Token.map`) is not kept.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from kimi_tui.core.markdown.blocks import LINES, Block

if TYPE_CHECKING:
    from markdown_it.token import Token

HEAD_LINES = 2
"""Lines above the first row: the head and the rule below it."""


def row_parts(table: Block, max_rows: int) -> list[Block]:
    """A table as parts of so many rows at most; the later ones begin with the head that they go on under."""
    starts = _row_starts(table)
    if len(starts) <= max_rows:
        return [table]
    lines = LINES.findall(table.source)
    tokens, body = table.tokens, starts[0]
    first_row = table.first_line + (0 if table.head else HEAD_LINES)
    ends = [*range(0, len(starts), max_rows), len(starts)]
    parts: list[Block] = []
    for begin, end in pairwise(ends):
        is_last = end == len(starts)
        first, last = (first_row + begin if begin else 0), len(lines) if is_last else first_row + end
        inner = tokens[starts[begin] : len(tokens) - 2 if is_last else starts[end]]
        part = replace(
            table,
            source="".join(lines[first:last]),
            start=parts[-1].end if parts else table.start,
            first_line=0 if begin else table.first_line,
            line_count=end - begin + (0 if begin or table.head else HEAD_LINES),
            tokens=(_opener(tokens[0], end - begin), *tokens[1:body], *inner, *tokens[-2:]),
        )
        parts.append(replace(part, previous=parts[-1], head=table.head or parts[0]) if parts else part)
    return parts


def can_go_on(table: Block) -> bool:
    """Whether a block is a table that ends with its source, so that another row may follow."""
    count = table.first_line + table.line_count
    return table.kind == "table" and len(LINES.findall(table.source)) == count


def with_rows(table: Block, more: Block, text: str) -> Block:
    """A table with the rows of another one that has the same head; the text is the source of those rows."""
    rows, others = _row_starts(table), _row_starts(more)
    if not others:
        return replace(table, source=table.source + text)
    begin = others[0] if rows else others[0] - 1  # with the token that opens the body
    known = table.tokens[: -2 if rows else -1]
    return replace(
        table,
        source=table.source + text,
        line_count=table.line_count + len(others),
        tokens=(_opener(known[0], len(rows) + len(others)), *known[1:], *more.tokens[begin:]),
    )


def _opener(opener: Token, rows: int) -> Token:
    first = opener.map[0] if opener.map else 0
    return opener.copy(map=[first, first + HEAD_LINES + rows])


def _row_starts(table: Block) -> list[int]:
    """The places of the tokens with which rows begin, the head left out."""
    starts = [place for place, token in enumerate(table.tokens) if token.type == "tr_open"]
    return starts[1:]
