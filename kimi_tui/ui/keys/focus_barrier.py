"""What a key means where the focus is."""

from __future__ import annotations

from typing import Protocol

from textual import events
from textual.widget import Widget
from textual.widgets import Input, TextArea

from kimi_tui.core.settings.actions import Action, Scope
from kimi_tui.ui.keys.key_lookup import EDITOR_KEYS, Keyboard

BLIND = frozenset({"quit", "copy-or-quit"})
"""Actions that are done anywhere: where the terminal is too small to show anything, and on every screen."""


class KeyedScreen(Protocol):
    """The screen, as far as keys go."""

    keyboard: Keyboard
    """Keys of actions."""

    @property
    def focused(self) -> Widget | None:
        """What has the focus."""

    @property
    def composer(self) -> TextArea:
        """Where the draft is typed."""

    @property
    def is_too_small(self) -> bool:
        """Whether the terminal is too small to show anything."""

    def scope_of_focus(self) -> Scope:
        """Where the focus is."""

    def action_choose(self, action_id: str) -> None:
        """Do an action by its id."""


class KeyOrder:
    """Does what keys mean where the focus is."""

    def __init__(self, screen: KeyedScreen) -> None:
        """Take the keys of that screen."""
        self._screen = screen

    def take(self, event: events.Key) -> None:
        """Do what a key means; one that means nothing goes on."""
        screen, action = self._screen, self.action_of(event)
        if screen.is_too_small and (action is None or action.id not in BLIND):
            event.stop()  # nobody sees what it would do
            return
        if action is None or (self._is_editing() and (event.is_printable or event.key in EDITOR_KEYS)):
            return
        event.stop()
        event.prevent_default()
        screen.action_choose(action.id)

    def blind_action(self, event: events.Key) -> Action | None:
        """What is done anywhere, where a key asks for that."""
        action = self._screen.keyboard.action_of(event, Scope.SCREEN)
        return action if action is not None and action.id in BLIND else None

    def _is_editing(self) -> bool:
        """Whether something else than the draft is typed: a title, a value, what is looked for."""
        return isinstance(self._screen.focused, Input | TextArea) and self._screen.focused is not self._screen.composer

    def action_of(self, event: events.Key) -> Action | None:
        """What a key asks for where the focus is; None = nothing."""
        # A pane's own keys are for its rows: while a text is typed there, Delete is meant for a character.
        scope = Scope.SCREEN if self._is_editing() else self._screen.scope_of_focus()
        return self._screen.keyboard.action_of(event, scope)
