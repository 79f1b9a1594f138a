"""The second click of a double click whose first one ended a screen: it is for nothing that comes to light below."""

from __future__ import annotations

from textual import events
from textual.geometry import Offset
from textual.screen import Screen

from kimi_tui.ui.screens.above import Above


class LateClicks:
    """Knows the last click on a screen above the conversation."""

    def __init__(self, within_s: float) -> None:
        """Take clicks on one place for one where no more time than that lies between them, in seconds."""
        self._within_s = within_s
        self._screen: Above | None = None
        self._at, self._time_s = Offset(), 0.0

    def is_late(self, event: events.Event, screen: Screen[object] | None) -> bool:
        """Whether an event belongs to a click on a screen that has been left; others are remembered.

        Args:
            event: Something new from the terminal.
            screen: The screen that it would go to.
        """
        if not isinstance(event, events.MouseDown | events.MouseUp) or event.is_forwarded:
            return False
        if isinstance(screen, Above):
            self._screen, self._at, self._time_s = screen, event.screen_offset, event.time
            return False
        is_same = event.screen_offset == self._at and event.time - self._time_s <= self._within_s
        if self._screen is None or not is_same:
            self._screen = None
            return False
        self._time_s = event.time
        return True
