"""How many cells of a terminal a text takes, where no terminal's own tables are at hand: never fewer than it does.

Source: Unicode Standard Annex #11, East Asian Width; marks that combine take none.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

_NO_CELL = frozenset({"Mn", "Me"})
_WIDE = frozenset({"W", "F"})
_EMOJI_FORM = "\ufe0f"
"""Asks for the emoji form of the character before, which may take one cell more."""
_FIRST_EMOJI = 0x1F000
"""From here on terminals disagree, and newer tables than Python's know more wide characters."""


def cells_of(text: str) -> int:
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(char: str) -> int:
    if char == _EMOJI_FORM:
        return 1
    category = unicodedata.category(char)
    if category in _NO_CELL:
        return 0
    is_wide = unicodedata.east_asian_width(char) in _WIDE or ord(char) >= _FIRST_EMOJI or category == "Cn"
    return 2 if is_wide else 1


def cut(text: str, cells: int) -> str:
    """The beginning of a text in at most so many cells (> 0), with "…" at its end where that is not all."""
    if cells_of(text) <= cells:
        return text
    place, left = 0, cells - 1
    while (left := left - _cells(text[place])) >= 0:
        place += 1
    return f"{text[:place].rstrip()}…"


def folded(line: str, columns: int) -> Iterator[str]:
    """A line in parts of at most so many cells, cut at blanks; those behind the first are indented.

    What has no blank stays whole, so that a path or an address can be taken from the screen.
    """
    part = ""
    for word in line.split(" "):
        longer = f"{part} {word}" if part else word
        if part.strip() and cells_of(longer) > columns:
            yield part
            part = f"  {word}"
        else:
            part = longer
    yield part
