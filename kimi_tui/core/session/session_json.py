"""Session files as JSON of the same shape as the TOML, times as strings; read from JSON Lines as well."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time

from kimi_tui.core.errors import ConversionError
from kimi_tui.core.session.migrations import VERSION, as_it_is
from kimi_tui.core.session.session import Session
from kimi_tui.core.session.session_toml import iso_stamp, key_path
from kimi_tui.core.session.session_writing import BlockCache, Piece, text_piece, written
from kimi_tui.core.text.json_strings import escaped
from kimi_tui.core.text.surrogates import replace_lone

HALF_PAIR = r"""\\u[dD](?:
        [89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])             # a first half without its second
      | (?<!\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD])[c-fC-F]     # a second half without its first
      | (?<=\\\\u[dD])[89a-fA-F]                              # behind an escaped backslash: might pass for one of them
    )"""
"""How JSON may spell half a surrogate pair: it may find what is none, and misses nothing.

All begin with the same two characters, which makes it thirty times as fast; nothing else runs while it searches.
"""

_OPENING = re.compile(r'"messages"[ \t\r\n]*:[ \t\r\n]*\[[ \t\r\n]*')
_COMMA, _END = re.compile(r"[ \t\r\n]*,[ \t\r\n]*"), re.compile(r"[ \t\r\n]*\][ \t\r\n]*\}[ \t\r\n]*\Z")

MAX_BITS = 13_000
"""Most bits of a whole number: Python writes out none of more than 4,300 digits."""


class JsonWriter:
    def __init__(self) -> None:
        self._blocks = BlockCache(_message_block)

    def __call__(self, session: Session) -> Iterator[bytes]:
        """Write it in pieces; times become strings.

        Raises ConversionError where JSON cannot hold a value (a date, nan, inf): it names the key.
        """
        from kimi_tui.core.session.codec import encode_head  # noqa: PLC0415 - reading needs none of it

        plain = encode_head(session) | {"created": iso_stamp(session.created), "updated": iso_stamp(session.updated)}
        try:
            _check(plain, "")
            yield from written(_members(plain, indent=1))
            yield b',\n "messages": ['
            yield from self._blocks.write(session, b",")
        except RecursionError:
            raise ConversionError("It is nested too deeply to be written.", "Take out what is nested so.") from None
        yield b"\n ]\n}\n" if session.messages else b"]\n}\n"


def _message_block(table: dict[str, object], place: int) -> Iterator[Piece]:
    if isinstance(created := table.get("created"), datetime):
        table["created"] = iso_stamp(created)
    _check(table, f"messages[{place}]")
    yield "\n  "
    yield from _members(table, indent=3)
    yield "\n  }"


def _members(table: Mapping[str, object], indent: int) -> Iterator[Piece]:
    """Write an object, but for its end, as `json.dumps` does with an indent of 1."""
    line = "\n" + " " * indent
    for number, (key, value) in enumerate(table.items()):
        yield f"{',' if number else '{'}{line}{json.dumps(key, ensure_ascii=False)}: "
        if isinstance(value, str):
            yield '"'
            yield text_piece(value, escaped)
            yield '"'
        else:
            yield json.dumps(value, ensure_ascii=False, indent=1).replace("\n", line)


def _check(value: object, place: str) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            _check(item, key_path(place, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            _check(item, f"{place}[{number}]")
    elif isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise ConversionError(f"{place}: JSON is written with numbers of at most 4000 digits.", "Make it a string.")
    elif isinstance(value, date | time | datetime):
        raise ConversionError(f"{place}: JSON has no dates.", "Make it a string, or keep the session as TOML.")
    elif isinstance(value, float) and (value != value or value in {float("inf"), float("-inf")}):  # noqa: PLR0124
        raise ConversionError(f"{place}: JSON has no {value}.", "Keep the session as TOML.")


def decode(text: str, make_row: Callable[[object], object] = as_it_is) -> object:
    """Read JSON, or JSON Lines as a list; halves of surrogate pairs, which no file could carry again, become U+FFFD.

    `make_row` may make something else of each message, where they stand at the end as we write them and are of this
    version. Raises ValueError (for lines, the words say which one), or RecursionError where it is nested too deeply.
    """
    if re.search(HALF_PAIR, text, re.VERBOSE):
        return _mended(_parse(text))
    return _by_rows(text, make_row) or _parse(text)


def _by_rows(text: str, make_row: Callable[[object], object]) -> object:
    """None = it is no object that ends with its messages."""
    opening = _OPENING.search(text)
    if opening is None:
        return None
    decoder, rows, at = json.JSONDecoder(), list[object](), opening.end()
    try:
        head = json.loads(text[:at] + "]}")
        make = make_row if head.get("version") == VERSION else as_it_is
        while True:
            row, at = decoder.raw_decode(text, at)
            rows.append(make(row))
            comma = _COMMA.match(text, at)
            if comma is None:
                break
            at = comma.end()
    except ValueError:
        return None
    return {**head, "messages": rows} if isinstance(head, dict) and _END.match(text, at) else None


def _parse(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        # A line may hold characters that others take for a line's end.
        lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
        if len(lines) < 2 or not _is_object(lines[0][1]):
            raise
    return [_line(line, number) for number, line in lines]


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _line(line: str, number: int) -> object:
    try:
        return json.loads(line)
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from None


def _mended(value: object) -> object:
    if isinstance(value, str):
        return replace_lone(value)
    if isinstance(value, list):
        return [_mended(item) for item in value]
    if isinstance(value, dict):
        return {replace_lone(key): _mended(item) for key, item in value.items()}
    return value


def looks_like(text: str) -> bool:
    """Whether a text stands in brackets; TOML may begin with one, and then ends otherwise."""
    return text.lstrip()[:1] in {"{", "["} and text.rstrip()[-1:] in {"]", "}"}
