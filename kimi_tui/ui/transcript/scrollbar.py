"""The arithmetic of the scroll bar: rows of the screen against lines of everything."""

from __future__ import annotations

from typing import NamedTuple

FULL, UPPER, LOWER, NONE = "┃", "╹", "╻", " "
"""The thumb moves by half rows."""

_GLYPHS = {(True, True): FULL, (True, False): UPPER, (False, True): LOWER, (False, False): NONE}


class ScrollBar(NamedTuple):
    height: int
    """Rows on screen."""
    above: int
    """In lines."""
    total: int

    @property
    def _halves(self) -> tuple[int, int]:
        """Where the thumb begins and how long it is, in half rows; no length when all is in view."""
        if self.total <= self.height or self.height <= 0:
            return 0, 0
        length = max(2 * self.height * self.height // self.total, 2)
        room, hidden = 2 * self.height - length, self.total - self.height
        start = round(min(self.above, hidden) * room / hidden)
        # The two ends mean what they say: the thumb is there only when the view is.
        if room > 1:
            start = min(max(start, 1 if self.above else 0), room if self.above >= hidden else room - 1)
        return start, length

    @property
    def thumb(self) -> range:
        """The rows that the thumb touches; none when all is in view."""
        start, length = self._halves
        return range(start // 2, (start + length + 1) // 2) if length else range(0)

    def glyphs(self) -> list[str]:
        start, length = self._halves
        end = start + length
        halves = [start <= half < end for half in range(2 * self.height)]
        return [_GLYPHS[pair] for pair in zip(halves[::2], halves[1::2], strict=True)]

    def line_at(self, start: int) -> int | None:
        """The line that is at the top when the thumb begins at a row; None = the end is in view."""
        _, length = self._halves
        room = 2 * self.height - length
        if not length or 2 * start >= room:
            return None
        return max(start, 0) * 2 * (self.total - self.height) // max(room, 1)
