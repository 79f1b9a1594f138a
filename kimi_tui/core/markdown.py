"""Markdown source as top-level blocks that grow at the end only.

How it works, in the order in which a text goes through it:

1. `MarkdownSource.append` adds text to the *tail*, the part that may still change.
2. Of the tail's whole lines, all blocks but the last are finished: they never change again.
3. What is too long is cut, so that the tail stays small whatever is written: a fence and a table go on under their own
   first lines, anything else at a line's end; a line without end goes on as pieces of its own. A part that goes on
   with another one names it (`Block.head`, `Block.previous`).
4. The last block, and what a half line behind it makes, are `open`: parsed again with every text that comes, or only
   made longer where the new text cannot change what kind of block it is.

So a text costs as much as it is long, and the blocks depend on the text alone, not on how it was cut when it came.
While a text `is_growing`, marks at its very end that may yet become anything are held back, so that nothing is shown
that the next character takes away; `settle` ends that. The text inside a block (emphasis, links) is parsed when the
block is laid out, by `inline.parse_inline`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from kimi_tui.core.inline import References, parse_inline
from kimi_tui.core.markdown_rules import blocks_parser

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["Block", "MarkdownSource", "References", "parse", "parse_inline"]

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
_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
"""A line with its end. The parser knows LF, CR and CRLF; `str.splitlines` would know more."""
_LINE = re.compile(r"[^\r\n]*")
_WHOLE_END = re.compile(r"\r\n|\n|\r(?!\Z)")
"""A line end; a CR at the very end may be half of one."""
_SENTENCE_ENDS = (". ", "! ", "? ", "。", "！", "？", "; ", ", ")
_STICKS = re.compile("[\u0300-\u036f\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U0001f1e6-\U0001f1ff]")
"""What must not be torn off the character before it."""
_DECIDED = re.compile(r"[ \t]*(?:(?:[-+*]|\d{1,9}[.)])[ \t]+|>[ \t]*)*(?:\[[ xX]\][ \t]+)?(?=[^\W\d_])")
"""The beginning of a line that is text inside a block, whatever stands behind it."""
_UNDECIDED = re.compile(
    r"[-+=*_#|:`~$\\<>!& \t]*(?:\d{1,9}(?:[.)][ \t]*)?)?"
    r"(?:\[(?:[ xX]\]?|\^[^\s\]]{0,60}\]?)?|\[(?!\^)[^\]\n]{1,200}\]:.*|<[/!]?(?:[A-Za-z][^<>\n]{0,200})?)?[ \t]*"
)
"""A half line that may yet become anything: marks, a number, a task's box, the beginning of a note, target or tag."""
_NOT_SIMPLE = re.compile(r"[\x00-\x08\x0a-\x1f|]|[^\S \t]")
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
    joint: str = "\n"
    """What parts it from the next block: a line end, or the blank (or nothing) at which a line was cut."""
    is_open: bool = False
    """Whether its end is still being written."""

    @property
    def end(self) -> int:
        """Where its source ends, in characters of the whole text."""
        return self.start + len(self.source)


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
        for portion in _portions(text):
            self._tail += portion
            if "\n" in portion or "\r" in self._tail or len(self._tail) > MAX_LINE_CHARS or self._line is not None:
                self._whole = None
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
                place = _long_line(self._tail)
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
            blocks, found = self._parse(self._tail[:whole_chars])
            taken, is_cut = self._take(blocks, whole_chars)
            self._keep(found, taken)
            whole_chars -= taken
            self._drop(taken)
            if not is_cut:
                rest = [(at - taken, label, target) for at, label, target in found if at >= taken]
                self._whole = whole_chars, blocks[-1:], rest
                return

    def _drop(self, chars: int) -> None:
        self._tail, self._tail_start, self._whole = self._tail[chars:], self._tail_start + chars, None

    def _keep(self, found: Sequence[Found], before: int) -> None:
        for place, label, target in found:
            if place < before:
                self._kept_references.setdefault(label, target)

    def _take(self, blocks: list[Block], whole_chars: int) -> tuple[int, bool]:
        """Finish all blocks but the last, up to the first that must be cut; how many characters, and whether it was."""
        if lead := _lead_chars(blocks, self._tail[:whole_chars]):
            self._cut = None
            return lead, True
        taken = 0
        for place, block in enumerate(blocks):
            cut, is_inside = _cut_chars(block)
            if cut:
                parts, _ = self._parse(block.source[:cut], taken)
                self.finished += parts
                self._cut = (parts[-1] if parts else self._cut) if is_inside else None
                return taken + cut, True
            if place < len(blocks) - 1:
                self.finished.append(block)
                self._cut = None
                taken += len(block.source)
        return taken, False

    # -- lines without end

    def _enter_line(self) -> None:
        """Cut the first line that is too long; all blocks up to there are finished."""
        start = _long_line(self._tail) or 0
        cut = start + _line_chars(self._tail, start)
        text = self._tail[:cut]
        blocks, found = self._parse(text)
        self._keep(found, start)
        if not blocks:
            tokens = _paragraph_tokens(text)
            blocks = [Block("paragraph", text, self._tail_start, 0, 1, tokens)]
        last = replace(blocks[-1], joint=_joint(blocks[-1], text))
        self.finished += [*blocks[:-1], last]
        self._cut, self._line = None, last
        self._drop(cut)

    def _go_on_inside_line(self) -> bool:
        """Finish the next piece of a line that was cut; False = it may still grow."""
        match = _LINE.match(self._tail)
        chars = match.end() if match else 0
        line_end = None
        if chars > MAX_LINE_CHARS:
            chars = _line_chars(self._tail, 0)
        else:
            line_end = _WHOLE_END.match(self._tail, chars)
            if line_end is None:
                return False
            chars = line_end.end()
        piece = self._piece(self._tail[:chars])
        if line_end is None:
            piece = replace(piece, joint=_joint(piece, piece.source))
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
        tokens = (token.copy(content=source),) if is_code else _paragraph_tokens(source)
        return Block(kind, source, self._tail_start, 0, 1, tokens, previous=before, head=before.head or before)

    # -- what is open

    def _lengthen(self, text: str) -> bool:
        """Make the last block longer where the text goes on inside a line whose kind is clear; False = it is not."""
        if self._line is not None or not self.open or self._shown_chars < len(self._tail) or _NOT_SIMPLE.search(text):
            return False
        half = self._tail[max(self._tail.rfind("\n"), self._tail.rfind("\r")) + 1 :]
        if len(half) + len(text) > MAX_LINE_CHARS:
            return False
        block = self.open[-1]
        tokens = _lengthened(block.tokens, half, text)
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
            text = text if _UNDECIDED.fullmatch(half) is None else text[:whole_chars]
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

    def _parse(self, text: str, place: int = 0) -> tuple[list[Block], list[Found]]:
        """Parse text that stands at a place of the tail; at its beginning it may go on with a block that was cut."""
        cut = None if place else self._cut
        prefix = _prefix(cut)
        self.parsed_chars += len(prefix) + len(text)
        blocks, found = parse(prefix + text, self._kept_references)
        start = self._tail_start + place - len(prefix)
        blocks = [replace(block, start=block.start + start) for block in blocks]
        if cut is not None and blocks and blocks[0].kind == cut.kind and not blocks[0].first_line:
            blocks[0] = replace(
                blocks[0],
                source=blocks[0].source[len(prefix) :],
                start=start + len(prefix),
                line_count=blocks[0].line_count - prefix.count("\n"),
                previous=cut,
                head=cut.head or cut,
            )
        return blocks, [(at - len(prefix), label, target) for at, label, target in found]


