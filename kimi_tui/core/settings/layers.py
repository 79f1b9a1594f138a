"""One layer of request fields, as a config file or a session says them, and presets, which are layers with a name.

What comes from a file is checked here: every mistake becomes a problem, and its key counts as not set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from kimi_tui.core.errors import FieldError
from kimi_tui.core.text.nearest import nearest
from kimi_tui.core.text.quoting import quoted
from kimi_tui.core.wire.dialect import Dialect
from kimi_tui.core.wire.fields import SETTABLE, is_json

Key = tuple[str, ...]
"""The path to a value in a file, such as ("sampling", "top_p")."""


class ConfigProblem(NamedTuple):
    key: Key
    found: str
    """What stands there, short, on one line."""
    allowed: str


@dataclass(frozen=True, slots=True)
class SamplingLayer:
    values: Mapping[str, object] = field(default_factory=dict)
    unset: frozenset[str] = frozenset()
    """Fields that are not sent, whatever lies below."""
    extra: Mapping[str, object] = field(default_factory=dict)
    """Fields of other servers, sent as they are."""


@dataclass(frozen=True, slots=True)
class Preset:
    name: str
    values: Mapping[str, object] = field(default_factory=dict)
    instant: Mapping[str, object] = field(default_factory=dict)
    """Values that differ in instant mode."""

    @property
    def table(self) -> dict[str, object]:
        """What stands for it in a file, but that request fields are as in a body."""
        return {**self.values, **({"instant": dict(self.instant)} if self.instant else {})}

    def resolved(self, *, thinking: bool) -> dict[str, object]:
        return dict(self.values) if thinking else {**self.values, **self.instant}


NO_LAYER = SamplingLayer()
PRESETS: Mapping[str, Preset] = {
    "recommended": Preset(
        "recommended", {"max_new_tokens": 16384, "temperature": 1.0, "top_p": 0.95}, {"temperature": 0.6}
    ),
    "endpoint": Preset("endpoint"),
}
"""What ships. Source of "recommended": the model's card; the endpoint's own defaults differ."""


def parse_layer(
    table: Mapping[str, object], place: Key, dialect: Dialect, problems: list[ConfigProblem]
) -> SamplingLayer:
    """Read a `[sampling]` table; its mistakes are added to `problems`."""
    plain = {key: value for key, value in table.items() if key not in {"unset", "extra"}}
    values = _parse_fields(plain, place, dialect, problems, more=("unset", "extra"))
    unset = parse_unset(table.get("unset", []), (*place, "unset"), problems)
    both = [name for name in unset if name in values]
    if both:
        found = f"{both[0]}, which has a value as well"
        problems.append(ConfigProblem((*place, "unset"), found, "fields that have none here"))
    extra = parse_extra(table.get("extra", {}), (*place, "extra"), dialect, problems)
    return SamplingLayer(values, frozenset(unset) - set(both), extra)


def parse_unset(names: object, place: Key, problems: list[ConfigProblem]) -> tuple[str, ...]:
    if not isinstance(names, list | tuple):
        problems.append(ConfigProblem(place, quoted(names), "a list of request fields"))
        return ()
    problems += [ConfigProblem(place, quoted(name), nearest(name, SETTABLE)) for name in names if name not in SETTABLE]
    return tuple(name for name in names if name in SETTABLE)


def parse_extra(extra: object, place: Key, dialect: Dialect, problems: list[ConfigProblem]) -> dict[str, object]:
    """Read fields of other servers: anything that JSON can hold, under a name that is no request field's."""
    if not isinstance(extra, Mapping):
        problems.append(ConfigProblem(place, quoted(extra), "a table"))
        return {}
    found: dict[str, object] = {}
    for key, value in extra.items():
        if dialect.is_reserved(key):
            problems.append(
                ConfigProblem((*place, key), "a request field", "names that the endpoint's reference lacks")
            )
        elif not is_json(value):
            problems.append(ConfigProblem((*place, key), quoted(value), "what JSON can hold: no dates, nan or inf"))
        else:
            found[key] = value
    return found


def parse_presets(tables: Mapping[str, object], dialect: Dialect, problems: list[ConfigProblem]) -> dict[str, Preset]:
    found: dict[str, Preset] = {}
    for name, table in tables.items():
        if not name:
            problems.append(ConfigProblem(("presets", name), "an empty name", "a name"))
        elif not isinstance(table, Mapping):
            problems.append(ConfigProblem(("presets", name), quoted(table), "a table"))
        else:
            found[name] = _parse_preset(name, table, dialect, problems)
    return found


def _parse_preset(name: str, table: Mapping[str, object], dialect: Dialect, problems: list[ConfigProblem]) -> Preset:
    place = ("presets", name)
    instant = table.get("instant", {})
    if not isinstance(instant, Mapping):
        problems.append(ConfigProblem((*place, "instant"), quoted(instant), "a table of values for instant mode"))
        instant = {}
    plain = {key: value for key, value in table.items() if key != "instant"}
    return Preset(
        name,
        _parse_fields(plain, place, dialect, problems, more=("instant",)),
        _parse_fields(instant, (*place, "instant"), dialect, problems),
    )


def _parse_fields(
    table: Mapping[str, object],
    place: Key,
    dialect: Dialect,
    problems: list[ConfigProblem],
    more: tuple[str, ...] = (),
) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in table.items():
        if key == dialect.prompt_name:
            problems.append(ConfigProblem((*place, key), "the prompt", "nothing: the program writes it"))
        elif key not in SETTABLE:
            problems.append(ConfigProblem((*place, key), "an unknown key", nearest(key, (*SETTABLE, *more))))
        else:
            try:
                found[key] = dialect.spec(key).check_stored(value)
            except FieldError as error:
                problems.append(ConfigProblem((*place, key), error.found, error.allowed))
    return found
