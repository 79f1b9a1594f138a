"""The tokens of a reply in rows of a width: where each stands, and where it ends.

What is shown of a token is one character a character, but for line ends and tabs, which have signs of their own.
"""

from __future__ import annotations

import math
import re
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from rich.cells import cell_len, chop_cells

from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.token_trace import Token
from kimi_tui.core.text.counts import counted
from kimi_tui.core.text.growing_text import TextView
from kimi_tui.core.text.visible import visible

BORDER = "▏"
"""Stands behind the last character of every token."""
LINE_END, TAB = "↵", "→"
CARRIER = "◌"
"""Carries what takes no cell by itself, such as an accent that is a token of its own."""
UNKNOWN_CHARS = 600
"""Of text whose tokens are not known so many characters are shown, the last ones."""
HEADINGS = {ReplyPart.REASONING: "Thinking", ReplyPart.ANSWER: "Answer"}
_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_WORDS = re.compile(r"\n|[^\S\n]*[^\s]+|[^\S\n]+")


class Fragment(NamedTuple):
    token: int
    """The place of its token among `TokenRows.tokens`."""
    text: str
    x: int
    """The cell of the row that it begins at."""
    has_border: bool
    """Whether its token ends with it."""


class Row(NamedTuple):
    fragments: list[Fragment]
    heading: str = ""
    """What the row says in their place; "" = it is a row of tokens."""


def shown(text: str) -> str:
    """What is drawn of a text: every character of it can be seen."""
    drawn = text if text.isascii() and text.isprintable() else visible(text.replace("\n", LINE_END).replace("\t", TAB))
    return drawn if cell_len(drawn) or not drawn else CARRIER + drawn


class TokenRows:
    def __init__(self, texts: Mapping[ReplyPart, TextView], width: int) -> None:
        """`width` in cells, at least 2."""
        self.tokens: list[Token] = []
        self.rows: list[Row] = []
        self._texts, self._width = texts, max(width, 2)
        self._first_rows = array("I")
        self._unknown: list[int] = []
        self._x = 0

    def number(self, token: int) -> int:
        """The place of a known token in the reply, from 1."""
        return token + 1 - bisect_right(self._unknown, token)

    def row_of(self, token: int) -> int:
        return self._first_rows[token]

    def add(self, tokens: Iterable[Token]) -> None:
        for token in tokens:
            if not self.tokens or self.tokens[-1].part is not token.part:
                self._head(HEADINGS[token.part])
            place = len(self.tokens)
            self.tokens.append(token)
            self._first_rows.append(len(self.rows) - 1)
            text = self._texts[token.part].between(token.start, token.end)
            if token.is_known:
                self._add_known(place, text)
            else:
                self._unknown.append(place)
                self._add_unknown(place, text)

    def _head(self, words: str) -> None:
        if self.rows:
            self._break()
            self.rows[-1:] = [Row([])]
        self.rows += [Row([], words), Row([])]
        self._x = 0

    def _add_known(self, place: int, text: str) -> None:
        pieces = [text] if "\n" not in text else _LINES.findall(text)
        last = len(pieces) - 1
        for number, piece in enumerate(pieces):
            drawn = shown(piece)
            self._put(place, drawn, has_border=number == last, is_first=not number)
            if piece[-1] == "\n":
                self._break()

    def _add_unknown(self, place: int, text: str) -> None:
        """Only its end, since a long reply may have been gone on with."""
        left_out = len(text) - UNKNOWN_CHARS
        words = f"{counted(left_out, 'character')}, and those below" if left_out > 0 else "below"
        self._break()
        self.rows[-1] = Row([], f"({words}: their tokens are not known)")
        self._break()
        self._first_rows[place] = len(self.rows) - 1
        for piece in _WORDS.findall(text[max(left_out, 0) :]):
            if piece == "\n":
                self._break()
            else:
                self._put(place, shown(piece), has_border=False, is_first=False)
        self._break()

    def _put(self, place: int, drawn: str, *, has_border: bool, is_first: bool) -> None:
        cells = len(drawn) if drawn.isascii() else cell_len(drawn)
        if self._x and self._x + cells + 1 > self._width:
            self._break()
        if is_first:
            self._first_rows[place] = len(self.rows) - 1
        if cells >= self._width:
            *chunks, drawn = chop_cells(drawn, self._width - 1)
            for chunk in chunks:
                self.rows[-1].fragments.append(Fragment(place, chunk, 0, False))
                self._break()
            cells = cell_len(drawn)
        self.rows[-1].fragments.append(Fragment(place, drawn, self._x, has_border))
        self._x += cells + has_border

    def _break(self) -> None:
        if self.rows[-1].fragments or self.rows[-1].heading:
            self.rows.append(Row([]))
        self._x = 0

    # -- moving about: from one known token to another

    def first(self) -> int | None:
        return self._next_known(range(len(self.tokens)))

    def last(self) -> int | None:
        return self._next_known(range(len(self.tokens) - 1, -1, -1))

    def step(self, token: int, by: int) -> int:
        """The token before or behind one; the same where there is none."""
        onward = range(token + 1, len(self.tokens)) if by > 0 else range(token - 1, -1, -1)
        found = self._next_known(onward)
        return token if found is None else found

    def _next_known(self, places: Iterable[int]) -> int | None:
        return next((place for place in places if self.tokens[place].is_known), None)

    def line_step(self, token: int, by: int) -> int:
        """The token above or below one, so many rows with tokens on; the same where there is none."""
        row, x = self.row_of(token), self._x_of(token)
        step, left, found = (1 if by > 0 else -1), abs(by), token
        while left and 0 <= row + step < len(self.rows):
            row += step
            if (there := self.at(row, x)) is not None:
                found, left = there, left - 1
        return found

    def row_end(self, token: int, *, is_last: bool) -> int:
        """The first or last token of its row."""
        fragments = [it for it in self.rows[self.row_of(token)].fragments if self.tokens[it.token].is_known]
        begun = [it.token for it in fragments if self.row_of(it.token) == self.row_of(token)]
        return begun[-1 if is_last else 0]

    def _x_of(self, token: int) -> int:
        return next((it.x for it in self.rows[self.row_of(token)].fragments if it.token == token), 0)

    def at(self, row: int, x: int) -> int | None:
        """The known token at a cell, or the nearest one in its row; None = there is none."""
        if not 0 <= row < len(self.rows):
            return None
        fragments = [it for it in self.rows[row].fragments if self.tokens[it.token].is_known]
        place = bisect_right(fragments, x, key=lambda it: it.x) - 1
        return fragments[max(place, 0)].token if fragments else None


def percent(logprob: float) -> float:
    """How likely a token was, in [0, 100]."""
    return 100 * math.exp(min(logprob, 0.0))
