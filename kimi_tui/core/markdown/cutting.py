"""Where a long text is cut, and at which sizes.

First into chunks, so that no more than one of them has to be parsed to show a screen. A chunk of Markdown ends where
every block ends for certain: at a blank line outside fences, before a line that begins with a letter or a heading's
mark. A fence, table, list or paragraph that offers no such place for long goes on in the next chunk, a fence and a
table under their own first lines. The places depend on the text alone, not on how it was cut when it came. They are
found by patterns and not by the parser, which would have to read all of a text from its beginning, forty times slower,
for a reply of which one screen is shown.

Then into parts, which are laid out one by one: lines of a chunk of plain text (`PlainSource`), and of Markdown what
`block_parts` makes of its parsed blocks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from kimi_tui.core.markdown.fences import fence_end, opening_behind

SAFE_CHARS = 12_000
"""From here on the first safe place is taken."""
FORCED_CHARS = 14_000
"""From here on a block is cut: a fence at a line's end, anything else before a line that is not indented."""
LINE_CHARS = 20_000
"""From here on any line's end will do."""
HARD_CHARS = 32_000
"""Before here a line is cut."""
WORD_CHARS = 200
"""How far back it is cut at a blank."""
MAX_LINES = 40
MAX_CHARS = 4_000
"""Of a part of plain text; a longer line goes on in the next part."""
MAX_CODE_LINES = 50
MAX_TABLE_ROWS = 30
MAX_TEXT_CHARS = 3_000
"""Characters of a paragraph, or of a line of code, in one part."""
MARKER_CHARS = 64
"""A control marker is shorter than that."""
_HALF_MARKER = re.compile("[<\\[]\u2060*[|/]?\\w*\\|?\\Z")
_SENTENCE_ENDS = (". ", "! ", "? ", "。", "！", "？", "; ", ", ")
_STICKS = re.compile("[\u0300-\u036f\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U0001f1e6-\U0001f1ff]")
"""What must not be torn off the character before it."""
_PROTECTED = re.compile(
    r"^ {0,3}(?:(?P<fence>`{3,}(?=[^`\n]*$)|~{3,})[^\n]*|<(?P<html>!--|(?:pre|script|style|textarea)(?=[\s>])))",
    re.MULTILINE | re.IGNORECASE,
)
"""What may hold blank lines: a fence, and a few kinds of HTML."""
_SAFE = re.compile(r"\n[ \t\r]*\n(?=[^\W\d_]|#)")
_UNINDENTED = re.compile(r"\n(?=\S)")
_BLANK = re.compile(r"\n[ \t\r]*\n")
_TABLE_TOP = re.compile(r"^[^\n]*\n {0,3}(?=[^\n]*\|)(?=[^\n]*-)[|: \t-]+\r?\n", re.MULTILINE)
"""The head of a table and the rule below it."""


class Cut(NamedTuple):
    chars: int
    opening: str = ""
    """First lines of the fence or table that goes on in the next chunk; "" = none does."""
    is_inside: bool = False
    table: int = -1
    """Where the head of a table that goes on stands, in characters of this chunk; -1 = not in this one."""


class _Range(NamedTuple):
    """Text that is not to be cut at blank lines."""

    start: int
    end: int
    opening: str
    """First lines of a fence; "" = it is no fence."""
    inner: int = 0
    """Where the text behind these lines begins."""


def next_cut(text: str, opening: str, *, is_markdown: bool) -> Cut | None:
    """Say where the chunk that begins a text ends; None = the text may still grow into it.

    What stands behind `HARD_CHARS` + 1 does not matter. `opening` = first lines of the fence or table that it goes on
    with; "" = none.
    """
    if len(text) <= SAFE_CHARS:
        return None
    if not is_markdown:
        return _plain_cut(text)
    cuts: list[Cut] = []
    if line := text.find("\n", LINE_CHARS) + 1:
        cuts.append(Cut(line, "", True))
    free = 0
    for range_ in chain(_protected(text, opening), [_Range(len(text), len(text), "")]):
        found = _free_cut(text, free, range_.start, opening) or _fence_cut(text, range_)
        if found is not None:
            cuts.append(found)
            break
        free = range_.end
    cut = min(cuts, default=None)
    if len(text) > HARD_CHARS and (cut is None or cut.chars > HARD_CHARS):
        return Cut(_word_end(text), "", True)
    return cut if cut is not None and cut.chars < len(text) else None


def _plain_cut(text: str) -> Cut | None:
    end = text.find("\n", SAFE_CHARS, HARD_CHARS) + 1
    if not end and len(text) > HARD_CHARS:
        end = _word_end(text)
    return Cut(end) if 0 < end < len(text) else None


