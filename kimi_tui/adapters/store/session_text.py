"""Session files as bytes: readable TOML, or JSON of the same shape."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from typing import Any

from kimi_tui.core.errors import ConversionError, StorageError
from kimi_tui.core.session.codec import MAX_INTEGER, encode_message, encode_session
from kimi_tui.core.session.session import Message, Session
from kimi_tui.core.text.surrogates import replace_lone

MESSAGE_HEADING = "[[messages]]\n"
"""What begins a message in TOML."""
LINES = ".jsonl"
"""What stands for JSON that may be JSON Lines."""
HALF_PAIR = re.compile(
    r"""\\u[dD](?:
        [89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])             # a first half without its second
      | (?<!\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD])[c-fC-F]     # a second half without its first
      | (?<=\\\\u[dD])[89a-fA-F]                              # behind an escaped backslash: might pass for one of them
    )""",
    re.VERBOSE,
)
"""How JSON may spell half a surrogate pair: it may find what is none, and misses nothing.

All begin with the same two characters, which makes it thirty times as fast; nothing else runs while it searches.
"""


class TomlWriter:
    """Writes sessions as TOML, one `[[messages]]` block after the other.

    Blocks are kept per message, so that a save encodes what is new and no more.
    """

    def __init__(self) -> None:
        """Begin with nothing kept."""
        self._blocks: dict[str, tuple[Message, str]] = {}

    def dump(self, session: Session) -> bytes:
        """Write a session.

        Raises:
            ConversionError: TOML cannot hold a value; the summary names its key.
        """
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
    table = encode_message(message)
    sent = table.get("sent")
    where = f"messages[{place}]"
    inline = f"sent = {_inline(sent, f'{where}.sent')}\n" if isinstance(sent, dict) else ""
    table.pop("sent", None)
    return MESSAGE_HEADING + _table(table, "messages", where, inline)


def _table(table: Mapping[str, object], name: str, place: str, inline: str = "") -> str:
    """Write a table: its plain values, what is ready, then its tables under their headings."""
    lines = [_line(key, value, _join(place, key)) for key, value in table.items() if not _is_table(value)]
    parts = ["".join(lines) + inline]
    for key, value in table.items():
        heading, where = _join(name, _key(key)), _join(place, key)
        if isinstance(value, dict):
            parts.append(f"[{heading}]\n" + _table(value, heading, where))
        elif _is_table(value) and isinstance(value, list):
            parts += [f"[[{heading}]]\n" + _table(row, heading, f"{where}[{n}]") for n, row in enumerate(value)]
    return ("\n" if not name else "").join(parts)


def _join(name: str, key: str) -> str:
    return f"{name}.{key}" if name else key


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
        return f"{_key(key)} = {_stamp(value)}\n"
    # In the multi-line form the writer turns CR LF into LF, and a reader may do likewise with a lone CR.
    is_prose = isinstance(value, str) and "\n" in value and "\r" not in value
    return tomli_w.dumps({key: value}, multiline_strings=is_prose)


def _key(key: str) -> str:
    import tomli_w  # noqa: PLC0415 - reading needs none of it

    return tomli_w.dumps({key: 0}).removesuffix(" = 0\n")


def _inline(value: object, place: str) -> str:
    import tomli_w  # noqa: PLC0415 - reading needs none of it

    if isinstance(value, dict):
        inner = ", ".join(f"{_key(key)} = {_inline(item, _join(place, key))}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(item, f"{place}[{n}]") for n, item in enumerate(value)) + "]"
    _check(value, place)
    if isinstance(value, datetime):
        return _stamp(value)
    return tomli_w.dumps({"x": value}).removeprefix("x = ").removesuffix("\n")


def _check(value: object, place: str) -> None:
    if value is None:
        raise ConversionError(f"{place}: TOML has no null.", "Take the key out, or keep the session as JSON.")
    if isinstance(value, int) and not -MAX_INTEGER - 1 <= value <= MAX_INTEGER:
        raise ConversionError(f"{place}: TOML holds no integer beyond 64 bits.", "Keep the session as JSON.")


def dump(session: Session, ending: str) -> bytes:
    """Write a session in the form of that ending, ".toml" or ".json"."""
    return dump_json(session) if ending == ".json" else TomlWriter().dump(session)


def dump_json(session: Session) -> bytes:
    """Write a session as JSON, times as strings.

    Raises:
        ConversionError: JSON cannot hold a value (a date, nan, inf); the summary names its key.
    """
    plain = encode_session(session)
    plain |= {"created": _stamp(session.created), "updated": _stamp(session.updated)}
    messages = plain["messages"]
    assert isinstance(messages, list)
    for message in messages:
        if isinstance(message.get("created"), datetime):
            message["created"] = _stamp(message["created"])
    _check_json(plain, "")
    return (json.dumps(plain, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


def _stamp(value: datetime) -> str:
    stamp = value.isoformat()
    return stamp.removesuffix("+00:00") + "Z" if stamp.endswith("+00:00") else stamp


def _check_json(value: object, place: str) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            _check_json(item, _join(place, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            _check_json(item, f"{place}[{number}]")
    elif isinstance(value, date | time | datetime):
        raise ConversionError(f"{place}: JSON has no dates.", "Make it a string, or keep the session as TOML.")
    elif isinstance(value, float) and (value != value or value in {float("inf"), float("-inf")}):  # noqa: PLR0124
        raise ConversionError(f"{place}: JSON has no {value}.", "Keep the session as TOML.")


def load(data: bytes, ending: str) -> object:
    """Read plain data.

    Args:
        data: The file's bytes.
        ending: ".toml", ".json", or `LINES`.

    Raises:
        StorageError: It is not of that format; the summary says where.
    """
    try:
        text = data.decode("utf-8-sig")
        del data  # as large as all that is read from it
        if ending in {".json", LINES}:
            plain = json.loads(text) if ending == ".json" else _load_lines(text)
            return _mend(plain) if HALF_PAIR.search(text) else plain
        return _load_toml(text)
    except UnicodeDecodeError as error:
        raise StorageError(f"it is not UTF-8 (byte {error.start}).") from None
    except RecursionError:
        raise StorageError("it is nested too deeply.") from None
    except ValueError as error:
        raise StorageError(f"it is no {'TOML' if ending == '.toml' else 'JSON'}: {error}.") from None


def _load_lines(text: str) -> object:
    from kimi_tui.core.wire.message_list import parse_json  # noqa: PLC0415 - sessions need none of it

    return parse_json(text)


def _load_toml(text: str) -> object:
    """Read TOML, a message at a time where it can be: what its reader notes down of a whole file is far larger."""
    import tomllib  # noqa: PLC0415 - JSON needs none of it

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


def _mend(value: object) -> object:
    """Put U+FFFD for halves of surrogate pairs, which no file could carry again."""
    if isinstance(value, str):
        return replace_lone(value)
    if isinstance(value, list):
        return [_mend(item) for item in value]
    if isinstance(value, dict):
        return {replace_lone(key): _mend(item) for key, item in value.items()}
    return value
