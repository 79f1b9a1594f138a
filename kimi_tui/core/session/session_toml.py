"""Session files as readable TOML: one `[[messages]]` block after the other, prose over several lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from kimi_tui.core.errors import ConversionError
from kimi_tui.core.session.session import MAX_INTEGER, Message, Session
from kimi_tui.core.text.quoting import SHOWN_CHARS
from kimi_tui.core.text.toml_parsing import MAX_PARTS, check_keys

MESSAGE_HEADING = "[[messages]]\n"


class TomlWriter:
    """Blocks are kept per message, so that a save encodes what is new and no more."""

    def __init__(self) -> None:
        self._blocks: dict[str, tuple[Message, str]] = {}

    def dump(self, session: Session) -> bytes:
        from kimi_tui.core.session.codec import encode_session  # noqa: PLC0415 - reading needs none of it

        plain = encode_session(Session(**{**_shallow(session), "messages": ()}))
        plain.pop("messages")
        parts = [_table(plain, "", "")]
        kept: dict[str, tuple[Message, str]] = {}
        for place, message in enumerate(session.messages):
            known = self._blocks.get(message.id)
            block = known if known and known[0] is message else (message, _message_block(message, place))
            kept[message.id] = block
            parts.append(block[1])
        self._blocks = kept
        return "\n".join(parts).encode("utf-8")


def _shallow(session: Session) -> dict[str, Any]:
    return {name: getattr(session, name) for name in Session.__dataclass_fields__}


def _message_block(message: Message, place: int) -> str:
    from kimi_tui.core.session.codec import encode_message  # noqa: PLC0415 - reading needs none of it

    table = encode_message(message)
    sent = table.get("sent")
    where = f"messages[{place}]"
    inline = f"sent = {_inline(sent, f'{where}.sent')}\n" if isinstance(sent, dict) else ""
    table.pop("sent", None)
    return MESSAGE_HEADING + _table(table, "messages", where, inline)


def _table(table: Mapping[str, object], name: str, place: str, inline: str = "", depth: int = 0) -> str:
    """Write a table: its plain values, what is ready, then its tables under their headings."""
    if depth >= MAX_PARTS:
        raise _too_deep(place)
    lines = [_line(key, value, key_path(place, key)) for key, value in table.items() if not _is_table(value)]
    parts = ["".join(lines) + inline]
    for key, value in table.items():
        heading, where = key_path(name, _key(key)), key_path(place, key)
        if isinstance(value, dict):
            parts.append(f"[{heading}]\n" + _table(value, heading, where, depth=depth + 1))
        elif _is_table(value) and isinstance(value, list):
            rows = (_table(row, heading, f"{where}[{n}]", depth=depth + 1) for n, row in enumerate(value))
            parts += [f"[[{heading}]]\n{row}" for row in rows]
    return ("\n" if not name else "").join(parts)


def _is_table(value: object) -> bool:
    """Whether a value gets a heading: a table, or a list of nothing but tables."""
    return isinstance(value, dict) or (
        isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)
    )


def _line(key: str, value: object, place: str) -> str:
    """Write one value; prose over several lines stays so, where that is exact."""
    import tomli_w  # noqa: PLC0415 - reading needs none of it

    if isinstance(value, list | dict):
        return f"{_key(key)} = {_inline(value, place)}\n"
    _check(value, place)
    if isinstance(value, datetime):
        return f"{_key(key)} = {iso_stamp(value)}\n"
    # In the multi-line form the writer turns CR LF into LF, and a reader may do likewise with a lone CR.
    is_prose = isinstance(value, str) and "\n" in value and "\r" not in value
    return tomli_w.dumps({key: value}, multiline_strings=is_prose)


def _key(key: str) -> str:
    import tomli_w  # noqa: PLC0415 - reading needs none of it

    return tomli_w.dumps({key: 0}).removesuffix(" = 0\n")


def _inline(value: object, place: str) -> str:
    import tomli_w  # noqa: PLC0415 - reading needs none of it

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
    return tomli_w.dumps({"x": value}).removeprefix("x = ").removesuffix("\n")


def _too_deep(place: str) -> ConversionError:
    where = place if len(place) <= SHOWN_CHARS else f"{place[:SHOWN_CHARS]}…"
    return ConversionError(f"{where}: TOML cannot hold what is nested so deeply.", "Keep the session as JSON.")


def _check(value: object, place: str) -> None:
    if value is None:
        raise ConversionError(f"{place}: TOML has no null.", "Take the key out, or keep the session as JSON.")
    if isinstance(value, int) and not -MAX_INTEGER - 1 <= value <= MAX_INTEGER:
        raise ConversionError(f"{place}: TOML holds no integer beyond 64 bits.", "Keep the session as JSON.")


def decode(text: str) -> object:
    """Read TOML, a message at a time where it can be: what its reader notes down of a whole file is far larger.

    Raises ValueError, or RecursionError where it is nested too deeply.
    """
    import tomllib  # noqa: PLC0415 - writing needs none of it

    check_keys(text)
    pieces = _pieces(text)
    try:
        head = tomllib.loads(next(pieces, ""))
        rows: list[object] = []
        for piece in pieces:
            [(_, messages)] = tomllib.loads(piece).items()
            rows += messages
    except ValueError:  # a heading inside a text, a table behind the messages, a mistake whose line has to be told
        return tomllib.loads(text)
    if "messages" in head:
        return tomllib.loads(text)
    return {**head, "messages": rows} if rows else head


def _pieces(text: str) -> Iterator[str]:
    """Cut before every heading of a message: what stands before the first, then a piece for each."""
    start = 0
    while start < len(text):
        end = text.find("\n" + MESSAGE_HEADING, start) + 1 or len(text)
        yield text[start:end]
        start = end


def key_path(name: str, key: str) -> str:
    """The path of a key in a table, such as `settings.extra.x`; a table without a name is the whole file."""
    return f"{name}.{key}" if name else key


def iso_stamp(value: datetime) -> str:
    """ISO 8601; a time in UTC ends in Z."""
    stamp = value.isoformat()
    return stamp.removesuffix("+00:00") + "Z" if stamp.endswith("+00:00") else stamp
