"""What is copied: the source. What is selected as a whole is copied as it was written, a part of it as it is shown.

A part of code and of plain text is copied as it was written too, its tabs included; of a table whole rows are copied,
as Markdown.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import pairwise

from rich.style import Style

from kimi_tui.core.markdown.block_parts import HEAD_LINES
from kimi_tui.core.markdown.blocks import LINES, Block
from kimi_tui.core.text.visible import visible, visible_line
from kimi_tui.ui.state.entry import EntryKind
from kimi_tui.ui.text.role_styles import Styles
from kimi_tui.ui.transcript.code_blocks import CODE_TOKENS
from kimi_tui.ui.transcript.item import Item
from kimi_tui.ui.transcript.layout import TAB_CHARS, displayable
from kimi_tui.ui.transcript.lines import Line
from kimi_tui.ui.transcript.pieces import Look, Section
from kimi_tui.ui.transcript.selection_range import SelectionRange
from kimi_tui.ui.transcript.viewport import Place, Viewport

PLAIN_WIDTH = 100
"""In cells: rules and tables need a width even in plain text."""


def selected_text(viewport: Viewport, selected: SelectionRange) -> str:
    start, end = selected.start, selected.end
    texts: list[str] = []
    for item in range(start.place.item, end.place.item + 1):
        parts = list(_item_parts(viewport, item, selected))
        texts.append("\n".join(part.strip("\n") if len(parts) > 1 else part for part in parts))
    if len(texts) == 1:
        return texts[0].rstrip("\n")
    return "\n\n".join(text.strip("\n") for text in texts if text.strip("\n"))


def _item_parts(viewport: Viewport, item: int, selected: SelectionRange) -> Iterator[str]:
    """The heading is among them only when the range goes on behind it."""
    start, end = selected.start.place, selected.end.place
    for section, below in pairwise(Section):
        first, last = Place(item, section), Place(item, below)
        if last <= start or first > end:
            continue
        if section is Section.HEAD and start <= first and end >= last:
            heading = viewport.items[item].entry.heading  # without what stands beside it and below it
            text = heading if start < first or selected.start.chars < len(visible_line(heading)) else ""
        elif section is not Section.HEAD and start < first and end >= last:
            text = viewport.items[item].text(section) if viewport.items[item].section(section).chunks else ""
        else:
            text = "".join(_pieces_text(viewport, max(first, start), min(last, end), selected))
        if text:
            yield text


def _pieces_text(viewport: Viewport, first: Place, last: Place, selected: SelectionRange) -> Iterator[str]:
    is_fence_whole = False
    for place in viewport.pieces_from(first):
        if place > last or (place.item, place.section) != (first.item, first.section):
            return
        start = selected.start.chars if place == selected.start.place else None
        end = selected.end.chars if place == selected.end.place else None
        content = viewport.piece(place).content
        if isinstance(content, Block) and content.kind == "fence":
            # The marks of a fence are copied when the range goes over them: it began before and goes on behind.
            is_fence_whole = start is None and end is None and (not content.goes_on or is_fence_whole)
            yield content.source if is_fence_whole else _part_text(viewport, place, start, end)
        elif _is_whole(viewport, place, start, end) and content is not None:
            yield _without_gap(content, is_first=start is not None)
        else:
            yield _part_text(viewport, place, start, end)


def _is_whole(viewport: Viewport, place: Place, start: int | None, end: int | None) -> bool:
    if start is None and end is None:
        return True
    lines = viewport.lines(place)
    chars = sum(line.chars for line in lines) - (len(lines[-1].joint) if lines else 0)
    blanks = next((n for n, line in enumerate(lines) if line.text_chars), 0)  # empty lines above the text
    return (start or 0) <= sum(line.chars for line in lines[:blanks]) and (end is None or end >= chars)


def _without_gap(content: Block | str, *, is_first: bool) -> str:
    if isinstance(content, str):
        return content
    return content.source.lstrip("\r\n") if is_first else content.source


def _part_text(viewport: Viewport, place: Place, start: int | None, end: int | None) -> str:
    """What parts the piece from the next one is added when the range goes on there."""
    lines, content = viewport.lines(place), viewport.piece(place).content
    above = _chars_above(content, lines)
    # Of a range that began before, what stands between the two pieces is copied with the first.
    first, last = above if start is None else start, sum(line.chars for line in lines) if end is None else end
    gap = _gap(content) if end is None else ""
    if isinstance(content, str):
        return _source_part(content.replace("\r\n", "\n"), first, last) + ("\n" if gap else "")
    if isinstance(content, Block) and content.kind in CODE_TOKENS:
        code = content.tokens[0].content
        return _source_part(code, first - above, last - above) + gap
    if isinstance(content, Block) and content.kind == "table":
        rows = _touched_rows(lines, first, last)
        is_in_a_line = len(rows) == 1 and start is not None and end is not None
        if rows and not is_in_a_line:
            return _rows_source(content, rows[0], rows[-1]) + gap
    return _shown_part(lines, first, last).rstrip("\n" if gap else "") + gap


def _chars_above(content: Block | str | None, lines: list[Line]) -> int:
    """Characters of the blank line that sets the block apart, 0 = there is none.

    It alone has no runs, since each line of the block has its indent.
    """
    return lines[0].chars if isinstance(content, Block) and lines and not lines[0].runs else 0


def _gap(content: Block | str | None) -> str:
    if isinstance(content, Block):
        return content.source[len(content.source.rstrip("\r\n")) :]
    return "\n" if content is None or content.endswith("\n") else ""


def _shown_part(lines: list[Line], start: int, end: int) -> str:
    """Lines that are selected from their beginning get the marks of their lists and quotes."""
    parts: list[str] = []
    place, is_begun = 0, True
    for line in lines:
        first, last = max(start - place, 0), min(end - place, line.chars)
        place += line.chars
        if last > first:
            text = line.text[line.lead_chars :] + line.joint
            if first == 0 and is_begun:
                parts.append(line.copied_lead)
            parts.append(text[first:last])
        is_begun = line.joint == "\n"
    return "".join(parts)


def _source_part(source: str, start: int, end: int) -> str:
    start, end = max(start, 0), max(end, 0)
    if displayable(source) == source:
        return source[start:end]
    offsets = _shown_offsets(source)
    return source[bisect_left(offsets, start) : bisect_left(offsets, end)]


def _shown_offsets(source: str) -> list[int]:
    offsets = [0]
    column = 0
    for char in source:
        size = TAB_CHARS - column % TAB_CHARS if char == "\t" else len(visible(char))
        column = 0 if char == "\n" else column + size
        offsets.append(offsets[-1] + size)
    return offsets


def _touched_rows(lines: list[Line], start: int, end: int) -> list[int]:
    """The row that each line shows which a range touches."""
    rows, place = [], 0
    for line in lines:
        if place < end and start < place + line.chars and line.runs:
            rows.append(line.row)
        place += line.chars
    return rows


def _rows_source(table: Block, first: int, last: int) -> str:
    """Row 0 is the head, with the rule below it."""
    head = 0 if table.goes_on else HEAD_LINES
    rows = LINES.findall(table.source)[table.first_line :]
    return "\n".join(row.rstrip("\r\n") for row in rows[head + first - 1 if first else 0 : head + last])


def plain_text(item: Item) -> str:
    if item.kind is not EntryKind.ASSISTANT:
        return item.text(Section.BODY)
    fresh = Item(item.entry, is_folded=True)  # laid out apart, so that what is on screen is not touched
    look, parts = Look(Styles({}, Style()), PLAIN_WIDTH), list[str]()
    for place, _ in enumerate(fresh.section(Section.BODY).chunks):
        for piece, _ in enumerate(fresh.chunk(Section.BODY, place, look).pieces):
            is_begun = True
            for line in fresh.lines(Section.BODY, place, piece, look):
                lead = line.copied_lead if is_begun else ""
                parts.append(lead + line.text[line.lead_chars :].rstrip() + line.joint)
                is_begun = line.joint == "\n"
    return "".join(parts).strip("\n")
