"""What a request says: presets, and the layers of settings that lie above them.

Precedence, highest first: the command line (`--set`, then `--preset`), the session, the config file, `saved.toml`, the
chosen preset; below that nothing is sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from kimi_tui.core.errors import FieldError, UsageError
from kimi_tui.core.prompt.leaving_out import OverBudget
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.prompt.template import TEMPLATES, Template
from kimi_tui.core.session.session import Session
from kimi_tui.core.settings.layers import NO_LAYER, ConfigProblem, Preset, SamplingLayer, parse_extra, parse_unset
from kimi_tui.core.settings.settings import FLAG, RULES, ChatSettings, Rule, Settings
from kimi_tui.core.text.nearest import nearest
from kimi_tui.core.text.quoting import quoted
from kimi_tui.core.wire.dialect import Dialect
from kimi_tui.core.wire.fields import SETTABLE, FieldSpec


@dataclass(frozen=True, slots=True)
class RequestOptions:
    set: Mapping[str, object | None] = field(default_factory=dict)
    """Checked values of `--set`; None = not sent."""
    preset: str | None = None
    thinking: bool | None = None
    """False after `--no-think`."""
    more_stops: tuple[str, ...] = ()
    """Stop sequences beside those that hold."""

    def over(self, below: RequestOptions) -> RequestOptions:
        """These, and what others say that these leave open."""
        thinking = below.thinking if self.thinking is None else self.thinking
        more_stops = (*self.more_stops, *below.more_stops)
        return RequestOptions({**below.set, **self.set}, self.preset or below.preset, thinking, more_stops)


EMPTY_MEANS_UNSET: Mapping[str, object] = {"stop": [], "prompt_cache_key": ""}
"""Fields that are sent by themselves, with the value that says they are not."""
NO_OPTIONS = RequestOptions()
CHAT_KEYS: Mapping[str, Rule] = {
    "thinking": FLAG,
    "preset": Rule(str, "a preset's name"),
    **{
        name: RULES.get(("chat", name), FLAG)
        for name in ("thinking_budget", "auto_continue", "kept_thinking", "free_thinking", "over_budget")
    },
}
"""What a session may say of [chat]: keys of its settings that are no request fields."""


class SessionSettings(NamedTuple):
    layer: SamplingLayer
    chat: Mapping[str, Any]
    """What it says of [chat], by field."""

    def on_top_of(self, chat: ChatSettings) -> ChatSettings:
        return replace(chat, **self.chat)


def parse_session_settings(data: Mapping[str, object], dialect: Dialect) -> SessionSettings:
    """Raises FieldError where a value is not allowed; unknown keys are left alone."""
    values = {name: dialect.spec(name).check_stored(data[name]) for name in SETTABLE if name in data}
    chat = dict[str, object]()
    for name, rule in CHAT_KEYS.items():
        value = data.get(name)
        if name not in data or (value is None and name in {"thinking", "preset"}):
            continue
        if not rule.holds(value):
            raise FieldError(name, quoted(value), rule.allowed)
        chat[name] = rule.converted(value)
    problems = list[ConfigProblem]()
    unset = parse_unset(data.get("unset", []), ("unset",), problems)
    extra = parse_extra(data.get("extra", {}), ("extra",), dialect, problems)
    for problem in problems:
        raise FieldError(".".join(map(str, problem.key)), problem.found, problem.allowed)
    return SessionSettings(SamplingLayer(values, frozenset(unset), extra), chat)


def resolve_chat(settings: Settings, session: Session | None) -> ChatSettings:
    """[chat] with what the session says on top; raises FieldError where it sets something that is not allowed."""
    return _own(session, settings.dialect).on_top_of(settings.chat)


def _own(session: Session | None, dialect: Dialect) -> SessionSettings:
    return SessionSettings(NO_LAYER, {}) if session is None else parse_session_settings(session.settings, dialect)


def store_setting(settings: Mapping[str, object], name: str, value: object | None) -> dict[str, object]:
    """Put one request field into a session's settings; None = it is not sent."""
    found = {key: kept for key, kept in settings.items() if key != name}
    kept_unset = settings.get("unset")
    unset = [key for key in kept_unset if key != name] if isinstance(kept_unset, list) else []
    if value is None:
        unset.append(name)
    else:
        found[name] = json.dumps(value, ensure_ascii=False) if name == "response_format" else value
    found.pop("unset", None)
    return {**found, "unset": unset} if unset else found


def preset_named(settings: Settings, name: str) -> Preset:
    """Raises UsageError where there is none of that name; the nearest are named."""
    found = settings.presets.get(name)
    if found is None:
        raise UsageError(f"There is no preset {name!r}.", f"Presets: {nearest(name, sorted(settings.presets))}")
    return found


