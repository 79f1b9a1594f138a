"""Markdown source as blocks that grow at the end only.

How it works, in the order in which a text goes through it:

1. `MarkdownSource.append` adds text to the *tail*, the part that may still change.
2. Of the tail's whole lines all blocks but the last are finished, and of a long last block all parts but the last
   (`block_parts`): they never change again, and the tail goes on behind them.
3. The last part, and what a half line behind it makes, are `open`: parsed again with every text that comes, or only
   made longer where the new text cannot change what kind of block it is.

So the blocks depend on the text alone, not on how it was cut when it came. While a text `is_growing`, marks at its very
end that may yet become anything are held back, so that nothing is shown that the next character takes away; `settle`
ends that. The text inside a block (emphasis, links) is parsed when the block is laid out, by `inline.parse_inline`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from kimi_tui.core.markdown import block_parts, cutting
from kimi_tui.core.markdown.blocks import Block, LinkTarget, last_place, parse
from kimi_tui.core.markdown.inline import References

if TYPE_CHECKING:
    from markdown_it.token import Token

_DECIDED = r"[ \t]*(?:(?:[-+*]|\d{1,9}[.)])[ \t]+|>[ \t]*)*(?:\[[ xX]\][ \t]+)?(?=[^\W\d_])"
"""The beginning of a line that is text inside a block, whatever stands behind it."""
_UNDECIDED = (
    r"[-+=*_#|:`~$\\<>!& \t]*(?:\d{1,9}(?:[.)][ \t]*)?)?"
    r"(?:\[(?:[ xX]\]?|\^[^\s\]]{0,60}\]?)?|\[(?!\^)[^\]\n]{1,200}\]:.*|<[/!]?(?:[A-Za-z][^<>\n]{0,200})?)?[ \t]*"
    r"| {0,3}(?:> ?)*\[(?!\^)[^\[\]\n]{1,200}(?:\][ \t]*)?"
)
"""A half line that may yet become anything: marks, a number, a task's box, the beginning of a note, target or tag."""
_NOT_SIMPLE = re.compile(r"[\x00-\x08\x0a-\x1f|]|[^\S \t]")
"""What makes it uncertain what a half line becomes: line ends, bars, blanks that are no blanks to the parser."""