class _Found(dict[str, Any]):
    """New targets of links, in the parser's form; those known already are not taken again."""

    def __init__(self, known: References) -> None:
        super().__init__()
        self._known = known

    def __contains__(self, label: object) -> bool:
        return super().__contains__(label) or label in self._known


def parse(text: str, references: References | None = None) -> tuple[list[Block], list[Found]]:
    """Split a text into its top-level blocks, and find the targets of links that it adds to those known.

    The sources of the blocks join to the text, where it has any block.
    """
    env: dict[str, Any] = {"references": _Found(references or {})}
    tokens = blocks_parser().parse(text, env)
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
    found = [(offsets[it["map"][0]], label, str(it["href"])) for label, it in env["references"].items()]
    return blocks, found


def _portions(text: str) -> Iterator[str]:
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


def _prefix(cut: Block | None) -> str:
    """The lines under which a block that was cut goes on."""
    first = None if cut is None else cut.head or cut
    if first is None or first.kind not in PREFIX_LINES:
        return ""
    lines = _LINES.findall(first.source)[first.first_line :]
    return "".join(line.rstrip("\r\n") + "\n" for line in lines[: PREFIX_LINES[first.kind]])


def _lead_chars(blocks: Sequence[Block], text: str) -> int:
    """How much of the lines before the first block is let go, being many; 0 = nothing."""
    count = blocks[0].first_line if blocks else len(text)
    if count <= SOFT_LIMIT_LINES:
        return 0
    lines = _LINES.findall(text)[:count]
    return sum(map(len, lines[:SOFT_LIMIT_LINES])) if len(lines) > SOFT_LIMIT_LINES else 0


