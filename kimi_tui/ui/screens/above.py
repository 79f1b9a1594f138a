"""What all screens above the conversation have in common: how they are left, once, and that they take nothing then."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any, ClassVar, TypeVar

from textual import events
from textual.await_complete import AwaitComplete
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Offset
from textual.message import Message
from textual.screen import ModalScreen, Screen
from textual.style import Style
from textual.widgets import Input, OptionList, TextArea

from kimi_tui.core.text.dotted import SEPARATOR
from kimi_tui.ui.widgets.newest_work import run_newest

FROM_THE_USER = (events.InputEvent, OptionList.OptionMessage, Input.Changed, Input.Submitted)
"""What tells of keys, of the mouse and of what they did to the widgets of a screen."""
ResultT = TypeVar("ResultT")


class Above(ModalScreen[ResultT]):
    """Keys and clicks come faster than a screen goes: what was on its way to one that has been left is dropped."""

    DEFAULT_CSS = """
    Above > .frame { width: 100%; height: 100%; padding: 0 1; border: round $primary; background: $background; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [("escape", "cancel")]
    is_help: ClassVar[bool] = False
    """Whether it is what the key for help shows, which leaves it then."""

    def cancel(self) -> None:
        self.dismiss(None)

    def action_cancel(self) -> None:
        self.cancel()

    def dismiss(self, result: ResultT | None = None) -> AwaitComplete:
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

    def action_scroll(self, way: str) -> None:
        """Scroll the text, whatever has the keys; `way` is what the library calls it."""
        getattr(self.query_one(VerticalScroll), f"scroll_{way}")(animate=False)

    def run_newest(self, work: Callable[..., Coroutine[Any, Any, None]], *args: object) -> None:
        """Let this be done in the place of what was begun so before."""
        run_newest(self, partial(work, *args), type(self).__name__)


class Dialog(Above[ResultT]):
    """A question at the lower edge."""

    DEFAULT_CSS = """
    Dialog {
        align: center bottom;
        background: transparent;
        & > Vertical {
            width: 100%; height: auto; max-height: 100%; padding: 0 1; border: round $primary; background: $surface;
        }
        & > Vertical > Options, & > Vertical > Options:focus {
            width: 100%; height: auto; padding: 0; border: none; background: $surface;
        }
    }
    """


def clickable(hints: Iterable[tuple[str, str]]) -> Content:
    """What keys do, with a dot between; a click on the words does the action of the screen behind them."""
    parts = ((words, Style.from_meta({"@click": f"screen.{action}"})) for words, action in hints)
    return Content(SEPARATOR).join(map(Content.assemble, parts))


class LateClicks:
    """The second click of a double click whose first one ended a screen: it is for nothing below."""

    def __init__(self, within_s: float) -> None:
        """Clicks on one place with no more time than that between them are a double click."""
        self._within_s = within_s
        self._screen: Above[Any] | None = None
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
