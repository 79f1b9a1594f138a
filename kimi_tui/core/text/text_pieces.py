"""Long texts taken in pieces, so that others may run between two of them.

The interpreter runs one thread at a time, and lets another one in only between two calls: a single call over a text of
10 MB would keep keys waiting.
"""

from __future__ import annotations

from collections.abc import Iterator

PIECE_CHARS = 100_000
"""Most characters that are looked through, escaped or encoded at once."""


def pieces_of(text: str) -> Iterator[str]:
    """Cut anywhere between two code points."""
    return (text[start : start + PIECE_CHARS] for start in range(0, len(text), PIECE_CHARS))
