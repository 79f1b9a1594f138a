"""Markdown source as top-level blocks that grow at the end only.

How it works, in the order in which a text goes through it:

1. `MarkdownSource.append` adds text to the *tail*, the part that may still change.
2. Of the tail's whole lines, all blocks but the last are finished: they never change again.
3. Of a list that is the last block, all items but the last are finished too, each as a part of its own. What is too
   long is cut, so that the tail stays small whatever is written: a fence and a table go on under their own first
   lines, anything else at a line's end; a line without end goes on as pieces of its own. A part that goes on with
   another one names it (`Block.head`, `Block.previous`).
4. The last block, and what a half line behind it makes, are `open`: parsed again with every text that comes, or only
   made longer where the new text cannot change what kind of block it is.

So a text costs as much as it is long, and the blocks depend on the text alone, not on how it was cut when it came.
While a text `is_growing`, marks at its very end that may yet become anything are held back, so that nothing is shown
that the next character takes away; `settle` ends that. The text inside a block (emphasis, links) is parsed when the
block is laid out, by `inline.parse_inline`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from kimi_tui.core.markdown import block_cuts as cuts
from kimi_tui.core.markdown.blocks import Block, Found, paragraph_tokens, parse
from kimi_tui.core.markdown.half_line import NOT_SIMPLE, UNDECIDED, lengthened
from kimi_tui.core.markdown.inline import References, parse_inline
from kimi_tui.core.markdown.list_items import continuing, is_list, item_parts, next_number, plain_items
from kimi_tui.core.markdown.table_rows import can_go_on, row_parts, with_rows

__all__ = ["Block", "MarkdownSource", "References", "parse", "parse_inline"]

_LINE = re.compile(r"[^\r\n]*")
_WHOLE_END = re.compile(r"\r\n|\n|\r(?!\Z)")
"""A line end; a CR at the very end may be half of one."""


class MarkdownSource:
    """A growing Markdown text."""

    def __init__(self, text: str = "", *, is_growing: bool = False) -> None:
        """Begin with a text; `is_growing` = more of it is being written."""
        self.finished: list[Block] = []
        """Blocks that do not change any more."""
        self.open: list[Block] = []
        """The last block; a half line behind it may be another one."""
        self.references: References = {}
        """Targets of links found so far; one that comes late changes what earlier blocks show."""
        self.parsed_chars = 0
        """How much was given to the parser in all, for those who count."""
        self.is_growing = is_growing
        """Whether more is being written, so that a half end is shown as what it most likely becomes."""
        self._tail = ""
        self._tail_start = 0
        self._shown_chars = 0  # how much of the tail is in the open blocks, the rest being held back
        self._kept_references: dict[str, str] = {}
        self._cut: Block | None = None  # the last part of a block that was cut: the tail goes on with it
        self._line: Block | None = None  # the last piece of a line that was cut: the tail goes on inside that line
        self._whole: tuple[int, list[Block], list[Found]] | None = None  # the whole lines of the tail, parsed
        self.append(text)

    @property
    def blocks(self) -> list[Block]:
        """All blocks, in order."""
        return self.finished + self.open

    def append(self, text: str) -> None:
        """Add text at the end."""
        if not text or self._lengthen(text):
            return
        for portion in cuts.portions(text):
            self._tail += portion
            if "\n" in portion or "\r" in self._tail or len(self._tail) > cuts.MAX_LINE_CHARS or self._line is not None:
                self._advance()
        self._show()

    def settle(self) -> None:
        """The text is whole: show its end as it stands."""
        if self.is_growing:
            self.is_growing = False
            self._show()

    # -- what is finished

    def _advance(self) -> None:
        """Take what can change no more out of the tail."""
        while True:
            if self._line is not None and not self._go_on_inside_line():
                return
            if self._line is None:
                place = cuts.long_line(self._tail)
                self._finish(place)
                if place is None:
                    return
                self._enter_line()

    def _finish(self, end: int | None) -> None:
        """Finish blocks of the whole lines up to a place of the tail, or all of them."""
        # A half line may look like the beginning of another block ("*" before "*emphasis*"): it closes nothing.
        # A CR at the very end is half a line end.
        whole_chars = max(self._tail.rfind("\n"), self._tail.rfind("\r", 0, -1)) + 1 if end is None else end
        while whole_chars:
            whole_chars -= self._take_plain_items(whole_chars)
            blocks, found = self._parse(self._tail[:whole_chars])
            blocks = [part for block in blocks for part in _parts(block)]
            taken, is_cut = self._take(blocks, whole_chars)
            self._keep(found, taken)
            whole_chars -= taken
            self._drop(taken)
            if not is_cut:
                rest = [(at - taken, label, target) for at, label, target in found if at >= taken]
                self._whole = whole_chars, blocks[-1:], rest
                return

    def _take_plain_items(self, whole_chars: int) -> int:
        """Finish the items that are clear without the parser; how many characters."""
        text = self._tail[:whole_chars]
        items = plain_items(text, self._tail_start, self._cut, cuts.MAX_LINE_CHARS)
        if not items:
            return 0
        self.finished += items
        self._cut = items[-1]
        taken = items[-1].end - self._tail_start
        self.parsed_chars += taken
        self._drop(taken)
        return taken

    def _drop(self, chars: int) -> None:
        self._tail, self._tail_start, self._whole = self._tail[chars:], self._tail_start + chars, None

    def _keep(self, found: Sequence[Found], before: int) -> None:
        for place, label, target in found:
            if place < before:
                self._kept_references.setdefault(label, target)

    def _take(self, blocks: list[Block], whole_chars: int) -> tuple[int, bool]:
        """Finish all blocks but the last, up to the first that must be cut; how many characters, and whether it was."""
        if lead := cuts.lead_chars(blocks, self._tail[:whole_chars]):
            self._cut = None
            return lead, True
        taken = 0
        for place, block in enumerate(blocks):
            cut, is_inside = cuts.cut_chars(block)
            if cut and taken:
                return taken, True  # it is cut when it stands at the beginning, as what it then goes on with
            if cut:
                parts, _ = self._parse(block.source[:cut])
                self.finished += parts
                self._cut = (parts[-1] if parts else self._cut) if is_inside else None
                return cut, True
            if place < len(blocks) - 1:
                self.finished.append(block)
                self._cut = block if blocks[place + 1].head is not None else None
                taken += len(block.source)
        return taken, False

    # -- lines without end

    def _enter_line(self) -> None:
        """Cut the first line that is too long; all blocks up to there are finished."""
        start = cuts.long_line(self._tail) or 0
        cut = start + cuts.line_chars(self._tail, start)
        text = self._tail[:cut]
        blocks, found = self._parse(text)
        self._keep(found, start)
        if not blocks:
            tokens = paragraph_tokens(text)
            blocks = [Block("paragraph", text, self._tail_start, 0, 1, tokens)]
        last = replace(blocks[-1], joint=cuts.joint(blocks[-1], text))
        self.finished += [*blocks[:-1], last]
        self._cut, self._line = None, last
        self._drop(cut)

    def _go_on_inside_line(self) -> bool:
        """Finish the next piece of a line that was cut; False = it may still grow."""
        match = _LINE.match(self._tail)
        chars = match.end() if match else 0
        line_end = None
        if chars > cuts.MAX_LINE_CHARS:
            chars = cuts.line_chars(self._tail, 0)
        else:
            line_end = _WHOLE_END.match(self._tail, chars)
            if line_end is None:
                return False
            chars = line_end.end()
        piece = self._piece(self._tail[:chars])
        if line_end is None:
            piece = replace(piece, joint=cuts.joint(piece, piece.source))
        self.finished.append(piece)
        if line_end is None:
            self._line = piece
        else:
            # What stands on the next line goes on with the block in which the line was, if it is of that kind.
            self._cut, self._line = replace(piece, kind=(piece.head or piece).kind), None
        self._drop(chars)
        return True

    def _piece(self, source: str) -> Block:
        """A piece of a line that was cut: code stays what it was, anything else becomes text."""
        before = self._line
        assert before is not None
        token = before.tokens[0]
        is_code = token.nesting == 0 and token.type != "hr"
        kind = before.kind if is_code else "paragraph"
        tokens = (token.copy(content=source),) if is_code else paragraph_tokens(source)
        head, number = before.head or before, next_number(before) if is_list(before.head or before) else None
        return Block(kind, source, self._tail_start, 0, 1, tokens, previous=before, head=head, number=number)

    # -- what is open

    def _lengthen(self, text: str) -> bool:
        """Make the last block longer where the text goes on inside a line whose kind is clear; False = it is not."""
        if self._line is not None or not self.open or self._shown_chars < len(self._tail) or NOT_SIMPLE.search(text):
            return False
        half = self._tail[max(self._tail.rfind("\n"), self._tail.rfind("\r")) + 1 :]
        if len(half) + len(text) > cuts.MAX_LINE_CHARS:
            return False
        block = self.open[-1]
        tokens = lengthened(block.tokens, half, text)
        if tokens is None:
            return False
        self._tail += text
        self._shown_chars += len(text)
        self.parsed_chars += len(text)
        self.open = [*self.open[:-1], replace(block, source=block.source + text, tokens=tokens)]
        return True

    def _show(self) -> None:
        """Make the open blocks of the tail."""
        if self._line is not None:
            self.open = [replace(self._piece(self._tail), is_open=self.is_growing)]
            self._set_references([])
            return
        whole_chars, blocks, found = self._whole or (0, [], [])
        text = self._tail
        if self.is_growing:
            half = text[whole_chars:]
            text = text if re.fullmatch(UNDECIDED, half) is None else text[:whole_chars]
        if len(text) > whole_chars:
            blocks, found = self._parse(text)
        if self.is_growing and blocks:
            blocks = self._with_table_head(text, blocks)
            blocks = [*blocks[:-1], replace(blocks[-1], is_open=True)]
        self.open, self._shown_chars = blocks, len(text)
        # While a line is written the target on it is half.
        self._set_references([it for it in found if not self.is_growing or it[0] < whole_chars])

    def _set_references(self, found: Sequence[Found]) -> None:
        if found:
            self.references = {label: target for _, label, target in reversed(found)} | self._kept_references
        elif self.references is not self._kept_references:
            self.references = self._kept_references

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

    def _parse(self, text: str) -> tuple[list[Block], list[Found]]:
        """Parse the beginning of the tail, which may go on with a block that was cut."""
        if (known := self._parse_rows(text)) is not None:
            return known
        cut = self._cut
        prefix = cuts.prefix(cut)
        self.parsed_chars += len(prefix) + len(text)
        blocks, found = parse(prefix + text, self._kept_references)
        start = self._tail_start - len(prefix)
        blocks = [replace(block, start=block.start + start) for block in blocks]
        if cut is None or not blocks or blocks[0].kind != cut.kind or blocks[0].first_line:
            pass
        elif is_list(cut):
            blocks[0] = continuing(blocks[0], cut)
        else:
            blocks[0] = replace(
                cuts.without_prefix(blocks[0], prefix),
                start=start + len(prefix),
                line_count=blocks[0].line_count - prefix.count("\n"),
                previous=cut,
                head=cut.head or cut,
            )
        return blocks, [(at - len(prefix), label, target) for at, label, target in found]

    def _parse_rows(self, text: str) -> tuple[list[Block], list[Found]] | None:
        """Parse the beginning of the tail where it is a table that was known and new rows; None = it is not."""
        known_chars, blocks, found = self._whole or (0, [], [])
        if not blocks or len(text) <= known_chars or not can_go_on(blocks[0]):
            return None
        table, added = blocks[0], text[known_chars:]
        prefix = cuts.prefix(table)
        self.parsed_chars += len(prefix) + len(added)
        more, new = parse(prefix + added, self._kept_references)
        if new or len(more) != 1 or more[0].kind != "table" or more[0].first_line:
            return None
        return [with_rows(table, more[0], added)], found


def _parts(block: Block) -> list[Block]:
    """A block as the parts that are finished one after the other."""
    if is_list(block):
        return item_parts(block)
    return row_parts(block, cuts.MAX_TABLE_ROWS) if block.kind == "table" else [block]
