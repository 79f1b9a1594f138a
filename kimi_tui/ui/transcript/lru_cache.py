"""An LRU cache: what was used last is kept, and what lies farther back dropped, so that memory does not grow."""

from __future__ import annotations

from collections import OrderedDict
from typing import Protocol


class Droppable(Protocol):
    """Something that can be made anew."""

    def drop(self) -> None:
        """Give up what can be made anew."""


class Recent:
    """Things in the order they were used last, up to a total size."""

    def __init__(self, limit: int) -> None:
        """Keep things of so much size altogether."""
        self._limit = limit
        self._sizes: OrderedDict[Droppable, int] = OrderedDict()
        self.total = 0
        """Size of all that is kept."""

    def use(self, thing: Droppable, size: int) -> None:
        """Say that a thing is used, and how large it is now."""
        self.total += size - self._sizes.pop(thing, 0)
        self._sizes[thing] = size

    def trim(self) -> None:
        """Drop what was not used for longest; what was used last stays, however large it is."""
        while self.total > self._limit and len(self._sizes) > 1:
            thing, size = self._sizes.popitem(last=False)
            self.total -= size
            thing.drop()
