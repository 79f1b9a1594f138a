"""A text that grows at its end, held once: whoever shows, cuts or saves it reads it here."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Protocol

JOINED_CHARS = 4_096
"""Small pieces are joined once they hold so many characters: a `str` of a few takes fifteen times their memory."""


class TextView(Protocol):
    """A text to be read that may grow, or lose its end."""

    def __len__(self) -> int: ...

    def __str__(self) -> str: ...

    def between(self, start: int, end: int) -> str:
        """Give a part of it, [start, end) in code points."""


class GrowingText:
    """Its pieces as they came, the small ones joined now and then, in code points."""

    def __init__(self, text: str = "") -> None:
        self._pieces: list[str] = []
        self._starts: list[int] = []
        self._chars = 0
        self._joined = 0  # how many pieces, from the first on, stay as they are
        self.append(text)

    def __len__(self) -> int:
        return self._chars

    def append(self, piece: str) -> None:
        if not piece:
            return
        if len(piece) >= JOINED_CHARS:
            self._join()
        self._pieces.append(piece)
        self._starts.append(self._chars)
        self._chars += len(piece)
        if self._chars - self._starts[self._joined] >= JOINED_CHARS:
            self._join()

    def _join(self) -> None:
        if self._joined < len(self._pieces):
            self._pieces[self._joined :] = ["".join(self._pieces[self._joined :])]
            del self._starts[self._joined + 1 :]
            self._joined += 1

    def shorten(self, end: int) -> None:
        """Keep what stands before `end`, in code points."""
        kept = str(self)[:end]
        self._pieces, self._starts, self._chars, self._joined = [], [], 0, 0
        self.append(kept)

    def __str__(self) -> str:
        if len(self._pieces) > 1:
            self._joined = 0
            self._join()
        return self._pieces[0] if self._pieces else ""

    @property
    def pieces(self) -> Sequence[str]:
        return self._pieces

    def has_at(self, start: int, text: str) -> bool:
        """Whether a text stands there."""
        return self.between(start, start + len(text)) == text

    def between(self, start: int, end: int) -> str:
        """Give a part of it, [start, end); what it costs grows with that part alone."""
        first = max(bisect_right(self._starts, start) - 1, 0)
        last = bisect_right(self._starts, end - 1)
        if first >= last:
            return ""
        offset = self._starts[first]
        return "".join(self._pieces[first:last])[start - offset : end - offset]
