"""A list of messages to compare with, filtered as one types."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from kimi_tui.core.text.counts import counted
from kimi_tui.core.text.visible import visible_line
from kimi_tui.ui.screens.above import Dialog
from kimi_tui.ui.state.compare_sides import Candidate
from kimi_tui.ui.widgets.editing import EditLine
from kimi_tui.ui.widgets.options import Options
from kimi_tui.ui.widgets.told_lines import Note

LISTED = 200
"""Most messages that are listed at once; the others are found by typing."""
MOVING = {"up": "cursor_up", "down": "cursor_down", "pageup": "page_up", "pagedown": "page_down"}


Searched = Sequence[tuple[str, Candidate]]
"""Each with its line as it is searched, without capitals."""


def fitting(candidates: Searched, query: str) -> list[Candidate]:
    """Those whose line holds every word of what is typed."""
    words = query.casefold().split()
    return [candidate for line, candidate in candidates if all(word in line for word in words)]


class CompareChoice(Dialog[str]):
    """Its result is the key of the message."""

    DEFAULT_CSS = """
    CompareChoice {
        & > Vertical { max-height: 80%; }
        & Input, & Input:focus { width: 100%; height: 1; padding: 0; border: none; background: $surface; }
        & Options { max-height: 100%; }
        & Options > .option-list--option-highlighted {
            color: $block-cursor-foreground; background: $block-cursor-background;
        }
        & Note { width: 100%; height: 1; color: $text-muted; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "back"),
        *(Binding(key, f"move('{way}')", priority=True) for key, way in MOVING.items()),
    ]

    def __init__(self, title: str, make: Callable[[], Sequence[Candidate]], current: str = "") -> None:
        """`make` lists the messages, in a thread: the work grows with the session; `current` is marked at first."""
        super().__init__()
        self._title, self._make, self._current = title, make, current
        self._candidates: Searched = ()
        self._listed: Sequence[Candidate] = ()

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = self._title
            box.border_subtitle = "Enter takes it, Escape leaves"
            yield EditLine(placeholder="Type to filter: words, a setting, a turn")
            yield Options()
            yield Note()

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self.query_one(Options).can_focus = False
        self.query_one(Note).say("Listing …")
        self.run_newest(self._list)

    async def _list(self) -> None:
        self._candidates = await asyncio.to_thread(lambda: [(it.line.casefold(), it) for it in self._make()])
        self._show()
        place = next((n for n, it in enumerate(self._listed) if it.key == self._current), None)
        if place is not None:
            self.query_one(Options).highlighted = place

    def _show(self) -> None:
        found = fitting(self._candidates, self.query_one(Input).value)
        self._listed = found[:LISTED]
        options = self.query_one(Options)
        options.clear_options()
        options.add_options(Option(Content(visible_line(it.line))) for it in self._listed)
        options.highlighted = 0 if self._listed else None
        more = len(found) - len(self._listed)
        words = "Nothing fits. Fewer letters find more." if not found else ""
        words = f"{counted(more, 'more message')}: type to find one." if more else words
        self.query_one(Note).say(words)

    @on(Input.Changed)
    def _changed(self) -> None:
        if self._candidates:
            self._show()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        place = self.query_one(Options).highlighted
        if place is not None and place < len(self._listed):
            self.dismiss(self._listed[place].key)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._listed[event.option_index].key)

    def action_move(self, way: str) -> None:
        """The keys are not for the line above the list."""
        getattr(self.query_one(Options), f"action_{way}")()

    def action_back(self) -> None:
        if self.query_one(Input).value:
            self.query_one(Input).value = ""
        else:
            self.cancel()

    def on_click(self, event: events.Click) -> None:
        if event.widget is self:
            self.cancel()
