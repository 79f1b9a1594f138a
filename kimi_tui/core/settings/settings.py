"""The settings: defaults, and how a config file's plain data becomes them.

Strict: an unknown key, a wrong type or a value out of range is a problem that names the key, what was found and what is
allowed. All problems come at once, and each of their keys keeps its default, so that the program can start.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from kimi_tui.core.prompt.leaving_out import OverBudget
from kimi_tui.core.prompt.template import DEFAULT_TEMPLATE, TEMPLATES
from kimi_tui.core.session.file_formats import DEFAULT, FORMATS
from kimi_tui.core.session.kept_thinking import ALLOWED as ALLOWED_KEPT
from kimi_tui.core.session.kept_thinking import KeptThinking, as_kept_thinking
from kimi_tui.core.session.session import DEFAULT_MODEL
from kimi_tui.core.settings.layers import (
    NO_LAYER,
    PRESETS,
    ConfigProblem,
    Preset,
    SamplingLayer,
    parse_layer,
    parse_presets,
)
from kimi_tui.core.text.nearest import nearest
from kimi_tui.core.text.quoting import quoted
from kimi_tui.core.wire.dialect import Dialect
from kimi_tui.core.wire.dialects import DEFAULT_DIALECT, DIALECTS
from kimi_tui.core.wire.thinking_budget import ALLOWED, OFF, Budget, is_budget, parse_budget

if TYPE_CHECKING:
    from kimi_tui.core.settings.keymap import Keys

Section = TypeVar("Section")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A field name. Source: RFC 9110, section 5.1."""
_HEADER_VALUE = re.compile("[ -~]*")


@dataclass(frozen=True, slots=True)
class ApiSettings:
    base_url: str = ""
    """What requests go below; "" = the dialect's own, see `Settings.base_url`."""
    model: str = DEFAULT_MODEL
    """The model's name; its slash stays."""
    dialect: str = DEFAULT_DIALECT.name
    template: str = DEFAULT_TEMPLATE.name
    """Role names of the prompt."""
    context_tokens: int = 262_144
    """Size of the context window."""
    api_key: str = ""
    """The key; the environment's goes first; "" = none."""
    api_key_command: str = ""
    """A command that prints the key; "" = none."""
    keyring: bool = False
    connect_timeout_s: float = 10.0
    """Longest wait for a connection."""
    read_timeout_s: float = 120.0
    """Longest time without a token."""
    retries: int = 3
    """Attempts after the first, before the first token only."""
    headers: Mapping[str, str] = field(default_factory=dict)
    proxy: str = ""
    """A proxy's address; "" = as the environment says."""


@dataclass(frozen=True, slots=True)
class ChatSettings:
    system: str = ""
    """System prompt of new sessions; "" = none."""
    thinking: bool = True
    preset: str = "recommended"
    """The preset below everything else."""
    prompt_cache: bool = True
    """Whether each session's random cache key is sent."""
    neutralise: bool = True
    thinking_budget: str = OFF
    """How much may be thought: a number of tokens, such as "20s" for seconds, or "off"."""
    auto_continue: int = 0
    """How often a reply that was cut by its most tokens is gone on with by itself."""
    kept_thinking: KeptThinking = 0
    """Of how many earlier turns the thinking is sent along."""
    over_budget: str = OverBudget.REFUSE.value
    """What becomes of a conversation for which the context window has no room."""
    whole_sentences: bool = True
    """Whether a thinking that is ended from outside is cut back to its last whole sentence."""
    free_thinking: bool = True
    """Whether a response format holds the answer alone: two requests, where there is a thinking."""

    @property
    def budget(self) -> Budget:
        return parse_budget(self.thinking_budget)


PANE_WIDTHS: Mapping[str, int] = MappingProxyType({"sessions": 28, "reasoning": 40, "settings": 42, "prompt": 44})
"""In cells."""
PANES = tuple(PANE_WIDTHS)
PANE_WIDTH_ENDS = (20, 120)
"""Least and largest, in cells."""


@dataclass(frozen=True, slots=True)
class UiSettings:
    theme: str = "kimi-dark"
    """A theme file's name without its ending."""
    mouse: bool = True
    fold_reasoning: bool = True
    """Whether think blocks begin folded."""
    timestamps: bool = False
    panes: tuple[str, ...] = ()
    """Open at the start."""
    widths: Mapping[str, int] = field(default_factory=lambda: PANE_WIDTHS)


@dataclass(frozen=True, slots=True)
class SessionsSettings:
    format: str = DEFAULT.name
    """Of new sessions."""
    folder: str = ""
    """Where they lie; "" = `sessions` in the data folder."""
    record_streams: bool = False
    """Whether the raw stream of every turn is kept in `recordings` in the data folder."""


