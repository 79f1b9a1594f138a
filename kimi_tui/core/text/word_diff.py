"""Which words of two texts are the same, in the same order: a word diff.

It is the longest common subsequence of their words, by Hunt and Szymanski (1977), whose steps are the pairs of equal
words. That number is known before the work begins, and so is the bound. The library's `difflib` was measured against
it: as fast where much is equal, but of two texts that merely share a language it finds a quarter of the equal words or
fewer, and nothing bounds its worst case.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

MAX_PAIRS = 5_000_000
"""Most pairs of equal words that are looked at: some seconds of work."""
COUNTED_AT_ONCE = 20_000
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Scripts without blanks between words: Thai, Lao, Burmese, Khmer, Han, Kana; each character counts as a word."""
_UNSPACED_CHAR = re.compile(f"[{_UNSPACED}]")
_WORD = rf"[^\W{_UNSPACED}]+"
_TOKEN = re.compile(rf"[{_UNSPACED}]|{_WORD}(?:['’]{_WORD})*|\n|[^\S\n]+|([^\w\s])\1*")
_JOINERS = "\u200b\u200c\u200d\u2060\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
_ZWJ = "\u200d"
Pairs = list[tuple[int, int]]
"""Numbers of equal tokens, in the left text and in the right one; both rise."""


class DiffSpan(NamedTuple):
    """A part of each text, [start, end) in code points; either may be empty."""

    left_start: int
    left_end: int
    right_start: int
    right_end: int
    is_equal: bool


@dataclass(frozen=True, slots=True)
class WordDiff:
    spans: tuple[DiffSpan, ...]
    """One behind the other they are both texts; equal and different ones take turns."""
    equal_words: int
    left_words: int
    right_words: int
    is_coarse: bool
    """Whether parts were too large, and stand as different without having been compared word by word."""

    @property
    def mirrored(self) -> WordDiff:
        spans = (DiffSpan(*span[2:4], *span[:2], span.is_equal) for span in self.spans)
        return WordDiff(tuple(spans), self.equal_words, self.right_words, self.left_words, self.is_coarse)


def tokens(text: str) -> Iterator[str]:
    """Cut a text into words, single line ends, other white space, and punctuation; joined they are the text.

    What combines with the character before it stays with it.
    """
    held = ""
    is_inside_word = False  # a mark stands in it, and letters may follow
    for match in _TOKEN.finditer(text):
        token = match[0]
        if held and not held.isspace():
            if held[-1] == _ZWJ or _combines(token):
                is_inside_word = held[0].isalnum() and held[-1] != _ZWJ
                held += token
                continue
            if is_inside_word and token[0].isalnum() and _UNSPACED_CHAR.match(token) is None:
                held += token
                continue
        if held:
            yield held
        held, is_inside_word = token, False
    if held:
        yield held


def _combines(token: str) -> bool:
    first = token[0]
    return not first.isascii() and (first in _JOINERS or unicodedata.category(first)[0] == "M")


