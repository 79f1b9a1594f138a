"""Search in the sources: what stands where, counted by entry; what is on screen is marked from what it shows.

The texts are read in slices, so that a key never waits for a long conversation; what is appended is read from where
the reading ended.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from kimi_tui.ui.widgets.transcript.entries import SEARCHED
from kimi_tui.ui.widgets.transcript.item import Item
from kimi_tui.ui.widgets.transcript.lines import Line
from kimi_tui.ui.widgets.transcript.painter import Mark, Span
from kimi_tui.ui.widgets.transcript.pieces import Section

SLICE_CHARS = 1_000_000
"""How much is read at once."""
TEXT_SECTIONS = (Section.REASONING, Section.BODY)
"""The sections that have a text, as they stand."""


class Hit(NamedTuple):
    """Where the text was found."""

    key: str
    """Key of the entry."""
    section: Section
    """Its reasoning or its body."""
    chars: int
    """Characters of the section's source before it."""


class Search:
    """A text and where it stands."""

    def __init__(self, text: str) -> None:
        """Look for a text, whichever case its letters have; nothing is read yet."""
        self.text = text
        """What is looked for."""
        self.current: Hit | None = None
        """The hit that was gone to."""
        self.read_chars = 0
        """How much was read in all, for those who count."""
        self.count = 0
        """How many hits are known."""
        self._pattern = re.compile(re.escape(text), re.IGNORECASE)
        self._hits: dict[tuple[str, Section], list[int]] = {}
        self._read: dict[tuple[str, Section], int] = {}  # how far a text was read
        self._waiting: dict[str, None] = {}  # keys of entries that have more to read

    # -- reading

    @property
    def is_done(self) -> bool:
        """Whether all was read."""
        return not self._waiting

    def look_at(self, keys: Sequence[str]) -> None:
        """Read these entries, or what was appended to them, when there is time."""
        for key in keys:
            self._waiting[key] = None

    def forget(self, key: str) -> None:
        """Know nothing of an entry any more."""
        self._waiting.pop(key, None)
        for section in TEXT_SECTIONS:
            self._read.pop((key, section), None)
            self.count -= len(self._hits.pop((key, section), ()))
        if self.current is not None and self.current.key == key:
            self.current = None

    def rename(self, old_key: str, key: str) -> None:
        """Know an entry by another key."""
        for section in TEXT_SECTIONS:
            if (read := self._read.pop((old_key, section), None)) is not None:
                self._read[key, section] = read
            if (hits := self._hits.pop((old_key, section), None)) is not None:
                self._hits[key, section] = hits
        if self._waiting.pop(old_key, 0) is None:
            self._waiting[key] = None
        if self.current is not None and self.current.key == old_key:
            self.current = self.current._replace(key=key)

    def keys(self) -> set[str]:
        """Keys of the entries it knows."""
        return {key for key, _ in self._read} | self._waiting.keys()

    def read(self, item_of: Callable[[str], Item | None], limit: int = SLICE_CHARS) -> None:
        """Read about so many characters of what waits.

        Args:
            item_of: Gives the entry of a key.
            limit: How many.
        """
        while self._waiting and limit > 0:
            key = next(iter(self._waiting))
            del self._waiting[key]
            item = item_of(key)
            if item is None or item.kind not in SEARCHED:
                continue
            limit -= 50
            for section in TEXT_SECTIONS:
                limit -= self._read_text(key, section, item.text(section))

    def _read_text(self, key: str, section: Section, text: str) -> int:
        place = key, section
        start = max(self._read.get(place, 0) - len(self.text) + 1, 0)
        if len(text) - start < len(self.text):
            return 0
        self._read[place] = len(text)
        self.read_chars += len(text) - start
        known = self._hits.get(place, [])
        first = known[-1] + len(self.text) if known else 0
        found = list(self._find(text, max(start, first)))
        if found:
            self._hits.setdefault(place, []).extend(found)
            self.count += len(found)
        return len(text) - start

    def _find(self, text: str, start: int) -> Iterator[int]:
        if not self.text.isascii() or not text.isascii():
            yield from (found.start() for found in self._pattern.finditer(text, start))
            return
        needle, hay = self.text.lower(), text[start:].lower()
        place = hay.find(needle)
        while place >= 0:
            yield start + place
            place = hay.find(needle, place + len(needle))

    # -- the hits in order

    def number(self, keys: Sequence[str]) -> int:
        """Which hit is the current one, from 1; 0 = none is."""
        if self.current is None:
            return 0
        before = 0
        for key, section, hits in self._lists(keys):
            if (key, section) == self.current[:2]:
                return before + bisect_left(hits, self.current.chars) + 1
            before += len(hits)
        return 0

    def next_hit(self, keys: Sequence[str], start: Hit, step: int) -> Hit | None:
        """The hit behind (step 1) or before (step -1) a place, going on at the other end; None = there is none.

        Args:
            keys: Keys of all entries, as they stand.
            start: The place, which may itself be a hit: it is not the answer unless it is the only one.
            step: 1 or -1.
        """
        if not self.count:
            return None
        places = {key: place for place, key in enumerate(keys)}
        at = places.get(start.key, 0), start.section, start.chars
        order = list(self._lists(keys))
        ends: list[Hit] = []
        for key, section, hits in order if step > 0 else reversed(order):
            place = places[key], section
            ends = ends or [Hit(key, section, hits[0 if step > 0 else -1])]
            if (step > 0 and place < at[:2]) or (step < 0 and place > at[:2]):
                continue
            if place != at[:2]:
                return Hit(key, section, hits[0 if step > 0 else -1])
            index = bisect_left(hits, at[2] + (1 if step > 0 else 0)) - (0 if step > 0 else 1)
            if 0 <= index < len(hits):
                return Hit(key, section, hits[index])
        return ends[0] if ends else None

    def _lists(self, keys: Sequence[str]) -> Iterator[tuple[str, Section, list[int]]]:
        for key in keys:
            for section in TEXT_SECTIONS:
                if hits := self._hits.get((key, section)):
                    yield key, section, hits

    # -- on screen

    def hits_in(self, key: str, section: Section, start: int, end: int) -> list[int]:
        """The hits that begin in a part of a text."""
        hits = self._hits.get((key, section), [])
        return hits[bisect_left(hits, start) : bisect_left(hits, end)]

    def spans(self, lines: Sequence[Line], current: int | None) -> list[list[Span]]:
        """What to mark in the lines of a piece.

        Args:
            lines: Its lines.
            current: Which of its hits is the current one, from 0; None = none is.

        Returns:
            The marks of each line.
        """
        text = "".join(line.text[line.lead_chars :] + line.joint for line in lines)
        found = [match.span() for match in self._pattern.finditer(text)]
        marked: list[list[Span]] = [[] for _ in lines]
        place = 0
        for number, line in enumerate(lines):
            size = len(line.text) - line.lead_chars
            for order, (start, end) in enumerate(found):
                first, last = max(start - place, 0), min(end - place, size)
                if last > first:
                    is_current = current is not None and order == min(current, len(found) - 1)
                    mark = Mark.CURRENT_HIT if is_current else Mark.HIT
                    marked[number].append(Span(line.lead_chars + first, line.lead_chars + last, mark))
            place += size + len(line.joint)
        return marked
