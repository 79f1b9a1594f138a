"""Where a key stands in a TOML file: the parser of the standard library does not say."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence

from kimi_tui.core.settings.layers import Key


def line_of(text: str, key: Key) -> int:
    """Find the line, from 1, on which a key is first set, or its table begun; where it is nowhere, its table's line.

    By bisection over beginnings of the text: the shortest one that has the key ends with it.

    Args:
        text: A valid TOML document.
        key: The path, such as ("sampling", "top_p").
    """
    lines = text.replace("\r\n", "\n").split("\n")
    while not _has(tomllib.loads(text), key):
        key = key[:-1]
    without, having = 0, len(lines)
    while without < having:
        middle = (without + having) // 2
        if _has(_parsed(lines, middle)[1], key):
            having = middle
        else:
            without = middle + 1
    return _parsed(lines, having - 1)[0] + 1 if key else 1


def _parsed(lines: Sequence[str], count: int) -> tuple[int, Mapping[str, object]]:
    """The most of so many lines that is TOML, as values may go over several: how many these are, and their tables."""
    while count > 0:
        try:
            return count, tomllib.loads("\n".join(lines[:count]))
        except tomllib.TOMLDecodeError:
            count -= 1
    return 0, {}


def _has(document: object, key: Key) -> bool:
    for name in key:
        if not isinstance(document, Mapping) or name not in document:
            return False
        document = document[name]
    return True
