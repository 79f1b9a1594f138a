"""The arithmetic of the scroll bar: rows of the screen against lines of everything."""

from __future__ import annotations

from typing import NamedTuple


class ScrollBar(NamedTuple):
    """How much there is, and what of it is in view."""

    height: int
    """Rows on screen."""
    above: int
    """Lines above the view."""
    total: int
    """All lines."""

    @property
    def thumb(self) -> range:
        """The rows of the thumb; none when all is in view."""
        if self.total <= self.height or self.height <= 0:
            return range(0)
        length = max(self.height * self.height // self.total, 1)
        room = self.height - length
        hidden = self.total - self.height
        start = min(-(-self.above * room // hidden), room) if self.above < hidden else room
        # The two ends mean what they say: the thumb is there only when the view is.
        if self.above and start == 0 and room > 1:
            start = 1
        if self.above < hidden and start == room and room > 1:
            start = room - 1
        return range(start, start + length)

    def line_at(self, start: int) -> int | None:
        """The line that is at the top when the thumb begins at a row; None = the end is in view."""
        thumb = self.thumb
        room = self.height - len(thumb)
        if not thumb or start >= room:
            return None
        return max(start, 0) * (self.total - self.height) // max(room, 1)
