"""Blocks of Markdown as lines of a width: tokens in, wrapped lines with styles out.

A block is laid out by itself, so that what comes later changes no line above it. For the same reason whether items of
a list stand apart is taken from the blank line before each of them, and not from the list as a whole; and a number
takes the width it needs. Foreign text is made visible here, after parsing, since entities such as `&#27;` come to life
only then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len
from rich.style import Style

from kimi_tui.core.markdown.blocks import Block, siblings, task_box
from kimi_tui.core.markdown.details import details_of, ends_details
from kimi_tui.core.markdown.inline import References, parse_inline
from kimi_tui.core.text.visible import visible
from kimi_tui.ui.text.role_styles import Styles
from kimi_tui.ui.transcript.growing_wrap import GrowingWrap
from kimi_tui.ui.transcript.highlight import highlight
from kimi_tui.ui.transcript.lines import Line, Run, chop, goes_to, line_of, wrap
from kimi_tui.ui.transcript.lru_cache import LastRound
from kimi_tui.ui.transcript.table_layout import Wants, Widths, table_lines

if TYPE_CHECKING:
    from markdown_it.token import Token

BOLD, ITALIC, STRIKE, UNDERLINE = Style(bold=True), Style(italic=True), Style(strike=True), Style(underline=True)
INLINE_STYLES = {"strong_open": BOLD, "em_open": ITALIC, "s_open": STRIKE}
TASK_MARKS = {"[ ] ": "☐ ", "[x] ": "☑ ", "[X] ": "☑ "}
BULLETS = "•◦▪"
"""By the depth of the list."""
TAB_CHARS = 4
MIN_INNER_CELLS = 8
"""Quotes and items in each other stand without their marks where less than that is left for their text."""
MAX_MARK_CELLS = 8
"""A longer mark (the label of a footnote) stands on lines of its own."""


def displayable(text: str) -> str:
    """Foreign text, safe and with its tabs as blanks."""
    return visible(text).expandtabs(TAB_CHARS) if "\t" in text else visible(text)


def plain_lines(source: str, style: Style, width: int) -> list[Line]:
    """What is displayable is wrapped exactly as it stands."""
    return wrap([(displayable(source), style)], width)


class LayoutCache:
    """What is kept from one layout of a growing block to the next: wrapped texts, cells of tables, lines of code.

    A line of code is coloured by itself, when it is new; the whole is coloured together when it is complete.
    """

    def __init__(self) -> None:
        self.open_text = GrowingWrap()
        """Wraps the text at the very end of the block."""
        self.known = LastRound()
        self._look: tuple[References, Styles] | None = None

    def begin(self, references: References, styles: Styles) -> None:
        """Begin a layout; other targets of links and another theme make other lines."""
        self.known.begin()
        if self._look is None or self._look[0] is not references or self._look[1] is not styles:
            self._look = references, styles
            self.known.clear()


def block_lines(
    block: Block,
    styles: Styles,
    width: int,
    references: References,
    cache: LayoutCache | None = None,
    *,
    columns: Widths | None = None,
    is_growing: bool = False,
) -> list[Line]:
    """Lay out one block at a width in cells, without a blank line around it.

    `cache` None = nothing is kept from one layout of the block to the next. `columns` are the widths of the columns of
    a table; None = the block is the whole table. `is_growing` says that more of the message is written, so that targets
    of links may come.
    """
    layout = _Layout(block, styles, references, cache, is_growing=is_growing)
    lines = list(layout.top(width, columns))
    if block.joint != "\n" and lines:
        lines[-1] = replace(lines[-1], joint=block.joint)
    return lines


class _Mark(NamedTuple):
    text: str
    copied: str
    """What is copied for it."""
    hidden_chars: int = 0
    """Characters of the item's own text that it stands for."""


