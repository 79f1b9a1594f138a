"""Which editor a row gets, and what it begins with.

`typed` is what has been typed in an editor that was left, or that is being opened by typing; () = nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from kimi_tui.core.errors import UsageError
from kimi_tui.core.settings import field_text
from kimi_tui.core.settings.settings_view import FieldRow, PresetChoice, PresetOrigin, SettingsView, preset_name_problem
from kimi_tui.core.wire.fields import FieldKind
from kimi_tui.ui.panes.settings_pane.block_editor import BlockEditor
from kimi_tui.ui.panes.settings_pane.choice_editor import ChoiceEditor
from kimi_tui.ui.panes.settings_pane.editor import Editor
from kimi_tui.ui.panes.settings_pane.line_editor import LineEditor
from kimi_tui.ui.panes.settings_pane.row_values import NOT_SENT
from kimi_tui.ui.panes.settings_pane.unsaved_edits import Texts
from kimi_tui.ui.text.safe_text import line_text

ORIGINS = {PresetOrigin.SHIPPED: "shipped", PresetOrigin.CONFIG: "config file", PresetOrigin.SAVED: "your own"}
"""Where a preset comes from, in a word or two."""


def field_editor(row: FieldRow, typed: Texts = ()) -> Editor:
    """The editor of a request field; a response format begins with the choice of its type."""
    name, kind = row.spec.name, row.spec.kind
    if kind is FieldKind.BOOLEAN:
        return ChoiceEditor(
            name, "", [(True, "true"), (False, "false"), (None, NOT_SENT)], True if row.warning else row.value
        )
    if kind is FieldKind.STRINGS:
        label = "One a line; \\n is a line end, \\\\ a backslash. Left empty, none is sent."
        return BlockEditor(
            name,
            label,
            (field_text.stop_lines(row.value),),
            _one(partial(field_text.parse_stop_lines, row.spec)),
            typed=typed,
        )
    if kind is FieldKind.RESPONSE_FORMAT:
        return _format_types(row)
    text = field_text.edit_text(row.value)
    if not text.isprintable():
        return BlockEditor(name, "Left empty, it is not sent.", (text,), _one(partial(_string, row)), typed=typed)
    return LineEditor(name, name, (text,), _one(partial(_typed_value, row)), typed=typed)


def _typed_value(row: FieldRow, text: str) -> object | None:
    is_number = row.spec.kind in {FieldKind.INTEGER, FieldKind.NUMBER}
    return row.spec.parse(field_text.number_text(text) if is_number else text)


def _string(row: FieldRow, text: str) -> object | None:
    return row.spec.check(text) if text else None


def _one(check: Callable[[str], object | None]) -> Callable[[Texts], object | None]:
    return lambda texts: check(texts[-1])


def _format_types(row: FieldRow) -> Editor:
    choices: list[tuple[object, str]] = [
        ("text", "text (any form)"),
        ("json_object", "json_object"),
        ("json_schema", "json_schema …"),
        ("regex", "regex …"),
        ("", NOT_SENT),
    ]
    return ChoiceEditor(row.spec.name, "", choices, field_text.format_type(row.value))


def format_editor(row: FieldRow, kind: str, typed: Texts = ()) -> Editor | None:
    """The editor of a response format's details; None = its type says it all."""
    name, schema, pattern = field_text.format_parts(row.value)
    if kind == "json_schema":
        return BlockEditor(
            row.spec.name,
            "The schema's name, and the schema as a JSON object.",
            (name or field_text.DEFAULT_SCHEMA_NAME, schema),
            lambda texts: field_text.schema_format(texts[0], texts[1], row.value),
            typed=typed,
            about=kind,
        )
    if kind == "regex":
        return BlockEditor(
            row.spec.name,
            "The pattern that the whole reply has to fit.",
            (pattern,),
            _one(field_text.regex_format),
            typed=typed,
            about=kind,
            doubt=field_text.regex_doubt,
        )
    return None


def preset_editor(view: SettingsView) -> Editor:
    """The choice of a preset."""
    choices = [(choice.name, _preset_words(choice)) for choice in view.presets]
    return ChoiceEditor("preset", "", choices, view.preset)


def _preset_words(choice: PresetChoice) -> str:
    return f"{line_text(choice.name)} ({ORIGINS[choice.origin]})"


def system_editor(view: SettingsView, typed: Texts = ()) -> Editor:
    """The editor of the system prompt."""
    label = "For this session, from the next message on. Left empty, none is sent."
    return BlockEditor("system", label, (view.system or "",), _one(lambda text: text or None), typed=typed)


def preset_name_editor(view: SettingsView, row_id: str, old: str = "", typed: Texts = ()) -> Editor:
    """The line for a preset's name; `old` is the one that is renamed, "" = a new one is saved."""
    return LineEditor(row_id, "name", (old,), _one(partial(_preset_name, view, old)), typed=typed, about=old)


def _preset_name(view: SettingsView, old: str, text: str) -> str:
    name = " ".join(text.split())
    problem = preset_name_problem(view.presets, name)
    if not problem and old and name != old and any(choice.name == name for choice in view.presets):
        problem = f"There is a preset {name} already."
    if problem:
        raise UsageError(problem)
    return name


def question(row_id: str, words: str, yes: str, no: str) -> Editor:
    """A choice between doing something and leaving it; leaving comes first."""
    return ChoiceEditor(row_id, words, [(False, no), (True, yes)], False)
