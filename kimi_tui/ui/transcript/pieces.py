"""The parts of an entry, down to pieces: what is laid out as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from kimi_tui.core.markdown.blocks import Block
from kimi_tui.core.text.growing_text import TextView
from kimi_tui.ui.text.role_styles import Styles
from kimi_tui.ui.transcript.layout import LayoutCache
from kimi_tui.ui.transcript.lines import Line
from kimi_tui.ui.transcript.table_layout import Widths


class Section(IntEnum):
    """From top to bottom."""

    HEAD = 0
    """Who speaks, and the line of the think block."""
    REASONING = 1
    """The open think block; nothing while it is folded."""
    BODY = 2
    TAIL = 3
    """The footer, and the blank line behind."""


class Look(NamedTuple):
    """Another look is another layout."""

    styles: Styles
    width: int
    """Cells per line, at least 1."""


@dataclass(slots=True, eq=False)
class Piece:
    content: Block | str | None = None
    """A block of Markdown, or plain text; None = made from the entry itself."""
    start: int = 0
    """Where its source begins, in characters of its chunk."""
    cache: LayoutCache | None = None
    """What is kept from one layout of a growing block to the next."""
    lines: list[Line] | None = None
    """None = not laid out, or dropped."""
    columns: Widths | None = None
    """Those of the long table with which its lines were made; None = it is none."""

    @property
    def source(self) -> str:
        if self.content is None:
            return ""
        return self.content if isinstance(self.content, str) else self.content.source

    def drop(self) -> None:
        """Its height stays known."""
        self.lines = None

    def estimate(self, width: int) -> int:
        if self.content is None:
            return 1
        ends, chars = size_of(self.source)
        return max(ends, 1) + chars // max(width, 1)


def size_of(text: str | TextView) -> tuple[int, int]:
    """Line ends and characters, to guess a height from."""
    source = text if isinstance(text, str) else str(text)
    return source.count("\n"), len(source)
