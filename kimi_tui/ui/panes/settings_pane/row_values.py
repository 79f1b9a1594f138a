"""What each row of the settings pane says, and what keys do on it: plain values made of a view."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby

from kimi_tui.core.settings.actions import key_label
from kimi_tui.core.settings.field_text import edit_text, short_text
from kimi_tui.core.settings.settings_view import ENDPOINT, EXTRA_PREFIX, Setting, SettingsView
from kimi_tui.core.text.counts import counted
from kimi_tui.core.text.dotted import dotted
from kimi_tui.core.text.visible import visible_line
from kimi_tui.core.wire.fields import FieldKind, FieldSpec
from kimi_tui.ui.panes.settings_pane import edits
from kimi_tui.ui.panes.settings_pane.edits import ENDINGS, NOT_SENT, Edit, Outcome, Texts, field_edit, question
from kimi_tui.ui.panes.settings_pane.row_table import GENERAL, PANE_ACTIONS

NUMBER_STARTS = frozenset("0123456789-.")
NOT_TAKEN = "changed, not taken"
CURSOR, MARK, ALERT, CUT, RULE, NOTHING = "▸", "*", "!", "…", "─", "–"
"""The cursor, a value that differs, a warning or error, what was cut off, a heading's line, no value."""
FIRST_ROW = "thinking"
"""The first row that can have the cursor; it is always there."""
FORMS = "text, json_object, json_schema with a name and a schema, or regex with a pattern"
"""Shorter than the table of fields says it."""
NO_SETTING = Setting("", None)


class RowKind(StrEnum):
    HEADING = "heading"
    SETTING = "setting"
    ACTION = "action"


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
    for name, action in PANE_ACTIONS.items():
        yield Row(name, RowKind.ACTION, action.label, is_unset=not action.is_possible(view), help=(action.help,))


def _heading_of(setting: Setting) -> str:
    if setting.name in GENERAL:
        return "This session"
    return "Request fields" if setting.spec is not None else "Sent as is"


def _heading(words: str) -> Row:
    return Row(f"heading {words}", RowKind.HEADING, words)


def _row(view: SettingsView, setting: Setting) -> Row:
    name = setting.name
    if name in GENERAL:
        return _general(view, setting)
    if setting.spec is not None:
        return _field(setting.spec, setting)
    if name in {"unset", "extra"}:
        return Row(name, RowKind.SETTING, name, help=("Delete takes it back.",), setting=setting)
    label = name.removeprefix(EXTRA_PREFIX)
    help_ = ("A field of another server, sent as is.", _as_said_by(setting.source))
    shown = short_text(label, setting.value)
    return Row(name, RowKind.SETTING, visible_line(label), shown, help=help_, setting=setting)


def _general(view: SettingsView, setting: Setting) -> Row:
    name, value, general = setting.name, setting.value, GENERAL[setting.name]
    notes = ["Set by this session." if setting.is_own else "The default of new sessions."]
    if name == "preset":
        notes.insert(0, f"This one {view.presets[str(value)]}.")
    if name == "system":
        size = f"{counted(len(edit_text(value)), 'character')}. " if value else ""
        notes = [f"{size}New sessions begin with {'another' if setting.is_own else 'the same'} one."]
    is_unset, help_ = name == "system" and not value, (general.help, *notes)
    return Row(name, RowKind.SETTING, general.label, general.shown(value), is_unset, help_, setting)


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
        source, visible_line(source)
    )


# -- what keys do, as decisions that the pane carries out


def edit(row: Row, view: SettingsView, typed: Texts = (), about: str = "") -> Outcome:
    """Edit a row, or do what it says.

    `typed` is what was typed when it was left, `about` as in `Edit`.
    """
    if row.id in GENERAL:
        return GENERAL[row.id].edit(view, typed)
    if row.setting.spec is not None:
        return field_edit(row.setting.spec, row.setting, typed, about)
    if row.kind is RowKind.ACTION:
        action = PANE_ACTIONS[row.id]
        return action.refusal if row.is_unset else action.act(view, typed)
    return "This is changed in the file that sets it."


def type_over(row: Row, char: str) -> Edit | None:
    """Begin to edit a number by typing it; None = the character begins none."""
    spec = row.setting.spec
    return field_edit(spec, row.setting, (char,)) if spec and row.is_number and char in NUMBER_STARTS else None


def reset(row: Row) -> Outcome:
    """Take back what was typed for the row and not taken, and what the session sets for it."""
    is_own, taken_back = row.setting.is_own, edits.SettingReset(row.id)
    if row.is_pending and is_own:
        words = "Take back what this session sets here, and what was typed and not taken?"
        yes = "Take it back; what was typed is gone"
        return question(words, yes, "Keep both", taken_back, drops_typed=True)
    if row.is_pending:
        words = "Throw away what was typed and not taken?"
        return question(words, "Throw it away", "Keep it", "", drops_typed=True)
    if not is_own:
        is_action = row.kind is RowKind.ACTION
        return "" if is_action else "There is nothing to take back: the session does not set it."
    if row.id == "system":
        words = "Take the system prompt that new sessions begin with?"
        return question(words, "Take it; this one is gone", "Keep this one", taken_back)
    return taken_back


def unset(row: Row) -> Outcome:
    if not row.can_be_unset:
        return "It is not sent." if row.is_unset else "This cannot be left out."
    left_out = edits.SettingChanged(row.id, None)
    if row.id == "system":
        words = "Have no system prompt in this session?"
        return question(words, "Have none; this one is gone", "Keep this one", left_out)
    return left_out


# -- hints


def edit_hints(edit: Edit) -> str:
    key, word = ENDINGS[edit.kind]
    return dotted(f"{key_label(key)} {word}", f"{key_label('escape')} leave")


def row_hints(row: Row, keys: Mapping[str, tuple[str, ...]]) -> str:
    """What can be done with a row; "" = nothing. An action without keys is left out."""
    hints = list[str]()
    if row.kind is RowKind.ACTION and not row.is_unset:
        hints.append(f"{key_label('enter')} do it")
    elif row.is_editable:
        hints.append(f"{key_label('enter')} change")
    own_keys = (
        ("reset-field", row.setting.is_own or row.is_pending, "reset"),
        ("unset-field", row.can_be_unset, "not sent"),
    )
    for action_id, is_possible, words in own_keys:
        if is_possible and (action_keys := keys.get(action_id)):
            hints.append(f"{key_label(action_keys[0])} {words}")
    return dotted(*hints)