class _Layout:
    def __init__(
        self, block: Block, styles: Styles, references: References, cache: LayoutCache | None, *, is_growing: bool
    ) -> None:
        self._block, self._styles, self._references, self._cache = block, styles, references, cache
        self._is_growing = is_growing
        self._open_text = block.open_text
        if cache is not None:
            cache.begin(references, styles)

    def top(self, width: int, columns: Widths | None) -> Iterator[Line]:
        """The lines of the block; one that continues another (`goes_on`) has no code label and no table head."""
        block = self._block
        if block.kind == "fence":
            before = block.previous.tokens[0].content if block.previous and block.previous.joint == "\n" else ""
            yield from self._code(block.tokens[0], width, before=before, is_first=not block.goes_on)
        elif block.kind == "table":
            yield from self._table(block.tokens, width, self._styles.base, columns, has_head=not block.goes_on)
        else:
            yield from self._blocks(block.tokens, width, self._styles.base)

    def _blocks(
        self, tokens: Sequence[Token], width: int, style: Style, *, in_item: bool = False, depth: int = 0
    ) -> Iterator[Line]:
        for place, block in enumerate(siblings(tokens)):
            if place and (not in_item or self._is_apart(block[0])):
                yield line_of(())
            yield from self._block_lines(block, max(width, 1), style, depth)

    def _is_apart(self, token: Token) -> bool:
        return token.map is not None and token.map[0] - 1 in self._blank_lines

    @cached_property
    def _blank_lines(self) -> set[int]:
        return self._block.blank_lines()

    def _block_lines(self, tokens: Sequence[Token], width: int, style: Style, depth: int) -> Iterator[Line]:
        first, inner = tokens[0], tokens[1:-1]
        match first.type:
            case "heading_open":
                yield from self._heading(first, inner, width)
            case "paragraph_open":
                yield from self._text(inner[0], style, width)
            case "bullet_list_open" | "ordered_list_open":
                yield from self._list(first, inner, width, style, depth)
            case "blockquote_open":
                yield from self._quote(inner, width, depth)
            case "footnote_reference_open":
                label = first.meta["label"]
                yield from self._hung(_Mark(f"[{label}] ", f"[^{label}]: "), inner, width, style, depth)
            case "fence" | "code_block":
                yield from self._code(first, width)
            case "table_open":
                yield from self._table(tokens, width, style)
            case "math_block":
                yield from self._formula(first, width, style)
            case "hr":
                yield line_of([("─" * width, self._styles.role("rule"))])
            case _:
                yield from self._html(first.content, width)

    def _heading(self, first: Token, inner: Sequence[Token], width: int) -> Iterator[Line]:
        style = self._styles.role("heading")
        level = int(first.tag[1:])
        style += {1: BOLD + UNDERLINE, 2: BOLD, 3: BOLD}.get(level, ITALIC)
        yield from self._text(inner[0], style, width)

    def _quote(self, inner: Sequence[Token], width: int, depth: int) -> Iterator[Line]:
        bar = "▌ " if width - 2 >= MIN_INNER_CELLS else ""
        rule = self._styles.role("rule")
        for line in self._blocks(inner, width - len(bar), self._styles.role("quote"), depth=depth):
            yield line.led(bar, rule, "> ")

    def _list(self, first: Token, inner: Sequence[Token], width: int, style: Style, depth: int) -> Iterator[Line]:
        number = self._block.number if first is self._block.tokens[0] else None
        if number is None:
            number = int(first.attrs.get("start", 1))
        for place, (opener, *item, _) in enumerate(siblings(inner)):
            if place and self._is_apart(opener):
                yield line_of(())
            if first.type == "ordered_list_open":
                text = f"{number}{first.markup or '.'} "
                mark = _Mark(text, text)
            else:
                task = task_box(item)
                bullet = TASK_MARKS.get(task, f"{BULLETS[min(depth, len(BULLETS) - 1)]} ")
                mark = _Mark(bullet, f"{opener.markup or '-'} {task}", len(task))
            yield from self._hung(mark, item, width, style, depth)
            number += 1

    def _hung(self, mark: _Mark, tokens: Sequence[Token], width: int, style: Style, depth: int) -> Iterator[Line]:
        marker, text = self._styles.role("marker"), mark.text
        indent = cell_len(text)
        if indent > MAX_MARK_CELLS:
            yield from plain_lines(text.rstrip(), marker, width)
            indent, text = 2, "  "
        if width - indent < MIN_INNER_CELLS:
            indent, text = 0, ""
        lines = list(self._blocks(tokens, width - indent, style, in_item=True, depth=depth + 1)) or [line_of(())]
        if mark.hidden_chars:
            lines[0] = _without_start(lines[0], mark.hidden_chars)
        further = " " * len(mark.copied)
        for place, line in enumerate(lines):
            yield line.led(" " * indent, marker, further) if place else line.led(text, marker, mark.copied)

    def _html(self, source: str, width: int) -> Iterator[Line]:
        """HTML as text; what opens and closes a part that can be folded elsewhere as its title and its end."""
        dim = self._styles.role("dim-text")
        if ends_details(source):
            yield line_of(()).led("▴", dim)
        elif (details := details_of(source)) is None:
            yield from plain_lines(source.rstrip("\n"), dim, width)
        else:
            for place, line in enumerate(plain_lines(details.title, self._styles.base + BOLD, max(width - 2, 1))):
                yield line.led("  " if place else "▾ ", self._styles.role("marker"))
            if details.rest:
                yield from plain_lines(details.rest, dim, width)

    def _formula(self, token: Token, width: int, style: Style) -> Iterator[Line]:
        source = token.content
        is_closed = token.meta.get("is_closed", True) or not self._block.is_open
        text = _readable(source, is_closed=is_closed)
        for line in wrap([(displayable(text), self._styles.math)], max(width - 2, 1)):
            yield line.led("  ", style)

    def _text(self, token: Token, style: Style, width: int) -> list[Line]:
        """The lines are kept while the block grows behind them."""
        if self._cache is None:
            return wrap(self.inline(token, style), width)
        if token is self._open_text:
            return self._cache.open_text.wrap(self.inline(token, style), width)
        key = "text", token.content, style, width
        return self._cache.known.get(key, lambda: wrap(self.inline(token, style), width))

    def _code(self, token: Token, width: int, *, before: str = "", is_first: bool = True) -> Iterator[Line]:
        lines = self._code_lines(token, width, before)
        if is_first:
            lines = chain(self._code_label(token.info, width), lines)
            if (first := next(lines, None)) is not None:
                yield replace(first, begins_code=True)
        yield from lines

    def _code_lines(self, token: Token, width: int, before: str) -> Iterator[Line]:
        styles, info = self._styles, token.info
        if not token.content:
            return
        code = displayable(token.content.removesuffix("\n"))

        def lay_out(runs: list[Run]) -> list[Line]:
            return [line.led(" ", styles.code).padded(styles.code) for line in chop(runs, max(width - 2, 1))]

        def lay_out_alone(text: str) -> list[Line]:
            return lay_out(highlight(text, info, styles)[0])

        if self._cache is None:
            for runs in highlight(code, info, styles, displayable(before)):
                yield from lay_out(runs)
        else:
            for text in code.split("\n"):
                yield from self._cache.known.get(("code", text, info, width), partial(lay_out_alone, text))

    def _code_label(self, info: str, width: int) -> Iterator[Line]:
        """It is decoration, so that it is not copied; further lines are indented."""
        label = self._styles.code_label
        lines = wrap([(displayable(info.strip()), label)], max(width - 2, 1)) if info.strip() else ()
        for place, line in enumerate(lines):
            text = f"{'  ' if place else ' '}{line.text}"
            yield line_of((), "").led(text, label).padded(self._styles.code)

    def _table(
        self, tokens: Sequence[Token], width: int, style: Style, columns: Widths | None = None, *, has_head: bool = True
    ) -> Iterator[Line]:
        rows = self._cells(tokens, style)
        widths = Wants.of(rows).widths(width) if columns is None else columns
        yield from table_lines(rows, widths, _aligns(tokens), width, self._styles, has_head=has_head)

    def _cells(self, tokens: Sequence[Token], style: Style) -> list[list[list[Run]]]:
        rows: list[list[list[Run]]] = []
        is_head = False
        for token in tokens:
            if token.type == "tr_open":
                rows.append([])
            elif token.type in {"th_open", "td_open"}:
                is_head = token.type == "th_open"
            elif token.type == "inline":
                rows[-1].append(self._cell(token, style + BOLD if is_head else style))
        return rows

    def _cell(self, token: Token, style: Style) -> list[Run]:
        """The text is kept while the table grows below it."""
        if self._cache is None or token is self._open_text:
            return self.inline(token, style)
        return self._cache.known.get(("cell", token.content, style), lambda: self.inline(token, style))

    def inline(self, token: Token, style: Style) -> list[Run]:
        runs: list[Run] = []
        stack, links = [style], list[tuple[str, int]]()
        for child in parse_inline(
            token.content, self._references, is_open=token is self._open_text, is_growing=self._is_growing
        ):
            if child.type == "link_open":
                links.append((str(child.attrGet("href") or ""), len(runs)))
                stack.append(stack[-1] + self._styles.role("link") + UNDERLINE)
            elif child.type == "link_close":
                stack.pop()
                target, start = links.pop()
                runs += self._target(target, "".join(text for text, _ in runs[start:]))
                runs[start:] = [(text, shown + goes_to(target)) for text, shown in runs[start:]]
            elif child.nesting == 1:
                stack.append(stack[-1] + INLINE_STYLES.get(child.type, Style()))
            elif child.nesting == -1:
                stack.pop()
            else:
                runs += self._leaf(child, stack[-1])
        return runs

    def _leaf(self, child: Token, style: Style) -> list[Run]:
        styles, text = self._styles, child.content
        match child.type:
            case "image":
                name = displayable(text) or "image"
                source = str(child.attrGet("src") or "")
                shown = [(f"▣ {name}", styles.role("link")), *self._target(source, name)]
                return [(part, style + goes_to(source)) for part, style in shown]
            case "softbreak" | "hardbreak":
                run = " " if child.type == "softbreak" else "\n", style
            case "code_inline":
                run = displayable(text), styles.code_inline
            case "math_inline":
                run = displayable(_readable(text, is_closed=child.meta.get("is_closed", True))), styles.math
            case "footnote_ref":
                run = f"[{displayable(text)}]", styles.role("link")
            case "html_inline":
                run = displayable(text), styles.role("dim-text")
            case "address":
                run = displayable(text), style + styles.role("link") + UNDERLINE + goes_to(text)
            case _:
                run = displayable(text), style
        return [run]

    def _target(self, target: str, text: str) -> list[Run]:
        """Where a link goes is always displayable, unless its text says just that."""
        target = displayable(target)
        if not target or target in {text, f"mailto:{text}"}:
            return []
        return [(f" ({target})", self._styles.role("dim-text"))]


def _readable(formula: str, *, is_closed: bool) -> str:
    """The formula stays as it was typed while it is being written, or where it cannot be translated."""
    from kimi_tui.core.markdown.math_text import readable  # noqa: PLC0415 - its tables are for few replies

    return (readable(formula) if is_closed else None) or formula


def _without_start(line: Line, chars: int) -> Line:
    (text, style), *others = line.runs or (("", Style()),)
    return line_of([(text[chars:], style), *others], line.joint)


def _aligns(tokens: Sequence[Token]) -> list[str]:
    heads = (token for token in tokens if token.type == "th_open")
    return [str(token.attrGet("style") or "").removeprefix("text-align:") for token in heads]
