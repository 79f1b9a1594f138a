"""A message of a TOML file read by one pattern, where it is written as plainly as this program writes it.

The standard library's parser goes from character to character in Python and takes six times as long. Whatever is
written in any other way is left to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache

from kimi_tui.core.text.shared_words import shared
from kimi_tui.core.text.toml_parsing import parse_toml

HEADING = "[[messages]]\n"
WORD_CHARS = 64
"""A longer text is no word of the format, nor a name."""
COUNT_CHARS = 20
"""64 bits need no more."""
INLINE_CHARS = 1000
"""Longer lines are unlikely to be what many messages say."""
_LINE = re.compile(
    r"""(?:
      ([\w-]+)[ ]=[ ](?:
          "((?:[^"\\\x00-\x08\x0a-\x1f\x7f]++|\\.)*+)"
        | ""\"\n((?:[^"\\\x00-\x08\x0b-\x1f\x7f]++|\\.)*+)""\"
        | (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)
        | (true|false)
        | (-?(?:0|[1-9]\d*+))
        | (-?(?:0|[1-9]\d*+)(?:\.\d++(?:[eE][+-]?\d++)?|[eE][+-]?\d++))
        | ([\[{].*)
      )
    | \[messages\.([\w-]+)\]
    |
    )(?:\n|\Z)""",
    re.VERBOSE | re.ASCII,
)
"""A key with its value, a table's heading, or nothing. Source: TOML 1.0."""
KEY, TEXT, LONG_TEXT, TIME, FLAG, COUNT, NUMBER, INLINE, TABLE = range(1, 10)
"""Groups of that pattern."""
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))")
_ESCAPED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}


def read_row(piece: str) -> dict[str, object] | None:
    """Read a text that begins with the heading of a message; None = it is written otherwise, or is no TOML."""
    row = table = dict[str, object]()
    at = len(HEADING)
    while at < len(piece):
        if (line := _LINE.match(piece, at)) is None:
            return None
        at, group = line.end(), line.lastindex
        if group is None:
            continue
        key = shared(line[TABLE if group == TABLE else KEY])
        if key in (row if group == TABLE else table):
            return None
        if group == TABLE:
            row[key] = table = {}
        elif (value := _VALUES[group](line[group])) is not None:
            table[key] = value
        else:
            return None
    return row


def _text(body: str) -> str | None:
    """None = an escape is none that is known here."""
    if "\\" in body:
        try:
            body = _ESCAPE.sub(_character, body)
        except KeyError:
            return None
    return shared(body) if len(body) <= WORD_CHARS else body


def _character(escape: re.Match[str]) -> str:
    if escape[1] is None:
        return _ESCAPED[escape[2]]
    if "d800" <= escape[1].lower() <= "dfff":  # half of a pair is none
        raise KeyError
    return chr(int(escape[1], 16))


def _inline(value: str) -> object | None:
    """A list or a table on one line, which is no one else's; None = it is none."""
    try:
        return _copied(_known(value) if len(value) <= INLINE_CHARS else _parsed(value))
    except ValueError:
        return None


def _parsed(value: str) -> object:
    return parse_toml(f"x = {value}")["x"]


_known = lru_cache(maxsize=64)(_parsed)
"""What was sent is the same for most messages."""


def _copied(value: object) -> object:
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _count(value: str) -> int | None:
    return int(value) if len(value) <= COUNT_CHARS else None


def _time(value: str) -> datetime | None:
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


_VALUES: Mapping[int, Callable[[str], object | None]] = {
    TEXT: _text,
    LONG_TEXT: _text,
    TIME: lru_cache(maxsize=64)(_time),
    FLAG: "true".__eq__,
    COUNT: _count,
    NUMBER: float,
    INLINE: _inline,
}