@dataclass(frozen=True, slots=True)
class Settings:
    api: ApiSettings = ApiSettings()
    chat: ChatSettings = ChatSettings()
    ui: UiSettings = UiSettings()
    sessions: SessionsSettings = SessionsSettings()
    sampling: SamplingLayer = NO_LAYER
    """[sampling] of the config file."""
    saved_sampling: SamplingLayer = NO_LAYER
    """[sampling] of what was saved in the program."""
    presets: Mapping[str, Preset] = field(default_factory=lambda: PRESETS)
    keymap: Keys = field(default_factory=dict)
    """Keys of actions where they differ from the registry's."""
    model_option: str = ""
    """The model that the command line names, which goes before every session's own; "" = none."""
    saved_presets: frozenset[str] = frozenset()
    """Names of presets that were saved in the program, and so can be changed there."""

    @property
    def dialect(self) -> Dialect:
        return DIALECTS[self.api.dialect]

    @property
    def base_url(self) -> str:
        """What requests go below; the dialect says how. Where none is named, a key goes to its own endpoint alone."""
        return self.api.base_url or self.dialect.base_url


SECTIONS: Mapping[str, type[Any]] = {
    "api": ApiSettings,
    "chat": ChatSettings,
    "ui": UiSettings,
    "sessions": SessionsSettings,
}
ALL_SECTIONS = (*SECTIONS, "sampling", "presets", "keymap")


class Rule(NamedTuple):
    kind: type
    allowed: str
    is_allowed: Callable[[Any], bool] = lambda _: True
    other_kind: type | None = None
    """One that may stand for it."""

    def holds(self, value: object) -> bool:
        """Whether a value keeps it; a whole number may stand where a fraction may, but true is no number."""
        other = int if self.kind is float else self.other_kind
        kinds = (self.kind, other) if other is not None else self.kind
        is_kind = isinstance(value, kinds) and (self.kind is bool or not isinstance(value, bool))
        return is_kind and self.is_allowed(value)

    def converted(self, value: object) -> object:
        if isinstance(value, list):
            return tuple(value)
        return value if isinstance(value, str) else self.kind(value)


def _count(low: int, high: int) -> Rule:
    return Rule(int, f"a whole number in [{low}, {high}]", lambda value: low <= value <= high)


def _seconds(high: int) -> Rule:
    return Rule(float, f"seconds in [0.001, {high}]", lambda value: 0.001 <= value <= high)


def _choice(names: tuple[str, ...]) -> Rule:
    return Rule(str, " or ".join(names), lambda value: value in names)


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _host_of(address: str) -> str:
    """The host of an http(s) address; "" = it is none."""
    if not address.isprintable() or " " in address:
        return ""
    try:
        parts = urlsplit(address)
        is_usable = parts.scheme in {"http", "https"} and parts.port != 0
        return (parts.hostname or "") if is_usable else ""
    except ValueError:
        return ""


def _is_endpoint(address: str) -> bool:
    host = _host_of(address)
    is_plain = not any(mark in address for mark in "@?#")
    return bool(host) and is_plain and (address.lower().startswith("https:") or is_loopback(host))


TEXT, FLAG = Rule(str, "a string"), Rule(bool, "true or false")
LINE = Rule(str, "a string without control characters", str.isprintable)
RULES: Mapping[tuple[str, str], Rule] = {
    ("api", "base_url"): Rule(str, "an https address, or an http one of this machine", _is_endpoint),
    ("api", "model"): Rule(str, "a model's name", lambda name: bool(name.strip()) and name.isprintable()),
    ("api", "template"): _choice(tuple(TEMPLATES)),
    ("api", "dialect"): Rule(str, " or ".join(DIALECTS), lambda name: name in DIALECTS),
    ("api", "context_tokens"): _count(1, 1_000_000_000),
    ("api", "api_key_command"): LINE,
    ("api", "connect_timeout"): _seconds(3600),
    ("api", "read_timeout"): _seconds(86400),
    ("api", "retries"): _count(0, 3),
    ("api", "headers"): Rule(dict, "a table of strings"),
    ("api", "proxy"): Rule(str, 'an http or https address, or ""', lambda text: not text or bool(_host_of(text))),
    ("chat", "kept_thinking"): Rule(
        int, ALLOWED_KEPT, lambda value: as_kept_thinking(value) is not None, other_kind=str
    ),
    ("chat", "over_budget"): _choice(tuple(OverBudget)),
    ("chat", "auto_continue"): _count(0, 10),
    ("chat", "thinking_budget"): Rule(str, ALLOWED, lambda value: is_budget(str(value)), other_kind=int),
    ("ui", "theme"): LINE,
    ("ui", "panes"): Rule(list, f"a list of {', '.join(PANES)}", lambda names: all(name in PANES for name in names)),
    ("ui", "widths"): Rule(dict, "a table of widths"),
    ("sessions", "format"): _choice(tuple(FORMATS)),
    ("sessions", "folder"): LINE,
}
"""What may stand at a key, where its type does not say it all."""
SECRETS = frozenset({("api", "api_key"), ("api", "api_key_command"), ("api", "headers")})
"""Keys whose values may be, or tell, a key: messages and lists do not repeat them."""