class MarkdownSource:
    def __init__(
        self,
        text: str = "",
        *,
        is_growing: bool = False,
        start: int = 0,
        opening: str = "",
        is_inside: bool = False,
        table: int = -1,
    ) -> None:
        """`start` and `table` count in the whole text; `opening` "" and `table` -1 = it goes on with nothing."""
        self.finished: list[Block] = []
        self.open: list[Block] = []
        """The last block; a half line behind it may be another one."""
        self.references: References = {}
        """Targets of links found so far; one that comes late changes what earlier blocks show."""
        self.is_growing = is_growing
        """Whether more is being written, so that a half end is shown as what it most likely becomes."""
        self._tail = ""
        self._tail_start = start
        self._shown_chars = 0  # how much of the tail is in the open blocks, the rest being held back
        self._kept_references: dict[str, str] = {}
        # What the tail goes on with: the lines under which it is parsed, and the part before it.
        self._opening = opening if opening and parse(opening)[0][0].kind in {"fence", "table"} else ""
        self._is_inside, self._table = is_inside, table
        self._before: Block | None = None
        self._whole: tuple[int, list[Block], list[LinkTarget]] | None = None  # the whole lines of the tail, parsed
        self.append(text)

    @property
    def blocks(self) -> list[Block]:
        return self.finished + self.open

    def append(self, text: str) -> None:
        if not text or self._lengthen(text):
            return
        self._tail += text
        if "\n" in text or "\r" in self._tail:
            self._finish()
        self._show()

    def settle(self) -> None:
        """The text is whole: show its end as it stands."""
        if self.is_growing:
            self.is_growing = False
            self._show()

    def _finish(self) -> None:
        """Take what can change no more out of the tail."""
        # A half line may look like the beginning of another block ("*" before "*emphasis*"): it closes nothing.
        # A CR at the very end is half a line end.
        whole_chars = max(self._tail.rfind("\n"), self._tail.rfind("\r", 0, -1)) + 1
        blocks, found = self._parse(self._tail[:whole_chars])
        if blocks and (place := block_parts.last_start(blocks)):
            last = blocks[place]
            taken = last.start - self._tail_start
            self.finished += blocks[:place]
            self._kept_references = {
                it.label: it.href for it in reversed(found) if it.offset < taken
            } | self._kept_references
            self._tail, self._tail_start, whole_chars = self._tail[taken:], last.start, whole_chars - taken
            self._before = blocks[place - 1] if last.goes_on else None
            self._opening, self._table, self._is_inside = last.opening, last.table, False
            blocks, found = blocks[place:], _shifted([it for it in found if it.offset >= taken], taken)
        self._whole = whole_chars, blocks, found

    # -- what is open

    def _lengthen(self, text: str) -> bool:
        """Make the last block longer where the text goes on inside a line whose kind is clear; False = it is not."""
        if not self.open or self._shown_chars < len(self._tail) or _NOT_SIMPLE.search(text):
            return False
        block = self.open[-1]
        half = block.source[max(block.source.rfind("\n"), block.source.rfind("\r")) + 1 :]
        if len(block.source if block.kind == "paragraph" else half) + len(text) > cutting.MAX_TEXT_CHARS:
            return False
        tokens = _lengthened(block.tokens, half, text)
        if tokens is None:
            return False
        self._tail += text
        self._shown_chars += len(text)
        self.open = [*self.open[:-1], replace(block, source=block.source + text, tokens=tokens)]
        return True

    def _show(self) -> None:
        whole_chars, blocks, found = self._whole or (0, [], [])
        text = self._tail
        if self.is_growing:
            half = text[whole_chars:]
            text = text if re.fullmatch(_UNDECIDED, half) is None else text[:whole_chars]
        if len(text) > whole_chars:
            blocks, found = self._parse(text)
        if self.is_growing and blocks:
            blocks = self._with_table_head(text, blocks)
            blocks = [*blocks[:-1], replace(blocks[-1], is_open=True)]
        self.open, self._shown_chars = blocks, len(text)
        # While a line is written the target on it is half.
        sure = [it for it in found if not self.is_growing or it.offset < whole_chars]
        self.references = (
            {it.label: it.href for it in reversed(sure)} | self._kept_references if sure else self._kept_references
        )

    def _with_table_head(self, text: str, blocks: list[Block]) -> list[Block]:
        """Take a last line of cells for the head of the table that it will most likely be."""
        lines = text.rstrip("\r\n").rsplit("\n", 2)
        is_row = lines[-1].startswith("| ") and blocks[-1].kind == "paragraph" and not text.endswith("\n\n")
        if not is_row or (len(lines) > 1 and lines[-2].startswith("|")):
            return blocks
        columns = len(re.findall(r"(?<!\\)\|", lines[-1].strip().strip("|"))) + 1
        added = f"{text}{'' if text.endswith(chr(10)) else chr(10)}|{'---|' * columns}\n"
        completed, _ = self._parse(added)
        if completed[-1].kind != "table":
            return blocks
        last = completed[-1]
        source = last.source[: len(last.source) - len(added) + len(text)]
        return [*completed[:-1], replace(last, source=source, line_count=1)]

    # -- the parser

    def _parse(self, text: str) -> tuple[list[Block], list[LinkTarget]]:
        """Parse the beginning of the tail."""
        if (known := self._parse_rows(text)) is not None:
            return known
        opening = self._opening
        blocks, found = parse(opening + text, self._kept_references, self._tail_start - len(opening))
        if blocks:
            blocks[0] = self._first(blocks[0])
        return [part for block in blocks for part in block_parts.parts_of(block)], _shifted(found, len(opening))

    def _parse_rows(self, text: str) -> tuple[list[Block], list[LinkTarget]] | None:
        """Parse the beginning of the tail where it is a table that was known and new rows; None = it is not."""
        whole_chars, blocks, found = self._whole or (0, [], [])
        opening = block_parts.table_opening(blocks[0]) if len(blocks) == 1 and len(text) > whole_chars else ""
        if not opening:
            return None
        added = text[whole_chars:]
        more, new = parse(opening + added, self._kept_references)
        if new or len(more) != 1 or more[0].kind != "table":
            return None
        return block_parts.parts_of(block_parts.with_rows(blocks[0], more[0], added)), found

    def _first(self, block: Block) -> Block:
        """The first block of the tail, as what it goes on with."""
        before, opening = self._before, self._opening
        if opening:
            tokens = block.tokens
            if block.kind == "fence":
                inner = opening.partition("\n")[2]
                tokens = (tokens[0].copy(content=tokens[0].content.removeprefix(inner)),)
            return replace(
                block,
                source=block.source[len(opening) :],
                start=block.start + len(opening),
                line_count=block.line_count - opening.count("\n"),
                tokens=tokens,
                goes_on=True,
                has_gap=False,
                opening=opening,
                table=self._table,
                previous=before,
            )
        if before is not None and before.is_list and block.kind == before.kind and not block.first_line:
            return block_parts.going_on(block, before)
        return replace(block, has_gap=not self._is_inside)


def _shifted(targets: Iterable[LinkTarget], chars: int) -> list[LinkTarget]:
    """The targets as they stand in a text that begins so many characters later."""
    return [it._replace(offset=it.offset - chars) for it in targets]


def _lengthened(tokens: tuple[Token, ...], half: str, text: str) -> tuple[Token, ...] | None:
    """The tokens of a block whose last, half line goes on with a text; None = the block must be parsed again."""
    place = last_place(tokens)
    token = tokens[place]
    if token.type == "fence":
        old = half.lstrip(" \t")
        is_inside = token.map is not None and token.map[1] - token.map[0] > 1
        if not is_inside or not old or old[0] in "`~>" or not token.content.endswith(old):
            return None
        content = token.content + text
    elif token.type == "inline":
        old = _text_of(half, tokens[place - 1].type)
        kept = old.rstrip(" \t")
        if not kept or "\\" in text or not token.content.endswith(kept):
            return None
        content = token.content[: len(token.content) - len(kept)] + (old + text).rstrip(" \t")
    else:
        return None
    return (*tokens[:place], token.copy(content=content), *tokens[place + 1 :])


def _text_of(half: str, parent: str) -> str:
    """The part of a half line that is text inside its block, whatever stands behind it; "" = there is none."""
    if parent in {"td_open", "th_open"}:
        return half[half.rindex("|") + 1 :].lstrip(" \t") if "|" in half else ""
    decided = re.match(_DECIDED, half)
    return "" if decided is None or parent != "paragraph_open" or "|" in half else half[decided.end() :]
