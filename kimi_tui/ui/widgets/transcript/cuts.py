"""Where a long text is cut into stretches, so that no more than one of them has to be parsed to show a screen.

A stretch of Markdown ends where every block ends for certain: at a blank line outside fences, before a line that
begins with a letter or a heading's mark. What offers no such place for long is cut where it hurts least. The places
depend on the text alone, not on how it was cut when it came.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

SOFT_CHARS = 16_000
"""From here on the first safe place is taken."""
FORCED_CHARS = 64_000
"""From here on any blank line will do, and a fence is cut at a line's end."""
LINE_CHARS = 128_000
"""From here on any line's end will do."""
HARD_CHARS = 256_000
"""Here a line is cut."""
_PROTECTED = re.compile(
    r"^ {0,3}(?:(?P<fence>`{3,}(?=[^`\n]*$)|~{3,})[^\n]*|<(?P<html>!--|(?:pre|script|style|textarea)(?=[\s>])))",
    re.MULTILINE | re.IGNORECASE,
)
"""What may hold blank lines: a fence, and a few kinds of HTML."""
_SAFE = re.compile(r"\n[ \t\r]*\n(?=[^\W\d_]|#)")
_BLANK = re.compile(r"\n[ \t\r]*\n(?=\S)")


class Cut(NamedTuple):
    """Where a stretch ends."""

    chars: int
    """How many characters it has."""
    opening: str
    """First line of the fence that the next stretch goes on with; "" = none."""


class _Range(NamedTuple):
    """Text that is not to be cut at blank lines."""

    start: int
    end: int
    opening: str
    """First line of a fence; "" = it is no fence."""


def next_cut(text: str, opening: str, *, is_markdown: bool) -> Cut | None:
    """Say where the stretch that begins a text ends.

    Args:
        text: The text from the stretch's beginning; what stands behind `HARD_CHARS` + 1 does not matter.
        opening: First line of the fence that it begins in; "" = none.
        is_markdown: Whether it is Markdown.

    Returns:
        The end; None = the text may still grow into this stretch.
    """
    if len(text) <= SOFT_CHARS:
        return None
    if not is_markdown:
        return _plain_cut(text)
    cuts = [Cut(HARD_CHARS, "")] if len(text) > HARD_CHARS else []
    if line := text.find("\n", LINE_CHARS) + 1:
        cuts.append(Cut(line, ""))
    free = 0
    for range_ in (*_protected(text, opening), _Range(len(text), len(text), "")):
        found = _blank_cut(text, free, range_.start) or _fence_cut(text, range_)
        if found is not None:
            cuts.append(found)
            break
        free = range_.end
    cut = min(cuts, default=None)
    return cut if cut is not None and cut.chars < len(text) else None


def _plain_cut(text: str) -> Cut | None:
    end = text.find("\n", SOFT_CHARS, FORCED_CHARS) + 1
    if not end and len(text) > FORCED_CHARS:
        end = FORCED_CHARS
    return Cut(end, "") if 0 < end < len(text) else None


def _protected(text: str, opening: str) -> Iterator[_Range]:
    place = 0
    if opening:
        place = _fence_end(text, 0, opening.lstrip()[:1], _mark_size(opening))
        yield _Range(0, place, opening)
    while (found := _PROTECTED.search(text, place)) is not None:
        if mark := found["fence"]:
            place = _fence_end(text, found.end(), mark[0], len(mark))
            yield _Range(found.start(), place, found[0] + "\n")
        else:
            closer = "-->" if found["html"] == "!--" else f"</{found['html']}>"
            end = text.find(closer, found.end())
            place = len(text) if end < 0 else end + len(closer)
            yield _Range(found.start(), place, "")


def _mark_size(opening: str) -> int:
    line = opening.lstrip()
    return len(line) - len(line.lstrip(line[0]))


def _fence_end(text: str, start: int, mark: str, size: int) -> int:
    closing = re.compile(rf"^ {{0,3}}{mark}{{{size},}}[ \t]*\r?$", re.MULTILINE)
    found = closing.search(text, start)
    return len(text) if found is None else found.end()


def _blank_cut(text: str, start: int, end: int) -> Cut | None:
    """The first blank line between two places behind which nothing goes on."""
    places = []
    for pattern, least in ((_SAFE, SOFT_CHARS), (_BLANK, FORCED_CHARS)):
        found = pattern.search(text, max(start, least - 1)) if end > least else None
        if found is not None and found.end() <= end:
            places.append(found.end())
    return Cut(min(places), "") if places else None


def _fence_cut(text: str, range_: _Range) -> Cut | None:
    """A line's end inside a fence that is too long."""
    if not range_.opening or range_.end <= FORCED_CHARS:
        return None
    line = text.find("\n", max(FORCED_CHARS, range_.start + len(range_.opening)), range_.end) + 1
    return Cut(line, range_.opening) if line else None
