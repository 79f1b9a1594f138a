"""Values of a JSON document that have to be of a kind; TypeError where one is not."""

from __future__ import annotations


def as_text(value: object) -> str:
    """It may hold halves of surrogate pairs, which JSON can write."""
    if not isinstance(value, str):
        raise TypeError("a text is needed")
    return value


def as_whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("a whole number is needed")
    return value
