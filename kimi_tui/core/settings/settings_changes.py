"""What the settings pane changes: a session's own settings, and what is saved for new sessions.

A change of a session gives a new session. A change of what is saved is a mapping from a key's path to its value, None =
the key is removed; `adapters/config/saved_file` writes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace

from kimi_tui.core.errors import UsageError
from kimi_tui.core.session.session import Session
from kimi_tui.core.session.tree import with_system
from kimi_tui.core.settings.layers import Key, Preset
from kimi_tui.core.settings.sampling import (
    CHAT_KEYS,
    EMPTY_MEANS_UNSET,
    parse_session_settings,
    preset_named,
    resolve_sources,
    store_setting,
)
from kimi_tui.core.settings.settings import Settings
from kimi_tui.core.settings.settings_view import EXTRA_PREFIX, preset_name_problem, preset_origins
from kimi_tui.core.wire.fields import SETTABLE

Changes = Mapping[Key, object | None]

# -- a session's own


def with_setting(settings: Settings, session: Session, name: str, value: object | None) -> Session:
    """Let the session say one thing: a request field, one of `CHAT_KEYS`, or "system".

    None = not sent, as the config says, or no system prompt. Raises UsageError where there is no preset of that name.
    """
    if name == "system":
        return with_system(session, None if value is None else str(value))
    if name == "preset":
        return with_preset(settings, session, str(value))
    if name in CHAT_KEYS:
        return with_own(session, name, value)
    return replace(session, settings=store_setting(session.settings, name, value))


def with_preset(settings: Settings, session: Session, name: str) -> Session:
    """What the session sets for itself stays above it; raises UsageError where there is no preset of that name."""
    return with_own(session, "preset", preset_named(settings, name).name)


def with_own(session: Session, name: str, value: object | None) -> Session:
    """Set one of `CHAT_KEYS`, as the file says it; None = as the config says."""
    own = {**session.settings, name: value}
    if value is None:
        del own[name]
    return replace(session, settings=own)


def without_own(settings: Settings, session: Session, name: str) -> Session:
    """Take back what the session sets for one thing; its system prompt becomes that of new sessions.

    `name` = a request field, "thinking", "preset", "system", "unset", "extra", or "extra.NAME"; "" = everything but the
    system prompt.
    """
    if not name:
        return without_any_own(session)
    if name == "system":
        return with_system(session, settings.chat.system or None)
    own = {key: value for key, value in session.settings.items() if key != name}
    unset, extra = own.get("unset"), own.get("extra")
    if isinstance(unset, list):
        own["unset"] = [other for other in unset if other != name]
    if isinstance(extra, Mapping):
        own["extra"] = {key: value for key, value in extra.items() if EXTRA_PREFIX + key != name}
    for key in ("unset", "extra"):
        if key in own and not own[key]:
            del own[key]
    return replace(session, settings=own)


def without_any_own(session: Session) -> Session:
    """Take back everything the session sets for itself, but its system prompt; unknown keys stay."""
    ours = {*SETTABLE, "unset", "extra", *CHAT_KEYS}
    return replace(session, settings={key: value for key, value in session.settings.items() if key not in ours})


# -- what is saved


def default_changes(settings: Settings, session: Session) -> dict[Key, object | None]:
    """What new sessions need to begin with what this one sets; raises FieldError where that is not allowed."""
    own = parse_session_settings(session.settings, settings.dialect)
    changes: dict[Key, object | None] = {
        ("chat", name): session.settings[name] for name in CHAT_KEYS if name in own.chat
    }
    if (session.system or "") != settings.chat.system:
        changes["chat", "system"] = session.system or ""
    values = {name: value for name, value in own.layer.values.items() if name not in own.layer.unset}
    changes |= {("sampling", name): value for name, value in values.items()}
    changes |= {("sampling", name): None for name in own.layer.unset if name in settings.saved_sampling.values}
    changes |= {("sampling", "extra", name): value for name, value in own.layer.extra.items()}
    before = settings.saved_sampling.unset
    unset = (before - set(values)) | own.layer.unset
    if unset != before:
        changes["sampling", "unset"] = [name for name in SETTABLE if name in unset] or None
    return changes


def preset_of(settings: Settings, session: Session, name: str) -> Preset:
    """Make a preset of what a session sends, in both modes; what every request sends by itself is left out.

    Raises UsageError where the session's preset is not there, FieldError where it sets something that is not allowed.
    """
    thinking = _sent(settings, session, thinking=True)
    instant = _sent(settings, session, thinking=False)
    differing = {key: value for key, value in instant.items() if thinking.get(key) != value}
    return Preset(name, thinking, differing)


def _sent(settings: Settings, session: Session, *, thinking: bool) -> dict[str, object]:
    resolved = resolve_sources(settings, with_setting(settings, session, "thinking", thinking))
    chosen = {name for name, source in resolved.sources.items() if source != "default"}
    unset = {name: empty for name, empty in EMPTY_MEANS_UNSET.items() if name in chosen}
    sent = {**unset, **{name: value for name, value in resolved.values.items() if name in chosen}}
    return {name: sent[name] for name in SETTABLE if name in sent}


def save_preset_changes(settings: Settings, session: Session, name: str) -> dict[Key, object | None]:
    """One of your own is replaced; raises UsageError where the name cannot be used, and what `preset_of` raises."""
    name = checked_preset_name(settings, name)
    return {("presets", name): preset_of(settings, session, name).table}


def rename_preset_changes(
    settings: Settings, old: str, new: str, config_keys: Set[Key] = frozenset()
) -> dict[Key, object | None]:
    """A preset that the config file chooses (`config_keys` = what it sets) keeps its name.

    Raises UsageError for such a preset, for one that is not your own, and for a new name that cannot be used.
    """
    preset = _own_preset(settings, old, config_keys, "Save it under another name instead.")
    new = checked_preset_name(settings, new)
    if new in settings.saved_presets:
        raise UsageError(f"There is a preset {new!r} already.", "Choose another name.")
    changes: dict[Key, object | None] = {("presets", old): None, ("presets", new): preset.table}
    return {**changes, ("chat", "preset"): new} if settings.chat.preset == old else changes


@dataclass(frozen=True, slots=True)
class Deletion:
    """What has to be saved for a preset to go, and for it to come back."""

    changes: Changes
    """Takes it away; new sessions that began with it begin with the default one."""
    undoing: Changes
    """Brings it back, to new sessions too."""


def delete_preset_changes(settings: Settings, name: str, config_keys: Set[Key] = frozenset()) -> Deletion:
    """Raises UsageError where it is not one of your own, or the config file (`config_keys`) chooses it."""
    preset = _own_preset(settings, name, config_keys, "Only presets that were saved here are deleted here.")
    is_chosen = settings.chat.preset == name
    changes: dict[Key, object | None] = {("presets", name): None, **({("chat", "preset"): None} if is_chosen else {})}
    undoing: dict[Key, object | None] = {("presets", name): preset.table}
    return Deletion(changes, {**undoing, ("chat", "preset"): name} if is_chosen else undoing)


def _own_preset(settings: Settings, name: str, config_keys: Set[Key], hint: str) -> Preset:
    preset = preset_named(settings, name)
    if name not in settings.saved_presets:
        raise UsageError(preset_name_problem(preset_origins(settings), name), hint)
    if settings.chat.preset == name and ("chat", "preset") in config_keys:
        raise UsageError(
            f"The config file chooses the preset {name!r} by this name.", "Change [chat] preset there first."
        )
    return preset


def checked_preset_name(settings: Settings, name: str) -> str:
    """Blanks at the ends go, those inside become one.

    Raises UsageError where it is empty, too long or holds control characters, or such a preset cannot be changed here.
    """
    name = " ".join(name.split())
    if problem := preset_name_problem(preset_origins(settings), name):
        raise UsageError(problem, "Choose another name, such as careful.")
    return name


def overruled(settings: Settings, changes: Changes, config_keys: Set[Key]) -> tuple[Key, ...]:
    """The changes without effect, since the config file (`config_keys`, and its [sampling]) says something else."""
    return tuple(
        key for key, value in _one_by_one(changes) if value is not None and _is_overruled(settings, key, config_keys)
    )


def _one_by_one(changes: Changes) -> Iterator[tuple[Key, object]]:
    """The changes, each name of the list of unset fields by itself."""
    for key, value in changes.items():
        if key == ("sampling", "unset") and isinstance(value, list):
            yield from ((("sampling", name), False) for name in value)
        else:
            yield key, value


def _is_overruled(settings: Settings, key: Key, config_keys: Set[Key]) -> bool:
    match key:
        case ("sampling", "extra", name):
            return name in settings.sampling.extra
        case ("sampling", name):
            return name in settings.sampling.values or name in settings.sampling.unset
        case _:
            return key in config_keys
