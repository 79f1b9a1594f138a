"""Which token each character came with, while the text is on its way through what holds it back."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from kimi_tui.core.text.surrogates import REPLACEMENT, SurrogateJoiner

Borders = Sequence[tuple[int, int]]
"""A text cut into its tokens, in order: the number of each in its request, from 0, and how many characters it has."""


class TokenBorders:
    """Joins the halves of surrogate pairs, and remembers where each token ends until its text is taken.

    A character whose halves came in two tokens is the second one's; a half that stays alone its own token's.
    """

    def __init__(self) -> None:
        self.fed = 0
        """How many characters there were so far."""
        self._joiner = SurrogateJoiner()
        self._half_of: int | None = None
        self._waiting: deque[tuple[int, int]] = deque()  # where a token ends, and its number

    def feed(self, text: str, token: int) -> str:
        """Give out what is whole of it."""
        if text.isascii() and self._half_of is None:  # nearly all are
            if text:
                self.fed += len(text)
                self._waiting.append((self.fed, token))
            return text
        if not text:
            return ""
        whole = self._joiner.feed(text)
        if self._half_of is not None and whole[:1] == REPLACEMENT:
            self._end(1, self._half_of)
            self._end(len(whole) - 1, token)
        else:
            self._end(len(whole), token)
        self._half_of = token if self._joiner.holds else None
        return whole

    def close(self) -> str:
        """A half that stayed alone."""
        rest = self._joiner.close()
        if rest and self._half_of is not None:
            self._end(len(rest), self._half_of)
        return rest

    def _end(self, chars: int, token: int) -> None:
        if chars:
            self.fed += chars
            self._waiting.append((self.fed, token))

    def take(self, start: int, chars: int) -> Borders:
        """The borders inside a text that is given out; `start` = where it began in all that was fed.

        What was dropped before it was no text.
        """
        waiting, end = self._waiting, start + chars
        if len(waiting) == 1 and waiting[0][0] == end:  # nothing was held back, and nothing dropped
            return ((waiting.popleft()[1], chars),)
        found: list[tuple[int, int]] = []
        while waiting and start < end:
            token_end, token = waiting[0]
            if token_end > start:
                stop = min(token_end, end)
                found.append((token, stop - start))
                start = stop
            if token_end <= end:
                waiting.popleft()
        return found
