"""Which characters of a reply the user wrote: ranges of code points, and what becomes of them.

A range that a file names may reach beyond its text: it is kept as it stands there, and counts as far as there is text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from types import MappingProxyType

from kimi_tui.core.text.text_pieces import common_chars

REASONING, CONTENT = "reasoning", "content"
FIELDS = (REASONING, CONTENT)
"""The fields of a message that ranges are about, by their names in the file."""
Span = tuple[int, int]
"""Of one text: [start, end) in code points."""
LEAST_KEPT = 4
"""Fewer characters that are the same between two changes are the same by chance: they are taken for changed too."""
MAX_COMPARED = 4_000_000
"""Most pairs of characters that are compared one by one: what is larger is compared word by word, then as a whole."""


@dataclass(frozen=True, slots=True)
class WrittenRange:
    field: str
    """One of `FIELDS`."""
    start: int
    """≥ 0."""
    end: int
    """> start; it stands behind the last character."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What a reply said before its first request was sent, in code points: that request's open turn ended there."""

    reasoning: int = 0
    content: int | None = None
    """None = the think block was open."""
    of: str | None = None
    """Id of the reply that it was made of; None = of none."""
    extra: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


def whole(name: str, text: str) -> tuple[WrittenRange, ...]:
    """A text that the user wrote from its beginning to its end."""
    return (WrittenRange(name, 0, len(text)),) if text else ()


def spans(written: Collection[WrittenRange], name: str, chars: int) -> tuple[Span, ...]:
    """Those of a text of so many characters, in order; what touches is one."""
    found = list[Span]()
    for start, end in sorted((it.start, min(it.end, chars)) for it in written if it.field == name):
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return tuple(found)


def clipped(written: Collection[WrittenRange], chars: Mapping[str, int]) -> tuple[WrittenRange, ...]:
    """What is left of them where texts end; `chars` = how long each field is."""
    cut = ((it, min(it.end, chars.get(it.field, 0))) for it in written)
    return tuple(it if end == it.end else WrittenRange(it.field, it.start, end) for it, end in cut if it.start < end)


def last_end(written: Collection[WrittenRange], name: str, chars: int) -> int:
    """Behind the last character of a text that the user wrote; 0 = there is none."""
    return max((end for _, end in spans(written, name, chars)), default=0)


# -- what an edit changes


def after_edit(before: str, after: str, known: Sequence[Span] = ()) -> tuple[Span, ...]:
    """Say which characters of an edited text are the user's: what differs, and what was theirs before and stays."""
    found = list[Span]()
    for tag, start, end, new_start, new_end in _differences(before, after):
        if tag == "equal":
            shift = new_start - start
            inside = ((max(first, start), min(last, end)) for first, last in known)
            found += [(first + shift, last + shift) for first, last in inside if first < last]
        elif new_start < new_end:
            found.append((new_start, new_end))
    return spans([WrittenRange("", *span) for span in found], "", len(after))


Difference = tuple[str, int, int, int, int]
"""As `SequenceMatcher.get_opcodes` gives them."""


def _differences(before: str, after: str) -> list[Difference]:
    """What is the same at both ends is found first: most edits are small, and texts may be very long."""
    start = common_chars(before, after)
    most = min(len(before), len(after)) - start
    end = common_chars(before[len(before) - most :][::-1], after[len(after) - most :][::-1])
    inner = before[start : len(before) - end], after[start : len(after) - end]
    head = [("equal", 0, start, 0, start)] if start else []
    tail = [("equal", len(before) - end, len(before), len(after) - end, len(after))] if end else []
    middle = [
        ("equal" if tag == "equal" and b - a >= LEAST_KEPT else "replace", a + start, b + start, c + start, d + start)
        for tag, a, b, c, d in _inner_differences(*inner)
    ]
    return [*head, *middle, *tail]


def _inner_differences(before: str, after: str) -> list[Difference]:
    from difflib import SequenceMatcher  # noqa: PLC0415 - most programs compare nothing

    if not before or not after:
        return [("replace", 0, len(before), 0, len(after))] if before or after else []
    if len(before) * len(after) <= MAX_COMPARED:
        return list(SequenceMatcher(None, before, after, autojunk=False).get_opcodes())
    words = re.findall(r"\s+|\S+", before), re.findall(r"\s+|\S+", after)
    if len(words[0]) * len(words[1]) > MAX_COMPARED:
        return [("replace", 0, len(before), 0, len(after))]
    starts = [list(accumulate(map(len, of_one), initial=0)) for of_one in words]
    opcodes = SequenceMatcher(None, *words, autojunk=False).get_opcodes()
    return [(tag, starts[0][a], starts[0][b], starts[1][c], starts[1][d]) for tag, a, b, c, d in opcodes]
