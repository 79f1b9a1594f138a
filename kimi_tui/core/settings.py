"""The settings: defaults, and how a config file's plain data becomes them.

Strict: an unknown key, a wrong type or a value out of range is a finding that names the key, what was found and what is
allowed. All findings come at once, and each of their keys keeps its default, so that the program can start.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from typing import Any, Literal, TypeVar

from kimi_tui.core.errors import FieldError
from kimi_tui.core.fields import SETTABLE, check_value
from kimi_tui.core.template import DEFAULT_TEMPLATE, TEMPLATES

Key = tuple[str, ...]
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong in a config file."""

    key: Key
    """The key's path, such as ("api", "retries")."""
    found: str
    """What stands there, short."""
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


PRESETS: Mapping[str, Preset] = {
    "recommended": Preset(
        "recommended", {"max_new_tokens": 16384, "temperature": 1.0, "top_p": 0.95}, {"temperature": 0.6}
    ),
    "endpoint": Preset("endpoint"),
}
"""What ships. Source of "recommended": the model's card; the endpoint's own defaults differ."""


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """The endpoint and how to reach it."""

    base_url: str = "https://api.deepinfra.com/v1/inference"
    """Requests go to BASE_URL/MODEL."""
    model: str = "moonshotai/Kimi-K2.5"
    """The model's name; its slash stays."""
    template: str = DEFAULT_TEMPLATE
    """Role names of the prompt: "deepinfra" or "kimi"."""
    context_tokens: int = 262_144
    """Size of the context window, [1, 1000000000]."""
    api_key: str = ""
    """The key; the environment's goes first; "" = none."""
    api_key_command: str = ""
    """A command that prints the key; "" = none."""
    keyring: bool = False
    """Whether the system's keyring is asked."""
    connect_timeout_s: float = 10.0
    """Longest wait for a connection, in seconds, (0, 3600]."""
    read_timeout_s: float = 120.0
    """Longest time without a token, in seconds, (0, 86400]."""
    retries: int = 3
    """Attempts after the first, before the first token only, [0, 3]."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """More headers of every request."""
    proxy: str = ""
    """A proxy's address; "" = as the environment says."""


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """How conversations begin."""

    system: str = ""
    """System prompt of new sessions; "" = none."""
    thinking: bool = True
    """Whether the model thinks first."""
    preset: str = "recommended"
    """The preset below everything else."""
    prompt_cache: bool = True
    """Whether each session's random cache key is sent."""
    neutralise: bool = True
    """Whether control markers in texts are made harmless."""


@dataclass(frozen=True, slots=True)
class UiSettings:
    """The screen."""

    theme: str = "kimi-dark"
    """A theme file's name without its ending."""
    mouse: bool = True
    """Whether the mouse is used."""
    fold_reasoning: bool = True
    """Whether think blocks begin folded."""
    timestamps: bool = False
    """Whether each message shows its time."""


@dataclass(frozen=True, slots=True)
class SessionsSettings:
    """How sessions are kept."""

    format: Literal["toml", "json"] = "toml"
    """Format of new sessions."""
    folder: str = ""
    """Where they lie; "" = `sessions` in the data folder."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set."""

    api: ApiSettings = ApiSettings()
    """[api]"""
    chat: ChatSettings = ChatSettings()
    """[chat]"""
    ui: UiSettings = UiSettings()
    """[ui]"""
    sessions: SessionsSettings = SessionsSettings()
    """[sessions]"""
    sampling: SamplingLayer = SamplingLayer()
    """[sampling] of the config file."""
    saved_sampling: SamplingLayer = SamplingLayer()
    """[sampling] of what was saved in the program."""
    presets: Mapping[str, Preset] = field(default_factory=lambda: PRESETS)
    """Every preset by name."""


SECTIONS: Mapping[str, type[Any]] = {
    "api": ApiSettings,
    "chat": ChatSettings,
    "ui": UiSettings,
    "sessions": SessionsSettings,
}
"""The sections of plain keys."""
ALL_SECTIONS = (*SECTIONS, "sampling", "presets")
WIRE_NAMES = {"connect_timeout_s": "connect_timeout", "read_timeout_s": "read_timeout"}
"""Keys of the file where the field's own name carries a unit."""


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: type
    allowed: str
    is_allowed: Callable[[Any], bool] = lambda _: True


def _range(kind: type, low: float, high: float, words: str) -> _Rule:
    return _Rule(kind, words, lambda value: low <= value <= high)


def _choice(names: tuple[str, ...]) -> _Rule:
    return _Rule(str, " or ".join(names), lambda value: value in names)


TEXT, FLAG = _Rule(str, "a string"), _Rule(bool, "true or false")
RULES: Mapping[Key, _Rule] = {
    ("api", "base_url"): _Rule(str, "an http or https address", lambda v: v.startswith(("https://", "http://"))),
    ("api", "model"): _Rule(str, "a non-empty string", bool),
    ("api", "template"): _choice(tuple(TEMPLATES)),
    ("api", "context_tokens"): _range(int, 1, 1_000_000_000, "a whole number in [1, 1000000000]"),
    ("api", "connect_timeout"): _range(float, 0.001, 3600, "seconds in [0.001, 3600]"),
    ("api", "read_timeout"): _range(float, 0.001, 86400, "seconds in [0.001, 86400]"),
    ("api", "retries"): _range(int, 0, 3, "a whole number in [0, 3]"),
    ("api", "headers"): _Rule(
        dict, "a table of strings", lambda table: all(isinstance(v, str) and v.isprintable() for v in table.values())
    ),
    ("sessions", "format"): _choice(("toml", "json")),
}
"""What may stand at a key, where its type does not say it all."""


