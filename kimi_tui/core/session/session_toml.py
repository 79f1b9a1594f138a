"""Session files as readable TOML: one `[[messages]]` block after the other, prose over several lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from kimi_tui.core.errors import ConversionError
from kimi_tui.core.session.migrations import VERSION, as_it_is
from kimi_tui.core.session.plain_rows import HEADING, read_row
from kimi_tui.core.session.session import MAX_INTEGER, Session
from kimi_tui.core.session.session_writing import BlockCache, Piece, text_piece, written
from kimi_tui.core.text.quoting import SHOWN_CHARS
from kimi_tui.core.text.toml_parsing import MAX_PARTS, parse_toml

_BARE_KEY = re.compile("[A-Za-z0-9_-]+")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_ESCAPES = {"\b": "\\b", "\f": "\\f", "\r": "\\r"}


class TomlWriter:
    def __init__(self) -> None:
        self._blocks = BlockCache(_message_block)

    def __call__(self, session: Session) -> Iterator[bytes]:
        """Write it in pieces; raises ConversionError where TOML cannot hold a value."""
        from kimi_tui.core.session.codec import encode_head  # noqa: PLC0415 - reading needs none of it

        yield from written(_table(encode_head(session), "", ""))
        yield b"\n" if session.messages else b""
        yield from self._blocks.write(session, b"\n")


def _message_block(table: dict[str, object], place: int) -> Iterator[Piece]:
    sent = table.get("sent")
    where = f"messages[{place}]"
    inline = f"sent = {_inline(sent, f'{where}.sent')}\n" if isinstance(sent, dict) else ""
    table.pop("sent", None)
    yield HEADING
    yield from _table(table, "messages", where, inline)


def _table(table: Mapping[str, object], name: str, place: str, inline: str = "", depth: int = 0) -> Iterator[Piece]:
    """Write a table: its plain values, what is ready, then its tables under their headings."""
    if depth >= MAX_PARTS:
        raise _too_deep(place)
    for key, value in table.items():
        if not _is_table(value):
            yield from _line(key, value, key_path(place, key))
    yield inline
    gap = "" if name else "\n"
    for key, value in table.items():
        heading, where = key_path(name, _key(key)), key_path(place, key)
        if isinstance(value, dict):
            yield f"{gap}[{heading}]\n"
            yield from _table(value, heading, where, depth=depth + 1)
        elif _is_table(value) and isinstance(value, list):
            for number, row in enumerate(value):
                yield f"{gap}[[{heading}]]\n"
                yield from _table(row, heading, f"{where}[{number}]", depth=depth + 1)


def _is_table(value: object) -> bool:
    """Whether a value gets a heading: a table, or a list of nothing but tables."""
    return isinstance(value, dict) or (
        isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)
    )


def _line(key: str, value: object, place: str) -> Iterator[Piece]:
    """Write one value; prose over several lines stays so, where that is exact."""
    yield f"{_key(key)} = "
    # A reader of the multi-line form may turn CR LF, or a lone CR, into LF.
    if not isinstance(value, str):
        yield _inline(value, place)
    elif "\n" in value and "\r" not in value:
        yield '"""\n'
        yield text_piece(value, _escaped)
        yield '"""'
    else:
        yield '"'
        yield text_piece(value, _escaped_line)
        yield '"'
    yield "\n"


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _string(key)


def _string(text: str) -> str:
    return f'"{_escaped_line(text)}"'


def _escaped(text: str) -> str:
    """Escape what may not stand in a basic string over several lines: no line end but LF, which stays."""
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    return _CONTROL.sub(_escape, text) if _CONTROL.search(text) else text


def _escaped_line(text: str) -> str:
    return _escaped(text).replace("\n", "\\n")


def _escape(control: re.Match[str]) -> str:
    return _ESCAPES.get(control[0]) or f"\\u{ord(control[0]):04x}"


def _inline(value: object, place: str) -> str:
    if isinstance(value, str):
        return _string(value)
    try:
        if isinstance(value, dict):
            inner = ", ".join(f"{_key(key)} = {_inline(item, key_path(place, key))}" for key, item in value.items())
            return f"{{ {inner} }}" if inner else "{}"
        if isinstance(value, list):
            return "[" + ", ".join(_inline(item, f"{place}[{n}]") for n, item in enumerate(value)) + "]"
    except RecursionError:
        raise _too_deep(place) from None
    _check(value, place)
    if isinstance(value, datetime):
        return iso_stamp(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _too_deep(place: str) -> ConversionError:
    where = place if len(place) <= SHOWN_CHARS else f"{place[:SHOWN_CHARS]}…"
    return ConversionError(f"{where}: TOML cannot hold what is nested so deeply.", "Keep the session as JSON.")


def _check(value: object, place: str) -> None:
    if value is None:
        raise ConversionError(f"{place}: TOML has no null.", "Take the key out, or keep the session as JSON.")
    if isinstance(value, int) and not -MAX_INTEGER - 1 <= value <= MAX_INTEGER:
        raise ConversionError(f"{place}: TOML holds no integer beyond 64 bits.", "Keep the session as JSON.")


def decode(text: str, make_row: Callable[[object], object] = as_it_is) -> object:
    """Read TOML, a message at a time where it can be: what its reader notes down of a whole file is far larger.

    `make_row` may make something else of each then, where it is of this version. Raises ValueError, or RecursionError
    where it is nested too deeply.
    """
    pieces = _pieces(text)
    try:
        head = parse_toml(next(pieces, ""))
        make = make_row if head.get("version") == VERSION else as_it_is
        rows: list[object] = []
        for piece in pieces:
            if (row := read_row(piece)) is not None:
                rows.append(make(row))
                continue
            [(_, messages)] = parse_toml(piece).items()
            assert isinstance(messages, list)  # what stands below its heading
            rows += map(make, messages)
    except ValueError:  # a heading inside a text, a table behind the messages, a mistake whose line has to be told
        return parse_toml(text)
    if "messages" in head:
        return parse_toml(text)
    return {**head, "messages": rows} if rows else head


def _pieces(text: str) -> Iterator[str]:
    """Cut before every heading of a message: what stands before the first, then a piece for each."""
    start = 0
    while start < len(text):
        end = text.find("\n" + HEADING, start) + 1 or len(text)
        yield text[start:end]
        start = end


def has_whole_end(text: str) -> bool:
    """Whether its last value is surely all there: a number could go on, and two quotes begin a third."""
    return re.search(r"(?:^|\n|[^\"'\s][\"']|[\]}])[ \t\r]*\Z", text) is not None


def key_path(name: str, key: str) -> str:
    """The path of a key in a table, such as `settings.extra.x`; a table without a name is the whole file."""
    return f"{name}.{key}" if name else key


def iso_stamp(value: datetime) -> str:
    """ISO 8601; a time in UTC ends in Z."""
    stamp = value.isoformat()
    return stamp.removesuffix("+00:00") + "Z" if stamp.endswith("+00:00") else stamp
