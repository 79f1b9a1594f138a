"""The request fields: type, range, default and one line of help for each, in one table.

Settings, config, command line, messages and documentation read this table; nothing else knows a range.
Source: API reference, "Input fields" and "Input Schema".
"""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from kimi_tui.core.errors import FieldError
from kimi_tui.core.text.nearest import nearest
from kimi_tui.core.text.quoting import quoted, shortened

MAX_STOPS = 16
"""Most stop sequences of a request."""
MAX_WEBHOOK_CHARS = 2083
"""Longest webhook address."""

INTEGERS_OF_FILES = range(-(2**63), 2**63)
"""Whole numbers that every format of our files holds."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_DIGITS = re.compile("-?[0-9]{1,20}")


class FieldKind(StrEnum):
    """What a field holds."""

    INTEGER = "a whole number"
    NUMBER = "a number"
    STRING = "a string"
    BOOLEAN = "true or false"
    STRINGS = f"at most {MAX_STOPS} non-empty strings"
    RESPONSE_FORMAT = "a response format"
    URL = "an http or https address"


@dataclass(frozen=True, slots=True)
class Bound:
    """One end of a range."""

    value: float
    """The end itself."""
    is_open: bool = False
    """Whether the end itself is outside."""
    words: str = ""
    """How it is shown where its digits say little; "" = as they are."""

    def __str__(self) -> str:
        """The end as it is shown."""
        return self.words or str(int(self.value) if self.value == int(self.value) else self.value)


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One request field."""

    name: str
    """Its name in the body."""
    kind: FieldKind
    """What it holds."""
    help: str
    """What it does, in one line."""
    default: object = None
    """What the endpoint takes where it is not sent; None = the reference does not say."""
    minimum: Bound | None = None
    """Lower end."""
    maximum: Bound | None = None
    """Upper end."""

    @property
    def allowed(self) -> str:
        """Type and range in words, such as "a number in (0, 1]"."""
        if self.kind is FieldKind.RESPONSE_FORMAT:
            return (
                'an object whose "type" is text, json_object, json_schema (with "json_schema": {"name", "schema"}) '
                'or regex (with "regex")'
            )
        if self.kind is FieldKind.URL:
            return f"an http or https address with a host, without blanks, of 1-{MAX_WEBHOOK_CHARS} characters"
        if self.minimum is None or self.maximum is None:
            return self.kind.value
        ends = "(" if self.minimum.is_open else "[", ")" if self.maximum.is_open else "]"
        return f"{self.kind.value} in {ends[0]}{self.minimum}, {self.maximum}{ends[1]}"

    @property
    def typed(self) -> str:
        """The same for a value that is typed: a list as JSON."""
        return f'a JSON list such as ["a"], {self.allowed}' if self.kind is FieldKind.STRINGS else self.allowed


def _number(name: str, help_: str, default: object, low: Bound, high: Bound) -> FieldSpec:
    return FieldSpec(name, FieldKind.NUMBER, help_, default, low, high)


def _integer(name: str, help_: str, default: object, low: Bound, high: Bound) -> FieldSpec:
    return FieldSpec(name, FieldKind.INTEGER, help_, default, low, high)


_TABLE = (
    FieldSpec("input", FieldKind.STRING, "The prompt; the program writes it."),
    _integer("max_new_tokens", "Most tokens of the reply, reasoning included.", None, Bound(1), Bound(1_000_000)),
    _number("temperature", "0 is deterministic, above 1 more diverse.", 0.7, Bound(0), Bound(100)),
    _number("top_p", "Keeps the likeliest tokens up to this probability.", 0.9, Bound(0, is_open=True), Bound(1)),
    _number("min_p", "Drops tokens below this share of the likeliest; 0 = off.", 0, Bound(0), Bound(1)),
    _integer("top_k", "Keeps this many of the likeliest tokens; 0 = off.", 0, Bound(0), Bound(1000, is_open=True)),
    _number("repetition_penalty", "Above 1 discourages repetition, 1 = off.", 1, Bound(0.01), Bound(5)),
    FieldSpec("stop", FieldKind.STRINGS, "Texts that end the reply at once."),
    _integer("num_responses", "How many replies; more than one is not streamed.", 1, Bound(1), Bound(4)),
    FieldSpec("response_format", FieldKind.RESPONSE_FORMAT, "Holds the reply to a form.", {"type": "text"}),
    _number("presence_penalty", "Above 0 favours new subjects.", 0, Bound(-2), Bound(2)),
    _number("frequency_penalty", "Above 0 disfavours frequent tokens.", 0, Bound(-2), Bound(2)),
    FieldSpec("user", FieldKind.STRING, "A name for the end user, best a hash."),
    _integer(
        "seed",
        "Start of the random numbers; the same seed need not give the same reply.",
        None,
        Bound(-9223372036854776000, words="-2^63"),  # the reference rounds both to 16 digits
        Bound(18446744073709552000, is_open=True, words="2^64"),
    ),
    FieldSpec("prompt_cache_key", FieldKind.STRING, "Lets the endpoint reuse the prompt's beginning."),
    FieldSpec("webhook", FieldKind.URL, "Where the reply is sent instead of here."),
    FieldSpec("stream", FieldKind.BOOLEAN, "Whether tokens come as they are made.", False),
)

