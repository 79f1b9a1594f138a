"""Compares the input that the prompt pane shows, or the next one, with that of a past request."""

from __future__ import annotations

from dataclasses import dataclass

from kimi_tui.core.errors import UsageError
from kimi_tui.ui.panes.prompt_source import PromptSource
from kimi_tui.ui.panes.side_panes import SidePanes
from kimi_tui.ui.state.callbacks import Push

MAX_DIGITS = 6


@dataclass(eq=False)
class DiffCommand:
    panes: SidePanes
    prompts: PromptSource
    push: Push

    def __call__(self, argument: str) -> None:
        """Begin with the last request; with the one that the argument names, by its number back or its reply."""
        comparing = self.prompts.comparing(is_next=self.panes.in_view("prompt") is None)
        if comparing is None:
            return
        word = argument.strip()
        if comparing.requests.at(0) is None:
            raise UsageError("There is no past request here to compare with.")
        is_number = word.isascii() and word.isdigit() and len(word) <= MAX_DIGITS
        index = int(word) - 1 if is_number else comparing.requests.index_of(word) if word else 0
        if index is None or comparing.requests.at(index) is None:
            allowed = "the number of a past request, 1 being the last, or a reply's id such as m4"
            raise UsageError(f"/diff: found {word!r}, allowed {allowed}.")
        from kimi_tui.ui.screens.diff_screen import DiffScreen  # noqa: PLC0415 - most commands do not need it

        self.push(DiffScreen(comparing, index))
