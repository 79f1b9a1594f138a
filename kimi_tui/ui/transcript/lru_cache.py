"""An LRU cache: what was used last is kept, and what lies farther back dropped, so that memory does not grow."""

from __future__ import annotations

from collections import OrderedDict
from typing import Protocol


class Droppable(Protocol):
    def drop(self) -> None:
        """Give up what can be made anew."""


class Recent:
    """Keeps things up to a total size, in the order they were used last."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._sizes: OrderedDict[Droppable, int] = OrderedDict()
        self.total = 0

    def use(self, thing: Droppable, size: int) -> None:
        self.total += size - self._sizes.pop(thing, 0)
        self._sizes[thing] = size

    def trim(self) -> None:
        """What was used last stays, however large it is."""
        while self.total > self._limit and len(self._sizes) > 1:
            thing, size = self._sizes.popitem(last=False)
            self.total -= size
            thing.drop()
