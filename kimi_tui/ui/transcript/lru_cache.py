"""What is kept rather than made again, and dropped so that memory does not grow: by its size, or by rounds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Protocol, TypeVar

Made = TypeVar("Made")


class Droppable(Protocol):
    def drop(self) -> None:
        """Give up what can be made anew."""


class Recent:
    """An LRU cache: keeps things up to a total size, in the order they were used last."""

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


class LastRound:
    """A cache of two generations: what is not asked for in a round is given up with the next one."""

    def __init__(self) -> None:
        self._before: dict[Hashable, Any] = {}
        self._now: dict[Hashable, Any] = {}

    def begin(self) -> None:
        self._before, self._now = self._now, {}

    def clear(self) -> None:
        self._before, self._now = {}, {}

    def get(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """The same key always stands for the same kind of thing, never for None."""
        made: Made | None = self._now.get(key)
        if made is None:
            made = self._before.get(key)
            made = self._now[key] = make() if made is None else made
        return made
