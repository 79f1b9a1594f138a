"""Where a key stands in a TOML file: the parser of the standard library does not say.

Not a second parser: the text is known to be valid. A line scanner that knows headings, dotted and quoted keys and
multi-line strings; what it cannot find gets the line of its table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_KEY = re.compile(rf"\s*({_PART}(?:\s*\.\s*{_PART})*)\s*=")
_HEADING = re.compile(rf"\s*\[\[?\s*({_PART}(?:\s*\.\s*{_PART})*)\s*\]\]?")
_PARTS = re.compile(_PART)


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PARTS.findall(text))


def locate(text: str, key: tuple[str, ...]) -> int:
    """Find the line of a key, from 1; its table's line, or that of the nearest one above, where it stands in none.

    Args:
        text: A valid TOML document.
        key: The path, such as ("sampling", "top_p").
    """
    best_line, best_depth = 1, 0
    for line, path in _keys(text):
        depth = next((n for n, (a, b) in enumerate(zip(path, key, strict=False)) if a != b), min(len(path), len(key)))
        if depth == len(path) and depth > best_depth:
            best_line, best_depth = line, depth
    return best_line


def _keys(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Every heading and key with its line and whole path."""
    table: tuple[str, ...] = ()
    closing: str | None = None
    for number, line in enumerate(text.split("\n"), start=1):
        if closing is not None:
            closing = None if closing in line else closing
            continue
        if (heading := _HEADING.match(line)) is not None:
            table = _split(heading[1])
            yield number, table
        elif (match := _KEY.match(line)) is not None:
            path = (*table, *_split(match[1]))
            yield number, path
            for inner in re.finditer(rf"[{{,]\s*({_PART})\s*=", line[match.end() :]):
                yield number, (*path, *_split(inner[1]))
            closing = _open_string(line[match.end() :])


def _open_string(value: str) -> str | None:
    """The mark that ends a multi-line string begun on this line; None = none is open."""
    for mark in ('"""', "'''"):
        if value.count(mark) % 2:
            return mark
    return None
