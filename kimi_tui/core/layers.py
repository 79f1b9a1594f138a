"""One layer of request fields, as a config file or a session says them, and presets, which are layers with a name.

What comes from a file is checked here: every mistake becomes a finding, and its key counts as not set.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kimi_tui.core.errors import FieldError
from kimi_tui.core.fields import FIELDS, SETTABLE, check_stored
from kimi_tui.core.shown import SHOWN_CHARS, shown

Key = tuple[str | int, ...]
"""The path to a value in a file, such as ("sampling", "top_p")."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong in a config file."""

    key: Key
    """The key's path, such as ("api", "retries")."""
    found: str
    """What stands there, short, on one line."""
    allowed: str
    """What may stand there."""


@dataclass(frozen=True, slots=True)
class SamplingLayer:
    """Request fields as one layer of settings says them."""

    values: Mapping[str, object] = field(default_factory=dict)
    """Checked values."""
    unset: frozenset[str] = frozenset()
    """Fields that are not sent, whatever lies below."""
    extra: Mapping[str, object] = field(default_factory=dict)
    """Fields of other servers, sent as they are."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A named set of request fields."""

    name: str
    """What settings call it."""
    values: Mapping[str, object] = field(default_factory=dict)
    """Its values."""
    instant: Mapping[str, object] = field(default_factory=dict)
    """Values that differ in instant mode."""

    def resolved(self, *, thinking: bool) -> dict[str, object]:
        """Its values in that mode."""
        return dict(self.values) if thinking else {**self.values, **self.instant}


NO_LAYER = SamplingLayer()
"""A layer that says nothing."""
PRESETS: Mapping[str, Preset] = {
    "recommended": Preset(
        "recommended", {"max_new_tokens": 16384, "temperature": 1.0, "top_p": 0.95}, {"temperature": 0.6}
    ),
    "endpoint": Preset("endpoint"),
}
"""What ships. Source of "recommended": the model's card; the endpoint's own defaults differ."""


def parse_layer(table: Mapping[str, object], place: Key, findings: list[Finding]) -> SamplingLayer:
    """Read a `[sampling]` table; its mistakes are added to `findings`."""
    plain = {key: value for key, value in table.items() if key not in {"unset", "extra"}}
    values = _parse_fields(plain, place, findings, more=("unset", "extra"))
    unset = parse_unset(table.get("unset", []), (*place, "unset"), findings)
    both = [name for name in unset if name in values]
    if both:
        found = f"{both[0]}, which has a value as well"
        findings.append(Finding((*place, "unset"), found, "fields that have none here"))
    extra = parse_extra(table.get("extra", {}), (*place, "extra"), findings)
    return SamplingLayer(values, frozenset(unset) - set(both), extra)


def parse_unset(names: object, place: Key, findings: list[Finding]) -> tuple[str, ...]:
    """Read the list of fields that are not sent."""
    if not isinstance(names, list | tuple):
        findings.append(Finding(place, shown(names), "a list of request fields"))
        return ()
    findings += [Finding(place, shown(name), nearest(name, SETTABLE)) for name in names if name not in SETTABLE]
    return tuple(name for name in names if name in SETTABLE)


def parse_extra(extra: object, place: Key, findings: list[Finding]) -> dict[str, object]:
    """Read fields of other servers: anything that JSON can hold, under a name that is no request field's."""
    if not isinstance(extra, Mapping):
        findings.append(Finding(place, shown(extra), "a table"))
        return {}
    found: dict[str, object] = {}
    for key, value in extra.items():
        if key in FIELDS:
            findings.append(Finding((*place, key), "a request field", "names that the endpoint's reference lacks"))
        elif not _is_json(value):
            findings.append(Finding((*place, key), shown(value), "what JSON can hold: no dates, nan or inf"))
        else:
            found[key] = value
    return found


def parse_presets(tables: Mapping[str, object], findings: list[Finding]) -> dict[str, Preset]:
    """Read the `[presets.NAME]` tables."""
    found: dict[str, Preset] = {}
    for name, table in tables.items():
        if not name:
            findings.append(Finding(("presets", name), "an empty name", "a name"))
        elif not isinstance(table, Mapping):
            findings.append(Finding(("presets", name), shown(table), "a table"))
        else:
            found[name] = _parse_preset(name, table, findings)
    return found


def _parse_preset(name: str, table: Mapping[str, object], findings: list[Finding]) -> Preset:
    place = ("presets", name)
    instant = table.get("instant", {})
    if not isinstance(instant, Mapping):
        findings.append(Finding((*place, "instant"), shown(instant), "a table of values for instant mode"))
        instant = {}
    plain = {key: value for key, value in table.items() if key != "instant"}
    return Preset(
        name,
        _parse_fields(plain, place, findings, more=("instant",)),
        _parse_fields(instant, (*place, "instant"), findings),
    )


def _parse_fields(
    table: Mapping[str, object], place: Key, findings: list[Finding], more: tuple[str, ...] = ()
) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in table.items():
        if key == "input":
            findings.append(Finding((*place, key), "the prompt", "nothing: the program writes it"))
        elif key not in SETTABLE:
            findings.append(Finding((*place, key), "an unknown key", nearest(key, (*SETTABLE, *more))))
        else:
            try:
                found[key] = check_stored(key, value)
            except FieldError as error:
                findings.append(Finding((*place, key), error.found, error.allowed))
    return found


def nearest(name: object, known: Iterable[str], where: str = "") -> str:
    """The known names most like a wrong one; where none is, the place that lists them, "" = all of them here."""
    from difflib import get_close_matches  # noqa: PLC0415 - for mistakes only

    names = list(known)
    near = get_close_matches(name[:SHOWN_CHARS], names, n=2) if isinstance(name, str) else []
    return " or ".join(near or [where or ", ".join(names)])


def _is_json(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
