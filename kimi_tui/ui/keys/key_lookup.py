"""From a key to an action: where the focus is decides what a key means."""

from __future__ import annotations

import unicodedata

from textual import events

from kimi_tui.core.settings.actions import Action, Scope
from kimi_tui.core.settings.keymap import KeyTable

TAKE_KEY = "ctrl+o"
"""Takes what stands in an editor of the settings, however many lines it has."""
EDITOR_KEYS = frozenset({"pageup", "pagedown", "ctrl+home", "ctrl+end", TAKE_KEY})
"""Keys that an editor in a pane keeps for itself."""
BLIND = frozenset({"quit", "copy-or-quit"})
"""Actions that are done anywhere: where the terminal is too small to show anything, and on every screen."""
MODIFIERS = frozenset({"ctrl", "alt", "super", "hyper", "meta"})
"""With one of them a key is another key, though terminals and the library may name its letter too."""

UNTYPED = frozenset({"Cc", "Cs"})
"""Categories of characters that no key types. The library leaves out what `str.isprintable` does: blanks but U+0020,
the joiners of emoji and Persian, private use."""


def character_of(event: events.Key) -> str:
    """What a key types; "" = nothing. Some terminals name a letter with Shift by its key alone."""
    *modifiers, last = event.key.split("+")
    if not MODIFIERS.isdisjoint(modifiers):
        return ""
    if event.character is not None and unicodedata.category(event.character) not in UNTYPED:
        return event.character
    return last.upper() if modifiers == ["shift"] and len(last) == 1 else ""


def action_of(keymap: KeyTable, event: events.Key, scope: Scope) -> Action | None:
    return keymap.action(scope, event.key, character_of(event))


def is_blind(keymap: KeyTable, event: events.Key) -> bool:
    """Whether a key does one of `BLIND`."""
    action = action_of(keymap, event, Scope.SCREEN)
    return action is not None and action.id in BLIND
