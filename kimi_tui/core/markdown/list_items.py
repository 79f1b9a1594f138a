"""Lists, item by item: each item of a list is a part of its own, so that only the last one is parsed again.

An item ends for certain where the next one begins, and what the parser makes of it does not depend on its neighbours
but for two things, which each part carries itself: the number it has in a list of numbers (`Block.number`), and whether
a blank line stands before it (`Block.is_apart`). So the parts that one parse of many items gives are those that the
parser would make of each item alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from kimi_tui.core.markdown.blocks import LINES, Block

if TYPE_CHECKING:
    from markdown_it.token import Token

_PLAIN_ITEM = re.compile(
    r"(?:(?P<bullet>[-*+])|(?P<number>\d{1,9})(?P<mark>[.)])) "
    r"(?P<text>(?:\[[ xX]\] )?(?:\*{0,3}|`)(?=[^\W\d_])[^\r\n|\0]*)(?:\r\n|\n|\r(?!\Z))(?P<blank>\n?)"
)
"""An item on one line that can be nothing but text: its first character says so, and there is no bar of a table."""


def is_list(block: Block) -> bool:
    """Whether a block is a list."""
    return block.kind.endswith("_list")


def continuing(block: Block, before: Block) -> Block:
    """A list as the one that goes on behind a part of it."""
    number = next_number(before) if block.kind == "ordered_list" else None
    return replace(block, head=before.head or before, number=number, is_apart=_ends_blank(before))


def _ends_blank(block: Block) -> bool:
    lines = LINES.findall(block.source[-200:])
    return bool(lines) and not lines[-1].strip()


def next_number(block: Block) -> int:
    """Number of the item that follows on a part of a list."""
    number = block.number
    if number is None:
        start = block.tokens[0].attrGet("start")
        number = 1 if start is None else int(start)
    return number + sum(_is_item(token) for token in block.tokens)


def plain_items(text: str, start: int, before: Block | None, max_chars: int) -> list[Block]:
    """The items at the beginning of a text that are clear without the parser, each as it would give it.

    That is an item of one line of text behind which, or behind one blank line, the next such item of the list begins.

    Args:
        text: Whole lines, at a place where a block begins.
        start: Where the text begins, in characters of the whole.
        before: The part of a block that was cut there; None = none was.
        max_chars: A line that is longer is no such item.
    """
    found: list[Block] = []
    match = _PLAIN_ITEM.match(text)
    while match is not None and match.end() - match.start() <= max_chars:
        following = _PLAIN_ITEM.match(text, match.end())
        if following is None or following["bullet"] != match["bullet"] or following["mark"] != match["mark"]:
            break
        kind = "bullet_list" if match["bullet"] else "ordered_list"
        if before is not None and before.kind != kind:
            break
        line_count = 2 if match["blank"] else 1
        tokens = _item_tokens(
            match["bullet"] or match["mark"], match["number"] or "", match["text"].strip(), line_count
        )
        number = next_number(before) if before is not None and kind == "ordered_list" else None
        block = Block(
            kind, match[0], start + match.start(), 0, line_count, tokens,
            head=before and (before.head or before),
            number=number,
            is_apart=before is not None and _ends_blank(before),
        )  # fmt: skip
        found.append(block)
        before, match = block, following
    return found


def _item_tokens(mark: str, number: str, text: str, line_count: int) -> tuple[Token, ...]:
    """What the parser makes of an item of one line, and of the blank line behind it."""
    make = _bullet_tokens if not number else _tokens
    opener, item, paragraph, inline, end, item_end, closer = make(mark, number, line_count)
    return opener, item, paragraph, inline.copy(content=text, children=[]), end, item_end, closer


def _tokens(mark: str, number: str, line_count: int) -> tuple[Token, ...]:
    from markdown_it.token import Token  # noqa: PLC0415 - not before there is a reply

    kind, tag = ("ordered_list", "ol") if number else ("bullet_list", "ul")
    span, line = [0, line_count], [0, 1]
    item = Token("list_item_open", "li", 1, map=span, level=1, markup=mark, info=number, block=True)
    return (
        _opener(Token(f"{kind}_open", tag, 1, map=span, markup=mark, block=True), item, span),
        item,
        Token("paragraph_open", "p", 1, map=line, level=2, block=True, hidden=True),
        Token("inline", "", 0, map=line, level=3, children=[], block=True),
        Token("paragraph_close", "p", -1, level=2, block=True, hidden=True),
        Token("list_item_close", "li", -1, level=1, markup=mark, block=True),
        Token(f"{kind}_close", tag, -1, markup=mark, block=True),
    )


_bullet_tokens = cache(_tokens)


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
