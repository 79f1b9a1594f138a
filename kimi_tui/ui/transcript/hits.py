"""The hits of a search: what stands where in the sources, counted by entry.

The texts are read in slices, so that a key never waits for a long conversation; what is appended is read from where
the reading ended. A text that only grew at its ends is looked for where the one before was found. Hits are counted in
an index over the entries, so that the number of one, and the next one, cost the same however many there are.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from kimi_tui.ui.state.entry import SEARCHED
from kimi_tui.ui.transcript.heights import Heights
from kimi_tui.ui.transcript.items import Items
from kimi_tui.ui.transcript.lines import Line
from kimi_tui.ui.transcript.painter import Mark, Span
from kimi_tui.ui.transcript.pieces import Section

SLICE = 4_000_000
"""How much is done at once, in characters of plain ASCII: milliseconds on a slow machine."""
ENTRY_COST = 4_000
"""What an entry costs besides its text, in such characters."""
HIT_COST = 150
FOREIGN_COST = 10
"""What a character costs in a text that has others than ASCII."""
PIECE_CHARS = 20_000
"""How much of a text is read in one go: each character of it may be a hit."""
TEXT_SECTIONS = (Section.REASONING, Section.BODY)


class Hit(NamedTuple):
    """Address of a hit; tuple order is reading order."""

    item: int
    section: Section
    chars: int
    """Characters of the section's source before it."""


