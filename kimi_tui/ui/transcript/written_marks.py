"""The user's own characters in a reply, marked in lines that are laid out already.

What is shown of Markdown is a part of its source, in the same order: each shown word is looked for behind the one
before. What is not found is decoration, and stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.style import Style

from kimi_tui.core.session.written import Span
from kimi_tui.ui.transcript.lines import Line, Run

REACH_CHARS = 2_000
"""How far behind the last word one is looked for: between may stand the target of a link."""
CHAR_REACH = 8
"""The same of a character of a word that is not there as a whole."""


def marked(lines: Sequence[Line], source: str, spans: Sequence[Span], style: Style) -> list[Line]:
    """`spans` are of the source, in order; `style` goes over that of the text."""
    if not spans:
        return list(lines)
    finder = _Finder(source)
    return [_marked_line(line, finder, spans, style) for line in lines]


def within(spans: Sequence[Span], start: int, end: int) -> list[Span]:
    """Those of a part, [start, end), counted from its beginning."""
    cut = ((max(first, start) - start, min(last, end) - start) for first, last in spans)
    return [(first, last) for first, last in cut if first < last]


class _Finder:
    def __init__(self, source: str) -> None:
        self._source, self._at = source, 0

    def places(self, text: str) -> Iterator[int]:
        """Where each character of a shown text stands in the source; -1 = nowhere."""
        start = 0
        while start < len(text):
            end = start + 1
            while end < len(text) and text[end].isspace() == text[start].isspace():
                end += 1
            yield from self._word(text[start:end])
            start = end

    def _word(self, word: str) -> Iterator[int]:
        if word.isspace():
            yield from (self._find(char, 1) if char == " " else -1 for char in word)
            return
        place = self._source.find(word, self._at, self._at + len(word) + REACH_CHARS)
        if place >= 0:
            self._at = place + len(word)
            yield from range(place, self._at)
        else:
            yield from (self._find(char, CHAR_REACH) for char in word)

    def _find(self, char: str, reach: int) -> int:
        place = self._source.find(char, self._at, self._at + reach)
        if place >= 0:
            self._at = place + 1
        return place


def _marked_line(line: Line, finder: _Finder, spans: Sequence[Span], style: Style) -> Line:
    text = line.text
    lead = text[: line.lead_chars]
    places = [*([-1] * len(lead)), *finder.places(text[len(lead) :])]
    is_own = [place >= 0 and any(start <= place < end for start, end in spans) for place in places]
    if not any(is_own):
        return line
    runs, at = list[Run](), 0
    for run, shown in line.runs:
        start = 0
        for place in range(1, len(run) + 1):
            if place == len(run) or is_own[at + place] != is_own[at + start]:
                runs.append((run[start:place], shown + style if is_own[at + start] else shown))
                start = place
        at += len(run)
    return replace(line, runs=tuple(runs))
