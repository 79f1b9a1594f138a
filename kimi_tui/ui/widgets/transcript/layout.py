"""Blocks of Markdown as lines of a width: text in, wrapped lines with styles out.

Wrapping measures cells, not characters, so that no border ever shifts. Text has been made visible before it gets here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console
from rich.style import Style
from rich.text import Text

from kimi_tui.core.visible import visible
from kimi_tui.ui.widgets.transcript.highlight import highlight
from kimi_tui.ui.widgets.transcript.styles import Styles

if TYPE_CHECKING:
    from markdown_it.token import Token

MIN_CELL = 6
"""Narrowest column of a table, in cells."""
CONSOLE = Console(width=80, color_system=None)
BOLD, ITALIC, STRIKE, UNDERLINE = Style(bold=True), Style(italic=True), Style(strike=True), Style(underline=True)
INLINE_STYLES = {"strong_open": BOLD, "em_open": ITALIC, "s_open": STRIKE}
TASK_MARKS = {"[ ] ": "☐ ", "[x] ": "☑ ", "[X] ": "☑ "}


def wrap(text: Text, width: int) -> list[Text]:
    """Wrap at words, long words anywhere; at least one line."""
    text.expand_tabs(4)
    lines = list(text.wrap(CONSOLE, max(width, 1), tab_size=4)) or [Text(style=text.style)]
    for line in lines:
        line.rstrip()
    return lines


def plain_lines(source: str, style: Style, width: int) -> list[Text]:
    """Wrap text that is shown exactly as it stands."""
    shown = visible(source).split("\n")
    return [line for paragraph in shown for line in wrap(Text(paragraph, style), width)]


class BlockLayout:
    """Lays out the tokens of one block."""

    def __init__(self, styles: Styles, width: int) -> None:
        """Lay out with these styles at that width in cells."""
        self._styles, self._width = styles, width

    def lines(self, tokens: Sequence[Token]) -> list[Text]:
        """The lines of a block, without a blank one after it."""
        return list(self._blocks(list(tokens), self._width, self._styles.base))

    def _blocks(self, tokens: list[Token], width: int, style: Style, *, is_tight: bool = False) -> Iterator[Text]:
        place, is_first = 0, True
        while place < len(tokens):
            end = _closing(tokens, place)
            if not is_first and not is_tight:
                yield Text(style=style)
            is_first = False
            yield from self._block(tokens[place : end + 1], width, style)
            place = end + 1

    def _block(self, tokens: list[Token], width: int, style: Style) -> Iterator[Text]:
        first, inner = tokens[0], tokens[1:-1]
        match first.type:
            case "heading_open":
                yield from self._heading(first, inner, width)
            case "paragraph_open":
                yield from wrap(self._inline(inner[0], style), width)
            case "bullet_list_open" | "ordered_list_open":
                yield from self._list(first, inner, width, style)
            case "blockquote_open":
                yield from self._quote(inner, width)
            case "fence" | "code_block":
                yield from self._code(first, width)
            case "table_open":
                yield from self._table(inner, width, style)
            case "hr":
                yield Text("─" * width, self._styles.role("rule"))
            case _:
                yield from plain_lines(first.content.rstrip("\n"), self._styles.role("dim-text"), width)

    def _heading(self, first: Token, inner: list[Token], width: int) -> Iterator[Text]:
        style = self._styles.role("heading") + BOLD
        text = self._inline(inner[0], style + UNDERLINE if first.tag == "h1" else style)
        yield from wrap(text, width)

    def _quote(self, inner: list[Token], width: int) -> Iterator[Text]:
        bar = Text("▌ ", self._styles.role("rule"))
        for line in self._blocks(inner, max(width - 2, 1), self._styles.role("quote")):
            yield bar + line

    def _list(self, first: Token, inner: list[Token], width: int, style: Style) -> Iterator[Text]:
        number = int(first.attrGet("start") or 1)
        is_tight = any(token.type == "paragraph_open" and token.hidden for token in inner)
        place = 0
        while place < len(inner):
            end = _closing(inner, place)
            mark = f"{number}. " if first.type == "ordered_list_open" else "• "
            if place and not is_tight:
                yield Text(style=style)
            yield from self._item(inner[place + 1 : end], mark, width, style, is_tight=is_tight)
            number, place = number + 1, end + 1

    def _item(self, tokens: list[Token], mark: str, width: int, style: Style, *, is_tight: bool) -> Iterator[Text]:
        indent = cell_len(mark)
        marker = self._styles.role("marker")
        lines = list(self._blocks(tokens, max(width - indent, 1), style, is_tight=is_tight)) or [Text(style=style)]
        task = TASK_MARKS.get(lines[0].plain[:4])
        if task and mark == "• ":
            mark, lines[0] = task, lines[0][4:]
        for place, line in enumerate(lines):
            yield Text(mark if place == 0 else " " * indent, marker) + line

    def _code(self, token: Token, width: int) -> Iterator[Text]:
        styles, language = self._styles, (token.info.split() or [""])[0]
        if language:
            yield _padded(
                Text(f" {visible(language)}", styles.role("code-label") + Style(bgcolor=styles.code.bgcolor)),
                width,
                styles.code,
            )
        code = visible(token.content.removesuffix("\n").expandtabs(4))
        for line in highlight(code, language, styles):
            for piece in _chop(line, max(width - 2, 1)):
                yield _padded(Text(" ", styles.code) + piece, width, styles.code)

    def _inline(self, token: Token, style: Style) -> Text:
        """The text of an inline token with its emphasis, code and links."""
        text, stack, targets = Text(style=style), [style], list[str]()
        for child in token.children or []:
            if child.type == "link_open":
                targets.append(str(child.attrGet("href") or ""))
                stack.append(self._styles.role("link") + UNDERLINE)
            elif child.type == "link_close":
                stack.pop()
                self._target(text, targets.pop())
            elif child.nesting == 1:
                stack.append(stack[-1] + INLINE_STYLES.get(child.type, Style()))
            elif child.nesting == -1:
                stack.pop()
            else:
                self._leaf(text, child, stack[-1])
        return text

    def _leaf(self, text: Text, child: Token, style: Style) -> None:
        match child.type:
            case "code_inline":
                text.append(
                    visible(child.content),
                    style + Style(color=self._styles.role("marker").color, bgcolor=self._styles.code.bgcolor),
                )
            case "softbreak":
                text.append(" ", style)
            case "hardbreak":
                text.append("\n", style)
            case "image":
                text.append(f"[image: {visible(child.content)}]", self._styles.role("link"))
                self._target(text, str(child.attrGet("src") or ""))
            case _:
                text.append(visible(child.content), style)

    def _target(self, text: Text, target: str) -> None:
        """Where a link goes is always shown, unless its text says just that."""
        if target and not text.plain.endswith(target):
            text.append(f" ({visible(target)})", self._styles.role("dim-text"))

    def _table(self, tokens: list[Token], width: int, style: Style) -> Iterator[Text]:
        rows = [[self._inline(t, style) for t in row] for row in _rows(tokens)]
        aligns = _aligns(tokens)
        columns = max(len(row) for row in rows)
        widths = _column_widths(rows, columns, width)
        rule = self._styles.role("rule")
        for place, row in enumerate(rows):
            if place == 0:
                for cell in row:
                    cell.stylize(BOLD)
            yield from _table_row(row, widths, aligns, rule)
            if place == 0:
                yield Text("─┼─".join("─" * column for column in widths), rule)


def _closing(tokens: list[Token], place: int) -> int:
    """The place of the token that closes the one at a place."""
    depth = 0
    for at in range(place, len(tokens)):
        depth += tokens[at].nesting
        if depth == 0:
            return at
    return len(tokens) - 1


def _rows(tokens: list[Token]) -> list[list[Token]]:
    rows: list[list[Token]] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(token)
    return rows


def _aligns(tokens: list[Token]) -> list[str]:
    return [
        str(token.attrGet("style") or "").removeprefix("text-align:") for token in tokens if token.type == "th_open"
    ]


def _column_widths(rows: list[list[Text]], columns: int, width: int) -> list[int]:
    """As wide as the widest cell, narrowed together where they do not fit."""
    natural = [max((row[n].cell_len for row in rows if n < len(row)), default=1) or 1 for n in range(columns)]
    room = max(width - 3 * (columns - 1), columns)
    if sum(natural) <= room:
        return natural
    fair = room // columns
    spare = room - sum(min(size, fair) for size in natural)
    wide = sum(size - fair for size in natural if size > fair)
    return [size if size <= fair else max(min(fair + spare * (size - fair) // wide, size), 1) for size in natural]


def _table_row(row: list[Text], widths: list[int], aligns: list[str], rule: Style) -> Iterator[Text]:
    cells = [wrap(cell, column) for cell, column in zip(row, widths, strict=False)]
    cells += [[Text()] for _ in widths[len(cells) :]]
    for place in range(max(len(cell) for cell in cells)):
        line = Text()
        for number, (cell, column) in enumerate(zip(cells, widths, strict=True)):
            piece = cell[place] if place < len(cell) else Text()
            gap = max(column - piece.cell_len, 0)
            before = {"right": gap, "center": gap // 2}.get(aligns[number] if number < len(aligns) else "", 0)
            line.append(" │ " if number else "", rule)
            line = line + Text(" " * before) + piece + Text(" " * (gap - before))
        yield line


def _chop(line: Text, width: int) -> list[Text]:
    """Cut a line of code into pieces that fit, blanks kept."""
    if line.cell_len <= width:
        return [line]
    offsets, used = list[int](), 0
    for place, char in enumerate(line.plain):
        size = cell_len(char)
        if used + size > width:
            offsets.append(place)
            used = 0
        used += size
    return list(line.divide(offsets))


def _padded(line: Text, width: int, style: Style) -> Text:
    return line + Text(" " * max(width - line.cell_len, 0), style)
