"""What every side pane is to the rest of the screen: a widget that is told what changed, and does its own actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar

from textual.widget import Widget

from kimi_tui.core.settings.actions import Scope

if TYPE_CHECKING:  # the name of a type only: the first frame needs no turn
    from kimi_tui.core.wire.turn_events import ReplyDelta


class Panel(Widget):
    """A side pane at work; one that is not in view is told nothing, and brought up to date when it comes there."""

    scope: ClassVar[Scope]
    acts: Mapping[str, Callable[[], object]] = {}
    """What is done where its own cursor stands, by the action's id."""

    def take_focus(self) -> None:
        """Give the keys to what is used first."""
        self.focus()

    def come_into_view(self) -> None:
        """Begin where it makes sense: it was opened, or brought to view."""

    def refresh_pane(self) -> None:
        """Show what is there now."""

    def delta_arrived(self, delta: ReplyDelta) -> None:
        """Text of the reply on screen arrived."""

    def label_changed(self) -> None:
        """The figures of the running reply are others now."""

    def draft_changed(self) -> None:
        """What is being typed is something else now."""
