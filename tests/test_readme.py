"""The README says what is so: its key table is the registry's, its two commands stand where they are looked for."""

from __future__ import annotations

import re
from pathlib import Path

from kimi_tui.core.actions import ACTIONS, Action, key_label

README = Path(__file__).parents[1].joinpath("README.md").read_text("utf-8")


def key_row(action: Action) -> str:
    keys = ", ".join(key_label(key) for key in action.keys)
    commands = ", ".join(
        f"`{text}`"
        for text in ((action.usage, *(f"/{alias}" for alias in action.aliases)) if action.is_command else ())
    )
    return f"| {keys} | {commands} | {action.help} |"


def test_every_action_has_its_row() -> None:
    rows = [key_row(action).replace("[on|off]", "[on, off]") for action in ACTIONS]
    assert "\n".join(rows) in README


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
