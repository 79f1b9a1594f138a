"""Which lines are on screen.

The viewport is anchored, not scrolled: it knows the line at its top by entry, section, piece and line, or that it
follows the tail. Whatever arrives below or is corrected above cannot move what is being read, and only what is on
screen is ever laid out. Heights of what was never seen are estimates; they serve the scroll bar alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from kimi_tui.ui.widgets.transcript.heights import Heights
from kimi_tui.ui.widgets.transcript.item import Item, Look, Section
from kimi_tui.ui.widgets.transcript.lines import Line


class Place(NamedTuple):
    """Where a line is; places compare as the lines stand."""

    item: int
    """Index of the entry."""
    section: int
    """Which part of the entry, as in `Section`."""
    piece: int
    """Index of the piece in the section."""
    line: int
    """Index of the line in the piece."""


TOP = Place(0, 0, 0, 0)
"""The very first line."""
_LINE_BITS, _PIECE_BITS, _SECTION_BITS = 20, 24, 2


def number_of(place: Place) -> int:
    """A place as one number, larger for a later place."""
    number = (place.item << _SECTION_BITS | place.section) << _PIECE_BITS | place.piece
    return number << _LINE_BITS | place.line


def place_of(number: int) -> Place:
    """The place that a number stands for."""
    rest, line = divmod(number, 1 << _LINE_BITS)
    rest, piece = divmod(rest, 1 << _PIECE_BITS)
    item, section = divmod(rest, 1 << _SECTION_BITS)
    return Place(item, section, piece, line)


class Viewport:
    """A window of lines over the entries."""

    def __init__(self, look: Look, height: int) -> None:
        """Begin empty and following."""
        self.items: list[Item] = []
        """The entries."""
        self.is_following = True
        """Whether the end is kept in view."""
        self.height = height
        """Rows on screen."""
        self._look = look
        self._heights = Heights()
        self._top = TOP
        self._top_chars = 0  # characters of the piece before the line at the top: what stays when lines break elsewhere
        self._top_look = look

    # -- entries

    def set_items(self, items: Iterable[Item]) -> None:
        """Show other entries; the line at the top stays when its entry does."""
        key = self.items[self._top.item].key if self._top.item < len(self.items) else None
        self.items = list(items)
        self._measure()
        place = next((n for n, item in enumerate(self.items) if item.key == key), None)
        self._top = TOP if place is None else self._top._replace(item=place)

    def add(self, item: Item) -> None:
        """Add an entry at the end."""
        self.items.append(item)
        self._heights.append(item.estimate(self._look.width))

    def set_look(self, look: Look) -> None:
        """Lay everything out anew; the line being read stays."""
        if look.width != self._look.width:
            self._look = look
            self._measure()
        self._look = look

    def _measure(self) -> None:
        self._heights = Heights(item.estimate(self._look.width) for item in self.items)

    def _update_height(self, place: int) -> None:
        self._heights.set(place, self.items[place].height)

    # -- walking

    def _lines(self, place: Place) -> list[Line]:
        return self.items[place.item].lines(Section(place.section), place.piece, self._look)

    def _pieces_from(self, place: Place) -> Iterator[Place]:
        """The piece that a place is in and all behind it."""
        first = place.piece
        sections = range(place.section, len(Section))
        for item in range(place.item, len(self.items)):
            for section in sections:
                count = len(self.items[item].pieces(Section(section), self._look))
                for piece in range(first, count):
                    yield Place(item, section, piece, 0)
                first = 0
            sections = range(len(Section))

    def _pieces_before(self, place: Place) -> Iterator[Place]:
        """All pieces before the one that a place is in, from there to the beginning."""
        last: int | None = place.piece
        section = place.section
        for item in range(min(place.item, len(self.items) - 1), -1, -1):
            while section >= 0:
                count = len(self.items[item].pieces(Section(section), self._look)) if last is None else last
                for piece in range(count - 1, -1, -1):
                    yield Place(item, section, piece, 0)
                section, last = section - 1, None
            section = len(Section) - 1

    def walk(self, start: Place) -> Iterator[tuple[Place, Line]]:
        """All lines from a place on."""
        for piece in self._pieces_from(start):
            lines = self._lines(piece)
            first = start.line if piece == start._replace(line=0) else 0
            for number in range(first, len(lines)):
                yield piece._replace(line=number), lines[number]

    def back(self, place: Place, lines: int) -> Place:
        """The place some lines higher, or the very first."""
        lines -= place.line
        if lines <= 0:
            return place._replace(line=-lines)
        at = place._replace(line=0)
        for piece in self._pieces_before(place):
            count = len(self._lines(piece))
            if count:
                at = piece
            if count >= lines:
                return piece._replace(line=count - lines)
            lines -= count
        return at

    def end(self) -> Place:
        """The place behind the last line."""
        return Place(len(self.items), 0, 0, 0)

    def tail_top(self) -> Place:
        """The top of the view when the last line is at its bottom."""
        if not self.items:
            return TOP
        last = Place(len(self.items) - 1, len(Section) - 1, 1, 0)
        return self.back(last, self.height)

    # -- the window

    @property
    def top(self) -> Place:
        """The line at the top."""
        if not self.items:
            return TOP
        return self.tail_top() if self.is_following else self._resolved_top()

    def _resolved_top(self) -> Place:
        """The anchor among the lines as they are now."""
        top = self._top
        if top.item >= len(self.items):
            return self.tail_top()
        if top.piece >= len(self.items[top.item].pieces(Section(top.section), self._look)):
            return top._replace(section=Section.HEAD, piece=0, line=0)
        lines = self._lines(top)
        if self._top_look is not self._look:
            return top._replace(line=_line_at(lines, self._top_chars))
        return top._replace(line=min(top.line, max(len(lines) - 1, 0)))

    def rows(self) -> list[tuple[Place, Line]]:
        """What is on screen, from top to bottom; fewer rows where there are no more lines."""
        rows: list[tuple[Place, Line]] = []
        if self.height > 0 and self.items:
            for row in self.walk(self.top):
                rows.append(row)
                if len(rows) == self.height:
                    break
        for item in {place.item for place, _ in rows}:
            self._update_height(item)
        return rows

    def scroll_to(self, place: Place) -> None:
        """Put a line at the top; at or behind the tail, follow it."""
        tail = self.tail_top()
        self.is_following = place >= tail
        self._top = min(place, tail)
        self._top_look = self._look
        lines = self._lines(self._top)[: self._top.line] if self.items else []
        self._top_chars = sum(len(line.text) - line.lead_chars + len(line.joint) for line in lines)

    def scroll_lines(self, lines: int) -> None:
        """Scroll; negative = up, which stops following."""
        if not self.items:
            return
        top = self.top
        if lines < 0:
            self.scroll_to(self.back(top, -lines))
            return
        for place, _ in self.walk(top):
            if not lines:
                self.scroll_to(place)
                return
            lines -= 1
        self.follow()

    def follow(self) -> None:
        """Keep the end in view."""
        self.is_following = True

    def keep_row(self, place: Place, row: int) -> None:
        """Put a line on a row of the screen."""
        self.scroll_to(self.back(place, row))

    # -- the scroll bar

    def extent(self) -> tuple[int, int]:
        """Lines above the view and lines in all, by estimates for what was never seen."""
        if not self.items:
            return 0, 0
        top = self.top
        item = self.items[min(top.item, len(self.items) - 1)]
        above = self._heights.before(top.item) + top.line
        for section in range(top.section + 1):
            pieces = item.pieces(Section(section), self._look)
            above += sum(piece.height for piece in (pieces[: top.piece] if section == top.section else pieces))
        return above, max(self._heights.total, above)

    def scroll_to_line(self, line: int) -> None:
        """Put about that line, of all there are by estimate, at the top."""
        if not self.items:
            return
        index, rest = self._heights.find(max(line, 0))
        for piece in self._pieces_from(Place(index, 0, 0, 0)):
            height = self.items[piece.item].pieces(Section(piece.section), self._look)[piece.piece].height
            if rest < height:
                self.scroll_to(piece._replace(line=min(rest, max(len(self._lines(piece)) - 1, 0))))
                return
            rest -= height
        self.follow()


def _line_at(lines: list[Line], chars: int) -> int:
    for number, line in enumerate(lines):
        chars -= len(line.text) - line.lead_chars + len(line.joint)
        if chars < 0:
            return number
    return max(len(lines) - 1, 0)
