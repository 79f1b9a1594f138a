"""A key with Ctrl, Alt or the like is another key than the bare letter, whatever terminals call it."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events

from kimi_tui.core.settings.actions import Scope
from kimi_tui.core.settings.keymap import KeyTable
from kimi_tui.ui.keys.key_lookup import action_of, character_of
from tests.ui.program import Program, program, talk

TALK = talk(("Lamb?", "Roast it."), ("More?", "Braise it."))
PLACES = (Scope.TRANSCRIPT, Scope.SESSIONS, Scope.REASONING, Scope.SETTINGS, Scope.PROMPT)


@pytest.mark.parametrize("modifiers", ["alt", "ctrl", "super", "hyper", "meta", "alt+shift", "alt+ctrl"])
@pytest.mark.parametrize("place", PLACES)
def test_with_a_modifier_a_letter_does_what_that_key_does_alone(place: Scope, modifiers: str) -> None:
    keymap = KeyTable.of({})
    for letter in "abcdefghijklmnopqrstuvwxyzAEYN123":
        key = f"{modifiers}+{letter.lower()}"
        event = events.Key(key, letter)
        assert (character_of(event), action_of(keymap, event, place)) == ("", keymap.action(place, key))


@pytest.mark.parametrize("event", [events.Key("E", "E"), events.Key("shift+e", None), events.Key("shift+e", "E")])
def test_with_shift_a_letter_is_the_capital_in_every_protocol(event: events.Key) -> None:
    action = action_of(KeyTable.of({}), event, Scope.TRANSCRIPT)
    assert (character_of(event), action and action.id) == ("E", "edit-thinking")


async def press(running: Program, key: str) -> None:
    """As terminals do that put an Escape before the letter."""
    running.app.post_message(events.Key(f"alt+{key}", key))
    await running.pilot.pause()


async def test_alt_with_a_letter_does_nothing_to_the_chosen_message(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("<shift+tab>")
        before = running.screen.chat.session
        for key in "dreux":
            await press(running, key)
        assert running.screen.chat.session is before
        await press(running, "a")
        await running.shows("Answer now: there is no reply that is thinking here.")
        assert not running.client.bodies


@pytest.mark.parametrize("pane", ["<f2>", "<f4>", "<f5>"])
async def test_alt_with_a_letter_does_nothing_in_a_pane(tmp_path: Path, pane: str) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type(pane)
        before = running.text
        for key in "dcu5yb":
            await press(running, key)
        assert (running.text, running.client.bodies) == (before, [])
