"""What can be edited in the settings pane, as values: what an editor begins with, how it checks, what follows from it.

`typed` is what has been typed in an editor that was left, or that is being opened by typing; () = nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TypeAlias

from textual.message import Message

from kimi_tui.core.errors import UsageError
from kimi_tui.core.prompt.leaving_out import OverBudget
from kimi_tui.core.session.kept_thinking import KeptThinking, parse_kept_thinking
from kimi_tui.core.settings import field_text
from kimi_tui.core.settings.settings_view import PresetOrigin, Setting, SettingsView, preset_name_problem
from kimi_tui.core.wire.fields import FieldKind, FieldSpec
from kimi_tui.ui.keys.key_lookup import TAKE_KEY
from kimi_tui.ui.panes.settings_pane import messages
from kimi_tui.ui.panes.settings_pane.row_values import NOT_SENT
from kimi_tui.ui.text.safe_text import line_text

Texts: TypeAlias = tuple[str, ...]
"""What stands in an editor: a text, or a name and a text; () = nothing is typed there."""
Outcome: TypeAlias = "Edit | Message | str"
"""An editor to open, a change to ask for, or words to show; "" = nothing of these."""
ORIGINS = {PresetOrigin.SHIPPED: "shipped", PresetOrigin.CONFIG: "config file", PresetOrigin.SAVED: "your own"}
FORMATS: Mapping[str, str] = {
    "text": "text (any form)",
    "json_object": "json_object",
    "json_schema": "json_schema …",
    "regex": "regex …",
    "": NOT_SENT,
}


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
    check: Callable[[Texts], object | None] = lambda texts: texts[-1]
    """Makes a value of texts, or raises KimiError."""
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
    """Whether what was typed for the row before is gone with a yes."""


def field_edit(spec: FieldSpec, setting: Setting, typed: Texts = (), about: str = "") -> Edit:
    """A response format begins with the choice of its type, unless `about` says which it is."""
    name, kind, then = spec.name, spec.kind, partial(messages.SettingChanged, spec.name)
    if kind is FieldKind.RESPONSE_FORMAT:
        return _format_edit(setting, about, typed) or _format_choice(setting)
    if kind is FieldKind.BOOLEAN:
        choices = ((True, "true"), (False, "false"), (None, NOT_SENT))
        return Edit(EditKind.CHOICE, "", then, choices=choices, chosen=True if setting.warning else setting.value)
    if kind is FieldKind.STRINGS:
        label = "One a line; \\n is a line end, \\\\ a backslash. Left empty, none is sent."
        stops = (field_text.stop_lines(setting.value),)
        return Edit(EditKind.BLOCK, label, then, stops, _one(partial(field_text.parse_stop_lines, spec)), typed)
    text = field_text.edit_text(setting.value)
    if not text.isprintable():
        check = _one(lambda text: spec.check(text) if text else None)
        return Edit(EditKind.BLOCK, "Left empty, it is not sent.", then, (text,), check, typed)
    return Edit(EditKind.LINE, name, then, (text,), _one(partial(_parsed, spec)), typed)


def _parsed(spec: FieldSpec, text: str) -> object | None:
    is_number = spec.kind in {FieldKind.INTEGER, FieldKind.NUMBER}
    return spec.parse(field_text.number_text(text) if is_number else text)


def _one(check: Callable[[str], object | None]) -> Callable[[Texts], object | None]:
    return lambda texts: check(texts[-1])


def _format_choice(setting: Setting) -> Edit:
    def then(kind: object | None) -> Outcome:
        details = _format_edit(setting, str(kind))
        return details or messages.SettingChanged(setting.name, {"type": kind} if kind else None)

    chosen = field_text.format_type(setting.value)
    return Edit(EditKind.CHOICE, "", then, choices=tuple(FORMATS.items()), chosen=chosen)


def _format_edit(setting: Setting, kind: str, typed: Texts = ()) -> Edit | None:
    """None = the type says it all."""
    name, schema, pattern = field_text.format_parts(setting.value)
    then = partial(messages.SettingChanged, setting.name)
    if kind == "json_schema":
        label = "The schema's name, and the schema as a JSON object."
        texts = (name or field_text.DEFAULT_SCHEMA_NAME, schema)
        return Edit(
            EditKind.BLOCK,
            label,
            then,
            texts,
            lambda texts: field_text.schema_format(texts[0], texts[1], setting.value),
            typed,
            about=kind,
        )
    if kind == "regex":
        label, check = "The pattern that the whole reply has to fit.", _one(field_text.regex_format)
        return Edit(EditKind.BLOCK, label, then, (pattern,), check, typed, field_text.regex_doubt, kind)
    return None


def kept_thinking_edit(setting: Setting, typed: Texts = ()) -> Edit:
    text = "none" if setting.value == 0 else str(setting.value)
    then = partial(messages.SettingChanged, setting.name)
    return Edit(EditKind.LINE, "kept thinking", then, (text,), _one(_kept_thinking), typed)


def _kept_thinking(text: str) -> KeptThinking:
    try:
        return parse_kept_thinking(text)
    except ValueError:
        raise UsageError("Allowed: none, a whole number of turns such as 2, or all.") from None


def over_budget_edit(setting: Setting) -> Edit:
    choices = (
        (OverBudget.REFUSE.value, "refuse (nothing is left out)"),
        (OverBudget.LEAVE_OUT.value, "leave-out (the oldest turns)"),
        (OverBudget.KEEP_PINNED.value, "keep-pinned (these, but the pinned)"),
    )
    then = partial(messages.SettingChanged, setting.name)
    return Edit(EditKind.CHOICE, "", then, choices=choices, chosen=setting.value)


def preset_edit(view: SettingsView) -> Edit:
    choices = tuple((name, f"{line_text(name)} ({ORIGINS[origin]})") for name, origin in view.presets.items())
    then = partial(messages.SettingChanged, "preset")
    return Edit(EditKind.CHOICE, "", then, choices=choices, chosen=view.settings["preset"].value)


def system_edit(setting: Setting, typed: Texts = ()) -> Edit:
    label = "For this session, from the next message on. Left empty, none is sent."
    then, check = partial(messages.SettingChanged, "system"), _one(lambda text: text or None)
    return Edit(EditKind.BLOCK, label, then, (field_text.edit_text(setting.value),), check, typed)


def preset_name_edit(view: SettingsView, old: str = "", typed: Texts = ()) -> Edit:
    """`old` is the preset that is renamed; "" = a new one is saved."""

    def then(name: object | None) -> Outcome:
        if not old:
            return messages.ActionRequested("save-preset", str(name))
        return messages.PresetRenameRequested(old, str(name)) if name != old else ""

    return Edit(EditKind.LINE, "name", then, (old,), _one(partial(_preset_name, view, old)), typed)


def _preset_name(view: SettingsView, old: str, text: str) -> str:
    name = " ".join(text.split())
    problem = preset_name_problem(view.presets, name)
    if not problem and old and name != old and name in view.presets:
        problem = f"There is a preset {name} already."
    if problem:
        raise UsageError(problem)
    return name


def question(words: str, yes: str, no: str, outcome: Outcome, *, drops_typed: bool = False) -> Edit:
    """Ask before something is done; leaving it comes first."""
    then: Callable[[object | None], Outcome] = lambda is_yes: outcome if is_yes else ""  # noqa: E731
    return Edit(EditKind.CHOICE, words, then, choices=((False, no), (True, yes)), chosen=False, drops_typed=drops_typed)
