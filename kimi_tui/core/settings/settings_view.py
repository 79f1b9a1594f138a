"""What the settings pane shows of a session: every request field with its value, who set it and what it may be.

A session whose settings cannot be used gets a view all the same: what is wrong stands beside its field, so that it can
be mended there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from kimi_tui.core.errors import FieldError, UsageError
from kimi_tui.core.prompt.template import END
from kimi_tui.core.session.session import Session
from kimi_tui.core.settings.layers import NO_LAYER, PRESETS
from kimi_tui.core.settings.sampling import Resolved, parse_session_settings, preset_named, resolve_sources
from kimi_tui.core.settings.settings import Settings
from kimi_tui.core.wire.dialect import Dialect
from kimi_tui.core.wire.fields import FIELDS, SETTABLE, FieldSpec

ENDPOINT = "endpoint"
"""The source of a field that nothing sets: the endpoint takes its own default."""
NOT_CARRIED = "The endpoint has no such field: it is not sent."
"""What is told of a field that the dialect does not carry."""
MAX_PRESET_NAME = 60
"""Most characters of a preset's name."""


class PresetOrigin(StrEnum):
    """Where a preset comes from, and so who may change it."""

    SHIPPED = "ships with the program"
    CONFIG = "stands in the config file"
    SAVED = "is your own"


@dataclass(frozen=True, slots=True)
class PresetChoice:
    """A preset that may be chosen."""

    name: str
    """What settings call it."""
    origin: PresetOrigin
    """Where it comes from; one that was saved here can be renamed."""


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One request field of a session."""

    spec: FieldSpec
    """Its name, help, range and the endpoint's default."""
    value: object | None
    """What is sent; None = it is not sent."""
    source: str
    """Who says so: "session", "config file", "saved.toml", "preset NAME", "default" or "endpoint"."""
    is_own: bool = False
    """Whether the session sets or unsets it, rightly or not."""
    below: object | None = None
    """What is sent without the session's own; None = it is not."""
    below_source: str = ENDPOINT
    """Who says that."""
    preset_value: object | None = None
    """What the preset alone sends."""
    warning: str = ""
    """What a user should know about the value; "" = nothing."""
    error: str = ""
    """Why what the session says cannot be used; "" = it can."""

    @property
    def differs(self) -> bool:
        """Whether something else is sent than the preset says."""
        return self.value != self.preset_value


@dataclass(frozen=True, slots=True)
class ExtraRow:
    """One field of another server, sent as it is."""

    name: str
    """Its name in the body."""
    value: object
    """What is sent."""
    source: str
    """Who says so."""
    is_own: bool = False
    """Whether the session says so."""


@dataclass(frozen=True, slots=True)
class SettingsView:
    """Everything the settings pane shows of one session."""

    session_id: str
    """Whose settings these are."""
    thinking: bool
    """Whether the model thinks first."""
    is_thinking_own: bool
    """Whether the session says so."""
    config_thinking: bool
    """Whether it thinks first where the session does not say."""
    preset: str
    """Name of the preset below everything else."""
    is_preset_own: bool
    """Whether the session chose it."""
    config_preset: str
    """The preset where the session does not choose one."""
    presets: tuple[PresetChoice, ...]
    """Every preset there is."""
    system: str | None
    """The session's system prompt; None = none."""
    config_system: str | None
    """The one that a new session begins with; None = none."""
    rows: tuple[FieldRow, ...]
    """Every field that may be set, in the table's order."""
    extra: tuple[ExtraRow, ...] = ()
    """Fields of other servers."""
    errors: Mapping[str, str] = field(default_factory=dict)
    """What is wrong in the session besides its fields: by "thinking", "preset", "unset" or "extra"."""

    @property
    def is_thinking_other(self) -> bool:
        """Whether taking back what the session says would change how it answers, or mend it."""
        return self.thinking != self.config_thinking or "thinking" in self.errors

    @property
    def is_preset_other(self) -> bool:
        """Whether taking back what the session chose would change the preset, or mend it."""
        return self.preset != self.config_preset or "preset" in self.errors

    @property
    def is_system_own(self) -> bool:
        """Whether the system prompt is another than a new session's."""
        return self.system != self.config_system

    @property
    def has_own(self) -> bool:
        """Whether the session sets anything for itself, besides its system prompt."""
        flags = (self.is_thinking_own, self.is_preset_own, bool(self.errors))
        return any(flags) or any(row.is_own for row in self.rows) or any(row.is_own for row in self.extra)


