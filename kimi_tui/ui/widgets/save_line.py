"""What is not saved, and what is done about it: on screen from the first failure until it is solved."""

from __future__ import annotations

from textual.widgets import Static

from kimi_tui.ui.text.safe_text import content, line_text


class SaveLine(Static):
    """Hidden while everything is saved, and where nothing else has room."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, markup=False)

    @property
    def is_shown(self) -> bool:
        return self.has_class("-unsaved")

    def show(self, lines: tuple[str, ...]) -> None:
        """One row or more for each line; () hides it."""
        if self.is_shown or lines:
            self.set_class(bool(lines), "-unsaved")
            self.update(content("\n".join(map(line_text, lines))))