def keys_of(section: type[Any]) -> dict[str, str]:
    """The keys of a section as the file names them, each with its field's name."""
    return {WIRE_NAMES.get(f.name, f.name): f.name for f in fields(section)}


def parse_settings(
    document: Mapping[str, object], base: Settings | None = None
) -> tuple[Settings, tuple[Finding, ...]]:
    """Read a config file's plain data.

    Args:
        document: The file's tables.
        base: What holds where the file says nothing; None = the defaults.

    Returns:
        The settings, and everything that is wrong in the file.
    """
    settings, findings = base or Settings(), list[Finding]()
    for name, table in document.items():
        if name not in ALL_SECTIONS:
            findings.append(Finding((name,), "an unknown key", _nearest(name, ALL_SECTIONS)))
        elif not isinstance(table, dict):
            findings.append(Finding((name,), _shown(table), "a table"))
        elif name == "sampling":
            settings = replace(settings, sampling=_parse_layer(table, ("sampling",), findings))
        elif name == "presets":
            presets = {key: _parse_preset(key, value, findings) for key, value in table.items()}
            settings = replace(settings, presets={**settings.presets, **presets})
        else:
            settings = replace(settings, **{name: _parse_section(name, table, getattr(settings, name), findings)})
    if settings.chat.preset not in settings.presets:
        found = Finding(("chat", "preset"), _shown(settings.chat.preset), " or ".join(settings.presets))
        findings.append(found)
        settings = replace(settings, chat=replace(settings.chat, preset=ChatSettings().preset))
    return settings, tuple(findings)


def _parse_section(name: str, table: Mapping[str, object], section: Value, findings: list[Finding]) -> Value:
    known = keys_of(SECTIONS[name])
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in known:
            findings.append(Finding((name, key), "an unknown key", _nearest(key, known)))
            continue
        rule = RULES.get((name, key)) or (FLAG if isinstance(getattr(section, known[key]), bool) else TEXT)
        checked = _checked(rule, value)
        if checked is None:
            findings.append(Finding((name, key), _shown(value, is_secret=key == "api_key"), rule.allowed))
        else:
            values[known[key]] = checked
    return replace(section, **values)  # type: ignore[type-var]  # a dataclass of SECTIONS


def _checked(rule: _Rule, value: object) -> object:
    """The value, converted where that is exact; None = it is not allowed."""
    if rule.kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    is_kind = isinstance(value, rule.kind) and (rule.kind is bool or not isinstance(value, bool))
    return value if is_kind and rule.is_allowed(value) else None


def _parse_layer(table: Mapping[str, object], place: Key, findings: list[Finding]) -> SamplingLayer:
    plain = {key: value for key, value in table.items() if key not in {"unset", "extra"}}
    values = _parse_fields(plain, place, findings, more=("unset", "extra"))
    unset, extra = table.get("unset", []), table.get("extra", {})
    if not isinstance(unset, list) or not all(name in SETTABLE for name in unset):
        findings.append(Finding((*place, "unset"), _shown(unset), "a list of request fields"))
        unset = []
    return SamplingLayer(values, frozenset(unset), _parse_extra(extra, (*place, "extra"), findings))


def _parse_extra(extra: object, place: Key, findings: list[Finding]) -> dict[str, object]:
    if not isinstance(extra, dict):
        findings.append(Finding(place, _shown(extra), "a table"))
        return {}
    found: dict[str, object] = {}
    for key, value in extra.items():
        if key in {"input", *SETTABLE}:
            findings.append(Finding((*place, key), "a request field", "a field that [sampling] does not know"))
        elif not _is_json(value):
            findings.append(Finding((*place, key), _shown(value), "what JSON can hold"))
        else:
            found[key] = value
    return found


def _parse_preset(name: str, table: object, findings: list[Finding]) -> Preset:
    place = ("presets", name)
    if not isinstance(table, dict):
        findings.append(Finding(place, _shown(table), "a table"))
        return Preset(name)
    instant = table.get("instant", {})
    if not isinstance(instant, dict):
        findings.append(Finding((*place, "instant"), _shown(instant), "a table"))
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
        if key not in SETTABLE:
            findings.append(Finding((*place, key), "an unknown key", _nearest(key, (*SETTABLE, *more))))
            continue
        try:
            found[key] = check_value(key, value)
        except FieldError as error:
            findings.append(Finding((*place, key), error.found, error.allowed))
    return found


def _nearest(key: str, known: Mapping[str, object] | tuple[str, ...]) -> str:
    near = get_close_matches(key, list(known), n=2)
    return " or ".join(near) if near else ", ".join(known)


def _is_json(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _shown(value: object, *, is_secret: bool = False) -> str:
    if is_secret:
        return type(value).__name__
    text = json.dumps(value, ensure_ascii=False, default=str)
    text = "".join(char if char.isprintable() else "\ufffd" for char in text)
    return text if len(text) <= 60 else text[:59] + "…"
