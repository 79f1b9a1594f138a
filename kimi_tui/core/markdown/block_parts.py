"""Long blocks as parts, each laid out by itself: items of a list, rows of a table, lines of code, sentences of a text.

What the parser makes of a part does not depend on the parts behind it, and on those before it only in what each part
carries itself: the first lines of its fence or table, the number of its item, whether a blank line stands before it.
So the parts of a whole block are those that the parser would make of each, and only the last one is parsed again while
it grows. Of a table the place of what stands inside it (`Token.map`) is not kept.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from kimi_tui.core.markdown import cutting
from kimi_tui.core.markdown.blocks import LINES, Block, paragraph_tokens
from kimi_tui.core.markdown.fences import opening_behind

if TYPE_CHECKING:
    from markdown_it.token import Token

HEAD_LINES = 2
"""Lines of a table above its first row."""
_CODE_LINES = re.compile(r"[^\n]*\n|[^\n]+")


def parts_of(block: Block) -> list[Block]:
    if block.is_list:
        return _items(block)
    match block.kind:
        case "table":
            return _rows(block)
        case "fence":
            return _code(block)
        case "paragraph":
            return _sentences(block)
    return [block]


def _part(whole: Block, before: Sequence[Block], source: str, line_count: int, **others: Any) -> Block:
    """The part of a block that goes on behind others."""
    part = replace(whole, source=source, line_count=line_count, **others)
    return replace(part, start=before[-1].end, first_line=0, goes_on=True, has_gap=False) if before else part


def last_start(blocks: Sequence[Block]) -> int:
    """Index of the last block at which parsing can begin again; a part that begins within a line cannot be one."""
    place = len(blocks) - 1
    while blocks[place].goes_on and (blocks[place].kind == "paragraph" or (place and blocks[place - 1].joint != "\n")):
        place -= 1
    return place


# -- lists


def going_on(block: Block, before: Block) -> Block:
    """A list as the one that goes on behind a part of it."""
    number = None
    if block.kind == "ordered_list":
        first = before.number if before.number is not None else int(before.tokens[0].attrs.get("start", 1))
        number = first + sum(_is_item(token) for token in before.tokens)
    *_, last = LINES.findall(before.source)
    return replace(block, goes_on=True, has_gap=not last.strip(), number=number)


def _items(block: Block) -> list[Block]:
    """Two items stay together where the second might be taken for something else."""
    lines = LINES.findall(block.source)
    opener, closer = block.tokens[0], block.tokens[-1]
    first = _map(opener)[0] - block.first_line
    starts = [
        place
        for place, token in enumerate(block.tokens)
        # By itself a line with a bar may be the head of a table.
        if _is_item(token) and (place == 1 or "|" not in lines[_map(token)[0] - first])
    ]
    if len(starts) <= 1:
        return [block]
    parts: list[Block] = []
    for start, end in pairwise([*starts, len(block.tokens) - 1]):
        item, is_last = block.tokens[start], end == len(block.tokens) - 1
        line = _map(item)[0] - first if parts else 0
        line_end = len(lines) if is_last else _map(block.tokens[end])[0] - first
        first_line = 0 if parts else block.first_line
        span = [line + first + first_line, _map(opener)[1] if is_last else line_end + first]
        attrs = {"start": int(item.info)} if item.info and int(item.info) != 1 else {}
        tokens = (opener.copy(map=span, attrs=attrs), *block.tokens[start:end], closer)
        part = _part(block, parts, "".join(lines[line:line_end]), span[1] - span[0], tokens=tokens)
        parts.append(going_on(part, parts[-1]) if parts else part)
    return parts


def _is_item(token: Token) -> bool:
    return token.type == "list_item_open" and token.level == 1


def _map(token: Token) -> Sequence[int]:
    return token.map or (0, 0)


# -- tables


def _rows(table: Block) -> list[Block]:
    tokens = table.tokens
    starts = _row_starts(table)
    if len(starts) <= cutting.MAX_TABLE_ROWS:
        return [table]
    lines = LINES.findall(table.source)
    head = 0 if table.goes_on else HEAD_LINES
    first_row = table.first_line + head
    opening = table.opening or _first_lines(lines[table.first_line : first_row])
    parts: list[Block] = []
    for begin in range(0, len(starts), cutting.MAX_TABLE_ROWS):
        end = min(begin + cutting.MAX_TABLE_ROWS, len(starts))
        is_last = end == len(starts)
        inner = tokens[starts[begin] : len(tokens) - 2 if is_last else starts[end]]
        span = [_map(tokens[0])[0], _map(tokens[0])[0] + HEAD_LINES + end - begin]
        part = _part(
            table,
            parts,
            source="".join(lines[first_row + begin if begin else 0 : None if is_last else first_row + end]),
            line_count=end - begin + (0 if begin else head),
            tokens=(tokens[0].copy(map=span), *tokens[1 : starts[0]], *inner, *tokens[-2:]),
            opening=opening if begin else table.opening,
        )
        parts.append(part)
    return parts


def table_opening(table: Block) -> str:
    """The lines under which further rows of a table are parsed; "" = it is none, or other lines stand behind it."""
    lines = LINES.findall(table.source)
    if table.kind != "table" or len(lines) != table.first_line + table.line_count:
        return ""
    return table.opening or _first_lines(lines[table.first_line : table.first_line + HEAD_LINES])


def with_rows(table: Block, more: Block, source: str) -> Block:
    """A table with the rows of another one that was parsed under the same head; `source` = that of those rows."""
    rows, others = _row_starts(table), _row_starts(more)
    if not others:
        return replace(table, source=table.source + source)
    known = table.tokens[: -2 if rows else -1]
    first = _map(known[0])[0]
    return replace(
        table,
        source=table.source + source,
        line_count=table.line_count + len(others),
        tokens=(
            known[0].copy(map=[first, first + HEAD_LINES + len(rows) + len(others)]),
            *known[1:],
            *more.tokens[others[0] if rows else others[0] - 1 :],  # with the token that opens the body
        ),
    )


def _row_starts(table: Block) -> list[int]:
    """The head's is left out."""
    return [place for place, token in enumerate(table.tokens) if token.type == "tr_open"][1:]


