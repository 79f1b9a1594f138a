"""A sweep: the same turn over values of one request field, as it is typed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from kimi_tui.core.errors import UsageError
from kimi_tui.core.settings.field_text import number_text
from kimi_tui.core.text.counts import counted
from kimi_tui.core.wire.dialect import Dialect
from kimi_tui.core.wire.fields import FieldKind

MIN_VALUES, MAX_VALUES = 2, 8
TEXTS = frozenset({FieldKind.STRING, FieldKind.URL})
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Sweep:
    field: str
    values: tuple[object | None, ...]
    """From 2 to 8, each another; None = it is not sent."""


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    is_quoted: bool = False


def parse_sweep(text: str, dialect: Dialect) -> Sweep:
    """Read a field's name and its values: each as `/set` takes it, in quotes where it holds blanks.

    Raises FieldError for a name or value that is not allowed, UsageError for too few, too many, or one twice.
    """
    name, _, rest = text.strip().partition(" ")
    if name == dialect.prompt_name:
        raise UsageError(f"/sweep: {name} is no field to sweep; the program writes the input.")
    if name not in dialect.fields:
        dialect.parse_text(name, "")  # says what is wrong with a name that nobody knows
        raise UsageError(f"/sweep: this endpoint has no field {name}.", f"Fields: {', '.join(dialect.fields)}")
    values = tuple(_value(dialect, name, word) for word in _words(rest))
    if not MIN_VALUES <= len(values) <= MAX_VALUES:
        found = counted(len(values), "value")
        raise UsageError(f"/sweep {name}: found {found}, allowed {MIN_VALUES} to {MAX_VALUES}, blanks between them.")
    for place, value in enumerate(values):
        if value in values[:place]:
            raise UsageError(f"/sweep {name}: {json.dumps(value, ensure_ascii=False)} stands there twice.")
    return Sweep(name, values)


def _value(dialect: Dialect, name: str, word: _Word) -> object | None:
    """What stands in quotes is no "null", but a string."""
    spec = dialect.spec(name)
    if spec.kind in TEXTS and word.is_quoted and word.text:
        return spec.check(word.text)
    is_number = spec.kind in {FieldKind.INTEGER, FieldKind.NUMBER}
    return dialect.parse_text(name, number_text(word.text) if is_number else word.text)


def _words(text: str) -> Iterator[_Word]:
    """Cut at blanks, but not inside of quotes or of a JSON list or object; raises UsageError for quotes left open."""
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        word, place = _word_at(text, place)
        yield word


def _word_at(text: str, start: int) -> tuple[_Word, int]:
    """The word that begins there, and where it ends."""
    first = text[start]
    if first == "'":
        end = text.find("'", start + 1)
        if end < 0:
            raise UsageError("/sweep: a quotation mark ' is not closed.")
        return _Word(text[start + 1 : end], is_quoted=True), end + 1
    if first in '"[{':
        try:
            value, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            if first == '"':
                raise UsageError('/sweep: a quotation mark " is not closed.') from None
        else:
            return (_Word(value, is_quoted=True) if isinstance(value, str) else _Word(text[start:end])), end
    end = next((place for place in range(start, len(text)) if text[place].isspace()), len(text))
    return _Word(text[start:end]), end
