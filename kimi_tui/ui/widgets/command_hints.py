"""The commands that a half-typed line may become, above the composer."""

from __future__ import annotations

import textwrap
from dataclasses import replace

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import Static

from kimi_tui.core.text.visible import visible_line
from kimi_tui.ui.state.slash import Completion
from kimi_tui.ui.text.fit import fitted

MAX_LINES = 7
LABEL_CELLS = 22
"""Room for a command before its help."""
NARROW_CELLS, NARROW_LINES = 56, 5
"""Below that width the help of the picked command stands below the list, whole; and how many commands stand then."""


class CommandHints(Static):
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
        super().__init__(markup=False, id=id)
        self._shown: tuple[tuple[Completion, ...], int] = ((), 0)

    def show(self, completions: tuple[Completion, ...], picked: int) -> None:
        """No completions hide the list; `picked` is the place of the one that Tab takes."""
        self._shown = completions, picked
        self.set_class(bool(completions), "-open")
        self._write()

    def _write(self) -> None:
        completions, picked = self._shown
        if not completions:
            return
        width = max(self.screen.size.width - 4, 20)
        is_narrow = width < NARROW_CELLS
        room = NARROW_LINES if is_narrow else MAX_LINES
        first = max(min(picked - room // 2, len(completions) - room), 0)
        rows = [replace(row, help="") if is_narrow else row for row in completions[first : first + room]]
        lines = [_line(row, width, is_picked=first + place == picked) for place, row in enumerate(rows)]
        if is_narrow:
            help_ = textwrap.wrap(visible_line(completions[picked].help), width - 2)
            lines += [(f"  {line}", "$text-muted") for line in help_]
        elif len(completions) > room:
            lines.append((f"  … {len(completions)} in all; Up and Down pick, Tab takes", "$text-muted"))
        self.update(Content("\n").join([Content.assemble(line) for line in lines]))

    on_resize = _write


def _line(completion: Completion, width: int, *, is_picked: bool) -> tuple[str, str]:
    label = completion.label
    if completion.help:
        label += " " * (LABEL_CELLS - cell_len(label))
    text = f"{'▸' if is_picked else ' '} {label} {completion.help}".rstrip()
    return fitted(text, width), "bold $foreground" if is_picked else ""
