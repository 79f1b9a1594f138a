"""What keys do on a row of the settings pane, and the hints that say so: decisions only, which the pane carries out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from kimi_tui.core.settings.actions import key_label
from kimi_tui.core.settings.settings_view import Setting, SettingsView
from kimi_tui.core.text.dotted import dotted
from kimi_tui.ui.panes.settings_pane import edits, messages
from kimi_tui.ui.panes.settings_pane.edits import ENDINGS, Edit, Outcome, Texts
from kimi_tui.ui.panes.settings_pane.row_values import ActionRow, Row, RowKind

NUMBER_STARTS = frozenset("0123456789-.")
REFUSALS = {
    ActionRow.RENAME_PRESET: "Choose a preset of your own first; the others keep their names.",
    ActionRow.DELETE_PRESET: "Choose a preset of your own first; the others stay.",
    ActionRow.RESET_ALL: "There is nothing to take back.",
}
_GENERAL_EDITS: Mapping[str, Callable[[Setting, Texts], Edit]] = {
    "kept_thinking": edits.kept_thinking_edit,
    "over_budget": lambda setting, _: edits.over_budget_edit(setting),
    "system": edits.system_edit,
}


def edit(row: Row, view: SettingsView, typed: Texts = (), about: str = "") -> Outcome:
    """Edit a row, or do what it says.

    `typed` is what was typed when it was left, `about` as in `Edit`.
    """
    match row.id:
        case "thinking":
            return messages.SettingChanged("thinking", not row.setting.value)
        case "preset":
            return edits.preset_edit(view)
        case "kept_thinking" | "over_budget" | "system":
            return _GENERAL_EDITS[row.id](row.setting, typed)
        case _ if row.setting.spec is not None:
            return edits.field_edit(row.setting.spec, row.setting, typed, about)
        case _ if row.kind is RowKind.ACTION:
            return _act(row, view, typed)
    return "This is changed in the file that sets it."


def type_over(row: Row, char: str) -> Edit | None:
    """Begin to edit a number by typing it; None = the character begins none."""
    spec = row.setting.spec
    return edits.field_edit(spec, row.setting, (char,)) if spec and row.is_number and char in NUMBER_STARTS else None


def _act(row: Row, view: SettingsView, typed: Texts) -> Outcome:
    action, preset = ActionRow(row.id), str(view.settings["preset"].value)
    if row.is_unset:
        return REFUSALS[action]
    match action:
        case ActionRow.SAVE_PRESET:
            return edits.preset_name_edit(view, typed=typed)
        case ActionRow.RENAME_PRESET:
            return edits.preset_name_edit(view, preset, typed)
        case ActionRow.DELETE_PRESET:
            return messages.ActionRequested(action, preset)
        case ActionRow.MAKE_DEFAULT:
            return messages.ActionRequested(action)
        case ActionRow.RESET_ALL:
            words = "Take back all that this session sets, but the system prompt?"
            return edits.question(words, "Take it all back", "Keep it", messages.SettingReset(""))


def reset(row: Row) -> Outcome:
    """Take back what was typed for the row and not taken, and what the session sets for it."""
    is_own, taken_back = row.setting.is_own, messages.SettingReset(row.id)
    if row.is_pending and is_own:
        words = "Take back what this session sets here, and what was typed and not taken?"
        yes = "Take it back; what was typed is gone"
        return edits.question(words, yes, "Keep both", taken_back, drops_typed=True)
    if row.is_pending:
        words = "Throw away what was typed and not taken?"
        return edits.question(words, "Throw it away", "Keep it", "", drops_typed=True)
    if not is_own:
        is_action = row.kind is RowKind.ACTION
        return "" if is_action else "There is nothing to take back: the session does not set it."
    if row.id == "system":
        words = "Take the system prompt that new sessions begin with?"
        return edits.question(words, "Take it; this one is gone", "Keep this one", taken_back)
    return taken_back


def unset(row: Row) -> Outcome:
    if not row.can_be_unset:
        return "It is not sent." if row.is_unset else "This cannot be left out."
    left_out = messages.SettingChanged(row.id, None)
    if row.id == "system":
        words = "Have no system prompt in this session?"
        return edits.question(words, "Have none; this one is gone", "Keep this one", left_out)
    return left_out


# -- hints


def edit_hints(edit: Edit) -> str:
    key, word = ENDINGS[edit.kind]
    return dotted(f"{key_label(key)} {word}", f"{key_label('escape')} leave")


def row_hints(row: Row, keys: Mapping[str, tuple[str, ...]]) -> str:
    """What can be done with a row; "" = nothing. An action without keys is left out."""
    return dotted(*_row_hints(row, keys))


def _row_hints(row: Row, keys: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    if row.kind is RowKind.ACTION and not row.is_unset:
        yield f"{key_label('enter')} do it"
    elif row.is_editable:
        yield f"{key_label('enter')} change"
    own_keys = (
        ("reset-field", row.setting.is_own or row.is_pending, "reset"),
        ("unset-field", row.can_be_unset, "not sent"),
    )
    for action_id, is_possible, words in own_keys:
        if is_possible and (action_keys := keys.get(action_id)):
            yield f"{key_label(action_keys[0])} {words}"
