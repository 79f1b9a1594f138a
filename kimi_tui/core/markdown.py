"""Markdown source as top-level blocks that grow at the end only.

Finished blocks never change; new text is parsed together with the last, open block alone. Very long blocks are cut, so
that the open one stays small: a fence and a table go on under their own first lines, anything else at a line's end.
The blocks depend on the text alone, not on how it was cut when it came. Parsing is markdown-it-py's; the text inside a
block (emphasis, links) is parsed when the block is laid out, by `parse_inline`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from kimi_tui.core.math_markup import add_math

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

MAX_CODE_LINES = 50
"""Lines of a fence in one block."""
MAX_TABLE_ROWS = 30
"""Rows of a table in one block, besides its first two lines."""
SOFT_LIMIT_CHARS = 3_000
"""Where a list or any other block is cut at the next item or line."""
SOFT_LIMIT_LINES = 60
"""The same in lines, whichever comes first."""
HARD_LIMIT_CHARS = 24_000
"""Where a list is cut even inside an item."""
PREFIX_LINES = {"fence": 1, "table": 2}
"""Kinds that go on under their own first lines after a cut, and how many those are."""
LOAD_CHARS = 6_000
"""How much of a text that is there already is taken at once."""
_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
"""A line with its end. The parser knows LF, CR and CRLF; `str.splitlines` would know more."""
References = Mapping[str, str]
"""Targets of links by their labels."""
Found = tuple[int, str, str]
"""Where a target of links stands, its label, the target."""


@dataclass(frozen=True, slots=True)
class Block:
    """One top-level block, or a part of one that was cut."""

    kind: str
    """The parser's name without "_open": paragraph, heading, fence, table, bullet_list and so on."""
    source: str
    """Its source, with the line ends behind it."""
    start: int
    """Where its source begins, in characters of the whole text."""
    first_line: int
    """Line of its source on which it begins; what stands before are blank lines and targets of links."""
    line_count: int
    """How many lines of its source it has, without what stands behind it."""
    tokens: tuple[Token, ...]
    """What the parser made of it, the text inside not yet parsed."""
    previous: Block | None = None
    """The part before it, where this one goes on with a block that was cut."""
    head: Block | None = None
    """The first part of a block that was cut; None = this is the first."""

    @property
    def end(self) -> int:
        """Where its source ends, in characters of the whole text."""
        return self.start + len(self.source)


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - costs 26 ms, and the first frame does not need it

    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"]).disable(["inline", "text_join"])
    add_math(parser)
    return parser


def parse_inline(text: str, references: References) -> list[Token]:
    """Parse the text inside a block: emphasis, code, links."""
    parser = _parser()
    tokens: list[Token] = []
    env = {"references": {label: {"title": "", "href": href} for label, href in references.items()}}
    parser.inline.parse(text, parser, env, tokens)
    return tokens


