"""What is selected: two points in the texts, which stay where they are when lines break elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from kimi_tui.core.markdown.blocks import Block
from kimi_tui.ui.transcript.lines import Line
from kimi_tui.ui.transcript.painter import Mark, Span
from kimi_tui.ui.transcript.pieces import Piece
from kimi_tui.ui.transcript.viewport import Place, Viewport


class Point(NamedTuple):
    """Address of a place between two characters; tuple order is reading order."""

    place: Place
    """The piece, its line not counted."""
    chars: int
    """Characters of the piece before it: without decoration, line ends and the blanks of wrapped lines counted."""


class SelectionRange(NamedTuple):
    anchor: Point
    caret: Point

    @property
    def start(self) -> Point:
        return min(self.anchor, self.caret)

    @property
    def end(self) -> Point:
        return max(self.anchor, self.caret)

    @property
    def is_empty(self) -> bool:
        return self.anchor == self.caret


def point_at(viewport: Viewport, place: Place, char: int) -> Point:
    """The point before a character of a line, decoration counted."""
    lines = viewport.lines(place)
    if not lines:
        return Point(place.of_piece, 0)
    line = lines[place.line]
    before = sum(other.chars for other in lines[: place.line])
    return Point(place.of_piece, before + min(max(char - line.lead_chars, 0), line.text_chars))


def place_of(viewport: Viewport, point: Point) -> tuple[Place, int]:
    """The line that a point is on, and its character there, decoration counted.

    Behind the last character of a line that goes on without a blank is the beginning of the next line.
    """
    lines = viewport.lines(point.place)
    chars = point.chars
    for number, line in enumerate(lines):
        is_here = chars < line.text_chars or (chars == line.text_chars and line.joint)
        if is_here or number == len(lines) - 1:
            return point.place._replace(line=number), line.lead_chars + min(chars, line.text_chars)
        chars = max(chars - line.chars, 0)
    return point.place, 0


def selected_span(viewport: Viewport, selected: SelectionRange, place: Place, line: Line) -> Span | None:
    start, end = selected.start, selected.end
    if not start.place <= place.of_piece <= end.place:
        return None
    before = sum(other.chars for other in viewport.lines(place)[: place.line])
    first = max(start.chars - before, 0) if place.of_piece == start.place else 0
    last = line.chars
    if place.of_piece == end.place:
        last = min(end.chars - before, last)
    if last <= first:
        return None
    size = line.text_chars
    line_end = 1 if last > size and line.joint == "\n" else 0
    return Span(line.lead_chars + min(first, size), line.lead_chars + min(last, size) + line_end, Mark.SELECTED)


def word_at(viewport: Viewport, place: Place, char: int) -> SelectionRange:
    text = viewport.lines(place)[place.line].text
    start = end = min(char, max(len(text) - 1, 0))
    while start > 0 and _is_word(text[start - 1]) and _is_word(text[start : start + 1]):
        start -= 1
    while end < len(text) and _is_word(text[end]):
        end += 1
    return SelectionRange(point_at(viewport, place, start), point_at(viewport, place, max(end, start + 1)))


def moved(selected: SelectionRange, places: Mapping[int, int]) -> SelectionRange | None:
    """New indices of entries by the old ones; None when an entry of the range is gone."""
    anchor, caret = selected.anchor, selected.caret
    at_anchor, at_caret = places.get(anchor.place.item), places.get(caret.place.item)
    if at_anchor is None or at_caret is None:
        return None
    return SelectionRange(
        anchor._replace(place=anchor.place._replace(item=at_anchor)),
        caret._replace(place=caret.place._replace(item=at_caret)),
    )


def _is_word(char: str) -> bool:
    return char.isalnum() or char in "_-./"


def whole_block(viewport: Viewport, place: Place) -> SelectionRange:
    """From its first to its last character: a paragraph, a list, code."""
    pieces, first, last = viewport.chunk(place).pieces, place.piece, place.piece
    if _is_list_part(pieces[place.piece]):
        while first > 0 and _goes_on(pieces[first], pieces[first - 1]):
            first -= 1
        while last + 1 < len(pieces) and _goes_on(pieces[last + 1], pieces[last]):
            last += 1
    end = place.of_piece._replace(piece=last)
    chars = sum(line.chars for line in viewport.lines(end))
    return SelectionRange(Point(place.of_piece._replace(piece=first), 0), Point(end, chars))


def _is_list_part(piece: Piece) -> bool:
    return isinstance(piece.content, Block) and piece.content.is_list


def _goes_on(piece: Piece, before: Piece) -> bool:
    return _is_list_part(before) and isinstance(piece.content, Block) and piece.content.goes_on
