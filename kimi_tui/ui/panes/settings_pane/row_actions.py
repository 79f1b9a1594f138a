"""What keys do on a row of the settings pane, and what follows when an editor's value is taken: decisions only.

Each function gives an outcome, which the pane carries out.
"""

from __future__ import annotations

from textual.message import Message

from kimi_tui.core.settings.settings_view import FieldRow, SettingsView
from kimi_tui.ui.panes.settings_pane import messages, openers
from kimi_tui.ui.panes.settings_pane.editor import Editor
from kimi_tui.ui.panes.settings_pane.row_values import ActionRow, Row, RowKind
from kimi_tui.ui.panes.settings_pane.unsaved_edits import UnsavedEdit

Outcome = Editor | Message | str
"""An editor to open, a change to ask for, or words to show; "" = nothing of these."""
NUMBER_STARTS = frozenset("0123456789-.")
"""Characters that begin an edit where a number stands."""
REFUSALS = {
    ActionRow.RENAME_PRESET: "Choose a preset of your own first; the others keep their names.",
    ActionRow.DELETE_PRESET: "Choose a preset of your own first; the others stay.",
    ActionRow.RESET_ALL: "There is nothing to take back.",
}
"""What a row says that has nothing to work on."""
RESET_SYSTEM, REMOVE_SYSTEM, DROP_TYPED = "reset-system", "remove-system", "drop-typed"
"""Questions before the system prompt is replaced, and before what was typed and not taken is thrown away."""


def edit(row: Row, view: SettingsView, aside: UnsavedEdit) -> Outcome:
    """Edit a row, from where it was left, or do what it says."""
    match row.kind:
        case RowKind.THINKING:
            return messages.ThinkingChanged(not view.thinking)
        case RowKind.PRESET:
            return openers.preset_editor(view)
        case RowKind.SYSTEM:
            return openers.system_editor(view, aside.typed)
        case RowKind.FIELD if row.field is not None:
            details = openers.format_editor(row.field, aside.about, aside.typed)
            return details or openers.field_editor(row.field, aside.typed)
        case RowKind.ACTION:
            return _act(row, view, aside)
        case _:
            return "This is changed in the file that sets it."


def type_over(row: Row, char: str) -> Editor | None:
    """Begin to edit a number by typing it; None = the character begins none."""
    if row.field is None or not row.is_number or char not in NUMBER_STARTS:
        return None
    return openers.field_editor(row.field, (char,))


def _act(row: Row, view: SettingsView, aside: UnsavedEdit) -> Outcome:
    action = ActionRow(row.id)
    if row.is_unset and action in REFUSALS:
        return REFUSALS[action]
    match action:
        case ActionRow.SAVE_PRESET:
            return openers.preset_name_editor(view, row.id, typed=aside.typed)
        case ActionRow.RENAME_PRESET:
            return openers.preset_name_editor(view, row.id, view.preset, aside.typed)
        case ActionRow.DELETE_PRESET:
            return messages.PresetDeleteRequested(view.preset)
        case ActionRow.MAKE_DEFAULT:
            return messages.DefaultRequested()
        case ActionRow.RESET_ALL:
            words = "Take back all that this session sets, but the system prompt?"
            return openers.question(row.id, words, "Take it all back", "Keep it")


def reset(row: Row) -> Outcome:
    """Take back what was typed for a row and not taken, and what the session sets for it."""
    if row.is_pending:
        return _ask_to_drop(row)
    if not row.is_own:
        is_action = row.kind is RowKind.ACTION
        return "" if is_action else "There is nothing to take back: the session does not set it."
    if row.kind is RowKind.SYSTEM:
        words = "Take the system prompt that new sessions begin with?"
        return openers.question(RESET_SYSTEM, words, "Take it; this one is gone", "Keep this one")
    return messages.FieldReset(row.id)


def _ask_to_drop(row: Row) -> Editor:
    words, yes, no = "Throw away what was typed and not taken?", "Throw it away", "Keep it"
    if row.is_own:
        words = "Take back what this session sets here, and what was typed and not taken?"
        yes, no = "Take it back; what was typed is gone", "Keep both"
    return openers.question(DROP_TYPED, words, yes, no)


def unset(row: Row) -> Outcome:
    """Leave what a row says out of the request."""
    if not row.can_be_unset:
        return "It is not sent." if row.is_unset else "This cannot be left out."
    if row.kind is RowKind.SYSTEM:
        words = "Have no system prompt in this session?"
        return openers.question(REMOVE_SYSTEM, words, "Have none; this one is gone", "Keep this one")
    return messages.FieldSet(row.id, None)


def is_typed_over(row: Row, accepted: Editor.Accepted) -> bool:
    """Whether what was typed for a row is done with: it was taken, or it is to be thrown away."""
    is_thrown_away = accepted.row_id == DROP_TYPED and accepted.value is True
    return accepted.row_id == row.id or is_thrown_away


def follow(row: Row, view: SettingsView, accepted: Editor.Accepted) -> Outcome:
    """Go on from a value that was taken.

    Args:
        row: The row under the cursor, whose editor it was.
        view: What is shown now.
        accepted: The value.
    """
    value = accepted.value
    if accepted.row_id == DROP_TYPED:
        return _take_back(row, view) if value is True and row.is_own else ""
    if row.field is None:
        return _asked_for(accepted, view)
    if row.id == "response_format" and isinstance(value, str):
        return openers.format_editor(row.field, value) or _set_field(row.field, {"type": value} if value else None)
    return _set_field(row.field, value)


def _take_back(row: Row, view: SettingsView) -> Message:
    return messages.SystemChanged(view.config_system) if row.kind is RowKind.SYSTEM else messages.FieldReset(row.id)


def _set_field(field: FieldRow, value: object | None) -> Outcome:
    """Ask for a value, unless it is the one that is sent; one that cannot be used, or is overruled, is not sent."""
    is_other = value != field.value or field.error or field.warning
    return messages.FieldSet(field.spec.name, value) if is_other else ""


def _asked_for(accepted: Editor.Accepted, view: SettingsView) -> Outcome:
    """What an accepted value of a row that is no field asks for."""
    value, old = accepted.value, accepted.about
    text = value if isinstance(value, str) else ""
    is_preset_other = text != view.preset or "preset" in view.errors
    asked: dict[str, tuple[bool, Message]] = {
        "preset": (is_preset_other, messages.PresetChosen(text)),
        "system": (text != (view.system or ""), messages.SystemChanged(text or None)),
        RESET_SYSTEM: (value is True, messages.SystemChanged(view.config_system)),
        REMOVE_SYSTEM: (value is True, messages.SystemChanged(None)),
        ActionRow.SAVE_PRESET: (True, messages.PresetSaveRequested(text)),
        ActionRow.RENAME_PRESET: (text != old, messages.PresetRenameRequested(old, text)),
        ActionRow.RESET_ALL: (value is True, messages.AllResetRequested()),
    }
    is_asked, message = asked[accepted.row_id]
    return message if is_asked else ""
