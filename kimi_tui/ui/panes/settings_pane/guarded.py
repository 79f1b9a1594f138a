"""The library's widgets as they stand in an editor: the editor sees each key before they do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from kimi_tui.ui.widgets.composer import LINE_ENDS, STAND_IN_BASE
from kimi_tui.ui.widgets.editing import EditArea, EditLine

Guard = Callable[[events.Key], bool]
"""Sees a key first; True = it is not for the widget."""
_KEPT = LINE_ENDS + "\r"
_TO_STAND_INS = {ord(char): chr(STAND_IN_BASE + place) for place, char in enumerate(_KEPT)}
"""Characters that the library's text area would take for line ends are kept by stand-ins, as in the composer."""
_FROM_STAND_INS = {STAND_IN_BASE + place: char for place, char in enumerate(_KEPT)}


class GuardedInput(EditLine):
    """A line to type."""

    def __init__(self, value: str, guard: Guard, *, placeholder: str = "") -> None:
        """Begin with a text."""
        super().__init__(value, placeholder=placeholder, select_on_focus=False, compact=True)
        self._guard = guard

    async def on_key(self, event: events.Key) -> None:
        """Let the guard have a key before the library's own handler."""
        self._guard(event)


class GuardedTextArea(EditArea):
    """A text to type, kept exactly."""

    def __init__(self, text: str, guard: Guard) -> None:
        """Begin with a text."""
        super().__init__(self.held(text), soft_wrap=True, tab_behavior="focus", compact=True)
        self._guard = guard

    @property
    def exact_text(self) -> str:
        """What has been typed, exactly."""
        return self.exact(self.text)

    def held(self, text: str) -> str:
        """The text with stand-ins for other line ends."""
        return text.translate(_TO_STAND_INS)

    def exact(self, text: str) -> str:
        """The text with the line ends that stand-ins stand for."""
        return text.translate(_FROM_STAND_INS)

    async def on_key(self, event: events.Key) -> None:
        """Let the guard have a key before the library's own handler."""
        self._guard(event)

    async def on_paste(self, event: events.Paste) -> None:
        """Insert a paste as it is; terminals send its line ends as CR."""
        event.stop()
        event.prevent_default()
        self.type_text(event.text.replace("\r\n", "\n").replace("\r", "\n"))


class GuardedOptionList(OptionList):
    """Choices to pick from."""

    def __init__(self, options: Sequence[Option], guard: Guard) -> None:
        """Offer these."""
        super().__init__(*options, compact=True)
        self._guard = guard

    async def on_key(self, event: events.Key) -> None:
        """Let the guard have a key before the library's own handler."""
        self._guard(event)
