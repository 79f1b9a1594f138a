"""From a key to an action: where the focus is decides what a key means."""

from __future__ import annotations

from textual import events

from kimi_tui.core.settings.actions import Action, Scope
from kimi_tui.core.settings.keymap import Keys, KeyTable

TAKE_KEY = "ctrl+o"
"""Takes what stands in an editor of the settings, however many lines it has."""
EDITOR_KEYS = frozenset({"pageup", "pagedown", "ctrl+home", "ctrl+end", TAKE_KEY})
"""Keys that an editor in a pane keeps for itself."""
BLIND = frozenset({"quit", "copy-or-quit"})
"""Actions that are done anywhere: where the terminal is too small to show anything, and on every screen."""


class Keyboard:
    def __init__(self, overrides: Keys) -> None:
        """Take the registry's keys, with those of `[keymap]` on top."""
        self.table = KeyTable.of(overrides)

    def action_of(self, event: events.Key, scope: Scope) -> Action | None:
        names = [event.key]
        if event.character is not None and event.is_printable:
            names.append(event.character)
        return self.table.action(scope, *names)

    def blind_action(self, event: events.Key) -> Action | None:
        """Find what a key does where nothing else can be done; None = nothing, it is none of `BLIND`."""
        action = self.action_of(event, Scope.SCREEN)
        return action if action is not None and action.id in BLIND else None

    def hint(self, action: Action) -> str:
        """An action as the footer shows it: its key and its word; "" = it has no key."""
        key = self.table.label(action.id)
        return f"{key} {action.hint}" if key else ""
