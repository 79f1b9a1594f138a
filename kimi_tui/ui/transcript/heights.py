"""An index of heights: how many lines stand before an entry, and which entry a line is in, both in O(log n)."""

from __future__ import annotations

from collections.abc import Iterable


class Heights:
    """Heights in lines, in order, as a Fenwick tree (binary indexed tree)."""

    def __init__(self, heights: Iterable[int] = ()) -> None:
        """Begin with these heights, each at least 0."""
        self._heights = list(heights)
        self._tree = [0, *self._heights]
        self.total = sum(self._heights)
        """All lines."""
        for place in range(1, len(self._tree) if self.total else 0):
            above = place + (place & -place)
            if above < len(self._tree):
                self._tree[above] += self._tree[place]

    def __len__(self) -> int:
        return len(self._heights)

    def append(self, height: int) -> None:
        """Add one at the end."""
        place = len(self._tree)
        self._heights.append(height)
        self._tree.append(height + self.before(place - 1) - self.before(place - (place & -place)))
        self.total += height

    def set(self, place: int, height: int) -> None:
        """Change one."""
        change = height - self._heights[place]
        if not change:
            return
        self._heights[place] = height
        self.total += change
        node = place + 1
        while node < len(self._tree):
            self._tree[node] += change
            node += node & -node

    def cut(self, count: int) -> None:
        """Keep the first ones alone; `count` in [0, len]."""
        self.total = self.before(count)
        del self._heights[count:], self._tree[count + 1 :]

    def __getitem__(self, place: int) -> int:
        return self._heights[place]

    def before(self, place: int) -> int:
        """Lines before one; `place` in [0, len]."""
        lines, node = 0, place
        while node:
            lines += self._tree[node]
            node -= node & -node
        return lines

    def find(self, line: int) -> tuple[int, int]:
        """The one that a line is in, and how many lines stand before that line there; the last one past the end."""
        if line >= self.total:
            return max(len(self) - 1, 0), self._heights[-1] if self._heights else 0
        node, step = 0, 1 << len(self._tree).bit_length()
        while step:
            if node + step < len(self._tree) and self._tree[node + step] <= line:
                node += step
                line -= self._tree[node]
            step >>= 1
        return node, line