FIELDS: Mapping[str, FieldSpec] = {spec.name: spec for spec in _TABLE}
"""Every field in the schema's order."""
SETTABLE: tuple[str, ...] = tuple(name for name in FIELDS if name != "input")
"""The fields a user sets; `input` is the program's own."""


def check_value(name: str, value: object) -> object:
    """Check a value against the table.

    Args:
        name: A field's name.
        value: What was found: plain data, as it stands in a body.

    Returns:
        The value as it goes into the body.

    Raises:
        FieldError: There is no such field, or the value is not allowed.
    """
    spec = FIELDS.get(name)
    if spec is None:
        raise _unknown(name)
    checked = _CHECKS[spec.kind](spec, value)
    if checked is None:
        raise FieldError(name, quoted(value), spec.allowed)
    return checked


def check_stored(name: str, value: object) -> object:
    """Check a value of a file, where what not every format can hold stands as a string.

    Args:
        name: A field's name.
        value: What was found: plain data, a response format as its JSON, a seed beyond 64 bits signed as its digits.

    Returns:
        The value as it goes into the body.

    Raises:
        FieldError: There is no such field, or the value is not allowed.
    """
    plain = value
    if name == "response_format" and isinstance(value, str):
        with contextlib.suppress(ValueError, RecursionError):
            plain = json.loads(value)
    elif name == "seed" and isinstance(value, str) and _DIGITS.fullmatch(value) and int(value) not in INTEGERS_OF_FILES:
        plain = int(value)
    return check_value(name, plain)


def parse_text(name: str, text: str) -> object | None:
    """Read a value as it is typed: numbers, true/false, lists and objects as JSON, strings as they stand.

    Returns:
        The checked value; None = not sent ("" and "null").

    Raises:
        FieldError: There is no such field, it is `input`, or the value is not allowed.
    """
    spec = FIELDS.get(name)
    if spec is None:
        raise _unknown(name)
    if name == "input":
        raise FieldError(name, quoted(text), "nothing: the program writes the input")
    if text in {"", "null"}:
        return None
    if spec.kind in {FieldKind.STRING, FieldKind.URL}:
        return check_value(name, text)
    try:
        return check_value(name, json.loads(text))
    except (ValueError, RecursionError):
        raise FieldError(name, quoted(text), spec.typed) from None
    except FieldError as error:
        raise FieldError(name, error.found, spec.typed) from None


def _unknown(name: str) -> FieldError:
    known, equals, text = name.partition("=")
    if equals and known in SETTABLE:
        return FieldError(known, quoted(name), f"a blank before the value, such as {known} {shortened(text)}")
    return FieldError(shortened(name), "an unknown field", nearest(name, SETTABLE))


def _is_well_formed(text: str) -> bool:
    return text.isascii() or _SURROGATE.search(text) is None


def _is_inside(spec: FieldSpec, value: float) -> bool:
    low, high = spec.minimum, spec.maximum
    if low is None or high is None:
        return True
    above = value > low.value if low.is_open else value >= low.value
    below = value < high.value if high.is_open else value <= high.value
    return above and below


def _check_integer(spec: FieldSpec, value: object) -> object:
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    return value if is_integer and isinstance(value, int) and _is_inside(spec, value) else None


def _check_number(spec: FieldSpec, value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if _is_inside(spec, value) else None


def _check_string(spec: FieldSpec, value: object) -> object:
    del spec
    return value if isinstance(value, str) and _is_well_formed(value) else None


def _check_boolean(spec: FieldSpec, value: object) -> object:
    del spec
    return value if isinstance(value, bool) else None


def _check_strings(spec: FieldSpec, value: object) -> object:
    del spec
    if not isinstance(value, list | tuple) or len(value) > MAX_STOPS:
        return None
    return list(value) if all(isinstance(s, str) and s and _is_well_formed(s) for s in value) else None


def _check_url(spec: FieldSpec, value: object) -> object:
    del spec
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_WEBHOOK_CHARS:
        return None
    if not all(char.isprintable() and not char.isspace() for char in value):
        return None
    try:
        parts = urlsplit(value)
        is_usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return value if is_usable else None


def _check_response_format(spec: FieldSpec, value: object) -> object:
    del spec
    if not isinstance(value, dict) or not _is_json(value):
        return None
    schema, pattern = value.get("json_schema"), value.get("regex")
    has_schema = (
        isinstance(schema, dict) and isinstance(schema.get("name"), str) and isinstance(schema.get("schema"), dict)
    )
    complete = {
        "text": True,
        "json_object": True,
        "json_schema": has_schema,
        "regex": isinstance(pattern, str),
    }
    kind = value.get("type")
    return value if isinstance(kind, str) and complete.get(kind, False) else None


def _is_json(value: object) -> bool:
    try:
        return _is_well_formed(json.dumps(value, ensure_ascii=False, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        return False


_CHECKS: Mapping[FieldKind, Callable[[FieldSpec, object], object]] = {
    FieldKind.INTEGER: _check_integer,
    FieldKind.NUMBER: _check_number,
    FieldKind.STRING: _check_string,
    FieldKind.BOOLEAN: _check_boolean,
    FieldKind.STRINGS: _check_strings,
    FieldKind.RESPONSE_FORMAT: _check_response_format,
    FieldKind.URL: _check_url,
}