class MarkdownSource:
    """A growing Markdown text."""

    def __init__(self, text: str = "") -> None:
        """Begin with a text."""
        self.finished: list[Block] = []
        """Blocks that do not change any more."""
        self.open: list[Block] = []
        """The last block; a half line behind it may be another one."""
        self.references: dict[str, str] = {}
        """Targets of links found so far; one that comes late changes what earlier blocks show."""
        self.parsed_chars = 0
        """How much was given to the parser in all, for those who count."""
        self._tail = ""
        self._tail_start = 0
        self._kept_references: dict[str, str] = {}
        self._cut: Block | None = None  # the last part of a block that was cut: the tail goes on with it
        for place in range(0, len(text), LOAD_CHARS):
            self._tail += text[place : place + LOAD_CHARS]
            self._finish()
        if text:
            self.append("")

    @property
    def blocks(self) -> list[Block]:
        """All blocks, in order."""
        return self.finished + self.open

    def append(self, text: str) -> None:
        """Add text at the end."""
        self._tail += text
        if "\n" in text or "\r" in self._tail:
            self._finish()
        self.open, found = self._parse(self._tail)
        self.references = self._kept_references | {label: target for _, label, target in found}

    def _finish(self) -> None:
        """Take what can change no more out of the tail."""
        # A half line may look like the beginning of another block ("*" before "*emphasis*"): it closes nothing.
        # A CR at the very end is half a line end.
        whole_chars = max(self._tail.rfind("\n"), self._tail.rfind("\r", 0, -1)) + 1
        while whole_chars:
            blocks, found = self._parse(self._tail[:whole_chars])
            taken, is_cut = self._take(blocks)
            self._kept_references |= {label: target for place, label, target in found if place < taken}
            whole_chars -= taken
            self._tail, self._tail_start = self._tail[taken:], self._tail_start + taken
            if not is_cut:
                return

    def _take(self, blocks: list[Block]) -> tuple[int, bool]:
        """Finish all blocks but the last, up to the first that must be cut; how many characters, and whether it was."""
        taken = 0
        for place, block in enumerate(blocks):
            if cut := _cut_chars(block):
                parts, _ = self._parse(block.source[:cut], taken)
                self.finished += parts
                self._cut = parts[-1] if parts else self._cut
                return taken + cut, True
            if place < len(blocks) - 1:
                self.finished.append(block)
                self._cut = None
                taken += len(block.source)
        return taken, False

    def _parse(self, text: str, place: int = 0) -> tuple[list[Block], list[Found]]:
        """Parse text that stands at a place of the tail; at its beginning it may go on with a block that was cut."""
        cut = None if place else self._cut
        prefix = _prefix(cut)
        self.parsed_chars += len(prefix) + len(text)
        blocks, found = parse(prefix + text, self._kept_references)
        start = self._tail_start + place - len(prefix)
        blocks = [replace(block, start=block.start + start) for block in blocks]
        if cut is not None and blocks and blocks[0].kind == cut.kind:
            blocks[0] = replace(
                blocks[0],
                source=blocks[0].source[len(prefix) :],
                start=start + len(prefix),
                line_count=blocks[0].line_count - prefix.count("\n"),
                previous=cut,
                head=cut.head or cut,
            )
        return blocks, [(at - len(prefix), label, target) for at, label, target in found]


def parse(text: str, references: References | None = None) -> tuple[list[Block], list[Found]]:
    """Split a text into its top-level blocks, and find the targets of links that it adds to those known.

    The sources of the blocks join to the text, where it has any block.
    """
    env: dict[str, Any] = {"references": {label: {} for label in references or {}}}
    tokens = _parser().parse(text, env)
    groups: list[list[Token]] = []
    depth = 0
    for token in tokens:
        if depth == 0 and token.nesting >= 0:
            groups.append([])
        groups[-1].append(token)
        depth += token.nesting
    offsets = [0, *accumulate(map(len, _LINES.findall(text)))]
    spans = [tuple(group[0].map or (0, 0)) for group in groups]
    first_lines = [0, *(span[0] for span in spans[1:])]
    starts = [*(offsets[line] for line in first_lines), len(text)]
    blocks = [
        Block(
            kind=group[0].type.removesuffix("_open"),
            source=text[starts[at] : starts[at + 1]],
            start=starts[at],
            first_line=spans[at][0] - first_lines[at],
            line_count=spans[at][1] - spans[at][0],
            tokens=tuple(group),
        )
        for at, group in enumerate(groups)
    ]
    known = references or {}
    targets = ((label, target) for label, target in env["references"].items() if label not in known)
    return blocks, [(offsets[target["map"][0]], label, str(target["href"])) for label, target in targets]


def _prefix(cut: Block | None) -> str:
    """The lines under which a block that was cut goes on."""
    first = None if cut is None else cut.head or cut
    if first is None or first.kind not in PREFIX_LINES:
        return ""
    lines = _LINES.findall(first.source)[first.first_line :]
    return "".join(line.rstrip("\r\n") + "\n" for line in lines[: PREFIX_LINES[first.kind]])


def _cut_chars(block: Block) -> int:
    """Where a block is too long, in characters of its source; 0 = it is not, or nothing stands behind that place."""
    if (
        block.kind not in PREFIX_LINES
        and block.line_count <= SOFT_LIMIT_LINES
        and len(block.source) <= SOFT_LIMIT_CHARS
    ):
        return 0
    lines = _LINES.findall(block.source)
    body = lines[block.first_line : block.first_line + block.line_count]
    if block.kind in PREFIX_LINES:
        count = (MAX_CODE_LINES if block.kind == "fence" else MAX_TABLE_ROWS) + (
            0 if block.head else PREFIX_LINES[block.kind]
        )
    else:
        while body and not body[-1].strip():
            body.pop()
        count = _cut_line(block, body)
    return sum(map(len, lines[: block.first_line + count])) if len(body) > count else 0


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