def keys_of(section: type[Any]) -> dict[str, str]:
    """The keys of a section as the file names them, each with its field's name, which may carry a unit."""
    return {it.name.removesuffix("_s"): it.name for it in fields(section)}


def parse_settings(
    document: Mapping[str, object], base: Settings | None = None, *, more_presets: Iterable[str] = ()
) -> tuple[Settings, tuple[ConfigProblem, ...]]:
    """Read a config file's plain data: the settings, and everything that is wrong in it.

    `base` holds where the file says nothing; None = the defaults. `more_presets` = names of presets that another file
    brings, which this one may choose.
    """
    base, problems = base or Settings(), list[ConfigProblem]()
    settings = base
    # The dialect knows what request fields may hold.
    for name, table in sorted(document.items(), key=lambda item: item[0] != "api"):
        if name not in ALL_SECTIONS:
            problems.append(ConfigProblem((name,), "an unknown key", nearest(name, ALL_SECTIONS)))
        elif not isinstance(table, dict):
            problems.append(ConfigProblem((name,), "no table", "a table"))
        elif name == "sampling":
            settings = replace(settings, sampling=parse_layer(table, ("sampling",), settings.dialect, problems))
        elif name == "keymap":
            from kimi_tui.core.settings.keymap import parse_keymap  # noqa: PLC0415 - few files have one, and the registry is large

            settings = replace(settings, keymap={**settings.keymap, **parse_keymap(table, problems)})
        elif name == "presets":
            presets = {**settings.presets, **parse_presets(table, settings.dialect, problems)}
            settings = replace(settings, presets=presets)
        else:
            section = _parse_section(name, table, getattr(settings, name), problems)
            settings = replace(settings, **{name: section})
    known = {**settings.presets, **dict.fromkeys(more_presets)}
    if settings.chat.preset not in known:
        problems.append(ConfigProblem(("chat", "preset"), quoted(settings.chat.preset), " or ".join(known)))
        settings = replace(settings, chat=replace(settings.chat, preset=base.chat.preset))
    return settings, tuple(problems)


def _parse_section(name: str, table: Mapping[str, object], section: Section, problems: list[ConfigProblem]) -> Section:
    known = keys_of(SECTIONS[name])
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in known:
            problems.append(ConfigProblem((name, key), "an unknown key", nearest(key, known)))
            continue
        rule = RULES.get((name, key)) or (FLAG if isinstance(getattr(section, known[key]), bool) else TEXT)
        if not rule.holds(value):
            found = "another value" if (name, key) in SECRETS else quoted(value)
            problems.append(ConfigProblem((name, key), found, rule.allowed))
        elif isinstance(value, dict):
            values[known[key]] = _TABLES[name, key](value, (name, key), problems)
        else:
            values[known[key]] = rule.converted(value)
    return replace(section, **values)  # type: ignore[type-var]  # a dataclass of SECTIONS


def _parse_headers(
    table: Mapping[str, object], place: tuple[str, str], problems: list[ConfigProblem]
) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in table.items():
        if not _HEADER_NAME.fullmatch(name):
            problems.append(ConfigProblem((*place, name), "a name that no header can have", "letters, digits and -"))
        elif not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
            problems.append(ConfigProblem((*place, name), "another value", "a string of printable ASCII characters"))
        else:
            found[name] = value
    return found


def _parse_widths(table: Mapping[str, object], place: tuple[str, str], problems: list[ConfigProblem]) -> dict[str, int]:
    found = dict(PANE_WIDTHS)
    rule = _count(*PANE_WIDTH_ENDS)
    for name, value in table.items():
        if name not in PANES:
            problems.append(ConfigProblem((*place, name), "an unknown pane", nearest(name, PANES)))
        elif isinstance(value, int) and rule.holds(value):
            found[name] = value
        else:
            problems.append(ConfigProblem((*place, name), quoted(value), rule.allowed))
    return found


_TABLES: Mapping[tuple[str, str], Callable[..., Mapping[str, Any]]] = {
    ("api", "headers"): _parse_headers,
    ("ui", "widths"): _parse_widths,
}
