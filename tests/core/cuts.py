"""One check for every decoder: the same input whole, piece by piece, and cut in two everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

Text = TypeVar("Text", str, bytes)


def cuts(text: Text) -> Iterator[list[Text]]:
    """The text whole, one unit at a time, and in two at every place."""
    yield [text]
    yield [text[i : i + 1] for i in range(len(text))]
    for place in range(1, len(text)):
        yield [text[:place], text[place:]]


def check_every_cut(text: Text, decode: Callable[[list[Text]], object], expected: object) -> None:
    for pieces in cuts(text):
        assert decode(pieces) == expected, pieces
