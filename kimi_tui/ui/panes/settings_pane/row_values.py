"""What each row of the settings pane says: plain values made of a view."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby

from kimi_tui.core.prompt.leaving_out import OverBudget
from kimi_tui.core.session.kept_thinking import ALL
from kimi_tui.core.settings.field_text import edit_text, short_text
from kimi_tui.core.settings.settings_view import (
    ENDPOINT,
    EXTRA_PREFIX,
    PresetOrigin,
    Setting,
    SettingsView,
)
from kimi_tui.core.text.counts import counted
from kimi_tui.core.wire.fields import FieldKind, FieldSpec
from kimi_tui.ui.text.safe_text import line_text

NOT_SENT = "not sent"
NOT_TAKEN = "changed, not taken"
FIRST_ROW = "thinking"
"""The first row that can have the cursor; it is always there."""
FORMS = "text, json_object, json_schema with a name and a schema, or regex with a pattern"
"""Shorter than the table of fields says it."""
GENERAL = ("thinking", "kept_thinking", "preset", "system", "over_budget")
"""What a session sets besides the fields of its requests."""


OVER_BUDGET: Mapping[str, str] = {
    OverBudget.REFUSE: "refuse",
    OverBudget.LEAVE_OUT: "leave out oldest",
    OverBudget.KEEP_PINNED: "keep pinned",
}
"""In words for a row."""
NO_SETTING = Setting("", None)


class RowKind(StrEnum):
    HEADING = "heading"
    SETTING = "setting"
    ACTION = "action"


class ActionRow(StrEnum):
    SAVE_PRESET = "save-preset"
    RENAME_PRESET = "rename-preset"
    DELETE_PRESET = "delete-preset"
    MAKE_DEFAULT = "make-default"
    RESET_ALL = "reset-all"


@dataclass(frozen=True, slots=True)
class Row:
    id: str
    """Unique in the pane: the setting's name, or the action's."""
    kind: RowKind
    label: str
    value: str = ""
    """On one line."""
    is_unset: bool = False
    """Whether the value stands for none, or the action has nothing to work on."""
    help: tuple[str, ...] = ()
    """Shown at the bottom while the cursor is here."""
    setting: Setting = NO_SETTING
    """Of a heading or an action one that says nothing."""
    is_pending: bool = False
    """Something was typed for it that was not taken."""

    @property
    def is_editable(self) -> bool:
        return self.setting.spec is not None or self.setting.name in GENERAL

    @property
    def is_number(self) -> bool:
        """Whether digits begin an edit."""
        spec = self.setting.spec
        return spec is not None and spec.kind in {FieldKind.INTEGER, FieldKind.NUMBER}

    @property
    def can_be_unset(self) -> bool:
        can_be = self.setting.spec is not None or self.setting.name == "system"
        return can_be and (bool(self.setting.error) or self.setting.value is not None)


def rows_of(view: SettingsView, pending: Set[str] = frozenset()) -> tuple[Row, ...]:
    """From top to bottom; `pending` are ids of rows for which something was typed that was not taken."""
    return tuple(replace(row, is_pending=True) if row.id in pending else row for row in _rows(view))


def _rows(view: SettingsView) -> Iterator[Row]:
    for heading, settings in groupby(view.settings.values(), _heading_of):
        yield _heading(heading)
        yield from (_row(view, setting) for setting in settings)
    yield _heading("Keep")
    yield from _actions(view)


def _heading_of(setting: Setting) -> str:
    if setting.name in GENERAL:
        return "This session"
    return "Request fields" if setting.spec is not None else "Sent as is"


def _heading(words: str) -> Row:
    return Row(f"heading {words}", RowKind.HEADING, words)


def _row(view: SettingsView, setting: Setting) -> Row:
    name, value = setting.name, setting.value
    whose = "Set by this session." if setting.is_own else "The default of new sessions."
    match name:
        case "thinking":
            help_ = ("Whether the model thinks before it answers.", whose)
            return Row(name, RowKind.SETTING, name, "on" if value else "off (instant)", help=help_, setting=setting)
        case "preset":
            preset = str(value)
            whose_preset = ("Sent where nothing else is set.", f"This one {view.presets[preset]}.", whose)
            return Row(name, RowKind.SETTING, name, line_text(preset), help=whose_preset, setting=setting)
        case "kept_thinking" | "over_budget" | "system":
            return _GENERAL_ROWS[name](setting, whose)
        case "unset" | "extra":
            return Row(name, RowKind.SETTING, name, help=("Delete takes it back.",), setting=setting)
        case _ if setting.spec is not None:
            return _field(setting.spec, setting)
    label, help_ = (
        name.removeprefix(EXTRA_PREFIX),
        ("A field of another server, sent as is.", _as_said_by(setting.source)),
    )
    return Row(name, RowKind.SETTING, line_text(label), short_text(label, value), help=help_, setting=setting)


def _kept_thinking(setting: Setting, whose: str) -> Row:
    shown = {"0": "none", "1": "last turn", ALL: "all turns"}.get(str(setting.value), f"last {setting.value} turns")
    help_ = ("Of how many earlier turns the thinking is sent along: a number, none or all.", whose)
    return Row(setting.name, RowKind.SETTING, "kept thinking", shown, help=help_, setting=setting)


def _over_budget(setting: Setting, whose: str) -> Row:
    shown = OVER_BUDGET.get(str(setting.value), line_text(str(setting.value)))
    help_ = ("What becomes of the oldest turns when the context window has no room for all.", whose)
    return Row(setting.name, RowKind.SETTING, "no room", shown, help=help_, setting=setting)


def _system(setting: Setting, _: str) -> Row:
    text = edit_text(setting.value)
    size = f"{counted(len(text), 'character')}. " if text else ""
    whose = "New sessions begin with another one." if setting.is_own else "New sessions begin with the same one."
    return Row(
        setting.name,
        RowKind.SETTING,
        "system prompt",
        line_text(text[:200]) or "none",
        is_unset=not text,
        help=("What the model is told before the conversation.", size + whose),
        setting=setting,
    )


_GENERAL_ROWS = {"kept_thinking": _kept_thinking, "over_budget": _over_budget, "system": _system}


def _field(spec: FieldSpec, setting: Setting) -> Row:
    name, value, default = spec.name, setting.value, spec.default
    shown = NOT_SENT if value is None else short_text(name, value)
    if value is None and default is not None:
        shown = f"{NOT_SENT} ({short_text(name, default)})"
    allowed = FORMS if spec.kind is FieldKind.RESPONSE_FORMAT else spec.allowed
    help_ = (spec.help, f"Allowed: {allowed}.", _said_by(spec, setting))
    return Row(name, RowKind.SETTING, name, shown, is_unset=value is None, help=help_, setting=setting)


def _said_by(spec: FieldSpec, setting: Setting) -> str:
    without = NOT_SENT
    if setting.below is not None:
        without = f"{short_text(spec.name, setting.below)[:40]} ({_source(setting.below_source)})"
    if setting.error:
        return f"Delete takes it back: {without}."
    if setting.is_own:
        said = "Left out by this session" if setting.value is None else "Set by this session"
        return f"{said}; without it {without}."
    if setting.value is not None:
        return _as_said_by(setting.source)
    taken = f"; the endpoint takes {short_text(spec.name, spec.default)}" if spec.default is not None else ""
    by = "" if setting.source == ENDPOINT else f", as {_source(setting.source)} says"
    return f"Not sent{by}{taken}."


def _as_said_by(source: str) -> str:
    return f"As {_source(source)} says."


def _source(source: str) -> str:
    return {"default": "the program", "config file": "the config file", ENDPOINT: "the endpoint"}.get(
        source, line_text(source)
    )


def _actions(view: SettingsView) -> Iterator[Row]:
    is_saved = view.presets[str(view.settings["preset"].value)] is PresetOrigin.SAVED
    rows = (
        (ActionRow.SAVE_PRESET, "Save as preset …", "Saves what this session sends under a name.", True),
        (ActionRow.RENAME_PRESET, "Rename preset …", "Renames the chosen preset, if it is your own.", is_saved),
        (ActionRow.DELETE_PRESET, "Delete preset", "Deletes the chosen preset, if it is your own.", is_saved),
        (ActionRow.MAKE_DEFAULT, "Make default", "Lets new sessions begin with what this one sets.", True),
        (ActionRow.RESET_ALL, "Reset all", "Takes back what this session sets, but the system prompt.", view.has_own),
    )  # fmt: skip
    for action, label, help_, is_possible in rows:
        yield Row(action, RowKind.ACTION, label, is_unset=not is_possible, help=(help_,))