class _Words:
    """The words of a text, punctuation included, where they stand, and its lines."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words: list[str] = []
        self.starts: list[int] = []
        self.line_words = [0]
        """Number of the first word of each line, and behind the last how many there are."""
        place = 0
        for token in tokens(text):
            if token == "\n":
                self.line_words.append(len(self.words))
            elif not token.isspace():
                self.words.append(token)
                self.starts.append(place)
            place += len(token)
        self.line_words.append(len(self.words))

    def lines(self, start: int, end: int) -> list[tuple[int, int]]:
        """The lines that hold words and lie wholly within these words, each by its own, [start, end)."""
        first, last = bisect_left(self.line_words, start), bisect_left(self.line_words, end + 1)
        return [(a, b) for a, b in pairwise(self.line_words[first:last]) if a < b]

    def line_text(self, line: tuple[int, int]) -> str:
        start, end = line
        return self.text[self.starts[start] : self.starts[end - 1] + len(self.words[end - 1])]


def word_diff(left: str, right: str) -> WordDiff:
    if left > right:  # so that the same two texts are always cut alike
        return word_diff(right, left).mirrored
    left_words, right_words = _Words(left), _Words(right)
    work = _Matching(left_words, right_words)
    work.match((0, len(left_words.words)), (0, len(right_words.words)), (work.by_lines, work.by_rare_words))
    counts = len(work.found), len(left_words.words), len(right_words.words)
    return WordDiff(_spans(left_words, right_words, work.found), *counts, work.is_coarse)


Range = tuple[int, int]
"""Of words, [start, end)."""
Anchors = Callable[[Range, Range], Pairs]
"""Finds some of the equal words between two ranges at little cost."""


class _Matching:
    def __init__(self, left: _Words, right: _Words) -> None:
        self._left, self._right = left, right
        self._pairs_left = MAX_PAIRS
        self.found: Pairs = []
        self.is_coarse = False

    def match(self, left: Range, right: Range, ways: Sequence[Anchors]) -> None:
        """Find the equal words of two ranges; `ways` cut them into smaller ones, where there is too much to compare."""
        a, b = self._left.words[slice(*left)], self._right.words[slice(*right)]
        head = same_head(a, b)
        tail = same_tail(a[head:], b[head:])
        self.found += [(left[0] + n, right[0] + n) for n in range(head)]
        left, right = (left[0] + head, left[1] - tail), (right[0] + head, right[1] - tail)
        a, b = a[head : len(a) - tail], b[head : len(b) - tail]
        cost = _pair_count(a, b)
        if cost <= self._pairs_left:
            self._pairs_left -= cost
            self.found += [(left[0] + i, right[0] + j) for i, j in longest_common(a, b)]
        elif ways:
            self._match_between(ways[0](left, right), left, right, ways[1:])
        else:
            self.is_coarse = True
        self.found += [(left[1] + n, right[1] + n) for n in range(tail)]

    def _match_between(self, anchors: Pairs, left: Range, right: Range, ways: Sequence[Anchors]) -> None:
        at, at_right = left[0], right[0]
        for i, j in [*anchors, (left[1], right[1])]:
            if i > at or j > at_right:
                self.match((at, i), (at_right, j), ways)
            if i < left[1]:
                self.found.append((i, j))
            at, at_right = i + 1, j + 1

    def by_lines(self, left: Range, right: Range) -> Pairs:
        lines, right_lines = self._left.lines(*left), self._right.lines(*right)
        a = [self._left.line_text(line) for line in lines]
        b = [self._right.line_text(line) for line in right_lines]
        same = self._common_of_rare(a, b)
        return [(lines[i][0] + n, right_lines[j][0] + n) for i, j in same for n in range(lines[i][1] - lines[i][0])]

    def by_rare_words(self, left: Range, right: Range) -> Pairs:
        a, b = self._left.words[slice(*left)], self._right.words[slice(*right)]
        return [(left[0] + i, right[0] + j) for i, j in self._common_of_rare(a, b)]

    def _common_of_rare(self, a: Sequence[str], b: Sequence[str]) -> Pairs:
        """Common ones among those that make the fewest pairs, for half of what may still be looked at."""
        counts, right_counts = _counted(a), _counted(b)
        costs = sorted((count * right_counts[word], word) for word, count in counts.items() if word in right_counts)
        room = self._pairs_left // 2
        rare = set[str]()
        for cost, word in costs:
            if cost > room:
                break
            room -= cost
            rare.add(word)
        self._pairs_left -= self._pairs_left // 2 - room
        return common_among(a, b, rare)


def same_head(a: Sequence[str], b: Sequence[str]) -> int:
    return next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def same_tail(a: Sequence[str], b: Sequence[str]) -> int:
    return same_head(a[::-1], b[::-1])


def _pair_count(a: Sequence[str], b: Sequence[str]) -> int:
    counts = _counted(b)
    return sum(count * counts[word] for word, count in _counted(a).items() if word in counts)


def _counted(words: Sequence[str]) -> Counter[str]:
    """Count in steps: nothing else runs in the process while the library counts."""
    counts = Counter[str]()
    for start in range(0, len(words), COUNTED_AT_ONCE):
        counts.update(words[start : start + COUNTED_AT_ONCE])
    return counts


def common_among(a: Sequence[str], b: Sequence[str], chosen: Set[str]) -> Pairs:
    """The longest common subsequence of those tokens that are chosen."""
    places = [place for place, word in enumerate(a) if word in chosen]
    right_places = [place for place, word in enumerate(b) if word in chosen]
    common = longest_common([a[place] for place in places], [b[place] for place in right_places])
    return [(places[i], right_places[j]) for i, j in common]


def longest_common(a: Sequence[str], b: Sequence[str]) -> Pairs:
    """The longest common subsequence; steps and memory grow with the number of pairs of equal tokens."""
    places: dict[str, list[int]] = {}
    for j in range(len(b) - 1, -1, -1):
        places.setdefault(b[j], []).append(j)
    ends: list[int] = []  # of the best subsequences of each length, where they end in `b`
    links: list[_Link] = []  # and their last pairs
    for i, word in enumerate(a):
        for j in places.get(word, ()):
            length = bisect_left(ends, j)
            if length == len(ends):
                ends.append(j)
                links.append((i, j, links[length - 1] if length else None))
            elif ends[length] != j:
                ends[length] = j
                links[length] = (i, j, links[length - 1] if length else None)
    found: Pairs = []
    link = links[-1] if links else None
    while link is not None:
        found.append(link[:2])
        link = link[2]
    return found[::-1]


_Link = tuple[int, int, "_Link | None"]
"""A pair of equal tokens, and the one before it."""


def _spans(left: _Words, right: _Words, pairs: Pairs) -> tuple[DiffSpan, ...]:
    found: list[DiffSpan] = []
    at = at_right = 0

    def add(end: int, right_end: int, *, is_equal: bool) -> None:
        nonlocal at, at_right
        if (end, right_end) != (at, at_right):
            start = (at, at_right)
            if found and found[-1].is_equal is is_equal:
                last = found.pop()
                start = (last.left_start, last.right_start)
            found.append(DiffSpan(start[0], end, start[1], right_end, is_equal))
            at, at_right = end, right_end

    def add_between(end: int, right_end: int) -> None:
        """White space that both begin with, or end with, is equal; the rest is different."""
        a, b = left.text[at:end], right.text[at_right:right_end]
        head = _same_space(a, b)
        tail = _same_space(a[head:][::-1], b[head:][::-1])
        add(at + head, at_right + head, is_equal=True)
        add(end - tail, right_end - tail, is_equal=False)
        add(end, right_end, is_equal=True)

    for i, j in pairs:
        add_between(left.starts[i], right.starts[j])
        size = len(left.words[i])
        add(at + size, at_right + size, is_equal=True)
    add_between(len(left.text), len(right.text))
    _begin_with_lines(left.text, right.text, found)
    return tuple(found)


def _begin_with_lines(left: str, right: str, spans: list[DiffSpan]) -> None:
    """Let what only one side has begin with a line, where it may as well: a heading is not cut behind its mark."""
    for number in range(1, len(spans) - 1):
        before, span, after = spans[number - 1 : number + 2]
        is_left = span.right_start == span.right_end
        if span.is_equal or not (is_left or span.left_start == span.left_end):
            continue
        text, start, end = (left, *span[:2]) if is_left else (right, *span[2:4])
        by = start - (text.rfind("\n", 0, start) + 1)
        if 0 < by < before.left_end - before.left_start and text[start - by : start] == text[end - by : end]:
            spans[number - 1] = before._replace(left_end=before.left_end - by, right_end=before.right_end - by)
            a, b, c, d = (place - by for place in span[:4])
            spans[number] = DiffSpan(a, b, c, d, False)
            spans[number + 1] = after._replace(left_start=after.left_start - by, right_start=after.right_start - by)


def _same_space(a: str, b: str) -> int:
    """How many white characters both begin with."""
    return next(
        (n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y or not x.isspace()), min(len(a), len(b))
    )
