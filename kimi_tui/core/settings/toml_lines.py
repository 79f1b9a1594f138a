"""Where a key stands in a TOML file: the parser of the standard library does not say.

Not a second parser: the text is known to be valid, so its tokens alone tell headings, keys and values apart. What
cannot be found gets the line of its table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

Key = tuple[str | int, ...]

_TOKEN = re.compile(
    r"""
      (?P<blank>[ \t\r\n]+|\#[^\n]*)
    | (?P<text>\"{3}(?:[^\\]|\\.)*?\"{3,5} | '{3}.*?'{3,5} | "(?:[^"\\\n]|\\.)*" | '[^'\n]*')
    | (?P<mark>[\[\]{},.=])
    | (?P<bare>[^ \t\r\n\[\]{},.=\#"']+|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2})|(.))")
_SHORT_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b"}


def locate(text: str, key: Key) -> int:
    """Find the line of a key, from 1; its table's line, or that of the nearest one above, where it stands in none.

    Args:
        text: A valid TOML document.
        key: The path, such as ("sampling", "top_p"); a number is an index into an array.
    """
    best_offset, best_rank = 0, (0, False)
    for offset, path, is_whole in _Reader().places(text):
        # A heading [a.b] mentions the table a, but [a] itself, wherever it stands, is a better line for it.
        rank = (len(path), is_whole)
        if rank > best_rank and path == key[: len(path)]:
            best_offset, best_rank = offset, rank
    return text.count("\n", 0, best_offset) + 1


@dataclass(slots=True)
class _Open:
    """An array or inline table whose end has not come."""

    path: Key
    is_array: bool
    index: int = 0


Place = tuple[int, Key, bool]
"""Offset, path, and whether the path was written out to its end there."""


class _Reader:
    """Goes over the tokens of one document."""

    def __init__(self) -> None:
        self._table: Key = ()
        self._last: dict[Key, int] = {}
        """Index of the last element of each array of tables."""
        self._open: list[_Open] = []
        self._parts: list[str] = []
        """The key that is being read."""
        self._start = 0
        self._is_key = True
        self._brackets = 0
        """How many brackets the heading that is being read began with; 0 = none is."""
        self._path: Key = ()
        """Of the value that is being read."""
        self._is_element = False
        """Whether an array's next element begins with the next token."""

    def places(self, text: str) -> Iterator[Place]:
        """Every heading, key and array element."""
        for token in _TOKEN.finditer(text):
            if token.lastgroup == "blank":
                self._end_line(token[0])
                continue
            if self._is_element and token[0] != "]":
                yield token.start(), self._path, True
            self._is_element = False
            match token.lastgroup:
                case "mark":
                    yield from self._mark(token[0], token.start())
                case _ if self._is_key:
                    self._start = self._start if self._parts else token.start()
                    self._parts.append(_plain(token[0]))

    def _end_line(self, blank: str) -> None:
        if "\n" in blank and not self._open:
            self._is_key, self._parts, self._brackets = True, [], 0

    def _mark(self, mark: str, offset: int) -> Iterator[Place]:
        if self._is_key and mark in "[]":
            yield from self._heading(mark, offset)
        elif self._is_key and mark == "=":
            base = self._open[-1].path if self._open else self._table
            self._path, self._is_key = self._resolved(base, self._parts), False
            yield from self._mentions(base, self._path, self._start)
        elif mark in "[{" and not self._is_key:
            self._open.append(_Open(self._path, mark == "["))
            self._next_item()
        elif mark in "]}" and self._open:
            self._open.pop()
            self._is_key = False
        elif mark == "," and self._open:
            self._open[-1].index += 1
            self._next_item()

    def _heading(self, mark: str, offset: int) -> Iterator[Place]:
        if mark == "[":
            self._brackets += 1
            return
        if not self._parts:
            return
        base: Key = self._resolved((), self._parts[:-1])
        path: Key = (*base, self._parts[-1])
        if self._brackets > 1:
            self._last[path] = self._last.get(path, -1) + 1
            path = (*path, self._last[path])
        self._table, self._parts, self._is_key = path, [], False
        yield from self._mentions((), path, offset)

    def _next_item(self) -> None:
        """Get ready for an array's next element, or an inline table's next key."""
        top = self._open[-1]
        self._parts, self._is_key = [], not top.is_array
        if top.is_array:
            self._path, self._is_element = (*top.path, top.index), True

    def _resolved(self, base: Key, parts: list[str]) -> Key:
        """The whole path; a name that is an array of tables means its last element."""
        path = base
        for part in parts:
            path = (*path, part)
            if path in self._last:
                path = (*path, self._last[path])
        return path

    @staticmethod
    def _mentions(base: Key, path: Key, offset: int) -> Iterator[Place]:
        for length in range(len(base) + 1, len(path) + 1):
            yield offset, path[:length], length == len(path)


def _plain(part: str) -> str:
    """A key's part without its quotes."""
    if part[:1] == "'":
        return part[1:-1]
    return _ESCAPE.sub(_unescape, part[1:-1]) if part[:1] == '"' else part


def _unescape(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    if code:
        return chr(int(code, 16)) if int(code, 16) <= 0x10FFFF else match[0]
    return _SHORT_ESCAPES.get(match[4], match[4])
