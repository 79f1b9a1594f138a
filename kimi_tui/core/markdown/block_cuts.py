"""Where Markdown that is too long is cut, so that what is parsed at once stays small.

A fence and a table go on under their own first lines, anything else at a line's end; a line without end goes on as
pieces of its own.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

from kimi_tui.core.markdown.blocks import LINES, Block

MAX_CODE_LINES = 50
"""Lines of a fence in one block."""
MAX_TABLE_ROWS = 30
"""Rows of a table in one block, besides its first two lines."""
SOFT_LIMIT_CHARS = 3_000
"""Where a list or any other block is cut at the next item or line."""
SOFT_LIMIT_LINES = 60
"""The same in lines, whichever comes first; also how many blank lines a block is waited for."""
HARD_LIMIT_CHARS = 24_000
"""Where a list is cut even inside an item."""
MAX_LINE_CHARS = 3_000
"""Where a line is cut, at the end of a sentence or of a word if there is one."""
PREFIX_LINES = {"fence": 1, "table": 2}
"""Kinds that go on under their own first lines after a cut, and how many those are."""
LOAD_CHARS = 6_000
"""How much of a text that is there already is taken at once."""
LOAD_LINES = SOFT_LIMIT_LINES + 1
"""The same in lines: as many as make one part of a list, and the line that shows that it is one."""
_SENTENCE_ENDS = (". ", "! ", "? ", "。", "！", "？", "; ", ", ")
_STICKS = re.compile("[\u0300-\u036f\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U0001f1e6-\U0001f1ff]")
"""What must not be torn off the character before it."""


def portions(text: str) -> Iterator[str]:
    """A text in portions of bounded length and number of lines."""
    if len(text) <= LOAD_CHARS and text.count("\n") <= LOAD_LINES:
        yield text
        return
    start = 0
    while start < len(text):
        end = start
        for _ in range(LOAD_LINES):
            line_end = text.find("\n", end, start + LOAD_CHARS) + 1
            if not line_end:
                end = start + LOAD_CHARS
                break
            end = line_end
        yield text[start:end]
        start = end


def prefix(cut: Block | None) -> str:
    """The lines under which a block that was cut goes on; of Markdown also those of the fences that are open in it."""
    first = None if cut is None else cut.head or cut
    if cut is None or first is None or first.kind not in PREFIX_LINES:
        return ""
    lines = LINES.findall(first.source)[first.first_line :]
    own = "".join(line.rstrip("\r\n") + "\n" for line in lines[: PREFIX_LINES[first.kind]])
    return own + "".join(f"{line}\n" for line in cut.tokens[0].meta.get("inner", ()))


def without_prefix(block: Block, lines: str) -> Block:
    """A block that was parsed under the lines of a prefix, without them; a table keeps its head."""
    token, inner = block.tokens[0], lines.partition("\n")[2]
    tokens = (token.copy(content=token.content.removeprefix(inner)),) if block.kind == "fence" else block.tokens
    return replace(block, source=block.source[len(lines) :], tokens=tokens)


def lead_chars(blocks: Sequence[Block], text: str) -> int:
    """How much of the lines before the first block is let go, being many; 0 = nothing."""
    count = blocks[0].first_line if blocks else len(text)
    if count <= SOFT_LIMIT_LINES:
        return 0
    lines = LINES.findall(text)[:count]
    return sum(map(len, lines[:SOFT_LIMIT_LINES])) if len(lines) > SOFT_LIMIT_LINES else 0


def cut_chars(block: Block) -> tuple[int, bool]:
    """Where a block is too long, in characters of its source, and whether it goes on behind; 0 = it is not."""
    if (
        block.kind not in PREFIX_LINES
        and block.line_count <= SOFT_LIMIT_LINES
        and len(block.source) <= SOFT_LIMIT_CHARS
        and block.source.count("\n") <= SOFT_LIMIT_LINES
    ):
        return 0, False
    lines = LINES.findall(block.source)
    end = block.first_line + block.line_count
    body = lines[block.first_line : end]
    blank_run = _blank_run(lines, end if block.kind == "fence" else block.first_line)
    if block.kind in PREFIX_LINES:
        count = (MAX_CODE_LINES if block.kind == "fence" else MAX_TABLE_ROWS) + (
            0 if block.head else PREFIX_LINES[block.kind]
        )
    else:
        while body and not body[-1].strip():
            body.pop()
        count = _cut_line(block, body)
    cut = block.first_line + count
    # What is found first, reading line by line, is cut first.
    if len(body) > count:
        seen = next((place for place in range(cut, end) if lines[place].strip()), cut)
        if blank_run is None or seen < blank_run:
            return sum(map(len, lines[:cut])), True
    return (0, False) if blank_run is None else (sum(map(len, lines[:blank_run])), False)


def _blank_run(lines: Sequence[str], start: int) -> int | None:
    """The line, from a line on, before which there are as many blank ones as a block is waited for, and one more."""
    count = 0
    for place in range(start, len(lines)):
        count = 0 if lines[place].strip() else count + 1
        if count > SOFT_LIMIT_LINES:
            return place
    return None


def _cut_line(block: Block, body: Sequence[str]) -> int:
    """Before which line a list or another block is cut, should it be that long."""
    ends = list(accumulate(map(len, body)))
    soft = min(bisect_left(ends, SOFT_LIMIT_CHARS) + 1, SOFT_LIMIT_LINES)
    if not block.kind.endswith("_list"):
        return soft
    first = block.tokens[0].map[0] if block.tokens[0].map else 0
    items = (t.map[0] - first for t in block.tokens if t.type == "list_item_open" and t.level == 1 and t.map)
    hard = bisect_left(ends, HARD_LIMIT_CHARS) + 1
    return min(next((line for line in items if line >= soft), hard), hard)


def long_line(text: str) -> int | None:
    """Where the first line begins that is too long; None = there is none."""
    if len(text) > MAX_LINE_CHARS:
        for match in LINES.finditer(text):
            if match.end() - match.start() > MAX_LINE_CHARS and len(match[0].rstrip("\r\n")) > MAX_LINE_CHARS:
                return match.start()
    return None


def line_chars(text: str, start: int) -> int:
    """How much of a line that is too long is taken: up to a sentence's end, else a word's, else as much as may be."""
    window = text[start : start + MAX_LINE_CHARS]
    least = MAX_LINE_CHARS // 2
    for ends in (_SENTENCE_ENDS, (" ",)):
        place = max(at + len(end) if (at := window.rfind(end, least)) >= 0 else 0 for end in ends)
        if place:
            return place
    place = MAX_LINE_CHARS
    while place > least and (_STICKS.match(text, start + place) or window[place - 1] in "\\\u200d"):
        place -= 1
    return place


def joint(block: Block, source: str) -> str:
    """What parts a piece of a line that was cut from the next one: the blank at which it was cut, or nothing."""
    return " " if source[-1:] == " " and block.tokens[0].type not in {"fence", "code_block"} else ""