def settings_view(settings: Settings, session: Session) -> SettingsView:
    """Say what a session sends, and who says so; never fails, whatever the session's file holds."""
    usable, errors = _usable(settings, session)
    now = resolve_sources(settings, usable)
    mode = {key: usable.settings[key] for key in ("thinking", "preset") if key in usable.settings}
    below = resolve_sources(settings, replace(usable, settings=mode))
    alone = resolve_sources(
        replace(settings, sampling=NO_LAYER, saved_sampling=NO_LAYER), replace(usable, settings=mode)
    )
    own = session.settings
    return SettingsView(
        session_id=session.id,
        thinking=now.thinking,
        is_thinking_own="thinking" in own,
        config_thinking=settings.chat.thinking,
        preset=str(usable.settings.get("preset") or settings.chat.preset),
        is_preset_own="preset" in own,
        config_preset=settings.chat.preset,
        presets=preset_choices(settings),
        system=session.system,
        config_system=settings.chat.system or None,
        rows=tuple(
            _row(name, session, settings.dialect, (now, below, alone), errors.get(name, "")) for name in SETTABLE
        ),
        extra=tuple(
            ExtraRow(name, value, _extra_source(settings, usable, name), _is_extra_of(usable, name))
            for name, value in now.extra.items()
        ),
        errors={key: text for key, text in errors.items() if key not in FIELDS},
    )


def preset_choices(settings: Settings) -> tuple[PresetChoice, ...]:
    """Every preset, and where it comes from."""
    return tuple(PresetChoice(name, _origin(settings, name)) for name in settings.presets)


def preset_name_problem(choices: Iterable[PresetChoice], name: str) -> str:
    """Say why no preset can be saved under a name; "" = one can, and one of your own is replaced."""
    if not name.strip():
        return "A preset needs a name."
    if len(name) > MAX_PRESET_NAME or not name.isprintable():
        return f"A preset's name has at most {MAX_PRESET_NAME} characters, none of them invisible."
    origins = {choice.name: choice.origin for choice in choices}
    origin = PresetOrigin.SHIPPED if name in PRESETS else origins.get(name, PresetOrigin.SAVED)
    return "" if origin is PresetOrigin.SAVED else f"{name} cannot be changed here: it {origin}."


def _origin(settings: Settings, name: str) -> PresetOrigin:
    if name in settings.saved_presets:
        return PresetOrigin.SAVED
    return PresetOrigin.SHIPPED if settings.presets[name] is PRESETS.get(name) else PresetOrigin.CONFIG


def _usable(settings: Settings, session: Session) -> tuple[Session, dict[str, str]]:
    """The session without what cannot be used, and what is wrong with that."""
    kept: dict[str, object] = {}
    errors: dict[str, str] = {}
    for key, value in session.settings.items():
        try:
            parsed = parse_session_settings({key: value}, settings.dialect)
            if parsed.preset is not None:
                preset_named(settings, parsed.preset)
        except FieldError as error:
            errors[key] = f"found {error.found}, allowed {error.allowed}"
        except UsageError as error:
            errors[key] = f"{error.summary} {error.hint}".strip()
        else:
            kept[key] = value
    return replace(session, settings=kept), errors


def _row(
    name: str, session: Session, dialect: Dialect, resolved: tuple[Resolved, Resolved, Resolved], error: str
) -> FieldRow:
    now, below, alone = resolved
    unset = session.settings.get("unset")
    is_unset = isinstance(unset, list | tuple) and name in unset
    return FieldRow(
        dialect.spec(name),
        _sent(name, now),
        now.sources.get(name, ENDPOINT),
        is_own=name in session.settings or is_unset,
        below=_sent(name, below),
        below_source=below.sources.get(name, ENDPOINT),
        preset_value=_sent(name, alone),
        warning=_warning(name, now) if name in dialect.fields else NOT_CARRIED,
        error=error,
    )


def _sent(name: str, resolved: Resolved) -> object | None:
    """What the body holds: an empty list of stops, and an empty key, are not sent; some fields switch streaming off."""
    value = resolved.values.get(name)
    if name == "stream" and value and _streaming_stopper(resolved):
        return False
    return value if value not in ([], "") or name not in {"stop", "prompt_cache_key"} else None


def _streaming_stopper(resolved: Resolved) -> str:
    """What keeps the reply from being streamed; "" = nothing."""
    if resolved.values.get("num_responses", 1) != 1:
        return "num_responses is above 1"
    return "there is a webhook" if "webhook" in resolved.values else ""


def _warning(name: str, resolved: Resolved) -> str:
    value = resolved.values.get(name)
    if name == "stream" and value and (why := _streaming_stopper(resolved)):
        return f"Sent as false, since {why}."
    if name == "stop" and not (isinstance(value, list) and END in value):
        return f"Without {END} the model may go on after its answer."
    return ""


def _extra_source(settings: Settings, session: Session, name: str) -> str:
    if _is_extra_of(session, name):
        return "session"
    return "config file" if name in settings.sampling.extra else "saved.toml"


def _is_extra_of(session: Session, name: str) -> bool:
    extra = session.settings.get("extra")
    return isinstance(extra, Mapping) and name in extra
