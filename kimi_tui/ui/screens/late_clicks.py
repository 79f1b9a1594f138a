"""The second click of a double click whose first one ended a screen: it is for nothing that comes to light below."""

from __future__ import annotations

from textual import events
from textual.geometry import Offset
from textual.screen import Screen

from kimi_tui.ui.screens.above import Above


class LateClicks:
    def __init__(self, within_s: float) -> None:
        """Clicks on one place with no more time than that between them are a double click."""
        self._within_s = within_s
        self._screen: Above | None = None
        self._at, self._time_s = Offset(), 0.0

    def is_late(self, event: events.Event, screen: Screen[object] | None) -> bool:
        """Whether an event, new from the terminal, belongs to a click on a screen that has been left.

        `screen` is the one that it would go to; other clicks are remembered.
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
