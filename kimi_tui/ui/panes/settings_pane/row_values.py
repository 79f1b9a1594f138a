"""What each row of the settings pane says: plain values made of a view."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from enum import StrEnum

from kimi_tui.core.settings.field_text import short_text
from kimi_tui.core.settings.settings_changes import EXTRA_PREFIX
from kimi_tui.core.settings.settings_view import ENDPOINT, ExtraRow, FieldRow, PresetOrigin, SettingsView
from kimi_tui.core.text.counts import counted
from kimi_tui.core.wire.fields import FieldKind
from kimi_tui.ui.text.safe_text import line_text

NOT_SENT = "not sent"
"""What stands in the place of a value that is none."""
NOT_TAKEN = "changed, not taken"
"""What stands in the place of a value for which something else was typed and left."""
FIRST_ROW = "thinking"
"""The id of the first row that can have the cursor; it is always there."""
FORMS = "text, json_object, json_schema with a name and a schema, or regex with a pattern"
"""What a response format may be, shorter than the table says it."""


class RowKind(StrEnum):
    """What a row is, and so what Enter does there."""

    HEADING = "heading"
    THINKING = "thinking"
    PRESET = "preset"
    SYSTEM = "system"
    FIELD = "field"
    EXTRA = "extra"
    PROBLEM = "problem"
    ACTION = "action"


class ActionRow(StrEnum):
    """The rows at the end that do something."""

    SAVE_PRESET = "save-preset"
    RENAME_PRESET = "rename-preset"
    DELETE_PRESET = "delete-preset"
    MAKE_DEFAULT = "make-default"
    RESET_ALL = "reset-all"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the pane."""

    id: str
    """Unique in the pane: a field's name, "thinking", "extra.NAME", …"""
    kind: RowKind
    """What it is."""
    label: str
    """What stands at the left."""
    value: str = ""
    """What stands at the right, on one line."""
    is_unset: bool = False
    """Whether that stands for no value."""
    is_marked: bool = False
    """Whether it differs from the preset, or from a new session."""
    is_own: bool = False
    """Whether the session says so, which can be taken back."""
    is_pending: bool = False
    """Whether something was typed for it that was not taken."""
    warning: str = ""
    """What a user should know; "" = nothing."""
    error: str = ""
    """What is wrong; "" = nothing."""
    help: tuple[str, ...] = ()
    """What stands at the bottom while the cursor is here."""
    field: FieldRow | None = None
    """The request field."""

    @property
    def is_number(self) -> bool:
        """Whether digits begin an edit."""
        return self.field is not None and self.field.spec.kind in {FieldKind.INTEGER, FieldKind.NUMBER}

    @property
    def can_be_unset(self) -> bool:
        """Whether it can be left out of the request."""
        if self.field is None:
            return self.kind is RowKind.SYSTEM and not self.is_unset
        return bool(self.error) or self.field.value is not None


def rows_of(view: SettingsView, pending: Set[str] = frozenset()) -> tuple[Row, ...]:
    """Every row, from top to bottom.

    Args:
        view: What they show.
        pending: Ids of the rows for which something was typed that was not taken.
    """
    return tuple(replace(row, is_pending=True) if row.id in pending else row for row in _rows(view))


def pending_help(row: Row) -> tuple[str, ...]:
    """What to do about what was typed and not taken, and what holds until then; () = there is nothing."""
    if not row.is_pending:
        return ()
    return ("Typed, but not taken; Enter shows it.", *((f"Until then: {row.value[:40]}",) if row.value else ()))


def _rows(view: SettingsView) -> Iterator[Row]:
    yield Row("heading-session", RowKind.HEADING, "This session")
    yield _thinking(view)
    yield _preset(view)
    yield _system(view)
    yield Row("heading-fields", RowKind.HEADING, "Request fields")
    yield from map(_field, view.rows)
    if view.extra or {"unset", "extra"} & set(view.errors):
        yield Row("heading-extra", RowKind.HEADING, "Sent as is")
    yield from map(_extra, view.extra)
    for key in ("unset", "extra"):
        if problem := view.errors.get(key):
            yield Row(key, RowKind.PROBLEM, key, is_own=True, error=problem, help=("Delete takes it back.",))
    yield Row("heading-actions", RowKind.HEADING, "Keep")
    yield from _actions(view)


