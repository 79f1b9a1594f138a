"""What all screens above the conversation have in common: how they are left, once, and that they take nothing then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.await_complete import AwaitComplete
from textual.message import Message
from textual.widgets import Input, OptionList, TextArea

if TYPE_CHECKING:
    from textual.screen import Screen

    _Screen = Screen[Any]
else:
    _Screen = object  # the library finds the style and the keys of a screen by its first base that is a widget

FROM_THE_USER = (events.InputEvent, OptionList.OptionMessage, Input.Changed, Input.Submitted)
"""What tells of keys, of the mouse and of what they did to the widgets of a screen."""


class Above(_Screen):
    """Stands before the bases of a screen that is shown above the conversation.

    Keys and clicks come faster than a screen goes: what was on its way to one that has been left is dropped.
    """

    is_help: ClassVar[bool] = False
    """Whether it is what the key for help shows, which leaves it then."""

    def cancel(self) -> None:
        self.dismiss(None)

    def action_cancel(self) -> None:
        self.cancel()

    def dismiss(self, result: Any = None) -> AwaitComplete:
        """A screen that has been left stays so."""
        return super().dismiss(result) if self.is_active else AwaitComplete()

    async def _on_message(self, message: Message) -> None:
        if self.is_active or not isinstance(message, FROM_THE_USER):
            await super()._on_message(message)

    def selected_text(self) -> str:
        """What is selected in it; "" = nothing is."""
        field = self.focused
        typed = field.selected_text if isinstance(field, Input | TextArea) else ""
        return typed or self.get_selected_text() or ""
