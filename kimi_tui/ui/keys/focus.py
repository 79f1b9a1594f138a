"""Giving the keys to a widget at once."""

from __future__ import annotations

from textual.widget import Widget


def take_keys(widget: Widget) -> None:
    """Give a widget the focus now: `Widget.focus` goes by the app's queue, behind keys that are already waiting."""
    if widget.is_attached:
        widget.screen.set_focus(widget)
    else:
        widget.focus()
