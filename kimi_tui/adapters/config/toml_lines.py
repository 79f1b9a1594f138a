"""Where keys stand in a TOML file: the parser of the standard library does not say, but it knows a whole statement."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping

from kimi_tui.core.settings.layers import Key

CLOSERS = ("]", '"""', "'''")
"""One of these ends a value of several lines. Source: TOML 1.0, strings and arrays."""

MAX_PARSED_CHARS = 20_000_000
"""A value of many lines is parsed again with each that may be its last: from there on lines are those of tables."""


def lines_of(text: str, keys: Iterable[Key]) -> list[int]:
    """The lines, from 1, where keys of a valid text are set or their tables begun; else the line of the table."""
    named: dict[Key, int] = {(): 1}
    for line, key in _statements(text):
        named.setdefault(key, line)
    return [next(named[key[:length]] for length in range(len(key), -1, -1) if key[:length] in named) for key in keys]


def _statements(text: str) -> Iterator[tuple[int, Key]]:
    """Every key and table, those above it first, with the line on which its statement begins."""
    lines = text.replace("\r\n", "\n").split("\n")
    table: Key = ()
    start = parsed = 0
    for end, last in enumerate(lines, 1):
        if start < end - 1 and not any(closer in last for closer in CLOSERS):
            continue
        parsed += sum(map(len, lines[start:end]))
        if parsed > MAX_PARSED_CHARS:
            return
        try:
            statement = tomllib.loads("\n".join(lines[start:end]))
        except tomllib.TOMLDecodeError:  # a value that goes on in the next line
            continue
        if is_heading := lines[start].lstrip().startswith("["):
            table = ()
        for path in _paths(statement):
            yield start + 1, (*table, *path)
        if is_heading:
            *_, table = _paths(statement)
        start = end


def _paths(tables: Mapping[str, object]) -> Iterator[Key]:
    for name, value in tables.items():
        yield (name,)
        if isinstance(value, Mapping):
            yield from ((name, *path) for path in _paths(value))