def _word_end(text: str) -> int:
    """The last blank before the end of what a chunk may be; that end where there is none near."""
    return text.rfind(" ", HARD_CHARS - WORD_CHARS, HARD_CHARS) + 1 or _before_marker(text, HARD_CHARS)


def _protected(text: str, opening: str) -> Iterator[_Range]:
    """The fences and HTML of a text that may hold blank lines; `opening` = the fence or table that it goes on with."""
    place = 0
    if opening.lstrip()[:1] in {"`", "~"}:
        place = fence_end(text, 0, opening)
        yield _Range(0, place, opening)
    while (found := _PROTECTED.search(text, place)) is not None:
        if found["fence"]:
            place = fence_end(text, found.end(), found[0])
            yield _Range(found.start(), place, found[0] + "\n", found.end())
        else:
            closer = "-->" if found["html"] == "!--" else f"</{found['html']}>"
            end = text.find(closer, found.end())
            place = len(text) if end < 0 else end + len(closer)
            yield _Range(found.start(), place, "")


def _free_cut(text: str, start: int, end: int, opening: str) -> Cut | None:
    """The first place between two others where a block ends for certain, or is long enough to be cut."""
    cuts = []
    if end > SAFE_CHARS and (found := _SAFE.search(text, max(start, SAFE_CHARS - 1))) and found.end() <= end:
        cuts.append(Cut(found.end()))
    if end > FORCED_CHARS and (found := _UNINDENTED.search(text, max(start, FORCED_CHARS - 1))) and found.end() <= end:
        cuts.append(_inner_cut(text, start, found.end(), opening))
    return min(cuts, default=None)


def _inner_cut(text: str, start: int, place: int, opening: str) -> Cut:
    """A cut before a line of a long block, or behind one; only what stands before it says whether it is a table."""
    blanks = [blank.end() for blank in _BLANK.finditer(text, start, place)]
    if blanks and blanks[-1] == place:
        return Cut(place)
    is_row = "|" in text[text.rfind("\n", 0, place - 1) + 1 : place] and (text[place] == "|" or text[place].isalnum())
    if not is_row:
        return Cut(place, "", True)
    tops = list(_TABLE_TOP.finditer(text, blanks[-1] if blanks else start, place))
    if tops:
        return Cut(place, tops[-1][0], True, tops[-1].start())
    if blanks or start or opening[:1] in "`~":
        opening = ""
    return Cut(place, opening, True)


def _fence_cut(text: str, range_: _Range) -> Cut | None:
    """A line's end inside a fence that is too long."""
    if not range_.opening or range_.end <= FORCED_CHARS:
        return None
    line = text.find("\n", max(FORCED_CHARS, range_.inner), range_.end) + 1
    return Cut(line, opening_behind(range_.opening, text[range_.inner : line]), True) if line else None


# -- parts


class PlainSource:
    """Text that is shown as it stands, as parts that grow at the end only: the plain twin of a Markdown source.

    They depend on the text alone, not on how it was cut when it came.
    """

    def __init__(self, text: str = "") -> None:
        self.finished: list[str] = []
        self.open: list[str] = []
        self.append(text)

    def append(self, text: str) -> None:
        tail = "".join(self.open) + text
        start = 0
        while (end := _lines_end(tail, start)) < len(tail):
            self.finished.append(tail[start:end])
            start = end
        self.open = [tail[start:]] if tail[start:] else []


def _lines_end(text: str, start: int) -> int:
    """Where the part of a plain text ends that begins there; the text's end when it may still grow."""
    limit = start + MAX_CHARS
    end = start
    for _ in range(MAX_LINES):
        line_end = text.find("\n", end, limit) + 1
        if not line_end:
            break
        end = line_end
    else:
        return end
    if len(text) <= limit:
        return len(text)
    return end if end > start else _before_marker(text, limit)


def _before_marker(text: str, end: int) -> int:
    """Where to cut a text rather than inside of what may be a control marker that goes on behind `end`."""
    half = _HALF_MARKER.search(text[max(end - MARKER_CHARS, 0) : end])
    return end - len(half[0]) if half else end


def text_end(text: str) -> int:
    """How much of a text that is too long is taken: up to the end of a line, a sentence, a word, else what may be."""
    window, least = text[:MAX_TEXT_CHARS], MAX_TEXT_CHARS // 2
    for ends in (("\n",), _SENTENCE_ENDS, (" ",)):
        place = max(at + len(end) if (at := window.rfind(end, least)) >= 0 else 0 for end in ends)
        if place:
            return place
    place = MAX_TEXT_CHARS
    while place > least and (_STICKS.match(text, place) or window[place - 1] in "\\\u200d"):
        place -= 1
    return place
