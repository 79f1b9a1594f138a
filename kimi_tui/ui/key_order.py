"""Keys in the order in which they were typed: what a key means, and keys that wait until the focus has moved."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import events
from textual.widgets import Input, TextArea

from kimi_tui.core.actions import Action
from kimi_tui.ui.keyboard import EDITOR_KEYS

if TYPE_CHECKING:  # the screen makes this and hands itself in
    from kimi_tui.ui.screens.chat import ChatScreen

MOVING = frozenset(
    {"find", "sessions", "reasoning", "settings", "prompt", "choose-message", "edit", "palette", "help", "theme"}
    | {"back", "rename", "system", "export", "import", "show-request", "show-reasoning", "copy-code"}
)
"""Actions after which the keys go elsewhere."""
BLIND = frozenset({"quit", "copy-or-quit"})
"""Actions that are done even where the terminal is too small to show anything."""


class KeyOrder:
    """Does what keys mean where the focus is, one after the other."""

    def __init__(self, screen: ChatScreen) -> None:
        """Take the keys of that screen."""
        self._screen = screen
        self._waiting: list[asyncio.Event] = []

    def take(self, event: events.Key, *, is_blind: bool) -> None:
        """Do what a key means; one that means nothing goes on.

        Args:
            event: The key. It arrives behind the letters typed before it.
            is_blind: Whether nobody sees what it would do: the terminal is too small.
        """
        screen, action = self._screen, self._action_of(event)
        if is_blind and (action is None or action.id not in BLIND):
            event.stop()
            return
        is_editing = isinstance(screen.focused, Input | TextArea) and screen.focused is not screen.composer
        if action is None or (is_editing and (event.is_printable or event.key in EDITOR_KEYS)):
            return
        event.stop()
        event.prevent_default()
        screen.action_choose(action.id)
        if self._waiting and not screen.panes.is_giving_keys:
            screen.call_after_refresh(self.release)

    def moves_focus(self, event: events.Key) -> bool:
        """Whether a key asks for something that takes the focus away from where it is."""
        action = self._action_of(event)
        return action is not None and action.id in MOVING

    def wait(self, done: asyncio.Event) -> None:
        """Have it told when the next key has been dealt with, the focus included."""
        self._waiting.append(done)

    def release(self) -> None:
        """Let keys that wait go on: the focus has moved."""
        waiting, self._waiting = self._waiting, []
        for done in waiting:
            done.set()

    def _action_of(self, event: events.Key) -> Action | None:
        return self._screen.keyboard.action_of(event, self._screen.scope_of_focus())
