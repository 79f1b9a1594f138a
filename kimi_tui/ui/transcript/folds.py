"""Think blocks, opened and closed."""

from __future__ import annotations

from collections.abc import Callable

from kimi_tui.ui.transcript.entry_list import EntryList
from kimi_tui.ui.transcript.pieces import Section
from kimi_tui.ui.transcript.view import View
from kimi_tui.ui.transcript.viewport import Place


class Folds:
    def __init__(self, entries: EntryList, view: View, on_fold: Callable[[], object]) -> None:
        """`on_fold` is told when some were opened or closed."""
        self._entries, self._view, self._on_fold = entries, view, on_fold

    def toggle(self, key: str) -> None:
        """Its line stays on its row, or else the line at the top does."""
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
        self._on_fold()

    def toggle_all(self) -> None:
        """Open all, or close them where all are open; those to come are as these are. The line being read stays."""
        viewport, items = self._view.viewport, self._view.viewport.items
        closed = [items.is_folded(index) for index in range(len(items)) if items.has_thought(index)]
        items.fold(not any(closed) if closed else not items.fold_reasoning)
        viewport.measure_all()
        self._view.invalidate()
        self._on_fold()
