"""Markdown source as top-level blocks that grow at the end only.

Finished blocks never change; new text is parsed together with the last, open block alone. Parsing is markdown-it-py's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token


@dataclass(frozen=True, slots=True)
class Block:
    """One top-level block."""

    source: str
    """Its source, with the line ends behind it."""
    tokens: tuple[Token, ...]
    """What the parser made of it."""


_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - costs 26 ms, and the first frame does not need it

    return MarkdownIt("commonmark").enable(["table", "strikethrough"])


class MarkdownSource:
    """A growing Markdown text."""

    def __init__(self, text: str = "") -> None:
        """Begin with a text."""
        self.finished: list[Block] = []
        """Blocks that do not change any more."""
        self.open: list[Block] = []
        """The last block; a half line behind it may be another one."""
        self.parsed_chars = 0
        """How much was given to the parser in all, for those who count."""
        self._tail = ""
        if text:
            self.append(text)

    @property
    def blocks(self) -> list[Block]:
        """All blocks, in order."""
        return self.finished + self.open

    def append(self, text: str) -> None:
        """Add text at the end."""
        self._tail += text
        # A half line may look like the beginning of another block ("*" before "*emphasis*"): it closes nothing.
        whole_chars = max(self._tail.rfind("\n"), self._tail.rfind("\r")) + 1
        blocks = self._parse(self._tail[:whole_chars])
        if done := blocks[:-1]:
            self.finished += done
            self._tail = self._tail[sum(len(block.source) for block in done) :]
        self.open = self._parse(self._tail)

    def _parse(self, text: str) -> list[Block]:
        self.parsed_chars += len(text)
        return parse(text)


def parse(text: str) -> list[Block]:
    """Split a text into its top-level blocks; their sources join to the text, where it has any."""
    tokens = _parser().parse(text)
    # The parser knows LF, CR and CRLF; `str.splitlines` would know more.
    lines = _LINES.findall(text)
    groups: list[tuple[int, list[Token]]] = []
    depth = 0
    for token in tokens:
        if depth == 0 and token.nesting >= 0:
            groups.append((token.map[0] if token.map else 0, []))
        groups[-1][1].append(token)
        depth += token.nesting
    starts = [0, *(start for start, _ in groups[1:]), len(lines)]
    return [
        Block("".join(lines[starts[place] : starts[place + 1]]), tuple(group))
        for place, (_, group) in enumerate(groups)
    ]
