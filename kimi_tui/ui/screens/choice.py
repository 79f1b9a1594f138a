"""Small questions at the lower edge: one of several numbers, or one of several themes while its colours are shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from kimi_tui.core.errors import KimiError
from kimi_tui.core.text.visible import visible_line
from kimi_tui.ui.screens.above import Above, Dialog
from kimi_tui.ui.widgets.options import Options
from kimi_tui.ui.widgets.told_lines import Note


class NumberScreen(Dialog[int]):
    DEFAULT_CSS = """
    NumberScreen > Input, NumberScreen > Input:focus {
        width: 100%; height: 3; border: round $primary; background: $surface;
    }
    """

    def __init__(self, question: str, count: int) -> None:
        """Ask for a number from 1 to `count`; a single digit that can mean one only is taken at once."""
        super().__init__()
        self._question, self._count = question, count

    def compose(self) -> ComposeResult:
        field = Input(placeholder=f"1 to {self._count}", type="integer")
        field.border_title = self._question
        field.border_subtitle = f"{'a digit' if self._count < 10 else 'Enter'} takes it, Escape cancels"
        yield field

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        number = _number(event.value)
        if number is not None and number <= self._count < number * 10:
            self.dismiss(number)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        number = _number(event.value)
        if number is not None and number <= self._count:
            self.dismiss(number)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 7 and int(text) > 0 else None


class ThemeScreen(Above[str]):
    DEFAULT_CSS = """
    ThemeScreen {
        align: right top;
        background: transparent;
        & > Options, & > Options:focus {
            width: 34; height: auto; max-height: 100%; border: round $primary; background: $surface; text-wrap: wrap;
        }
        & > Note { width: 34; max-width: 100%; padding: 0 1; background: $surface; }
    }
    """

    def __init__(self, names: Sequence[str], current: str, show: Callable[[str], None]) -> None:
        """`current` is the theme in use, which comes back when nothing is chosen.

        `show` switches the colours; it raises KimiError where a theme's file cannot be used.
        """
        super().__init__()
        self._names, self._current, self._show = list(names), current, show

    def compose(self) -> ComposeResult:
        options = Options(*(Option(Content(visible_line(name)), id=f"theme-{n}") for n, name in enumerate(self._names)))
        options.border_title = "Theme"
        options.border_subtitle = "Enter keeps, Escape leaves"
        yield options
        yield Note()

    def on_mount(self) -> None:
        if self._current in self._names:
            self.query_one(OptionList).highlighted = self._names.index(self._current)

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        problem = ""
        try:
            self._show(self._names[event.option_index])
        except KimiError as error:
            problem = visible_line(error.summary)
        self.query_one(Note).say(problem)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._names[event.option_index])

    def cancel(self) -> None:
        """Go back to the theme from before; where its file cannot be used any more, the colours stay as they are."""
        if self._current in self._names:
            with suppress(KimiError):
                self._show(self._current)
        self.dismiss(None)
