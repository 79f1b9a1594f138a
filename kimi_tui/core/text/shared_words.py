"""Words that thousands of messages say, each as one object: copies take room, and leave holes behind."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=256)
def shared(word: str) -> str:
    """The same word, as it was met before."""
    return word
