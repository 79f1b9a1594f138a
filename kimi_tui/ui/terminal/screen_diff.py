"""Fewer bytes for the same screen: what the library would write, less what the terminal shows already.

A shadow of the screen's cells says what is there. Rows that only moved are scrolled by the terminal itself (DECSTBM
with DL or IL, which every terminal since the VT102 has), unchanged cells are passed over, and of a style (SGR) only
what differs from the cell before is written. Nothing is erased to a colour: terminals differ in that (BCE).

What cannot be known is not reckoned with. Whatever is no plain drawing passes as it is, and the screen counts as
unknown afterwards. Characters whose width terminals may see otherwise than the library (wide, combining, emoji) make
their text opaque: it is written whole or not at all, and what stands to the right of it is unknown until it is drawn
again. A drawing of the whole screen is how the library mends one that may be garbled, so it is written whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import count, repeat
from typing import NamedTuple, cast

from rich.cells import cell_len

SYNC_START, SYNC_END = "\x1b[?2026h", "\x1b[?2026l"
"""Around what is to be shown at once. Source: the synchronized output specification."""
MIN_ROWS = 3
"""How many rows must have changed before it is looked whether they only moved."""
MAX_GAP = 3
"""Unchanged cells between changed ones that are written too: to pass over them takes as many bytes."""

MOVE = re.compile(r"\x1b\[(\d+);(\d+)H")
ROW_ENDS = re.compile(r"\n+(?=\x1b\[\d+;\d+H)")
"""The library ends rows with them, also such of which it draws nothing: at the bottom they would scroll the screen."""
STYLE, RESET = re.compile(r"\x1b\[([\d;]+)m"), "0"
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
LINK = re.compile("\x1b\\]8;[^\x00-\x1f\x7f-\x9f]*\x1b\\\\")
PLAIN = frozenset(
    chr(code)
    for first, last in (
        (0x20, 0x7E), (0xA1, 0xAC), (0xAE, 0x2FF), (0x391, 0x3A1), (0x3A3, 0x482), (0x48A, 0x52F), (0x2010, 0x2027),
        (0x2030, 0x205E), (0x2190, 0x22FF), (0x2500, 0x25FC), (0x25FF, 0x25FF), (0x2800, 0x28FF), (0x2713, 0x2713),
        (0x2717, 0x2717), (0x276F, 0x276F),
    )
    for code in range(first, last + 1)
)  # fmt: skip
"""What takes one column in every terminal: Latin, Greek, Cyrillic, and what screens are drawn with."""

Cell = tuple[str, str]
"""A character one column wide, and its style: SGR parameters, "" = none."""


class Opaque(NamedTuple):
    """A column of a text that is written whole or not at all."""

    text: str
    column: int


class Unknown:
    """A column of which nobody knows what it shows; equal to itself alone."""

    __slots__ = ()


Row = tuple[Cell | Opaque | Unknown, ...]
BLANK: Cell = (" ", "")


class Piece(NamedTuple):
    """A text as the library writes it behind a cursor move, without styles that go on behind it."""

    text: str
    cells: Row
    is_plain: bool


Pieces = Sequence[tuple[int, Piece]]
"""What is drawn in a row, in that order, each with the column where it begins."""


class ScreenDiff:
    """Knows what a terminal shows. It does not look: whoever writes past it says so with `forget`."""

    def __init__(self) -> None:
        self._size = (0, 0)
        self._was_resized = False
        self._rows: list[Row] = []
        self._pen = _Pen()
        self._update = ""  # what is to be shown at once, as far as it has come

    def forget(self) -> None:
        """Take the screen for unknown, and whatever is drawn next for news."""
        columns, rows = self._size
        self._rows = [_unknown(columns) for _ in range(rows)]
        self._pen = _Pen()

    def note_resize(self) -> None:
        """The terminal has another size, or had: what it cut off is gone, whatever size it has now."""
        self._was_resized = True

    def reduce(self, data: str, size: tuple[int, int]) -> str:
        """What to write in the place of a text, so that the terminal shows the same; updates are written in one piece.

        `data` is one write of the library's: a whole drawing that ends with a cursor move, or anything else. Another
        size than before, in columns and rows, makes the screen unknown.
        """
        if data == SYNC_START:
            self._update = data
            return ""
        if size != self._size or self._was_resized:
            self._size, self._was_resized = size, False
            self.forget()
        self._update += data if data == SYNC_END else self._drawn(data)
        if self._update.startswith(SYNC_START) and data != SYNC_END:
            return ""
        written, self._update = self._update, ""
        return "" if written == SYNC_START + SYNC_END else written

    def _drawn(self, data: str) -> str:
        data = ROW_ENDS.sub("", data)
        drawing = _parse(data, self._size)
        if drawing is None:
            self.forget()
            return data
        pieces, cursor = drawing
        if len(pieces) == len(self._rows) and all(_width(row) >= self._size[0] for row in pieces.values()):
            self.forget()
        pen = self._pen
        pen.out = []
        wanted = {y: _laid(self._rows[y], row) for y, row in pieces.items()}
        region = self._scroll(wanted, pieces)
        for y in sorted(wanted):
            if self._rows[y] != wanted[y]:
                is_plain = y in region and _is_plain(wanted[y])
                self._draw_row(y, [(0, Piece("", wanted[y], is_plain=True))] if is_plain else pieces[y])
        pen.set_style("")
        pen.move(*cursor)
        return "".join(pen.out)

    def _draw_row(self, y: int, pieces: Pieces) -> None:
        for x, piece in pieces:
            row = self._rows[y]
            old = row[x : x + len(piece.cells)]
            if old == piece.cells:
                continue
            if piece.is_plain:
                for start, end in _changes(old, piece.cells):
                    self._pen.move(x + start, y)
                    self._pen.write(piece.cells[start:end], is_at_edge=x + end >= self._size[0])
            else:
                self._pen.move(x, y)
                self._pen.write_opaque(piece.text)
            self._rows[y] = _laid(row, [(x, piece)])

    # -- rows that only moved

    def _scroll(self, wanted: dict[int, Row], pieces: Mapping[int, Pieces]) -> range:
        """Let the terminal move rows where that spares some; what it moves or clears stands in `wanted` then."""
        old = self._rows
        new = [wanted.get(y, row) for y, row in enumerate(old)]
        if sum(row != old[y] for y, row in wanted.items()) < MIN_ROWS:
            return range(0)
        _, step, top, bottom = max(_moves(old, new), default=(0, 0, 0, 0))
        region = range(min(top, top + step), max(bottom, bottom + step))
        moved = _moved(old, region, step)
        for y in region:
            if moved[y - region.start] == new[y] or _is_plain(new[y]):
                continue
            if _width(pieces.get(y, ())) < self._size[0]:  # nobody could draw it again
                return range(0)
        if step:
            self._rows[region.start : region.stop] = moved
            self._pen.scroll(region, step)
            wanted.update((y, new[y]) for y in region)
        return region


class _Pen:
    """Writes cells with as few cursor moves and styles as it takes."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self._cursor: tuple[int, int] | None = None  # None = nobody knows
        self._style = ""

    def move(self, x: int, y: int) -> None:
        if self._cursor == (x, y):
            return
        if self._cursor is not None and self._cursor[1] == y and x > self._cursor[0]:
            self.out.append(f"\x1b[{x - self._cursor[0]}C")
        else:
            self.out.append(f"\x1b[{y + 1};{x + 1}H")
        self._cursor = x, y

    def write(self, cells: Row, *, is_at_edge: bool) -> None:
        """Write plain cells; behind the last column it depends on the terminal where the cursor is."""
        out = self.out
        for char, style in cast("Sequence[Cell]", cells):
            if style != self._style:
                self.set_style(style)
            out.append(char)
        self._advance(None if is_at_edge else len(cells))

    def write_opaque(self, text: str) -> None:
        """Write a text that brings its styles, however far that takes the cursor."""
        self.set_style("")
        self.out.append(text)
        self._advance(None)

    def set_style(self, style: str) -> None:
        if style != self._style:
            self.out.append(_turn(self._style, style))
            self._style = style

    def scroll(self, region: range, step: int) -> None:
        """Move rows up by as many as `step` says, or down where it is negative; rows that come in are blank."""
        change = f"{step}M" if step > 0 else f"{-step}L"
        top = region.start + 1
        self.out.append(f"\x1b[{top};{region.stop}r\x1b[{top};1H\x1b[{change}\x1b[r")
        self._cursor = None

    def _advance(self, columns: int | None) -> None:
        if self._cursor is not None:
            self._cursor = None if columns is None else (self._cursor[0] + columns, self._cursor[1])


