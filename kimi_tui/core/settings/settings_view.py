"""What the settings pane shows of a session: each setting with its value, who set it, and what holds without that.

A session whose settings cannot be used gets a view all the same: what is wrong stands beside its setting, so that it
can be mended there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from kimi_tui.core.errors import FieldError, UsageError
from kimi_tui.core.session.session import Session
from kimi_tui.core.settings.layers import NO_LAYER, PRESETS
from kimi_tui.core.settings.sampling import Resolved, parse_session_settings, preset_named, resolve_sources
from kimi_tui.core.settings.settings import Settings
from kimi_tui.core.wire.fields import SETTABLE, FieldSpec

ENDPOINT = "endpoint"
"""The source of a field that nothing sets: the endpoint takes its own default."""
NOT_CARRIED = "The endpoint has no such field: it is not sent."
"""What is told of a field that the dialect does not carry."""
EXTRA_PREFIX = "extra."
"""Before the name of another server's field."""
MAX_PRESET_NAME = 60


class PresetOrigin(StrEnum):
    """Where a preset comes from, and so who may change it."""

    SHIPPED = "ships with the program"
    CONFIG = "stands in the config file"
    SAVED = "is your own"


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    """A request field, "thinking", "kept_thinking", "preset", "system", "over_budget" or "extra.NAME".

    "unset" and "extra" too, where these are wrong.
    """
    value: object | None
    """What holds; None = not sent, or none."""
    source: str = "session"
    """Who says so: "session", "config file", "saved.toml", "preset NAME", "default" or "endpoint"."""
    is_own: bool = False
    """Whether the session sets or unsets it, rightly or not, so that it can be taken back."""
    below: object | None = None
    """What holds without the session's own."""
    below_source: str = ENDPOINT
    differs: bool = False
    """Whether it is another than the preset's, or than a new session's, or wrong."""
    warning: str = ""
    """What a user should know about the value; "" = nothing."""
    error: str = ""
    """Why what the session says cannot be used; "" = it can."""
    spec: FieldSpec | None = None
    """Of a request field: its help, range and the endpoint's default."""

    def would_change(self, value: object | None) -> bool:
        """Whether anything is another when the session sets that; a wrong or overruled value becomes one that holds."""
        return value != self.value or bool(self.error or self.warning)


@dataclass(frozen=True, slots=True)
class SettingsView:
    session_id: str
    settings: Mapping[str, Setting]
    """By name, in the order in which they are shown."""
    presets: Mapping[str, PresetOrigin]

    @property
    def has_own(self) -> bool:
        return any(setting.is_own for name, setting in self.settings.items() if name != "system")


def settings_view(settings: Settings, session: Session) -> SettingsView:
    """Never fails, whatever the session's file holds."""
    usable, errors = _usable(settings, session)
    found = [*_general(settings, session, usable, errors), *_fields(settings, session, usable, errors)]
    found += [Setting(key, None, is_own=True, error=errors[key]) for key in ("unset", "extra") if key in errors]
    return SettingsView(session.id, {setting.name: setting for setting in found}, preset_origins(settings))


def _usable(settings: Settings, session: Session) -> tuple[Session, dict[str, str]]:
    """The session without what cannot be used, and what is wrong with that."""
    kept: dict[str, object] = {}
    errors: dict[str, str] = {}
    for key, value in session.settings.items():
        try:
            parsed = parse_session_settings({key: value}, settings.dialect)
            if "preset" in parsed.chat:
                preset_named(settings, parsed.chat["preset"])
        except FieldError as error:
            errors[key] = f"found {error.found}, allowed {error.allowed}"
        except UsageError as error:
            errors[key] = f"{error.summary} {error.hint}".strip()
        else:
            kept[key] = value
    return replace(session, settings=kept), errors


def _general(settings: Settings, session: Session, usable: Session, errors: Mapping[str, str]) -> Iterator[Setting]:
    for name, default in (
        ("thinking", settings.chat.thinking),
        ("kept_thinking", settings.chat.kept_thinking),
        ("preset", settings.chat.preset),
    ):
        yield _chosen(name, default, session, usable, errors)
    system = settings.chat.system or None
    is_other = session.system != system
    yield Setting("system", session.system or None, is_own=is_other, below=system, differs=is_other)
    yield _chosen("over_budget", settings.chat.over_budget, session, usable, errors)


def _chosen(name: str, default: object, session: Session, usable: Session, errors: Mapping[str, str]) -> Setting:
    own, error = usable.settings.get(name), errors.get(name, "")
    value = default if own is None else own
    is_other = value != default or bool(error)
    return Setting(name, value, is_own=name in session.settings, below=default, differs=is_other, error=error)


def _fields(settings: Settings, session: Session, usable: Session, errors: Mapping[str, str]) -> Iterator[Setting]:
    bare = replace(
        usable, settings={key: usable.settings[key] for key in ("thinking", "preset") if key in usable.settings}
    )
    now, below = resolve_sources(settings, usable), resolve_sources(settings, bare)
    preset = resolve_sources(replace(settings, sampling=NO_LAYER, saved_sampling=NO_LAYER), bare)
    sent, sent_below, sent_by_preset = now.fields, below.fields, preset.fields
    unset = session.settings.get("unset")
    unset = unset if isinstance(unset, list | tuple) else ()
    for name in SETTABLE:
        value, error = sent.get(name), errors.get(name, "")
        yield Setting(
            name,
            value,
            now.sources.get(name, ENDPOINT),
            is_own=name in session.settings or name in unset,
            below=sent_below.get(name),
            below_source=below.sources.get(name, ENDPOINT),
            differs=value != sent_by_preset.get(name) or bool(error),
            warning=_warning(name, now) if name in settings.dialect.fields else NOT_CARRIED,
            error=error,
            spec=settings.dialect.spec(name),
        )
    for name, value in now.extra.items():
        source = now.extra_sources[name]
        is_own = source == "session"
        yield Setting(EXTRA_PREFIX + name, value, source, is_own=is_own, differs=is_own)


def _warning(name: str, resolved: Resolved) -> str:
    value = resolved.values.get(name)
    if name == "stream" and value and (why := resolved.unstreamed_since):
        return f"Sent as false, since {why}."
    turn_end = resolved.template.assistant.end
    if name == "stop" and not (isinstance(value, list) and turn_end in value):
        return f"Without {turn_end} the model may go on after its answer."
    return ""


# -- presets


def preset_origins(settings: Settings) -> dict[str, PresetOrigin]:
    return {name: _origin(settings, name) for name in settings.presets}


def _origin(settings: Settings, name: str) -> PresetOrigin:
    if name in settings.saved_presets:
        return PresetOrigin.SAVED
    return PresetOrigin.SHIPPED if settings.presets[name] is PRESETS.get(name) else PresetOrigin.CONFIG


def preset_name_problem(origins: Mapping[str, PresetOrigin], name: str) -> str:
    """Say why no preset can be saved under a name; "" = one can, and one of your own is replaced."""
    if not name.strip():
        return "A preset needs a name."
    if len(name) > MAX_PRESET_NAME or not name.isprintable():
        return f"A preset's name has at most {MAX_PRESET_NAME} characters, none of them invisible."
    origin = PresetOrigin.SHIPPED if name in PRESETS else origins.get(name, PresetOrigin.SAVED)
    return "" if origin is PresetOrigin.SAVED else f"{name} cannot be changed here: it {origin}."
