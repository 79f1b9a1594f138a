"""Looks whether a text keeps a form, and whether the form is one: the program that runs in a process of its own.

It reads one JSON object from standard input, {"form", "text"}, and writes one, {"findings": [[path, message]]} or
{"unchecked"}. Whoever started it ends it when it takes too long: a pattern may run for ever, and so may a schema.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import signal
import sys
from collections.abc import Iterator
from typing import Any

from kimi_tui.core.text.foreign_pattern import PatternError, compiled

MAX_FINDINGS = 20
MAX_CHARS = 300
"""Most characters of a finding: it may repeat what it is about."""
MEMORY_BYTES = 1 << 30
LIFE_S = 5
"""It ends then, whoever started it may be dead; a little longer than anybody waits for it."""

DATA_KEYS = frozenset({"const", "enum", "default", "examples"})
"""Keywords of a schema whose values are no schemas."""
MAP_KEYS = frozenset({"properties", "patternProperties", "dependentSchemas", "dependencies", "$defs", "definitions"})
"""Keywords of a schema whose values hold schemas by names of the author's."""

Findings = list[tuple[str, str]]


class CannotCheckError(Exception):
    """Nobody can say whether it keeps the form; its text says why."""


def find(form: dict[str, Any], text: str | None) -> Findings:
    """What is wrong with a text; None = with the form itself."""
    match form["type"]:
        case "regex":
            return _find_in_pattern(form["regex"], text)
        case "json_schema":
            schema = form["json_schema"]["schema"]
            return _wrong_schema(schema) if text is None else _unfitting(schema, text)
        case _:
            return [] if text is None else _no_object(text)


def _find_in_pattern(pattern: str, text: str | None) -> Findings:
    try:
        found = compiled(pattern)
    except PatternError as error:
        if text is None:
            return [("", str(error))]
        raise CannotCheckError(f"Python cannot read the pattern ({error})") from None
    return [] if text is None or found.fullmatch(text) else [("", "it does not fit the pattern")]


def _no_constant(name: str) -> object:
    raise ValueError(f"{name}, which JSON does not have")


def _parsed(text: str) -> tuple[Any, Findings]:
    """The value, or why there is none."""
    try:
        return json.loads(text, parse_constant=_no_constant), []
    except json.JSONDecodeError as error:
        return None, [("", f"it is no JSON: line {error.lineno}, column {error.colno}: {error.msg}")]
    except ValueError as error:
        return None, [("", f"it is no JSON: {error}")]


def _no_object(text: str) -> Findings:
    value, findings = _parsed(text)
    return findings or ([] if isinstance(value, dict) else [("$", "it is no object")])


def _validator(schema: Any) -> Any:
    """Of the draft that the schema names; what it refers to elsewhere is never fetched."""
    import jsonschema  # noqa: PLC0415 - in this process, where a schema is checked
    from referencing import Registry  # noqa: PLC0415

    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    return kind(schema, registry=Registry())


def _wrong_schema(schema: Any) -> Findings:
    import jsonschema  # noqa: PLC0415

    kind = type(_validator(schema))
    try:
        kind.check_schema(schema)
    except jsonschema.SchemaError as error:
        wrong: Any = error
        while wrong.context:  # of alternatives, the plain one stands first
            wrong = wrong.context[0]
        return [(error.json_path, wrong.message)]
    from jsonschema_specifications import REGISTRY  # noqa: PLC0415 - what a schema may refer to besides itself
    from referencing.jsonschema import specification_with  # noqa: PLC0415

    resource = specification_with(kind.META_SCHEMA["$schema"]).create_resource(schema)
    return list(_lost_references(REGISTRY.resolver_with_root(resource), schema, "$"))


def _lost_references(resolver: Any, schema: Any, path: str, *, is_map: bool = False) -> Iterator[tuple[str, str]]:
    """References to what is not in the schema; a schema of several documents is not looked through.

    `is_map` = it is the value of one of `MAP_KEYS`, so that its keys are no keywords.
    """
    from referencing.exceptions import Unresolvable  # noqa: PLC0415

    if isinstance(schema, dict) and not is_map:
        if "$id" in schema:
            return
        reference = schema.get("$ref")
        if isinstance(reference, str):
            try:
                resolver.lookup(reference)
            except Unresolvable:
                yield f"{path}.$ref", f"{reference!r} is not in the schema, and nothing is fetched"
    inner = schema.items() if isinstance(schema, dict) else enumerate(schema) if isinstance(schema, list) else ()
    for key, value in inner:
        if key in DATA_KEYS and not is_map:
            continue
        place = f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}"
        yield from _lost_references(resolver, value, place, is_map=key in MAP_KEYS and not is_map)


def _unfitting(schema: Any, text: str) -> Findings:
    from referencing.exceptions import Unresolvable  # noqa: PLC0415

    value, findings = _parsed(text)
    if findings:
        return findings
    try:
        errors = list(itertools.islice(_validator(schema).iter_errors(value), MAX_FINDINGS))
    except Unresolvable as error:
        raise CannotCheckError(f"the schema refers to what is not in it: {error}") from None
    return [(error.json_path, error.message) for error in errors]


def answer(request: dict[str, Any]) -> dict[str, object]:
    try:
        found = find(request["form"], request["text"])
    except CannotCheckError as error:
        return {"unchecked": str(error)[:MAX_CHARS]}
    except RecursionError:
        return {"unchecked": "it is nested too deep"}
    except MemoryError:
        return {"unchecked": "it takes too much memory"}
    except Exception:  # a schema that is none may trip the validator anywhere
        return {"unchecked": "the schema cannot be used"}
    return {"findings": [(path[:MAX_CHARS], message[:MAX_CHARS]) for path, message in found]}


def _bound() -> None:
    """Take no more memory and time than this, where the system can say so."""
    signal.alarm(LIFE_S)
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 - not everywhere

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def main() -> None:
    _bound()
    sys.set_int_max_str_digits(0)  # time is bounded already
    request = json.loads(sys.stdin.buffer.read())
    sys.stdout.buffer.write(json.dumps(answer(request)).encode())


if __name__ == "__main__":
    main()
