"""What can be edited in the settings pane, as values: what an editor begins with, how it checks, what follows from it.

`typed` is what has been typed in an editor that was left, or that is being opened by typing; () = nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TypeAlias

from kimi_tui.core.settings import field_text
from kimi_tui.core.settings.settings_view import Setting
from kimi_tui.core.wire.fields import FieldKind, FieldSpec
from kimi_tui.ui.keys.key_lookup import TAKE_KEY

Texts: TypeAlias = tuple[str, ...]
"""What stands in an editor: a text, or a name and a text; () = nothing is typed there."""
Outcome: TypeAlias = "Edit | Change | str"
"""An editor to open, a change to ask for, or words to show; "" = nothing of these."""
NOT_SENT = "not sent"
FORMATS: Mapping[str, str] = {
    "text": "text (any form)",
    "json_object": "json_object",
    "json_schema": "json_schema …",
    "regex": "regex …",
    "": NOT_SENT,
}


@dataclass(frozen=True, slots=True)
class SettingChanged:
    """The session is to set something for itself; see `settings_changes.with_setting`."""

    name: str
    value: object | None


@dataclass(frozen=True, slots=True)
class SettingReset:
    """What the session sets is to be taken back; see `settings_changes.without_own`. "" = all but its system prompt."""

    name: str


@dataclass(frozen=True, slots=True)
class ActionRequested:
    """An action of the registry is to be done: "save-preset" and "delete-preset" with a name, or "make-default"."""

    action_id: str
    argument: str = ""


@dataclass(frozen=True, slots=True)
class PresetRenamed:
    """A preset is to have another name; either may hold blanks, so that one argument could not say both."""

    old: str
    new: str


Change = SettingChanged | SettingReset | ActionRequested | PresetRenamed
"""What whoever shows the pane is asked for; it does that, and shows the settings anew."""


class EditKind(StrEnum):
    LINE = "line"
    BLOCK = "block"
    CHOICE = "choice"


ENDINGS: Mapping[EditKind, tuple[str, str]] = {
    EditKind.LINE: ("enter", "set"),
    EditKind.BLOCK: (TAKE_KEY, "take"),  # Enter begins a line
    EditKind.CHOICE: ("enter", "choose"),
}
"""The key that takes what stands in an editor, beside `TAKE_KEY`, and the word for it."""


@dataclass(frozen=True, slots=True)
class Edit:
    kind: EditKind
    """A line stands in the place of its row, lines or choices below it."""
    label: str
    """What stands before or above it; "" = nothing."""
    then: Callable[[object | None], Outcome]
    """What follows from a value that was taken; None = not sent."""
    texts: Texts = ()
    """What holds now."""
    check: Callable[..., object | None] = lambda *texts: texts[-1]
    """Makes a value of the texts, or raises KimiError."""
    typed: Texts = ()
    """What begins in the place of the texts."""
    doubt: Callable[[str], str] = lambda _: ""
    """Says what may be wrong with the text, without keeping it from being taken; "" = nothing."""
    about: str = ""
    """The type of the response format whose details these are, so that they can be opened again; "" = of none."""
    choices: tuple[tuple[object, str], ...] = ()
    chosen: object = None
    """The value that is chosen at first."""
    drops_typed: bool = False
    """Whether "yes" throws away what was typed for this row and not taken."""


def choice(name: str, choices: tuple[tuple[object, str], ...], chosen: object) -> Edit:
    return Edit(EditKind.CHOICE, "", partial(SettingChanged, name), choices=choices, chosen=chosen)


def question(words: str, yes: str, no: str, outcome: Outcome, *, drops_typed: bool = False) -> Edit:
    """Ask before something is done; leaving it comes first."""
    choices, then = ((False, no), (True, yes)), lambda is_yes: outcome if is_yes else ""
    return Edit(EditKind.CHOICE, words, then, choices=choices, chosen=False, drops_typed=drops_typed)


def field_edit(spec: FieldSpec, setting: Setting, typed: Texts = (), about: str = "") -> Edit:
    """A response format begins with the choice of its type, unless `about` says which it is."""
    name, kind, then = spec.name, spec.kind, partial(SettingChanged, spec.name)
    if kind is FieldKind.RESPONSE_FORMAT:
        return _format_edit(setting, about, typed) or _format_choice(setting)
    if kind is FieldKind.BOOLEAN:
        choices = ((True, "true"), (False, "false"), (None, NOT_SENT))
        return choice(name, choices, True if setting.warning else setting.value)
    if kind is FieldKind.STRINGS:
        label = "One a line; \\n is a line end, \\\\ a backslash. Left empty, none is sent."
        stops = (field_text.stop_lines(setting.value),)
        return Edit(EditKind.BLOCK, label, then, stops, partial(field_text.parse_stop_lines, spec), typed)
    text = field_text.edit_text(setting.value)
    if not text.isprintable():
        check = lambda text: spec.check(text) if text else None  # noqa: E731
        return Edit(EditKind.BLOCK, "Left empty, it is not sent.", then, (text,), check, typed)
    return Edit(EditKind.LINE, name, then, (text,), partial(_parsed, spec), typed)


def _parsed(spec: FieldSpec, text: str) -> object | None:
    is_number = spec.kind in {FieldKind.INTEGER, FieldKind.NUMBER}
    return spec.parse(field_text.number_text(text) if is_number else text)


def _format_choice(setting: Setting) -> Edit:
    def then(kind: object | None) -> Outcome:
        details = _format_edit(setting, str(kind))
        return details or SettingChanged(setting.name, {"type": kind} if kind else None)

    chosen = field_text.format_type(setting.value)
    return Edit(EditKind.CHOICE, "", then, choices=tuple(FORMATS.items()), chosen=chosen)


def _format_edit(setting: Setting, kind: str, typed: Texts = ()) -> Edit | None:
    """None = the type says it all."""
    name, schema, pattern = field_text.format_parts(setting.value)
    then = partial(SettingChanged, setting.name)
    if kind == "json_schema":
        label = "The schema's name, and the schema as a JSON object."
        texts = (name or field_text.DEFAULT_SCHEMA_NAME, schema)
        to_schema = partial(field_text.schema_format, old=setting.value)
        return Edit(EditKind.BLOCK, label, then, texts, to_schema, typed, about=kind)
    if kind == "regex":
        label, doubt = "The pattern that the whole reply has to fit.", field_text.regex_doubt
        return Edit(EditKind.BLOCK, label, then, (pattern,), field_text.regex_format, typed, doubt, kind)
    return None
