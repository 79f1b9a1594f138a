"""The editor of a value that is one of some choices."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events, on
from textual.app import ComposeResult
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from kimi_tui.ui.panes.settings_pane.editor import Editor
from kimi_tui.ui.panes.settings_pane.guarded import GuardedOptionList
from kimi_tui.ui.text.safe_text import content


class ChoiceEditor(Editor):
    """One of some choices."""

    DEFAULT_CSS = """
    ChoiceEditor {
        padding: 0 0 0 3;
        & .editor-label { height: auto; color: $text-muted; }
        & OptionList { border: none; padding: 0; max-height: 12; background: $surface; }
    }
    """

    ACCEPT_WORD = "choose"

    def __init__(self, row_id: str, label: str, choices: Sequence[tuple[object, str]], current: object) -> None:
        """Let one be chosen.

        Args:
            row_id: Its row.
            label: The question; "" = none.
            choices: Values, and how each is shown.
            current: The value that is chosen now.
        """
        super().__init__(row_id)
        self._label, self._choices = label, choices
        self._current = next((place for place, (value, _) in enumerate(choices) if value == current), 0)

    def compose(self) -> ComposeResult:
        """The question and the choices."""
        if self._label:
            yield Static(content(self._label), classes="editor-label")
        yield GuardedOptionList([Option(content(words)) for _, words in self._choices], self.guard)

    def on_mount(self) -> None:
        """Begin at what is chosen now."""
        self.query_one(OptionList).highlighted = self._current

    def begin(self) -> None:
        """Choose with the keys."""
        self.screen.set_focus(self.query_one(OptionList))

    def press(self, event: events.Key) -> None:
        """Move, or choose."""
        choices = self.query_one(OptionList)
        if self.accepts(event.key):
            self.accept()
        elif event.key in {"up", "down"}:
            (choices.action_cursor_up if event.key == "up" else choices.action_cursor_down)()

    def accept(self) -> None:
        """Hand the chosen value over."""
        place = self.query_one(OptionList).highlighted
        if place is not None:
            self.hand_over(self._choices[place][0])

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.accept()
