"""The search line: what is looked for in the conversation, or in a pane, and how often it is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, Static

from kimi_tui.ui.keys.focus import take_keys
from kimi_tui.ui.transcript.transcript_widget import Transcript
from kimi_tui.ui.widgets.editing import EditLine


class FindBar(Horizontal):
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
    STEPS: ClassVar[dict[str, int]] = {"enter": 1, "down": 1, "shift+enter": -1, "up": -1}

    def __init__(self, transcript: Transcript, type_on: Callable[[], None], *, id: str | None = None) -> None:
        """`transcript` is searched unless others are named; `type_on` gives the composer the keys back."""
        super().__init__(id=id)
        self._transcript, self._type_on = transcript, type_on
        self.searched = transcript

    def compose(self) -> ComposeResult:
        yield EditLine(placeholder="Find", id="find-text")
        yield Static("", id="find-count", markup=False)

    @property
    def is_open(self) -> bool:
        return self.has_class("-open")

    def open(self, text: str | None = None, where: Transcript | None = None) -> None:
        """Look for a text and go to its first hit; None = the old one is there to be typed over.

        `where` are the lines to search; None = the conversation.
        """
        self.searched.search.find("")
        self.searched = where or self._transcript
        self.add_class("-open")
        field = self.query_one(Input)
        if text is not None:
            with self.prevent(Input.Changed):
                field.value = text
            self.searched.search.find(text)
            self.move_hit(1)
        else:
            self.searched.search.find(field.value)
        field.select_all()
        take_keys(field)

    @property
    def text(self) -> str:
        return self.query_one(Input).value

    def close(self) -> bool:
        """End the search; False = it was not open."""
        if not self.is_open:
            return False
        self.remove_class("-open")
        self.query_one(Static).update("")
        self.searched.search.find("")
        if self.searched is self._transcript:
            self._type_on()
        else:
            take_keys(self.searched)
        return True

    def move_hit(self, step: int) -> None:
        """Where no search is open, the one before goes on."""
        if not self.is_open:
            self.add_class("-open")
        self.searched.search.find(
            self.text
        )  # keys may come in one burst: what was typed before this one has not been told yet
        self.searched.search.move_hit(step)

    def show_count(self, count: int, current: int, *, is_reading: bool) -> None:
        """`count` hits are known, `current` is counted from 1 (0 = none), `is_reading` = more may be found."""
        more = "…" if is_reading else ""
        words = f"{current}/{count}{more} · Enter next · Up back" if current else f"{count}{more} found · Enter shows"
        nothing = "searching …" if is_reading else "not found"
        self.query_one(Static).update((words if count else nothing) if self.text else "")

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.searched.search.find(event.value)

    def on_key(self, event: events.Key) -> None:
        if event.key in self.STEPS:
            event.stop()
            event.prevent_default()
            self.move_hit(self.STEPS[event.key])
        elif event.key == "escape":
            event.stop()
            self.close()
