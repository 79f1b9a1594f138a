"""The search line: what is looked for, and how often it is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from kimi_tui.ui.keys.focus import take_keys
from kimi_tui.ui.widgets.editing import EditLine


class FindBar(Horizontal):
    """One line that is open while something is looked for."""

    DEFAULT_CSS = """
    FindBar {
        height: 1;
        display: none;
        background: $surface;
        &.-open { display: block; }
        & Input, & Input:focus { width: 1fr; height: 1; border: none; padding: 0 1; background: $surface; }
        & Static { width: auto; padding: 0 1; color: $text-muted; }
    }
    """
    hints: ClassVar[str] = "Enter next · Up back · Escape closes"
    """What its keys do, for the footer."""
    STEPS: ClassVar[dict[str, int]] = {"enter": 1, "down": 1, "shift+enter": -1, "up": -1}
    """Keys that go to another hit, and how far."""

    @dataclass
    class Changed(Message):
        """Something else is looked for; "" = nothing."""

        text: str

    @dataclass
    class HitRequested(Message):
        """Another hit is wanted."""

        step: int

    class Closed(Message):
        """The search is over."""

    def __init__(self, *, id: str | None = None) -> None:
        """Start closed."""
        super().__init__(id=id)
        self._told = ""

    def compose(self) -> ComposeResult:
        """The text and the count."""
        yield EditLine(placeholder="Find", id="find-text")
        yield Static("", id="find-count", markup=False)

    @property
    def is_open(self) -> bool:
        """Whether it is on screen."""
        return self.has_class("-open")

    def open(self, text: str | None = None) -> None:
        """Show it; a text is put in and its first hit gone to, else the old one is there to be typed over."""
        self.add_class("-open")
        field = self.query_one(Input)
        if text is not None:
            with self.prevent(Input.Changed):
                field.value = text
            self._go_to_hit(1)
        else:
            self._tell(field.value)
        field.select_all()
        take_keys(field)

    @property
    def text(self) -> str:
        """What is or was looked for."""
        return self.query_one(Input).value

    def show_again(self) -> None:
        """Show it with what was looked for; the focus stays where it is."""
        self.add_class("-open")

    def close(self) -> None:
        """Hide it."""
        self.remove_class("-open")
        self._told = ""
        self.query_one(Static).update("")

    def show_count(self, count: int, current: int, *, is_reading: bool) -> None:
        """Say how often it was found.

        Args:
            count: How many hits are known.
            current: Which one is the current one, from 1; 0 = none.
            is_reading: Whether more may be found.
        """
        more = "…" if is_reading else ""
        words = f"{current}/{count}{more} · Enter next · Up back" if current else f"{count}{more} found · Enter shows"
        nothing = "searching …" if is_reading else "not found"
        self.query_one(Static).update((words if count else nothing) if self.text else "")

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        """Look for what is there now."""
        event.stop()
        self._tell(event.value)

    def _tell(self, text: str) -> None:
        if text != self._told:
            self._told = text
            self.post_message(self.Changed(text))

    def _go_to_hit(self, step: int) -> None:
        # Keys may come in one burst: what was typed before this one has not been told yet.
        self._tell(self.query_one(Input).value)
        self.post_message(self.HitRequested(step))

    def on_key(self, event: events.Key) -> None:
        """Go from hit to hit, or close."""
        if event.key in self.STEPS:
            event.stop()
            event.prevent_default()
            self._go_to_hit(self.STEPS[event.key])
        elif event.key == "escape":
            event.stop()
            self.post_message(self.Closed())