def _thinking(view: SettingsView) -> Row:
    return Row(
        FIRST_ROW,
        RowKind.THINKING,
        "thinking",
        "on" if view.thinking else "off (instant)",
        is_marked=view.is_thinking_other,
        is_own=view.is_thinking_own,
        error=view.errors.get("thinking", ""),
        help=("Whether the model thinks before it answers.", _whose(view.is_thinking_own)),
    )


def _preset(view: SettingsView) -> Row:
    origin = next((choice.origin for choice in view.presets if choice.name == view.preset), PresetOrigin.CONFIG)
    return Row(
        "preset",
        RowKind.PRESET,
        "preset",
        line_text(view.preset),
        is_marked=view.is_preset_other,
        is_own=view.is_preset_own,
        error=view.errors.get("preset", ""),
        help=(
            "Sent where nothing else is set.",
            f"This one {origin}.",
            _whose(view.is_preset_own),
        ),
    )


def _system(view: SettingsView) -> Row:
    text = view.system or ""
    size = f"{counted(len(text), 'character')}. " if text else ""
    whose = "New sessions begin with another one." if view.is_system_own else "New sessions begin with the same one."
    return Row(
        "system",
        RowKind.SYSTEM,
        "system prompt",
        line_text(text[:200]) or "none",
        is_unset=not text,
        is_marked=view.is_system_own,
        is_own=view.is_system_own,
        help=("What the model is told before the conversation.", size + whose),
    )


def _whose(is_own: bool) -> str:
    return "Set by this session." if is_own else "The default of new sessions."


def _field(row: FieldRow) -> Row:
    name = row.spec.name
    value = NOT_SENT if row.value is None else short_text(name, row.value)
    if row.value is None and row.spec.default is not None:
        value = f"{NOT_SENT} ({short_text(name, row.spec.default)})"
    return Row(
        name,
        RowKind.FIELD,
        name,
        value,
        is_unset=row.value is None,
        is_marked=row.differs or bool(row.error),
        is_own=row.is_own,
        warning=row.warning,
        error=row.error,
        help=(row.spec.help, f"Allowed: {allowed_of(row)}.", _said_by(row)),
        field=row,
    )


def allowed_of(row: FieldRow) -> str:
    """Type and range in words."""
    return FORMS if row.spec.kind is FieldKind.RESPONSE_FORMAT else row.spec.allowed


def _said_by(row: FieldRow) -> str:
    name, default = row.spec.name, row.spec.default
    if row.error:
        return f"Delete takes it back: {_with_source(name, row.below, row.below_source)}."
    if row.is_own:
        said = "Left out by this session" if row.value is None else "Set by this session"
        return f"{said}; without it {_with_source(name, row.below, row.below_source)}."
    if row.value is not None:
        return f"As {_source(row.source)} says."
    taken = f"; the endpoint takes {short_text(name, default)}" if default is not None else ""
    by = "" if row.source == ENDPOINT else f", as {_source(row.source)} says"
    return f"Not sent{by}{taken}."


def _with_source(name: str, value: object | None, source: str) -> str:
    if value is None:
        return NOT_SENT
    return f"{short_text(name, value)[:40]} ({_source(source)})"


def _source(source: str) -> str:
    return {"default": "the program", "config file": "the config file", ENDPOINT: "the endpoint"}.get(
        source, line_text(source)
    )


def _extra(row: ExtraRow) -> Row:
    return Row(
        EXTRA_PREFIX + row.name,
        RowKind.EXTRA,
        line_text(row.name),
        short_text(row.name, row.value),
        is_marked=row.is_own,
        is_own=row.is_own,
        help=("A field of another server, sent as is.", f"As {_source(row.source)} says."),
    )


def _actions(view: SettingsView) -> Iterator[Row]:
    is_saved = any(c.name == view.preset and c.origin is PresetOrigin.SAVED for c in view.presets)
    rows = (
        (ActionRow.SAVE_PRESET, "Save as preset …", "Saves what this session sends under a name.", True),
        (ActionRow.RENAME_PRESET, "Rename preset …", "Renames the chosen preset, if it is your own.", is_saved),
        (ActionRow.DELETE_PRESET, "Delete preset", "Deletes the chosen preset, if it is your own.", is_saved),
        (ActionRow.MAKE_DEFAULT, "Make default", "Lets new sessions begin with what this one sets.", True),
        (ActionRow.RESET_ALL, "Reset all", "Takes back what this session sets, but the system prompt.", view.has_own),
    )  # fmt: skip
    for action, label, help_, is_possible in rows:
        yield Row(action, RowKind.ACTION, label, is_unset=not is_possible, help=(help_,))
