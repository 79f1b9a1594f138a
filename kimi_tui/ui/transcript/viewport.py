"""Which lines are on screen.

The viewport is anchored, not scrolled: it knows the line at its top by entry, section, chunk, piece and line, or that
it follows the tail. Whatever arrives below or is corrected above cannot move what is being read, and only what is on
screen is ever laid out. Heights of what was never seen are estimates; they serve the scroll bar alone. Where there is
little to see, that is laid out as well, some lines at a time, so that the bar is exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat
from typing import NamedTuple

from kimi_tui.ui.transcript.heights import Heights
from kimi_tui.ui.transcript.items import Items
from kimi_tui.ui.transcript.lines import Line
from kimi_tui.ui.transcript.lru_cache import Recent
from kimi_tui.ui.transcript.pieces import Look, Piece, Section
from kimi_tui.ui.transcript.section_layout import ChunkLayout
from kimi_tui.ui.transcript.table_layout import Widths

KEPT_LINES = 4_000
"""How many lines stay laid out, those on screen besides."""
SHORT_LINES = 1_000
"""Of so few lines every one is laid out, whether or not it was in view; so are those of an entry in view."""
KEPT_CHARS = 1_000_000
"""How much source stays parsed, what is on screen besides."""
SECTIONS = tuple(Section)


class Place(NamedTuple):
    """Address of a line; tuple order is reading order."""

    item: int
    section: Section = Section.HEAD
    chunk: int = 0
    piece: int = 0
    line: int = 0

    @property
    def of_piece(self) -> Place:
        return self._replace(line=0)


TOP = Place(0)


class Viewport:
    def __init__(self, look: Look, height: int, *, fold_reasoning: bool = True) -> None:
        self.items = Items(fold_reasoning=fold_reasoning)
        self.is_following = True
        """Whether the end is kept in view."""
        self.height = height
        """Rows on screen."""
        self.look = look
        self._heights = Heights()
        self._unsure = bytearray()  # for each entry, whether lines of it may not be laid out yet
        self._lines_kept, self._chunks_kept = Recent(KEPT_LINES), Recent(KEPT_CHARS)
        self._top = TOP
        self._top_chars = 0  # characters of the piece before the line at the top: what stays when lines break elsewhere
        self._top_look = look
        self._top_row: tuple[int, int] | None = None  # the row of a table at the top, and the line of it there
        self._top_columns: Widths | None = None

    @property
    def page_lines(self) -> int:
        """Two lines stay in view when a page is turned."""
        return max(self.height - 2, 1)

    # -- entries

    def move(self, places: Mapping[int, int]) -> None:
        """Entries went or stand elsewhere: their new indices by the old ones.

        The line at the top stays when its entry does, else the entry before it is shown.
        """
        self.measure_all()
        above = next((index for index in range(self._top.item, -1, -1) if index in places), None)
        if above is None:
            self._top = TOP
        elif above == self._top.item:
            self._top = self._top._replace(item=places[above])
        else:
            self._top = Place(min(places[above] + 1, len(self.items) - 1))

    def add(self, changed: Iterable[int] = ()) -> None:
        """Entries were added at the end, and some of those before may have become others."""
        for index in changed:
            self.measure(index)
        for index in range(len(self._heights), len(self.items)):
            self._unsure.append(True)
            self._heights.append(self.items.height(index, self.look))

    def set_look(self, look: Look) -> None:
        """The line being read stays."""
        is_other_width = look.width != self.look.width
        self.look = look
        if is_other_width:
            self.measure_all()

    def measure_all(self) -> None:
        self._heights = Heights(self.items.height(index, self.look) for index in range(len(self.items)))
        self._unsure = bytearray(repeat(True, len(self.items)))

    def measure(self, place: int) -> None:
        self._heights.set(place, self.items.height(place, self.look))
        self._unsure[place] = True

    # -- pieces and lines

    def chunk(self, place: Place) -> ChunkLayout:
        chunk = self.items[place.item].chunk(place.section, place.chunk, self.look)
        self._chunks_kept.use(chunk, chunk.source.chars)
        return chunk

    def piece(self, place: Place) -> Piece:
        return self.chunk(place).pieces[place.piece]

    def lines(self, place: Place) -> list[Line]:
        lines = self.items[place.item].lines(place.section, place.chunk, place.piece, self.look)
        self._lines_kept.use(self.items[place.item].piece(place.section, place.chunk, place.piece), len(lines))
        return lines

    def line(self, place: Place) -> Line:
        return self.lines(place)[place.line]

    def pieces_from(self, place: Place) -> Iterator[Place]:
        """Begins with the piece that the place is in, and goes on to the end."""
        first_section, first_chunk, first_piece = place.section, place.chunk, place.piece
        for item in range(place.item, len(self.items)):
            for section in SECTIONS[first_section:]:
                part = self.items[item].section(section)
                chunk = first_chunk
                while chunk < len(part.chunks):
                    at = Place(item, section, chunk)
                    piece = first_piece
                    while piece < len(self.chunk(at).pieces):
                        yield at._replace(piece=piece)
                        piece += 1
                    chunk, first_piece = chunk + 1, 0
                first_chunk = first_piece = 0
            first_section = Section.HEAD

    def body_pieces(self, item: int) -> Iterator[Place]:
        for place in self.pieces_from(Place(item, Section.BODY)):
            if place.item != item or place.section != Section.BODY:
                return
            yield place

    def first_line(self, place: Place) -> Place:
        """The first line of a piece that has something on it."""
        return place._replace(line=next((number for number, line in enumerate(self.lines(place)) if line.runs), 0))

    def pieces_before(self, place: Place) -> Iterator[Place]:
        """Goes back to the beginning, without the piece that the place is in."""
        last_section = place.section
        last_chunk: int | None = place.chunk
        last_piece: int | None = place.piece
        for item in range(min(place.item, len(self.items) - 1), -1, -1):
            if item != place.item:
                last_section, last_chunk, last_piece = Section.TAIL, None, None
            for section in SECTIONS[last_section::-1]:
                part = self.items[item].section(section)
                chunk = len(part.chunks) - 1 if last_chunk is None else min(last_chunk, len(part.chunks) - 1)
                while chunk >= 0:
                    at = Place(item, section, chunk)
                    is_first = last_chunk == chunk and last_piece is not None
                    count = last_piece if is_first and last_piece is not None else len(self.chunk(at).pieces)
                    for piece in range(count - 1, -1, -1):
                        yield at._replace(piece=piece)
                    chunk, last_piece = chunk - 1, None
                last_chunk = last_piece = None

    def walk(self, start: Place) -> Iterator[tuple[Place, Line]]:
        for at in self.pieces_from(start):
            lines = self.lines(at)
            first = start.line if at == start.of_piece else 0
            for number in range(first, len(lines)):
                yield at._replace(line=number), lines[number]

    def back(self, place: Place, lines: int) -> Place:
        """The place some lines higher, or the very first.

        `place` may be behind the last piece; from there `lines` is at least 1.
        """
        lines -= place.line
        if lines <= 0:
            return place._replace(line=-lines)
        at = place.of_piece if self.is_there(place) else TOP
        for piece in self.pieces_before(place):
            count = len(self.lines(piece))
            if count:
                at = piece
            if count >= lines:
                return piece._replace(line=count - lines)
            lines -= count
        return at

    def tail_top(self) -> Place:
        """The top of the view when the last line is at its bottom."""
        if not self.items:
            return TOP
        return self.back(Place(len(self.items) - 1, Section.TAIL, 0, 1), max(self.height, 1))

    def is_there(self, place: Place) -> bool:
        if place.item >= len(self.items):
            return False
        part = self.items[place.item].section(place.section)
        return place.chunk < len(part.chunks) and place.piece < len(self.chunk(place).pieces)

    # -- the window

    @property
    def top(self) -> Place:
        if not self.items:
            return TOP
        return self.tail_top() if self.is_following else self._resolved_top()

    def _resolved_top(self) -> Place:
        top = self._top
        if top.item >= len(self.items):
            return self.tail_top()
        if not self.is_there(top):
            return Place(top.item)
        lines = self.lines(top)
        if self._top_look is not self.look or self._top_columns != self.piece(top).columns:
            line = line_of_row(lines, *self._top_row) if self._top_row else line_at(lines, self._top_chars)
            return top._replace(line=line)
        return top._replace(line=min(top.line, max(len(lines) - 1, 0)))

    def rows(self) -> list[tuple[Place, Line]]:
        """From top to bottom; fewer than the screen's where there are no more lines."""
        rows: list[tuple[Place, Line]] = []
        if self.height > 0 and self.items:
            for row in self.walk(self.top):
                rows.append(row)
                if len(rows) == self.height:
                    break
        for item in {place.item for place, _ in rows}:
            self.measure(item)
        return rows

    def lay_out_short(self, rows: Iterable[tuple[Place, Line]], lines: int) -> bool:
        """Lay out what was not in view where that is little; then its height is no estimate any more.

        What grows waits until it is whole. About `lines` lines may be laid out; False when that was not enough.
        """
        if self._heights.total <= SHORT_LINES:
            short = [item for item in reversed(range(len(self.items))) if self._unsure[item]]
        else:
            short = [item for item in {place.item for place, _ in rows} if self._heights[item] <= SHORT_LINES]
        for item in (item for item in short if not self.items[item].is_streaming):
            is_sure = True
            for section, chunk, piece in self.items[item].pieces_without_lines(self.look):
                if lines <= 0:
                    return False
                lines -= len(self.lines(Place(item, section, chunk, piece)))
                is_sure = False
            self.measure(item)
            if is_sure:
                self._unsure[item] = False
        return True

    def trim(self) -> None:
        """What lies far from what was seen last is given up."""
        self._lines_kept.trim()
        self._chunks_kept.trim()

    def scroll_to(self, place: Place, *, may_follow: bool = True) -> None:
        """A place behind the top of the last screen means that; `may_follow`: reaching the end means to follow it."""
        tail = self.tail_top()
        self.is_following = place >= tail and may_follow
        self._top = min(place, tail)
        self._top_look = self.look
        lines = self.lines(self._top) if self.items else []
        self._top_chars = sum(line.chars for line in lines[: self._top.line])
        self._top_row = row_at(lines, self._top.line)
        self._top_columns = self.piece(self._top).columns if self.items else None

    def scroll_lines(self, lines: int) -> None:
        """Negative = up, which stops following."""
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
        self.is_following = True

    def keep_row(self, place: Place, row: int) -> None:
        self.scroll_to(self.back(place, row))

    # -- the scroll bar

    def extent(self, top: Place) -> tuple[int, int]:
        """Lines above a view with that line at the top, and lines in all, by estimates for what was never seen."""
        if not self.items:
            return 0, 0
        item = self.items[min(top.item, len(self.items) - 1)]
        above = self._heights.before(top.item) + top.line
        for section in SECTIONS[: top.section]:
            above += item.section(section).height
        if self.is_there(top):
            above += item.section(top.section).lines_before(top.chunk)
            above += self.chunk(top).heights.before(top.piece)
        return above, max(self._heights.total, above)

    def scroll_to_line(self, line: int) -> None:
        """Put about that line, of all there are by estimate, at the top."""
        if not self.items:
            return
        index, rest = self._heights.find(max(line, 0))
        item = self.items[index]
        for section in Section:
            part = item.section(section)
            if rest >= part.height:
                rest -= part.height
                continue
            chunk, rest = part.find_line(rest)
            at = Place(index, section, chunk)
            piece, rest = self.chunk(at).heights.find(rest)
            at = at._replace(piece=piece)
            if self.is_there(at):
                self.scroll_to(at._replace(line=min(rest, max(len(self.lines(at)) - 1, 0))))
                return
        self.scroll_to(Place(index + 1) if index + 1 < len(self.items) else Place(index, Section.TAIL))


def line_at(lines: list[Line], chars: int) -> int:
    """The line that holds a character of a piece's text, decoration not counted."""
    for number, line in enumerate(lines):
        chars -= line.chars
        if chars < 0:
            return number
    return max(len(lines) - 1, 0)


def row_at(lines: list[Line], number: int) -> tuple[int, int] | None:
    """The row of a table that a line shows, and which line of that row it is; None = it shows none."""
    row = lines[number].row if number < len(lines) else -1
    return None if row < 0 else (row, sum(line.row == row for line in lines[:number]))


def line_of_row(lines: list[Line], row: int, line: int) -> int:
    """The last line of the row where it has fewer."""
    places = [number for number, other in enumerate(lines) if other.row == row]
    return places[min(line, len(places) - 1)] if places else max(len(lines) - 1, 0)
