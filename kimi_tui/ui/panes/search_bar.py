"""The search in the conversation, or in the pane that had the focus when it was opened."""

from __future__ import annotations

from collections.abc import Callable

from kimi_tui.ui.keys.focus import take_keys
from kimi_tui.ui.transcript.transcript_widget import Transcript
from kimi_tui.ui.widgets.find_bar import FindBar


class SearchBar:
    """Connects the search line with the lines that are searched."""

    def __init__(self, bar: FindBar, transcript: Transcript, type_on: Callable[[], None]) -> None:
        """Search the transcript, unless another one is named; `type_on` gives the composer the keys back."""
        self._bar, self._transcript = bar, transcript
        self.searched = transcript
        """The lines that are or were searched."""
        self._type_on = type_on

    @property
    def has_text(self) -> bool:
        """Whether something is or was looked for."""
        return bool(self._bar.text)

    @property
    def is_open(self) -> bool:
        """Whether something is looked for."""
        return self._bar.is_open

    def open(self, text: str | None, where: Transcript | None = None) -> None:
        """Open the search.

        Args:
            text: What to look for; None = what is there.
            where: The lines to search; None = the conversation.
        """
        self.searched.find("")
        self.searched = where or self._transcript
        self._bar.open(text)

    def find(self, text: str) -> None:
        """Look for a text."""
        self.searched.find(text)

    def move_hit(self, step: int) -> None:
        """Go to another hit, of the search before where none is open."""
        if not self._bar.is_open:
            self._bar.show_again()
            self.searched.find(self._bar.text)
        self.searched.move_hit(step)

    def show_found(self, found: Transcript.Found) -> None:
        """Say how often it was found."""
        self._bar.show_count(found.count, found.current, is_reading=found.is_reading)

    def close(self) -> bool:
        """End the search; whether it was open."""
        if not self._bar.is_open:
            return False
        self._bar.close()
        self.searched.find("")
        if self.searched is self._transcript:
            self._type_on()
        else:
            take_keys(self.searched)
        return True
