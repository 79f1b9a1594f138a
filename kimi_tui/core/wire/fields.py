"""The request fields by our own names: what each holds, a line of help, and how a value is checked.

Ranges and defaults are the endpoint's: a dialect gives each field that it carries its own (`ranged`).
"""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlsplit

from kimi_tui.core.errors import FieldError
from kimi_tui.core.text.quoting import quoted

INTEGERS_OF_FILES = range(-(2**63), 2**63)
"""Whole numbers that every format of our files holds."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_DIGITS = re.compile("-?[0-9]{1,20}")


class FieldKind(StrEnum):
    INTEGER = "a whole number"
    NUMBER = "a number"
    STRING = "a string"
    BOOLEAN = "true or false"
    STRINGS = "non-empty strings"
    RESPONSE_FORMAT = "a response format"
    URL = "an http or https address"


class Bound(NamedTuple):
    value: float
    is_open: bool = False
    """Whether the end itself is outside."""
    words: str = ""
    """How it is shown where its digits say little; "" = as they are."""

    def __str__(self) -> str:
        return self.words or str(int(self.value) if self.value == int(self.value) else self.value)


@dataclass(frozen=True, slots=True)
class FieldSpec:
    name: str
    kind: FieldKind
    help: str
    default: object = None
    """What the endpoint takes where it is not sent; None = it does not say."""
    minimum: Bound | None = None
    maximum: Bound | None = None
    """Upper end; of strings how many, of an address its characters."""

    @property
    def allowed(self) -> str:
        """Type and range in words, such as "a number in (0, 1]"."""
        if self.kind is FieldKind.RESPONSE_FORMAT:
            return (
                'an object whose "type" is text, json_object, json_schema (with "json_schema": {"name", "schema"}) '
                'or regex (with "regex")'
            )
        if self.kind is FieldKind.URL:
            most = f", of 1-{self.maximum} characters" if self.maximum else ""
            return f"{self.kind.value} with a host, without blanks{most}"
        if self.kind is FieldKind.STRINGS and self.maximum:
            return f"at most {self.maximum} {self.kind.value}"
        if self.minimum is None or self.maximum is None:
            return self.kind.value
        ends = "(" if self.minimum.is_open else "[", ")" if self.maximum.is_open else "]"
        return f"{self.kind.value} in {ends[0]}{self.minimum}, {self.maximum}{ends[1]}"

    @property
    def typed(self) -> str:
        """The same for a value that is typed: a list as JSON."""
        return f'a JSON list such as ["a"], {self.allowed}' if self.kind is FieldKind.STRINGS else self.allowed

    def holds(self, value: float) -> bool:
        low, high = self.minimum, self.maximum
        above = low is None or (value > low.value if low.is_open else value >= low.value)
        return above and (high is None or (value < high.value if high.is_open else value <= high.value))

    def check(self, value: object) -> object:
        """Check plain data as it stands in a body, and give it as it is sent; raises FieldError."""
        checked = _CHECKS[self.kind](self, value)
        if checked is None:
            raise FieldError(self.name, quoted(value), self.allowed)
        return checked

    def check_stored(self, value: object) -> object:
        """Check a value of a file, where what not every format can hold stands as a string; raises FieldError.

        That is a response format, as its JSON, and a seed beyond 64 bits signed, as its digits.
        """
        plain = value
        if self.kind is FieldKind.RESPONSE_FORMAT and isinstance(value, str):
            with contextlib.suppress(ValueError, RecursionError):
                plain = json.loads(value)
        elif self.name == "seed" and isinstance(value, str):
            is_long = _DIGITS.fullmatch(value) and int(value) not in INTEGERS_OF_FILES
            plain = int(value) if is_long else value
        return self.check(plain)

    def parse(self, text: str) -> object | None:
        """Read a value as it is typed: numbers, true/false, lists and objects as JSON, strings as they stand.

        "" and "null" give None = not sent. Raises FieldError.
        """
        if text in {"", "null"}:
            return None
        if self.kind in {FieldKind.STRING, FieldKind.URL}:
            return self.check(text)
        try:
            return self.check(json.loads(text))
        except (ValueError, RecursionError):
            raise FieldError(self.name, quoted(text), self.typed) from None
        except FieldError as error:
            raise FieldError(self.name, error.found, self.typed) from None


_TABLE = (
    FieldSpec("max_new_tokens", FieldKind.INTEGER, "Most tokens of the reply, reasoning included."),
    FieldSpec("temperature", FieldKind.NUMBER, "0 is deterministic, above 1 more diverse."),
    FieldSpec("top_p", FieldKind.NUMBER, "Keeps the likeliest tokens up to this probability."),
    FieldSpec("min_p", FieldKind.NUMBER, "Drops tokens below this share of the likeliest; 0 = off."),
    FieldSpec("top_k", FieldKind.INTEGER, "Keeps this many of the likeliest tokens; 0 = off."),
    FieldSpec("repetition_penalty", FieldKind.NUMBER, "Above 1 discourages repetition, 1 = off."),
    FieldSpec("stop", FieldKind.STRINGS, "Texts that end the reply at once."),
    FieldSpec("num_responses", FieldKind.INTEGER, "How many replies; more than one is not streamed."),
    FieldSpec("response_format", FieldKind.RESPONSE_FORMAT, "Holds the reply to a form."),
    FieldSpec("presence_penalty", FieldKind.NUMBER, "Above 0 favours new subjects."),
    FieldSpec("frequency_penalty", FieldKind.NUMBER, "Above 0 disfavours frequent tokens."),
    FieldSpec("user", FieldKind.STRING, "A name for the end user, best a hash."),
    FieldSpec("seed", FieldKind.INTEGER, "Start of the random numbers; the same seed need not give the same reply."),
    FieldSpec("prompt_cache_key", FieldKind.STRING, "Lets the endpoint reuse the prompt's beginning."),
    FieldSpec("webhook", FieldKind.URL, "Where the reply is sent instead of here."),
    FieldSpec("stream", FieldKind.BOOLEAN, "Whether tokens come as they are made."),
)

FIELDS: Mapping[str, FieldSpec] = {spec.name: spec for spec in _TABLE}
"""Every field that may be set, without ranges."""
SETTABLE: tuple[str, ...] = tuple(FIELDS)


def ranged(name: str, default: object = None, minimum: Bound | None = None, maximum: Bound | None = None) -> FieldSpec:
    """One of our fields with an endpoint's default and ends."""
    return replace(FIELDS[name], default=default, minimum=minimum, maximum=maximum)


