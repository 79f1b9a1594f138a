"""Blocks of Markdown as lines of a width: tokens in, wrapped lines with styles out.

Foreign text is made visible here, after parsing, since entities such as `&#27;` come to life only then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.style import Style

from kimi_tui.core.markdown import Block, References, parse_inline
from kimi_tui.core.visible import visible
from kimi_tui.ui.widgets.transcript.highlight import LineColours, highlight
from kimi_tui.ui.widgets.transcript.lines import Line, Run, chop, line_of, wrap
from kimi_tui.ui.widgets.transcript.styles import Styles
from kimi_tui.ui.widgets.transcript.tables import table_lines

if TYPE_CHECKING:
    from markdown_it.token import Token

BOLD, ITALIC, STRIKE, UNDERLINE = Style(bold=True), Style(italic=True), Style(strike=True), Style(underline=True)
INLINE_STYLES = {"strong_open": BOLD, "em_open": ITALIC, "s_open": STRIKE}
TASK_MARKS = {"[ ] ": "☐ ", "[x] ": "☑ ", "[X] ": "☑ "}
BULLETS = "•◦▪"
"""Bullets of lists by their depth."""
TAB_CHARS = 4
"""Distance of tab stops."""


def shown(text: str) -> str:
    """Foreign text, safe and with its tabs as blanks."""
    return visible(text).expandtabs(TAB_CHARS) if "\t" in text else visible(text)


def plain_lines(source: str, style: Style, width: int) -> list[Line]:
    """Wrap text that is shown exactly as it stands."""
    return wrap([(shown(source), style)], width)


def block_lines(
    block: Block, styles: Styles, width: int, references: References, colours: LineColours | None = None
) -> list[Line]:
    """Lay out one block, without a blank line around it.

    Args:
        block: What is laid out.
        styles: The theme.
        width: Cells per line.
        references: Targets of links.
        colours: Colours of a fence that still grows; None = the block is complete.
    """
    return list(_Layout(styles, references, colours).top(block, width))


class _Layout:
    """Lays out tokens."""

    def __init__(self, styles: Styles, references: References, colours: LineColours | None) -> None:
        self._styles, self._references, self._colours = styles, references, colours

    def top(self, block: Block, width: int) -> Iterator[Line]:
        """The lines of a top-level block, which may go on with another one."""
        if block.kind == "fence":
            before = block.previous.tokens[0].content if block.previous else ""
            yield from self._code(block.tokens[0], width, before=before, is_first=block.head is None)
        elif block.kind == "table":
            yield from self._table(block, width)
        else:
            yield from self._blocks(block.tokens, width, self._styles.base)

    def _blocks(
        self, tokens: Sequence[Token], width: int, style: Style, *, is_tight: bool = False, depth: int = 0
    ) -> Iterator[Line]:
        place = 0
        while place < len(tokens):
            end = closing(tokens, place)
            if place and not is_tight:
                yield line_of(())
            yield from self._block(tokens[place : end + 1], max(width, 1), style, depth)
            place = end + 1

    def _block(self, tokens: Sequence[Token], width: int, style: Style, depth: int) -> Iterator[Line]:
        first, inner = tokens[0], tokens[1:-1]
        match first.type:
            case "heading_open":
                yield from self._heading(first, inner, width)
            case "paragraph_open":
                yield from wrap(self.inline(inner[0], style), width)
            case "bullet_list_open" | "ordered_list_open":
                yield from self._list(first, inner, width, style, depth)
            case "blockquote_open":
                yield from self._quote(inner, width)
            case "fence" | "code_block":
                yield from self._code(first, width)
            case "table_open":
                yield from self._rows(tokens, tokens, width, style, has_head=True)
            case "math_block":
                lines = wrap([(shown(first.content), self._styles.math)], width - 2)
                yield from (line.led("  ", style) for line in lines)
            case "hr":
                yield line_of([("─" * width, self._styles.role("rule"))])
            case _:
                yield from plain_lines(first.content.rstrip("\n"), self._styles.role("dim-text"), width)

    def _heading(self, first: Token, inner: Sequence[Token], width: int) -> Iterator[Line]:
        style = self._styles.role("heading")
        level = int(first.tag[1:])
        style += {1: BOLD + UNDERLINE, 2: BOLD, 3: BOLD}.get(level, ITALIC)
        yield from wrap(self.inline(inner[0], style), width)

    def _quote(self, inner: Sequence[Token], width: int) -> Iterator[Line]:
        rule = self._styles.role("rule")
        for line in self._blocks(inner, width - 2, self._styles.role("quote")):
            yield line.led("▌ ", rule, "> ")

    def _list(self, first: Token, inner: Sequence[Token], width: int, style: Style, depth: int) -> Iterator[Line]:
        is_ordered = first.type == "ordered_list_open"
        start = first.attrGet("start")
        number = 1 if start is None else int(start)
        items = sum(token.type == "list_item_open" and token.level == first.level + 1 for token in inner)
        digits = len(str(number + items - 1))
        # Tight is what the parser hid the paragraphs of, of this list alone.
        is_tight = any(t.type == "paragraph_open" and t.hidden and t.level == first.level + 2 for t in inner)
        is_tight = is_tight or not any(t.type == "paragraph_open" and t.level == first.level + 2 for t in inner)
        place = 0
        while place < len(inner):
            end = closing(inner, place)
            mark = f"{number:>{digits}}. " if is_ordered else f"{BULLETS[min(depth, 2)]} "
            if place and not is_tight:
                yield line_of(())
            yield from self._item(inner[place + 1 : end], mark, width, style, is_tight=is_tight, depth=depth)
            number, place = number + 1, end + 1

    def _item(
        self, tokens: Sequence[Token], mark: str, width: int, style: Style, *, is_tight: bool, depth: int
    ) -> Iterator[Line]:
        copied = mark.lstrip() if mark.strip()[0].isdigit() else "- "
        task = TASK_MARKS.get(tokens[1].content[:4]) if len(tokens) > 1 and tokens[0].type == "paragraph_open" else None
        if task and copied == "- ":
            mark, copied = task, f"- {tokens[1].content[:4]}"
        indent, marker = cell_len(mark), self._styles.role("marker")
        lines = list(self._blocks(tokens, width - indent, style, is_tight=is_tight, depth=depth + 1)) or [line_of(())]
        if task and copied != mark.lstrip():
            lines[0] = _without_mark(lines[0])
        for place, line in enumerate(lines):
            yield line.led(" " * indent, marker, " " * len(copied)) if place else line.led(mark, marker, copied)

    def _code(self, token: Token, width: int, *, before: str = "", is_first: bool = True) -> Iterator[Line]:
        styles, language = self._styles, (token.info.split() or [""])[0]
        if language and is_first:
            label = line_of([(f" {shown(language)}", styles.code_label)])
            yield replace(label, padding=styles.code, joint="", lead_chars=len(label.text))
        if not token.content:
            return
        code = shown(token.content.removesuffix("\n"))
        if self._colours is not None and token.type == "fence":
            coloured = self._colours.highlight(code, language, styles)
        else:
            coloured = highlight(code, language, styles, shown(before))
        for runs in coloured:
            for line in chop(runs, max(width - 2, 1)):
                yield replace(line.led(" ", styles.code), padding=styles.code)

    def _table(self, block: Block, width: int) -> Iterator[Line]:
        head = block.head or block
        yield from self._rows(block.tokens, head.tokens, width, self._styles.base, has_head=block.head is None)

    def _rows(
        self, tokens: Sequence[Token], measured: Sequence[Token], width: int, style: Style, *, has_head: bool
    ) -> Iterator[Line]:
        rows = self._cells(tokens, style)
        sizes = rows if measured is tokens else self._cells(measured, style)
        yield from table_lines(rows, sizes, _aligns(measured), width, self._styles, has_head=has_head)

    def _cells(self, tokens: Sequence[Token], style: Style) -> list[list[list[Run]]]:
        rows: list[list[list[Run]]] = []
        is_head = False
        for token in tokens:
            if token.type == "tr_open":
                rows.append([])
            elif token.type in {"th_open", "td_open"}:
                is_head = token.type == "th_open"
            elif token.type == "inline":
                rows[-1].append(self.inline(token, style + BOLD if is_head else style))
        return rows

    def inline(self, token: Token, style: Style) -> list[Run]:
        """The text of an inline token with its emphasis, code and links."""
        runs: list[Run] = []
        stack, links = [style], list[tuple[str, int]]()
        for child in parse_inline(token.content, self._references):
            if child.type == "link_open":
                links.append((str(child.attrGet("href") or ""), len(runs)))
                stack.append(stack[-1] + self._styles.role("link") + UNDERLINE)
            elif child.type == "link_close":
                stack.pop()
                target, start = links.pop()
                runs += self._target(target, "".join(text for text, _ in runs[start:]))
            elif child.nesting == 1:
                stack.append(stack[-1] + INLINE_STYLES.get(child.type, Style()))
            elif child.nesting == -1:
                stack.pop()
            else:
                runs += self._leaf(child, stack[-1])
        return runs

    def _leaf(self, child: Token, style: Style) -> list[Run]:
        if child.type == "image":
            name = shown(child.content) or "image"
            return [(f"▣ {name}", self._styles.role("link")), *self._target(str(child.attrGet("src") or ""), name)]
        if child.type in {"softbreak", "hardbreak"}:
            return [(" " if child.type == "softbreak" else "\n", style)]
        own_styles = {
            "code_inline": self._styles.code_inline,
            "math_inline": self._styles.math,
            "html_inline": self._styles.role("dim-text"),
        }
        return [(shown(child.content), own_styles.get(child.type, style))]

    def _target(self, target: str, text: str) -> list[Run]:
        """Where a link goes is always shown, unless its text says just that."""
        target = shown(target)
        if not target or target in {text, f"mailto:{text}"}:
            return []
        return [(f" ({target})", self._styles.role("dim-text"))]


def _without_mark(line: Line) -> Line:
    (text, style), *others = line.runs or (("", Style()),)
    return line_of([(text[4:], style), *others], line.joint)


def _aligns(tokens: Sequence[Token]) -> list[str]:
    heads = (token for token in tokens if token.type == "th_open")
    return [str(token.attrGet("style") or "").removeprefix("text-align:") for token in heads]


def closing(tokens: Sequence[Token], place: int) -> int:
    """The place of the token that closes the one at a place."""
    depth = 0
    for at in range(place, len(tokens)):
        depth += tokens[at].nesting
        if depth == 0:
            return at
    return len(tokens) - 1
