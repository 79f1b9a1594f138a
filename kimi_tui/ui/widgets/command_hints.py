"""The commands that a half-typed line may become, above the composer."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from kimi_tui.ui.slash import Completion
from kimi_tui.ui.text import line_text

MAX_LINES = 7
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
        self._shown: tuple[tuple[Completion, ...], int] = ((), 0)

    def show(self, completions: tuple[Completion, ...], picked: int) -> None:
        """Show what a line may become.

        Args:
            completions: What it may become; none hides the list.
            picked: The place of the one that Tab takes.
        """
        self._shown = completions, picked
        self.set_class(bool(completions), "-open")
        self._write()

    def on_resize(self) -> None:
        """Write the list for another width."""
        self._write()

    def _write(self) -> None:
        completions, picked = self._shown
        if not completions:
            return
        first = max(min(picked - MAX_LINES // 2, len(completions) - MAX_LINES), 0)
        rows = completions[first : first + MAX_LINES]
        width = max(self.screen.size.width - 4, 20)
        lines = [_line(row, width, is_picked=first + place == picked) for place, row in enumerate(rows)]
        if len(completions) > MAX_LINES:
            lines.append((f"  … {len(completions)} in all; Up and Down pick, Tab takes", "$text-muted"))
        self.update(Content("\n").join([Content.assemble(line) for line in lines]))


def _line(completion: Completion, width: int, *, is_picked: bool) -> tuple[str, str]:
    label = completion.label.ljust(LABEL_CHARS) if completion.help else completion.label
    text = f"{'▸' if is_picked else ' '} {label} {completion.help}".rstrip()
    text = line_text(text if len(text) <= width else text[: width - 1] + "…")
    return text, "bold $foreground" if is_picked else ""
