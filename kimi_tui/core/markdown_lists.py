"""Lists, item by item: each item of a list is a part of its own, so that only the last one is parsed again.

An item ends for certain where the next one begins, and what the parser makes of it does not depend on its neighbours
but for two things, which each part carries itself: the number it has in a list of numbers (`Block.number`), and whether
a blank line stands before it (`Block.is_apart`). So the parts that one parse of many items gives are those that the
parser would make of each item alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from kimi_tui.core.markdown_blocks import LINES, Block

if TYPE_CHECKING:
    from markdown_it.token import Token


def is_list(block: Block) -> bool:
    """Whether a block is a list."""
    return block.kind.endswith("_list")


def continuing(block: Block, before: Block) -> Block:
    """A list as the one that goes on behind a part of it."""
    number = next_number(before) if block.kind == "ordered_list" else None
    lines = LINES.findall(before.source[-200:])
    is_apart = bool(lines) and not lines[-1].strip()
    return replace(block, head=before.head or before, number=number, is_apart=is_apart)


def next_number(block: Block) -> int:
    """Number of the item that follows on a part of a list."""
    number = block.number
    if number is None:
        start = block.tokens[0].attrGet("start")
        number = 1 if start is None else int(start)
    return number + sum(_is_item(token) for token in block.tokens)


def item_parts(block: Block) -> list[Block]:
    """A list as one part per item; two items stay together where the second might be taken for something else."""
    starts = _item_starts(block)
    if len(starts) <= 1:
        return [block]
    opener, closer = block.tokens[0], block.tokens[-1]
    lines = LINES.findall(block.source)
    first = _map(opener)[0] - block.first_line
    parts: list[Block] = []
    place = block.start
    for at, start in enumerate(starts):
        is_last = at == len(starts) - 1
        tokens = block.tokens[start : len(block.tokens) - 1 if is_last else starts[at + 1]]
        line = _map(tokens[0])[0] - first if at else 0
        end = len(lines) if is_last else _map(block.tokens[starts[at + 1]])[0] - first
        span = [line + first + (0 if at else block.first_line), _map(opener)[1] if is_last else end + first]
        source = "".join(lines[line:end])
        part = replace(
            block,
            source=source,
            start=place,
            first_line=0 if at else block.first_line,
            line_count=span[1] - span[0],
            tokens=(_opener(opener, tokens[0], span), *tokens, closer),
        )
        parts.append(continuing(part, parts[-1]) if at else part)
        place += len(source)
    return parts


def _item_starts(block: Block) -> list[int]:
    """The places of the tokens with which its parts begin."""
    if not is_list(block):
        return []
    lines: list[str] | None = None
    first = _map(block.tokens[0])[0] - block.first_line
    starts: list[int] = []
    for place, token in enumerate(block.tokens):
        if not _is_item(token):
            continue
        if starts and "|" in block.source:
            # By itself a line with a bar may be the head of a table.
            lines = lines or LINES.findall(block.source)
            if "|" in lines[_map(token)[0] - first]:
                continue
        starts.append(place)
    return starts


def _opener(opener: Token, item: Token, span: list[int]) -> Token:
    attrs: dict[str, str | int | float] = {}
    if item.info and int(item.info) != 1:
        attrs["start"] = int(item.info)
    return opener.copy(map=span, attrs=attrs)


def _is_item(token: Token) -> bool:
    return token.type == "list_item_open" and token.level == 1


def _map(token: Token) -> Sequence[int]:
    return token.map or (0, 0)
