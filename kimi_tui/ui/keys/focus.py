"""Which widget the keys go to."""

from __future__ import annotations

from textual.widget import Widget

from kimi_tui.core.settings.actions import Scope


def take_keys(widget: Widget) -> None:
    """Give a widget the focus now: `Widget.focus` goes by the app's queue, behind keys that are already waiting."""
    if widget.is_attached:
        widget.screen.set_focus(widget)
    else:
        widget.focus()


def has_keys(widget: Widget) -> bool:
    """Whether keys go to a widget now: `Widget.has_focus` follows later."""
    return widget.is_attached and widget.screen.focused is widget


def scope_of(focused: Widget | None) -> Scope:
    """What keys mean there: the `scope` of what has the focus, or of the nearest widget around it that has one."""
    nodes = () if focused is None else focused.ancestors_with_self
    scopes = (getattr(node, "scope", None) for node in nodes)
    return next((scope for scope in scopes if isinstance(scope, Scope)), Scope.SCREEN)
