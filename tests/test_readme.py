"""The README says what is so: its key table is the registry's, its two commands stand where they are looked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kimi_tui.core.settings.actions import ACTIONS, Action, Scope, key_label

README = Path(__file__).parents[1].joinpath("README.md").read_text("utf-8")


def key_table(scope: Scope) -> str:
    """The README's table of the actions of a place."""
    rows = [key_row(action) for action in ACTIONS if action.scope is scope]
    return "\n".join([f"| {scope.value} | slash command | what it does |", "| --- | --- | --- |", *rows])


def key_row(action: Action) -> str:
    keys = ", ".join(f"`{key}`" if len(key) == 1 else key_label(key) for key in action.keys)
    names = (action.usage, *(f"/{alias}" for alias in action.aliases)) if action.is_command else ()
    commands = ", ".join(f"`{name.replace('|', ', ')}`" for name in names)
    return f"| {keys} | {commands} | {action.help} |"


@pytest.mark.parametrize("scope", sorted({action.scope for action in ACTIONS}))
def test_every_action_has_its_row(scope: Scope) -> None:
    assert key_table(scope) in README


def test_the_two_commands_stand_within_the_first_60_lines() -> None:
    head = "\n".join(README.splitlines()[:60])
    commands = re.findall(r"^```sh\n(.*?)^```", head, re.MULTILINE | re.DOTALL)
    assert [("--demo" in command, "pytest" in command) for command in commands[:2]] == [(True, False), (False, True)]


def test_action_ids_and_keys_are_unique_and_safe() -> None:
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)
    for scope in {action.scope for action in ACTIONS}:
        keys = [key for action in ACTIONS if action.scope is scope for key in action.keys]
        assert len(keys) == len(set(keys))
        assert not {"ctrl+h", "ctrl+i", "ctrl+m", "ctrl+["} & set(keys)