def _cut_chars(block: Block) -> tuple[int, bool]:
    """Where a block is too long, in characters of its source, and whether it goes on behind; 0 = it is not."""
    if (
        block.kind not in PREFIX_LINES
        and block.line_count <= SOFT_LIMIT_LINES
        and len(block.source) <= SOFT_LIMIT_CHARS
        and block.source.count("\n") <= SOFT_LIMIT_LINES
    ):
        return 0, False
    lines = _LINES.findall(block.source)
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


def _long_line(text: str) -> int | None:
    """Where the first line begins that is too long; None = there is none."""
    if len(text) > MAX_LINE_CHARS:
        for match in _LINES.finditer(text):
            if match.end() - match.start() > MAX_LINE_CHARS and len(match[0].rstrip("\r\n")) > MAX_LINE_CHARS:
                return match.start()
    return None


def _line_chars(text: str, start: int) -> int:
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


def _joint(block: Block, source: str) -> str:
    return " " if source[-1:] == " " and block.tokens[0].type not in {"fence", "code_block"} else ""


def _paragraph_tokens(text: str) -> tuple[Token, ...]:
    from markdown_it.token import Token  # noqa: PLC0415 - not before there is a reply

    span = [0, 1]
    return (
        Token("paragraph_open", "p", 1, map=span),
        Token("inline", "", 0, map=span, level=1, content=text.strip(), children=[]),
        Token("paragraph_close", "p", -1),
    )


def _lengthened(tokens: tuple[Token, ...], half: str, text: str) -> tuple[Token, ...] | None:
    """The tokens of a block whose last, half line goes on with a text; None = the block must be parsed again."""
    place = len(tokens) - 1
    while place and (tokens[place].nesting < 0 or _is_no_cell_yet(tokens, place)):
        place -= 1
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


def _is_no_cell_yet(tokens: tuple[Token, ...], place: int) -> bool:
    """Whether the parser added this cell to a row that is still being written."""
    token, before = tokens[place], tokens[place - 1]
    return token.type == "td_open" or (token.type == "inline" and not token.content and before.type == "td_open")


def _text_of(half: str, parent: str) -> str:
    """The part of a half line that is text inside its block, whatever stands behind it; "" = there is none."""
    if parent in {"td_open", "th_open"}:
        return half[half.rindex("|") + 1 :].lstrip(" \t") if "|" in half else ""
    decided = _DECIDED.match(half)
    return "" if decided is None or parent != "paragraph_open" or "|" in half else half[decided.end() :]
