"""What a request says: presets, and the layers of settings that lie above them.

Precedence, highest first: the command line (`--set`, then `--preset`), the session, the config file, `saved.toml`, the
chosen preset; below that nothing is sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from kimi_tui.core.errors import FieldError, UsageError
from kimi_tui.core.fields import FIELDS, SETTABLE, check_value
from kimi_tui.core.request import RequestSettings
from kimi_tui.core.session import Session
from kimi_tui.core.settings import Preset, SamplingLayer, Settings
from kimi_tui.core.template import STOP_SEQUENCES, TEMPLATES

OWN_KEYS = ("thinking", "preset", "unset", "extra")
"""Keys of a session's settings that are no request fields."""


@dataclass(frozen=True, slots=True)
class RequestOptions:
    """What the command line sets for one turn."""

    set: Mapping[str, object | None] = field(default_factory=dict)
    """Checked values of `--set`; None = not sent."""
    preset: str | None = None
    """Name of `--preset`."""
    thinking: bool | None = None
    """False after `--no-think`."""


NO_OPTIONS = RequestOptions()
"""The command line says nothing."""


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """A session's own settings, checked."""

    layer: SamplingLayer
    """Its request fields."""
    thinking: bool | None = None
    """Whether it thinks; None = as the config says."""
    preset: str | None = None
    """Its preset; None = as the config says."""


def parse_session_settings(data: Mapping[str, object]) -> SessionSettings:
    """Check what a session file sets for itself.

    Raises:
        FieldError: A value is not allowed; unknown keys are left alone.
    """
    values = {name: check_value(name, data[name]) for name in SETTABLE if name in data}
    thinking, preset = data.get("thinking"), data.get("preset")
    if thinking is not None and not isinstance(thinking, bool):
        raise FieldError("thinking", repr(thinking)[:60], "true or false")
    if preset is not None and not isinstance(preset, str):
        raise FieldError("preset", repr(preset)[:60], "a preset's name")
    unset, extra = data.get("unset", []), data.get("extra", {})
    if not isinstance(unset, list | tuple) or not all(name in SETTABLE for name in unset):
        raise FieldError("unset", repr(unset)[:60], "a list of request fields")
    if not isinstance(extra, dict):
        raise FieldError("extra", repr(extra)[:60], "a table")
    return SessionSettings(SamplingLayer(values, frozenset(unset), extra), thinking, preset)


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
    """Look a preset up.

    Raises:
        UsageError: There is none of that name; the nearest are named.
    """
    found = settings.presets.get(name)
    if found is None:
        near = get_close_matches(name, settings.presets, n=2) or sorted(settings.presets)
        raise UsageError(f"There is no preset {name!r}.", f"Presets: {', '.join(near)}")
    return found


def resolve_sources(
    settings: Settings, session: Session | None, options: RequestOptions = NO_OPTIONS
) -> tuple[dict[str, tuple[object, str]], bool]:
    """Say for each request field what is sent and which layer says so, and whether the model thinks.

    Raises:
        UsageError: A preset is not there.
        FieldError: The session sets something that is not allowed.
    """
    own = parse_session_settings(session.settings) if session else SessionSettings(SamplingLayer())
    thinking = next(flag for flag in (options.thinking, own.thinking, settings.chat.thinking) if flag is not None)
    chosen = preset_named(settings, options.preset or own.preset or settings.chat.preset)
    from_option = preset_named(settings, options.preset).resolved(thinking=thinking) if options.preset else {}
    set_values = {name: value for name, value in options.set.items() if value is not None}
    layers = (
        ("command line", SamplingLayer(set_values, frozenset(options.set) - set(set_values))),
        (f"preset {options.preset}", SamplingLayer(from_option)),
        ("session", own.layer),
        ("config", settings.sampling),
        ("saved", settings.saved_sampling),
        (f"preset {chosen.name}", SamplingLayer(chosen.resolved(thinking=thinking))),
        ("default", _defaults(settings, session)),
    )
    found: dict[str, tuple[object, str]] = {}
    for name in SETTABLE:
        for source, layer in layers:
            if name in layer.unset:
                break
            if name in layer.values:
                found[name] = (layer.values[name], source)
                break
    return found, thinking


def _defaults(settings: Settings, session: Session | None) -> SamplingLayer:
    values: dict[str, object] = {"stream": True, "stop": list(STOP_SEQUENCES)}
    if settings.chat.prompt_cache and session is not None and session.prompt_cache_key:
        values["prompt_cache_key"] = session.prompt_cache_key
    return SamplingLayer(values)


def resolve_request(
    settings: Settings, session: Session | None, options: RequestOptions = NO_OPTIONS
) -> RequestSettings:
    """Settle everything a request says besides the conversation.

    Raises:
        UsageError: A preset is not there.
        FieldError: The session sets something that is not allowed.
    """
    sources, thinking = resolve_sources(settings, session, options)
    fields = {name: value for name, (value, _) in sources.items() if not _is_nothing(name, value)}
    responses = fields.get("num_responses", 1)
    fields["stream"] = bool(fields.get("stream", True)) and responses == 1 and "webhook" not in fields
    own_extra = session.settings.get("extra") if session else None
    extra = {**settings.sampling.extra, **(own_extra if isinstance(own_extra, dict) else {})}
    return RequestSettings(
        fields={name: fields[name] for name in FIELDS if name in fields},
        extra=extra,
        thinking=thinking,
        template=TEMPLATES[settings.api.template],
        neutralise=settings.chat.neutralise,
        context_tokens=settings.api.context_tokens,
        retries=settings.api.retries,
        silence_s=settings.api.read_timeout_s,
    )


def _is_nothing(name: str, value: object) -> bool:
    """An empty list of stop sequences, and an empty key, say "send none"."""
    return name in {"stop", "prompt_cache_key"} and not value