class Resolved(NamedTuple):
    values: Mapping[str, object]
    """By field: what was set; an empty one of `EMPTY_MEANS_UNSET` says that none is sent."""
    sources: Mapping[str, str]
    """By field: who said so; fields that were unset on purpose stand here too."""
    extra: Mapping[str, object]
    extra_sources: Mapping[str, str]
    chat: ChatSettings
    thinking: bool
    template: Template
    dialect: Dialect

    @property
    def fields(self) -> dict[str, object]:
        """What the body holds, in its order."""
        sent = {name: self.values[name] for name in self.dialect.fields if name in self.values}
        sent = {name: value for name, value in sent.items() if value or name not in EMPTY_MEANS_UNSET}
        if "stream" in sent and self.unstreamed_since:
            sent["stream"] = False
        return sent

    @property
    def unstreamed_since(self) -> str:
        """What keeps any reply from being streamed; "" = nothing."""
        carried = self.dialect.fields
        if "num_responses" in carried and self.values.get("num_responses", 1) != 1:
            return "num_responses is above 1"
        return "there is a webhook" if "webhook" in carried and "webhook" in self.values else ""


def resolve_sources(settings: Settings, session: Session | None, options: RequestOptions = NO_OPTIONS) -> Resolved:
    """Say for each request field what is sent and which layer says so.

    Sources are "command line", "session", "config file", "saved.toml", "preset NAME" and "default". Raises UsageError
    where a preset is not there, FieldError where the session sets something that is not allowed.
    """
    own = _own(session, settings.dialect)
    chat = own.on_top_of(settings.chat)
    thinking = chat.thinking if options.thinking is None else options.thinking
    layers = _layers(settings, own, options, thinking=thinking)
    template = TEMPLATES[settings.api.template]
    layers.append(("default", _defaults(settings, session, template)))
    values: dict[str, object] = {}
    sources: dict[str, str] = {}
    for name in SETTABLE:
        for source, layer in layers:
            if name in layer.unset:
                sources[name] = source
                break
            if name in layer.values:
                values[name], sources[name] = layer.values[name], source
                break
    if options.more_stops:
        values["stop"], sources["stop"] = (
            _with_stops(settings.dialect.spec("stop"), values.get("stop"), options),
            "command line",
        )
    upwards = layers[::-1]
    extra = {name: value for _, layer in upwards for name, value in layer.extra.items()}
    extra_sources = {name: source for source, layer in upwards for name in layer.extra}
    return Resolved(values, sources, extra, extra_sources, chat, thinking, template, settings.dialect)


def _with_stops(spec: FieldSpec, stops: object, options: RequestOptions) -> list[str]:
    """Those that hold, and more of them; raises FieldError where there are too many."""
    found = list(dict.fromkeys([*(stops if isinstance(stops, list) else ()), *options.more_stops]))
    if not spec.holds(len(found)):
        raise FieldError(spec.name, f"{len(found)} strings with those that hold", spec.allowed)
    return found


def _layers(
    settings: Settings, own: SessionSettings, options: RequestOptions, *, thinking: bool
) -> list[tuple[str, SamplingLayer]]:
    """Every layer that a user chose, the highest first."""
    chosen = preset_named(settings, options.preset or own.chat.get("preset") or settings.chat.preset)
    preset = (f"preset {chosen.name}", SamplingLayer(chosen.resolved(thinking=thinking)))
    values = {name: value for name, value in options.set.items() if value is not None}
    return [
        ("command line", SamplingLayer(values, frozenset(options.set) - set(values))),
        *([preset] if options.preset else []),
        ("session", own.layer),
        ("config file", settings.sampling),
        ("saved.toml", settings.saved_sampling),
        preset,
    ]


def _defaults(settings: Settings, session: Session | None, template: Template) -> SamplingLayer:
    values: dict[str, object] = {"stream": True, "stop": list(template.stops)}
    if settings.chat.prompt_cache and session is not None and session.prompt_cache_key:
        values["prompt_cache_key"] = session.prompt_cache_key
    return SamplingLayer(values)


def resolve_request(
    settings: Settings, session: Session | None, options: RequestOptions = NO_OPTIONS
) -> RequestSettings:
    """Raises as `resolve_sources` does."""
    resolved = resolve_sources(settings, session, options)
    chat = resolved.chat
    own_model = session.model if session else ""
    return RequestSettings(
        fields=resolved.fields,
        extra=resolved.extra,
        thinking=resolved.thinking,
        template=resolved.template,
        neutralise=chat.neutralise,
        kept_thinking=chat.kept_thinking,
        over_budget=OverBudget(chat.over_budget),
        context_tokens=settings.api.context_tokens,
        retries=settings.api.retries,
        silence_s=settings.api.read_timeout_s,
        model=settings.model_option or own_model or settings.api.model,
    )
