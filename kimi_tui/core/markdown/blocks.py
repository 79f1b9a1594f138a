"""One parse of Markdown: the top-level blocks of a text, and the targets of links in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from kimi_tui.core.markdown.inline import References
from kimi_tui.core.markdown.rules import blocks_parser

if TYPE_CHECKING:
    from markdown_it.token import Token

LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
"""A line with its end. The parser knows LF, CR and CRLF; `str.splitlines` would know more."""
_NONE: References = MappingProxyType({})


class LinkTarget(NamedTuple):
    offset: int
    """Where the line stands that defines it, in characters of what was parsed."""
    label: str
    """As the parser spells it."""
    href: str


@dataclass(frozen=True, slots=True)
class Block:
    kind: str
    """The parser's name without "_open": paragraph, heading, fence, table, bullet_list and so on."""
    source: str
    """With the line ends behind it."""
    start: int
    """In characters of the whole text."""
    first_line: int
    """Line of its source on which it begins; what stands before are blank lines and targets of links."""
    line_count: int
    """Without what stands behind it."""
    tokens: tuple[Token, ...]
    """The text inside is not parsed yet."""
    goes_on: bool = False
    """Whether it goes on with the block before it, being a part of the same one."""
    has_gap: bool = True
    """Whether a blank line is shown between the block before and this one."""
    opening: str = ""
    """First lines of the fence or table that it goes on with, under which its source is parsed; "" = none."""
    table: int = -1
    """Where the head of the table stands that it is rows of, in characters of the whole text; -1 = it is no table."""
    joint: str = "\n"
    """What parts it from the next block: a line end, or the blank (or nothing) at which a line was cut."""
    number: int | None = None
    """Number of its first item, where it goes on with a list of numbers; None = its tokens say."""
    is_open: bool = False
    """Whether its end is still being written."""
    previous: Block | None = field(default=None, compare=False)
    """The code before it, where it goes on with a fence."""

    @property
    def open_text(self) -> Token | None:
        """The text at its end that is still being written; None = there is none."""
        token = self.tokens[last_place(self.tokens)]
        return token if self.is_open and token.type == "inline" else None

    @property
    def end(self) -> int:
        return self.start + len(self.source)

    @property
    def is_list(self) -> bool:
        """Whether it is a list of either kind, or an item of one."""
        return self.kind.endswith("_list")

    def blank_lines(self) -> set[int]:
        """Its lines on which nothing stands but marks of quotes, counted as in `Token.map`."""
        span = self.tokens[0].map or [0]
        above = span[0] - self.first_line
        return {above + at for at, line in enumerate(LINES.findall(self.source)) if not line.strip(" \t\r\n>")}


def parse(text: str, references: References = _NONE, start: int = 0) -> tuple[list[Block], list[LinkTarget]]:
    """The sources of the blocks join to the text; the targets of links are those that are not among `references`."""
    env: dict[str, Any] = {"references": {}}
    tokens = blocks_parser().parse(text, env)
    groups = siblings(tokens)
    offsets = [0, *accumulate(map(len, LINES.findall(text)))]
    spans = [tuple(group[0].map or (0, 0)) for group in groups]
    first_lines = [0, *(span[0] for span in spans[1:])]
    starts = [*(offsets[line] for line in first_lines), len(text)]
    kinds = [group[0].type.removesuffix("_open") for group in groups]
    blocks = [
        Block(
            kind=kinds[at],
            source=text[starts[at] : starts[at + 1]],
            start=start + starts[at],
            first_line=spans[at][0] - first_lines[at],
            line_count=spans[at][1] - spans[at][0],
            tokens=tuple(group),
            table=start + offsets[spans[at][0]] if kinds[at] == "table" else -1,
        )
        for at, group in enumerate(groups)
    ]
    found = [
        LinkTarget(offsets[it["map"][0]], label, str(it["href"]))
        for label, it in env["references"].items()
        if label not in references
    ]
    return blocks, found


def siblings(tokens: Iterable[Token]) -> list[list[Token]]:
    """The tokens of each block that stands in no other of these, in order."""
    groups: list[list[Token]] = []
    depth = 0
    for token in tokens:
        if depth == 0 and token.nesting >= 0:
            groups.append([])
        groups[-1].append(token)
        depth += token.nesting
    return groups


def task_box(item: Sequence[Token]) -> str:
    """The box that an item of a list begins with, with the blank behind it; "" = it is no task."""
    content = item[1].content[:4] if len(item) > 1 and item[0].type == "paragraph_open" else ""
    return content if content in {"[ ] ", "[x] ", "[X] "} else ""


def last_place(tokens: Sequence[Token]) -> int:
    """Where the token stands that is written last: not a cell that the parser added to half a row."""
    place = len(tokens) - 1
    while place and (tokens[place].nesting < 0 or _is_no_cell_yet(tokens, place)):
        place -= 1
    return place


def _is_no_cell_yet(tokens: Sequence[Token], place: int) -> bool:
    opener = tokens[place if tokens[place].nesting else place - 1].type
    return opener in {"td_open", "th_open"} and not (tokens[place].nesting == 0 and tokens[place].content)


def paragraph_tokens(text: str) -> tuple[Token, ...]:
    """What the parser makes of one line of text."""
    from markdown_it.token import Token  # noqa: PLC0415 - not before there is a reply

    span = [0, 1]
    return (
        Token("paragraph_open", "p", 1, map=span),
        Token("inline", "", 0, map=span, level=1, content=text.strip(), children=[]),
        Token("paragraph_close", "p", -1),
    )


def fenced_code(text: str) -> list[str]:
    """The contents of all fences of a text, those in lists and quotes too; each ends with a line end unless empty."""
    return [token.content for token in blocks_parser().parse(text) if token.type == "fence"]
