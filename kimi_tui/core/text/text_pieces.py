"""Long texts taken in pieces, so that others may run between two of them.

The interpreter runs one thread at a time, and lets another one in only between two calls: a single call over a text of
10 MB would keep keys waiting.
"""

from __future__ import annotations

from collections.abc import Iterator

PIECE_CHARS = 100_000
"""Most characters that are looked through, escaped or encoded at once."""
BLOCK_CHARS = 16_384
"""So many are compared at once."""


def pieces_of(text: str) -> Iterator[str]:
    """Cut anywhere between two code points."""
    return (text[start : start + PIECE_CHARS] for start in range(0, len(text), PIECE_CHARS))


def common_chars(left: str, right: str) -> int:
    """How many characters two texts begin with alike."""
    size, at = min(len(left), len(right)), 0
    while at < size and left[at : at + BLOCK_CHARS] == right[at : at + BLOCK_CHARS]:
        at += BLOCK_CHARS
    if at >= size:
        return size
    low, high = at, min(at + BLOCK_CHARS, size)
    while low < high:  # alike up to low, not up to high
        middle = (low + high + 1) // 2
        low, high = (middle, high) if left[at:middle] == right[at:middle] else (low, middle - 1)
    return low