class HitIndex:
    def __init__(self, text: str, item_count: int = 0) -> None:
        """The case of letters does not matter; nothing is read yet."""
        self.text = text
        self.current: Hit | None = None
        self._has_case = text.lower() != text.upper()
        self._pattern = re.compile(re.escape(text), re.IGNORECASE if self._has_case else 0)
        self._small = re.compile(re.escape(text.lower())) if text.isascii() else None
        self._hits: dict[tuple[int, Section], array[int]] = {}
        self._read: dict[tuple[int, Section], int] = {}  # how far
        self._waiting: OrderedDict[int, None] = OrderedDict()  # entries that have more to read
        self._counts = Heights([0] * item_count)  # hits of each entry

    # -- reading

    @property
    def is_done(self) -> bool:
        return not self._waiting

    @property
    def count(self) -> int:
        """As far as the texts were read."""
        return self._counts.total

    def look_at(self, items: Iterable[int]) -> None:
        """Read these entries in this order, or what was appended to them, when there is time."""
        for item in items:
            self._waiting[item] = None
            while len(self._counts) <= item:
                self._counts.append(0)

    def places_for(self, text: str, count: int) -> Sequence[int]:
        """Which of `count` entries may hold another text, in order.

        A text that this one is a part of stands only where this one does.
        """
        if self.text not in text:
            return range(count)
        return sorted(self._waiting.keys() | {item for item, _ in self._hits})

    def forget(self, item: int) -> None:
        self._waiting.pop(item, None)
        for section in TEXT_SECTIONS:
            self._read.pop((item, section), None)
            if hits := self._hits.pop((item, section), None):
                self._counts.set(item, self._counts[item] - len(hits))
        if self.current is not None and self.current.item == item:
            self.current = None

    def move(self, places: Mapping[int, int]) -> None:
        """New indices by the old ones; entries that are not there are gone."""
        self._waiting = OrderedDict.fromkeys(places[item] for item in self._waiting if item in places)
        self._read = {(places[at], section): chars for (at, section), chars in self._read.items() if at in places}
        self._hits = {(places[at], section): hits for (at, section), hits in self._hits.items() if at in places}
        counts = [0] * (max(places.values(), default=-1) + 1)
        for (item, _), hits in self._hits.items():
            counts[item] += len(hits)
        self._counts = Heights(counts)
        if self.current is not None:
            place = places.get(self.current.item)
            self.current = None if place is None else self.current._replace(item=place)

    def read(self, items: Items, limit: int = SLICE) -> set[int]:
        """Read some of what waits, `limit` characters of plain ASCII; the entries in which something was found."""
        found = set[int]()
        while self._waiting and limit > 0:
            place = next(iter(self._waiting))
            count = self.count
            if items.kind(place) in SEARCHED:
                for section in TEXT_SECTIONS:
                    limit = self._read_text(place, section, items.text(place, section), limit)
            if self.count != count:
                found.add(place)
            if limit >= 0:
                del self._waiting[place]
            limit -= ENTRY_COST
        return found

    def _read_text(self, place: int, section: Section, text: str, limit: int) -> int:
        """What is left of the limit; less than 0 = there is more to read."""
        known = self._read.get((place, section), 0)
        cost = FOREIGN_COST if self._has_case and not text.isascii() else 1
        while known < len(text):
            if limit <= 0:
                return -1
            end = min(known + PIECE_CHARS, len(text))
            count = self._read_piece(place, section, text, known, end)
            limit -= (end - known) * cost + count * HIT_COST
            known = self._read[place, section] = end
        return max(limit, 0)

    def _read_piece(self, place: int, section: Section, text: str, start: int, end: int) -> int:
        """Read a piece, and what may have begun before it; how many hits it has."""
        hits = self._hits.get((place, section))
        first = max(start - len(self.text) + 1, 0 if hits is None else hits[-1] + len(self.text), 0)
        found = self._find(text, first, end)
        if found:
            self._hits.setdefault((place, section), array("Q")).extend(found)
            self._counts.set(place, self._counts[place] + len(found))
        return len(found)

    def _find(self, text: str, start: int, end: int) -> list[int]:
        if self._small is None or not text.isascii():
            return [found.start() for found in self._pattern.finditer(text, start, end)]
        return [start + found.start() for found in self._small.finditer(text[start:end].lower())]

    # -- the hits in order

    @property
    def number(self) -> int:
        """The number of the current hit, from 1; 0 = there is none."""
        return 0 if self.current is None else self._before(self.current) + 1

    def next_hit(self, start: Hit, step: int) -> Hit | None:
        """The hit behind (step 1) or before (step -1) a place, going on at the other end; None = there is none.

        A hit at the place itself is not the answer unless it is the only one.
        """
        if not self.count:
            return None
        order = self._before(start._replace(chars=start.chars + 1)) if step > 0 else self._before(start) - 1
        item, rest = self._counts.find(order % self.count)
        before = len(self._hits.get((item, Section.REASONING), ()))
        section, rest = (Section.REASONING, rest) if rest < before else (Section.BODY, rest - before)
        return Hit(item, section, self._hits[item, section][rest])

    def _before(self, place: Hit) -> int:
        count = self._counts.before(min(place.item, len(self._counts)))
        for section in TEXT_SECTIONS:
            hits = self._hits.get((place.item, section), ())
            if section <= place.section:
                count += bisect_left(hits, place.chars) if section == place.section else len(hits)
        return count

    # -- on screen

    def hits_in(self, item: int, section: Section, start: int, end: int) -> list[int]:
        hits = self._hits.get((item, section), ())
        return list(hits[bisect_left(hits, start) : bisect_left(hits, end)])

    def spans(self, lines: Sequence[Line], current: int | None) -> list[list[Span]]:
        """The marks of each line of a piece; `current` is the place of the current hit among its hits, from 0."""
        text = "".join(line.text[line.lead_chars :] + line.joint for line in lines)
        found = [match.span() for match in self._pattern.finditer(text)]
        marked: list[list[Span]] = [[] for _ in lines]
        place = 0
        for number, line in enumerate(lines):
            for order, (start, end) in enumerate(found):
                first, last = max(start - place, 0), min(end - place, line.text_chars)
                if last > first:
                    is_current = current is not None and order == min(current, len(found) - 1)
                    mark = Mark.CURRENT_HIT if is_current else Mark.HIT
                    marked[number].append(Span(line.lead_chars + first, line.lead_chars + last, mark))
            place += line.chars
        return marked
