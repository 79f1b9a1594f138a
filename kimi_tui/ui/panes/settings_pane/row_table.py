"""The rows of the settings pane that are no request fields: what a session sets besides these, and what can be done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from kimi_tui.core.errors import UsageError
from kimi_tui.core.prompt.leaving_out import OverBudget
from kimi_tui.core.session.kept_thinking import ALL, KeptThinking, parse_kept_thinking
from kimi_tui.core.settings.field_text import edit_text
from kimi_tui.core.settings.settings_view import PresetOrigin, SettingsView, preset_name_problem
from kimi_tui.core.text.visible import visible_line
from kimi_tui.ui.panes.settings_pane import edits
from kimi_tui.ui.panes.settings_pane.edits import Edit, EditKind, Outcome, Texts, choice, question

OVER_BUDGET: Mapping[str, tuple[str, str]] = {
    OverBudget.REFUSE.value: ("refuse", "refuse (nothing is left out)"),
    OverBudget.LEAVE_OUT.value: ("leave out oldest", "leave-out (the oldest turns)"),
    OverBudget.KEEP_PINNED.value: ("keep pinned", "keep-pinned (these, but the pinned)"),
}
"""In words for a row, and for a choice."""
ORIGINS = {PresetOrigin.SHIPPED: "shipped", PresetOrigin.CONFIG: "config file", PresetOrigin.SAVED: "your own"}


class General(NamedTuple):
    label: str
    help: str
    shown: Callable[[Any], str]
    """The value as it is shown, on one line."""
    edit: Callable[[SettingsView, Texts], Outcome]
    """What Enter does; the texts are what was typed when it was left."""


class PaneAction(NamedTuple):
    label: str
    help: str
    act: Callable[[SettingsView, Texts], Outcome]
    is_possible: Callable[[SettingsView], bool] = lambda _: True
    refusal: str = ""
    """What is said where it has nothing to work on."""


def _preset_edit(view: SettingsView, _: Texts) -> Edit:
    choices = tuple((name, f"{visible_line(name)} ({ORIGINS[origin]})") for name, origin in view.presets.items())
    return choice("preset", choices, view.settings["preset"].value)


def _kept_thinking_edit(view: SettingsView, typed: Texts) -> Edit:
    value, then = view.settings["kept_thinking"].value, partial(edits.SettingChanged, "kept_thinking")
    return Edit(EditKind.LINE, "kept thinking", then, ("none" if value == 0 else str(value),), _kept_thinking, typed)


def _kept_thinking(text: str) -> KeptThinking:
    try:
        return parse_kept_thinking(text)
    except ValueError:
        raise UsageError("Allowed: none, a whole number of turns such as 2, or all.") from None


def _system_edit(view: SettingsView, typed: Texts) -> Edit:
    label = "For this session, from the next message on. Left empty, none is sent."
    texts, then = (edit_text(view.settings["system"].value),), partial(edits.SettingChanged, "system")
    return Edit(EditKind.BLOCK, label, then, texts, lambda text: text or None, typed)


def _over_budget_edit(view: SettingsView, _: Texts) -> Edit:
    choices = tuple((value, words) for value, (_, words) in OVER_BUDGET.items())
    return choice("over_budget", choices, view.settings["over_budget"].value)


GENERAL: Mapping[str, General] = {
    "thinking": General(
        "thinking", "Whether the model thinks before it answers.", lambda value: "on" if value else "off (instant)",
        lambda view, _: edits.SettingChanged("thinking", not view.settings["thinking"].value),
    ),
    "kept_thinking": General(
        "kept thinking", "Of how many earlier turns the thinking is sent along: a number, none or all.",
        lambda value: {"0": "none", "1": "last turn", ALL: "all turns"}.get(str(value), f"last {value} turns"),
        _kept_thinking_edit,
    ),
    "preset": General("preset", "Sent where nothing else is set.", visible_line, _preset_edit),
    "system": General(
        "system prompt", "What the model is told before the conversation.",
        lambda value: visible_line(edit_text(value)[:200]) or "none", _system_edit,
    ),
    "over_budget": General(
        "no room", "What becomes of the oldest turns when the context window has no room for all.",
        lambda value: OVER_BUDGET[value][0], _over_budget_edit,
    ),
}  # fmt: skip
"""What a session sets besides the fields of its requests."""


def _preset(view: SettingsView) -> str:
    return str(view.settings["preset"].value)


def _has_own_preset(view: SettingsView) -> bool:
    return view.presets[_preset(view)] is PresetOrigin.SAVED


def _preset_name_edit(view: SettingsView, old: str, typed: Texts) -> Edit:
    """`old` is the preset that is renamed; "" = a new one is saved."""

    def then(name: object | None) -> Outcome:
        if not old:
            return edits.ActionRequested("save-preset", str(name))
        return edits.PresetRenamed(old, str(name)) if name != old else ""

    def check(text: str) -> str:
        name = " ".join(text.split())
        problem = preset_name_problem(view.presets, name)
        if not problem and old and name != old and name in view.presets:
            problem = f"There is a preset {name} already."
        if problem:
            raise UsageError(problem)
        return name

    return Edit(EditKind.LINE, "name", then, (old,), check, typed)


PANE_ACTIONS: Mapping[str, PaneAction] = {
    "save-preset": PaneAction(
        "Save as preset …", "Saves what this session sends under a name.",
        lambda view, typed: _preset_name_edit(view, "", typed),
    ),
    "rename-preset": PaneAction(
        "Rename preset …", "Renames the chosen preset, if it is your own.",
        lambda view, typed: _preset_name_edit(view, _preset(view), typed), _has_own_preset,
        "Choose a preset of your own first; the others keep their names.",
    ),
    "delete-preset": PaneAction(
        "Delete preset", "Deletes the chosen preset, if it is your own.",
        lambda view, _: edits.ActionRequested("delete-preset", _preset(view)), _has_own_preset,
        "Choose a preset of your own first; the others stay.",
    ),
    "make-default": PaneAction(
        "Make default", "Lets new sessions begin with what this one sets.",
        lambda *_: edits.ActionRequested("make-default"),
    ),
    "reset-all": PaneAction(
        "Reset all", "Takes back what this session sets, but the system prompt.",
        lambda *_: question("Take back all that this session sets, but the system prompt?", "Take it all back",
                            "Keep it", edits.SettingReset("")),
        lambda view: view.has_own, "There is nothing to take back.",
    ),
}  # fmt: skip