def _is_well_formed(text: str) -> bool:
    return text.isascii() or _SURROGATE.search(text) is None


def _check_integer(spec: FieldSpec, value: object) -> object:
    return value if isinstance(value, int) and not isinstance(value, bool) and spec.holds(value) else None


def _check_number(spec: FieldSpec, value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) and spec.holds(value) else None
    return _check_integer(spec, value)


def _check_strings(spec: FieldSpec, value: object) -> object:
    if not isinstance(value, list | tuple) or not spec.holds(len(value)):
        return None
    return list(value) if all(isinstance(s, str) and s and _is_well_formed(s) for s in value) else None


def _check_url(spec: FieldSpec, value: object) -> object:
    if not isinstance(value, str) or not spec.holds(len(value)):
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
    if not isinstance(value, dict) or not is_json(value):
        return None
    schema, pattern = value.get("json_schema"), value.get("regex")
    has_schema = (
        isinstance(schema, dict) and isinstance(schema.get("name"), str) and isinstance(schema.get("schema"), dict)
    )
    complete = {"text": True, "json_object": True, "json_schema": has_schema, "regex": isinstance(pattern, str)}
    kind = value.get("type")
    return value if isinstance(kind, str) and complete.get(kind, False) else None


def is_json(value: object) -> bool:
    try:
        return _is_well_formed(json.dumps(value, ensure_ascii=False, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        return False


_CHECKS: Mapping[FieldKind, Callable[[FieldSpec, object], object]] = {
    FieldKind.INTEGER: _check_integer,
    FieldKind.NUMBER: _check_number,
    FieldKind.STRING: lambda _, value: value if isinstance(value, str) and _is_well_formed(value) else None,
    FieldKind.BOOLEAN: lambda _, value: value if isinstance(value, bool) else None,
    FieldKind.STRINGS: _check_strings,
    FieldKind.RESPONSE_FORMAT: _check_response_format,
    FieldKind.URL: _check_url,
}
