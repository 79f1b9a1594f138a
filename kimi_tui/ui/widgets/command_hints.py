"""The commands that a half-typed line may become, above the composer."""

from __future__ import annotations

from textual.widgets import Static

from kimi_tui.ui.slash import Choices, Completion, completions
from kimi_tui.ui.text import content

MAX_LINES = 8
"""Most commands that are shown."""
LABEL_CHARS = 22
"""Room for a command before its help."""


class CommandHints(Static):
    """A list that is there while a command is typed."""

    DEFAULT_CSS = """
    CommandHints {
        display: none;
        height: auto;
        max-height: 8;
        padding: 0 2;
        color: $text-muted;
        background: $background;
        &.-open { display: block; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        """Start hidden."""
        super().__init__(markup=False, id=id)
        self.completed = ""
        """The line with the first of them put in; "" = there is none."""

    def show(self, text: str, choices: Choices) -> None:
        """Show what a line may become.

        Args:
            text: The line as typed.
            choices: Known values of commands.
        """
        fitting = completions(text, choices)
        self.completed = fitting[0].text if fitting else ""
        self.set_class(bool(fitting), "-open")
        if fitting:
            self.update(content("\n".join(_line(completion) for completion in fitting[:MAX_LINES])))


def _line(completion: Completion) -> str:
    return f"{completion.label:<{LABEL_CHARS}} {completion.help}".rstrip()
