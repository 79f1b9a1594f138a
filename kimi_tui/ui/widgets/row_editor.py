"""The line that is laid over the words of a row while they are edited."""

from __future__ import annotations

from typing import Any

from kimi_tui.ui.widgets.editing import EditLine
from kimi_tui.ui.widgets.row_list import RowList


class RowEditor(EditLine):
    """Stands beside its rows, in a parent that has a layer `editor`."""

    DEFAULT_CSS = """
    RowEditor { layer: editor; position: absolute; background: $surface; }
    """

    def __init__(self, rows: RowList[Any], *, placeholder: str = "", id: str | None = None) -> None:
        super().__init__(placeholder=placeholder, compact=True, select_on_focus=False, id=id)
        self._rows = rows
        self.display = False

    def open(self, text: str) -> None:
        """Let a text be edited over the row under the cursor."""
        self.value = text
        self.display = True
        self.place()
        self.screen.set_focus(self)
        self.select_all()

    def place(self) -> None:
        """Stay over that row; where it is out of view, stay where it was."""
        region = self._rows.words_region() if self.display else None
        if region is not None:
            region = region.translate(self._rows.virtual_region.offset)
            self.styles.offset = region.offset
            self.styles.width = region.width

    def close(self) -> None:
        self.display = False
