"""Replies in a form that was asked for: a JSON object, an instance of a JSON schema, a match of a pattern."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping

from kimi_tui.adapters.endpoint.simulator.patterns import matching

WHOLE_DEPTH = 5
"""Down to here an object gets all its properties, below only the required ones, so that recursion ends."""
MAX_DEPTH = 24
"""Below this only null is left."""
MAX_VALUES = 2000
"""Most values of an instance; beyond it only null is left."""
MAX_ITEMS = 20
MAX_CHARS = 4096
FORMATS: Mapping[str, str] = {
    "date": "2026-11-23",
    "date-time": "2026-11-23T08:15:00Z",
    "time": "08:15:00Z",
    "email": "ada@example.org",
    "uri": "https://example.org/lamb",
    "uuid": "3f2b8c1e-5d47-4a6b-9c0d-1e2f3a4b5c6d",
    "ipv4": "127.0.0.1",
    "hostname": "example.org",
}
WORDS = ("lamb", "rosemary", "garlic", "barley", "mint")
"""What strings without a form of their own say."""
NO_MATCH = "I am sorry: the simulator cannot write a text for that pattern."

Schema = Mapping[str, object]


def formatted(response_format: object, question: str, chance: random.Random) -> str | None:
    """Write a text in the form that was asked for; None = none was."""
    if not isinstance(response_format, dict):
        return None
    match response_format.get("type"):
        case "json_object":
            content = {"reply": "a JSON object from the offline simulator", "you_wrote": question, "ok": True}
            return json.dumps(content, ensure_ascii=False, indent=2)
        case "json_schema":
            schema = response_format["json_schema"]["schema"]
            return json.dumps(instance(schema, chance), ensure_ascii=False, indent=2)
        case "regex":
            text = matching(str(response_format["regex"]), chance)
            return NO_MATCH if text is None else text
    return None


def instance(schema: Schema, chance: random.Random) -> object:
    """Make a plausible instance of a schema; keywords beyond the usual ones are not looked at."""
    return _Maker(schema, chance).make(schema, 0)


class _Maker:
    """Makes values for one schema document, within which references are looked up."""

    def __init__(self, root: Schema, chance: random.Random) -> None:
        self._root, self._chance, self._made = root, chance, 0

    def make(self, schema: object, depth: int) -> object:  # noqa: PLR0911 - one line a kind
        self._made += 1
        if not isinstance(schema, dict) or depth > MAX_DEPTH or self._made > MAX_VALUES:
            return None
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if isinstance(choices := schema.get("enum"), list) and choices:
            return self._chance.choice(choices)
        match _type_of(schema):
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, depth)
            case "integer" | "number" as kind:
                return _number(schema, is_integer=kind == "integer")
            case "boolean":
                return True
            case "string":
                return self._string(schema)
        return None

    def _resolved(self, schema: Schema) -> Schema:
        """The schema with references, `allOf` and the first of alternatives written out."""
        for _ in range(MAX_DEPTH):
            others: list[object] = []
            if isinstance(reference := schema.get("$ref"), str):
                others.append(self._referred(reference))
            if isinstance(parts := schema.get("allOf"), list):
                others += parts
            for key in ("anyOf", "oneOf"):
                if isinstance(parts := schema.get(key), list):
                    others += parts[:1]
            if not others:
                break
            schema = _merged({k: v for k, v in schema.items() if k not in _COMPOSITION}, others)
        return schema

    def _referred(self, reference: str) -> object:
        found: object = self._root
        for part in reference.removeprefix("#").split("/")[1:]:
            found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
        return found

    def _object(self, schema: Schema, depth: int) -> dict[str, object]:
        properties, required = schema.get("properties"), schema.get("required")
        parts = properties if isinstance(properties, dict) else {}
        names = list(parts) if depth < WHOLE_DEPTH else []
        names += [n for n in required if n not in names] if isinstance(required, list) else []
        return {name: self.make(parts.get(name, {"type": "string"}), depth + 1) for name in names}

    def _array(self, schema: Schema, depth: int) -> list[object]:
        first = schema.get("prefixItems")
        made = [self.make(part, depth + 1) for part in first] if isinstance(first, list) else []
        low = _size(schema.get("minItems"), 0)
        wanted = max(low, 2 if depth < 2 else 1 if depth < WHOLE_DEPTH else 0)
        wanted = min(wanted, _size(schema.get("maxItems"), MAX_ITEMS), MAX_ITEMS)
        if schema.get("items") is False:
            return made
        return made + [self.make(schema.get("items", {"type": "string"}), depth + 1) for _ in range(wanted - len(made))]

    def _string(self, schema: Schema) -> str:
        if isinstance(pattern := schema.get("pattern"), str):
            return matching(pattern, self._chance) or ""
        text = FORMATS.get(str(schema.get("format"))) or self._chance.choice(WORDS)
        low = min(_size(schema.get("minLength"), 0), MAX_CHARS)
        while len(text) < low:
            text += " and " + self._chance.choice(WORDS)
        return text[: max(low, _size(schema.get("maxLength"), MAX_CHARS))]


_COMPOSITION = frozenset({"$ref", "allOf", "anyOf", "oneOf"})


def _merged(schema: Schema, others: list[object]) -> Schema:
    merged = dict(schema)
    for other in others:
        for key, value in other.items() if isinstance(other, dict) else ():
            known = merged.get(key)
            if isinstance(known, dict) and isinstance(value, dict):
                merged[key] = {**known, **value}
            elif isinstance(known, list) and isinstance(value, list) and key == "required":
                merged[key] = [*known, *value]
            else:
                merged[key] = value
    return merged


def _type_of(schema: Schema) -> object:
    kind = schema.get("type")
    if isinstance(kind, list):
        return next((k for k in kind if k != "null"), "null")
    if kind is None:
        return "object" if "properties" in schema else "array" if "items" in schema else "string"
    return kind


def _size(value: object, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else default


def _number(schema: Schema, *, is_integer: bool) -> float:
    """A number within the bounds: in their middle, or the first fitting multiple."""
    lows = [n for key in ("minimum", "exclusiveMinimum") if (n := _bound(schema.get(key))) is not None]
    highs = [n for key in ("maximum", "exclusiveMaximum") if (n := _bound(schema.get(key))) is not None]
    step = _bound(schema.get("multipleOf")) or (1 if is_integer else None)
    if step is None:
        low = max(lows) if lows else min(highs) - 1 if highs else 4
        return (low + (min(highs) if highs else low + 1)) / 2
    if lows:
        value = -(-max(lows) // step) * step
        value += step if value == _bound(schema.get("exclusiveMinimum")) else 0
    else:
        value = min([12, *highs]) // step * step
        value -= step if value == _bound(schema.get("exclusiveMaximum")) else 0
    return int(value) if is_integer else value


def _bound(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
