"""Think blocks, opened and closed."""

from __future__ import annotations

from kimi_tui.ui.transcript.entry_list import EntryList
from kimi_tui.ui.transcript.pieces import Section
from kimi_tui.ui.transcript.view import View
from kimi_tui.ui.transcript.viewport import Place


class Folds:
    """Opens and closes the think blocks of entries without moving what is being read."""

    def __init__(self, entries: EntryList, view: View) -> None:
        self._entries, self._view = entries, view

    def toggle(self, key: str) -> None:
        """Open or close one; its line stays on its row, else the line at the top stays."""
        item, index = self._entries.item(key), self._entries.index(key)
        if item is None or index is None or not item.has_thought:
            return
        line = Place(index, Section.HEAD, 0, 0, item.thought_line or 0)
        row = self._view.row_of(line)
        item.fold(not item.is_folded)
        self._view.viewport.measure(index)
        if row is None or (self._view.viewport.is_following and item.is_streaming):
            self._view.invalidate()
        else:
            self._view.keep_row(line, row)

    def toggle_all(self) -> None:
        """Open all, or close them where all are open; those to come are as these are. The line being read stays."""
        thoughts = [item for item in self._view.viewport.items if item.has_thought]
        is_any_closed = any(item.is_folded for item in thoughts) if thoughts else self._entries.fold_reasoning
        self._entries.fold_reasoning = not is_any_closed
        for index, item in enumerate(self._view.viewport.items):
            if item.is_folded == is_any_closed:
                item.fold(not is_any_closed)
                self._view.viewport.measure(index)
        self._view.invalidate()