def _parse(data: str, size: tuple[int, int]) -> tuple[dict[int, list[tuple[int, Piece]]], tuple[int, int]] | None:
    """Read a drawing: what stands in which row, and where the cursor is at the end; None = it is none, or too large."""
    before, *parts = MOVE.split(data)
    if before or not parts or parts[-1]:
        return None
    rows: dict[int, list[tuple[int, Piece]]] = {}
    for index in range(0, len(parts) - 3, 3):
        y, x, text = int(parts[index]) - 1, int(parts[index + 1]) - 1, parts[index + 2]
        piece = _piece(text)
        if piece is None or not 0 <= y < size[1] or not 0 <= x <= size[0] - len(piece.cells):
            return None
        rows.setdefault(y, []).append((x, piece))
    y, x = int(parts[-3]) - 1, int(parts[-2]) - 1
    return (rows, (x, y)) if 0 <= y < size[1] and 0 <= x < size[0] else None


@lru_cache(maxsize=512)
def _piece(text: str) -> Piece | None:
    """Read what stands between two cursor moves; None = it is more than text, styles and links."""
    bare = LINK.sub("", text) if "\x1b]" in text else text
    runs = _runs(bare)
    if runs is None:
        return None
    if bare == text and all(PLAIN.issuperset(chars) for _, chars in runs):
        if len(_SAME) > MAX_SAME:
            _SAME.clear()
        cells = [_SAME.setdefault(cell, cell) for style, chars in runs for cell in zip(chars, repeat(style))]
        return Piece(text, tuple(cells), is_plain=True)
    columns = sum(cell_len(chars) for _, chars in runs)
    return Piece(text, tuple(Opaque(text, column) for column in range(columns)), is_plain=False) if columns else None