def _first_lines(lines: Sequence[str]) -> str:
    return "".join(line.rstrip("\r\n") + "\n" for line in lines)


# -- code


def _code(fence: Block) -> list[Block]:
    token = fence.tokens[0]
    if fence.line_count <= cutting.MAX_CODE_LINES and len(token.content) <= cutting.MAX_TEXT_CHARS:
        return [fence]
    lines, codes = LINES.findall(fence.source), _CODE_LINES.findall(token.content)
    first = fence.first_line + (not fence.goes_on)
    last = fence.first_line + fence.line_count
    pieces = [("".join(lines[:first]), "", "\n")]  # source, code, joint
    count = 0
    for place in range(first, last):
        source, code = lines[place], codes[place - first] if place - first < len(codes) else ""
        if count == cutting.MAX_CODE_LINES:
            pieces.append(("", "", "\n"))
            count = 0
        count += 1
        while len(code) > cutting.MAX_TEXT_CHARS + 1:
            chars = cutting.text_end(code)
            source_chars = len(source.rstrip("\r\n")) - len(code.rstrip("\n")) + chars
            pieces[-1] = pieces[-1][0] + source[:source_chars], pieces[-1][1] + code[:chars], ""
            pieces.append(("", "", "\n"))
            source, code, count = source[source_chars:], code[chars:], cutting.MAX_CODE_LINES
        pieces[-1] = pieces[-1][0] + source, pieces[-1][1] + code, "\n"
    pieces[-1] = pieces[-1][0] + "".join(lines[last:]), *pieces[-1][1:]
    if len(pieces) == 1:
        return [fence]
    opening = fence.opening or _first_lines(lines[fence.first_line : first])
    head_chars = sum(map(len, lines[:first]))
    parts: list[Block] = []
    for source, code, joint in pieces:
        first_line = 0 if parts else fence.first_line
        line_count = len(LINES.findall(source)) - first_line
        if len(parts) == len(pieces) - 1:
            line_count -= len(lines) - last
        part = _part(fence, parts, source, line_count, joint=joint)
        if parts:
            part = replace(part, opening=opening, previous=parts[-1])
        span = [0, part.opening.count("\n") + line_count]
        parts.append(replace(part, tokens=(token.copy(content=code, map=span),)))
        opening = opening_behind(opening, source if len(parts) > 1 else source[head_chars:])
    return parts


# -- text


def _sentences(paragraph: Block) -> list[Block]:
    """A text without a blank line that is very long; what is marked over a part's end is shown with its marks."""
    text = paragraph.tokens[1].content
    start = paragraph.source.find(text)
    if len(text) <= cutting.MAX_TEXT_CHARS or start < 0:
        return [paragraph]
    parts: list[Block] = []
    place = 0
    while place < len(text):
        end = place + cutting.text_end(text[place:]) if len(text) - place > cutting.MAX_TEXT_CHARS else len(text)
        piece = text[place:end]
        source_end = len(paragraph.source) if end == len(text) else start + end
        source = paragraph.source[start + place if parts else 0 : source_end]
        joint = "\n" if end == len(text) or piece[-1] == "\n" else " " if piece[-1] == " " else ""
        tokens = paragraph_tokens(piece)
        parts.append(_part(paragraph, parts, source, piece.count("\n") + 1, tokens=tokens, joint=joint))
        place = end
    return parts
