"""The side panes at work: each feeds its widget with what is on screen, and does what the widget asks for.

The widgets know values and messages only; what these mean for the session is decided here.
"""

from __future__ import annotations

from textual.widget import Widget


class Panel(Widget):
    """A pane's widget that can bring itself up to date."""

    def take_focus(self) -> None:
        """Give the keys to what is used first."""
        self.focus()

    def come_into_view(self) -> None:
        """Begin where it makes sense: it was opened, or brought to view."""

    def refresh_pane(self) -> None:
        """Show what is there now."""