MAX_SAME = 20_000
_SAME: dict[Cell, Cell] = {BLANK: BLANK}


def _runs(text: str) -> list[tuple[str, str]] | None:
    """Cut a text into styles and what is written in each; None = there is more in it."""
    first, *rest = STYLE.split(text)
    runs, now = [("", first)] if first else [], ""
    for style, chars in zip(rest[::2], rest[1::2], strict=True):
        if now and style != RESET:
            return None
        now = "" if style == RESET else style
        if chars:
            runs.append((now, chars))
    return None if now or CONTROL.search("".join(chars for _, chars in runs)) else runs


def _laid(row: Row, pieces: Pieces) -> Row:
    for x, piece in pieces:
        end = x + len(piece.cells)
        rest = row[end:] if piece.is_plain else _unknown(len(row) - end)
        row = (*row[:x], *piece.cells, *rest) if x or rest else piece.cells
    return row


def _unknown(columns: int) -> Row:
    return (Unknown(),) * columns


def _width(pieces: Pieces) -> int:
    """How many columns these cover from the first one on, without a gap."""
    end = 0
    for x, piece in sorted(pieces, key=lambda placed: placed[0]):
        if x > end:
            break
        end = max(end, x + len(piece.cells))
    return end


def _is_plain(cells: Row) -> bool:
    return {tuple}.issuperset(map(type, cells))


def _changes(old: Row, new: Row) -> Iterator[tuple[int, int]]:
    """From where to where cells differ; equal ones that are not the same object, which are few, count as different."""
    places = [place for place, before, after in zip(count(), old, new) if before is not after]
    start = end = places[0] if places else 0
    for place in places:
        if place - end > MAX_GAP:
            yield start, end
            start = place
        end = place + 1
    if places:
        yield start, end


def _moves(old: Sequence[Row], new: Sequence[Row]) -> Iterator[tuple[int, int, int, int]]:
    """Steps by which rows may have moved, each with the best stretch of rows for it.

    Each is how many rows that spares to draw, at least two; the step, positive for upwards; the first row that only
    moved, and the one behind the last, where they are now.
    """
    rows = len(old)
    is_new = [before != after for before, after in zip(old, new, strict=True)]
    for step in range(1 - rows, rows):
        if not step:
            continue
        places = range(max(0, -step), min(rows, rows - step))
        best, gain, top = (1, 0, 0), 0, places.start
        for y in places:
            if old[y + step] == new[y]:
                gain += is_new[y]
            elif not is_new[y]:
                gain -= 1
            if gain <= 0:
                gain, top = 0, y + 1
            elif gain > best[0]:
                best = gain, top, y + 1
        gain, top, bottom = best
        if gain == 1:
            continue
        cleared = range(bottom, bottom + step) if step > 0 else range(top + step, top)
        if (gain := gain - sum(not is_new[y] for y in cleared)) > 1:
            yield gain, step, top, bottom


def _moved(rows: Sequence[Row], region: range, step: int) -> list[Row]:
    if not step:
        return [rows[y] for y in region]
    part = rows[region.start : region.stop]
    cleared = [(BLANK,) * len(row) for row in part[: abs(step)]]
    return [*part[step:], *cleared] if step > 0 else [*cleared, *part[:step]]


@lru_cache(maxsize=4096)
def _turn(old: str, new: str) -> str:
    """The shortest way from one style to another."""
    if not new:
        return "\x1b[0m"
    full = f"\x1b[0;{new}m" if old else f"\x1b[{new}m"
    (attributes, *before), (wanted, *after) = _sections(old), _sections(new)
    if attributes != wanted or not all(now for then, now in zip(before, after, strict=True) if then):
        return full
    changed = [now for then, now in zip(before, after, strict=True) if then != now]
    return f"\x1b[{';'.join(changed)}m" if changed else ""


def _sections(style: str) -> tuple[str, str, str]:
    """The parts of a style: attributes, the colour of the text, that of the background."""
    attributes, colours = list[str](), ["", ""]
    codes = iter(style.split(";") if style else ())
    for code in codes:
        if code in {"38", "48"}:
            kind = next(codes, "")
            colours[code == "48"] = ";".join((code, kind, *(next(codes, "") for _ in range(3 if kind == "2" else 1))))
        elif 30 <= int(code or 0) <= 49 or 90 <= int(code or 0) <= 107:
            colours[int(code) % 60 >= 40] = code
        else:
            attributes.append(code)
    return ";".join(attributes), colours[0], colours[1]
