"""Steps through a text as people count: by whole characters and by words.

A character that people see may be several code points: a letter with its accents, a joined emoji, a flag. Where one
ends and the next begins is told by Unicode's text segmentation (UAX #29), which wcwidth knows; it is imported when a
text needs it, since most steps are beside ASCII.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from enum import Enum, auto

REACH = 128
"""Code points looked at on either side: more than any character that is meant, and a step costs the same everywhere."""
WORD_REACH = 1_000
"""Code points of the longest word that is passed in one step, likewise."""
SKIN_TONES = range(0x1F3FB, 0x1F400)
"""They colour the emoji before them. Source: UTS #51, emoji modifiers."""


def start_before(text: str, at: int) -> int:
    """Where the character begins that ends at a place, or that the place lies in; 0 at the beginning."""
    if at < 2 or text[at - 2 : at].isascii():
        return max(at - 1, 0)
    from wcwidth import grapheme_boundary_before  # noqa: PLC0415 - see above

    first = max(at - REACH, 0)
    return first + grapheme_boundary_before(text[first:at], at - first)


def end_after(text: str, at: int) -> int:
    """Where the character ends that begins at a place; the text's length at its end."""
    if text[at : at + 2].isascii():
        return min(at + 1, len(text))
    from wcwidth import iter_graphemes  # noqa: PLC0415 - see above

    return at + len(next(iter_graphemes(text[at : at + REACH])))


def snapped(text: str, at: int) -> int:
    """The place itself; of one inside a character the place behind that."""
    if not 0 < at < len(text) or text[at - 1 : at + 1].isascii():
        return at
    start = start_before(text, at + 1)
    return at if start == at else min(end_after(text, start), len(text))


def word_start_before(text: str, at: int) -> int:
    """Where the word begins before a place: blanks are passed, then letters and digits, or else other signs."""
    return snapped(text, at - _run(reversed(text[max(at - WORD_REACH, 0) : at])))


def word_end_after(text: str, at: int) -> int:
    """Where the word ends behind a place: blanks are passed, then letters and digits, or else other signs."""
    return snapped(text, at + _run(text[at : at + WORD_REACH]))


class _Kind(Enum):
    BLANK = auto()
    LETTER = auto()
    SIGN = auto()
    PART = auto()  # of whatever character it belongs to


def _run(text: Iterable[str]) -> int:
    """How many code points are blanks, and then of one kind."""
    length, run = 0, _Kind.BLANK
    for char in text:
        kind = _kind_of(char)
        if kind not in {run, _Kind.PART}:
            if run is not _Kind.BLANK:
                break
            run = kind
        length += 1
    return length


def _kind_of(char: str) -> _Kind:
    if char.isspace():
        return _Kind.BLANK
    if char.isalnum() or char == "_":
        return _Kind.LETTER
    is_part = unicodedata.category(char) in {"Mn", "Mc", "Me", "Cf"} or ord(char) in SKIN_TONES
    return _Kind.PART if is_part else _Kind.SIGN
