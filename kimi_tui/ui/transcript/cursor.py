"""The message cursor: which message is chosen."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from kimi_tui.ui.state.entry import MESSAGES
from kimi_tui.ui.transcript.entry_list import EntriesChange, EntryList
from kimi_tui.ui.transcript.painter import CHOSEN_BAR, RowLook
from kimi_tui.ui.transcript.pieces import Section
from kimi_tui.ui.transcript.view import View
from kimi_tui.ui.transcript.viewport import Place


class Cursor:
    def __init__(self, entries: EntryList, view: View, on_choose: Callable[[str | None], object]) -> None:
        """`on_choose` is told the key whenever it is another one; None = none is chosen."""
        self._entries, self._view, self._on_choose = entries, view, on_choose
        self._chosen: str | None = None

    @property
    def chosen(self) -> str | None:
        return self._chosen

    def choose(self, key: str | None, *, brings_into_view: bool = True) -> None:
        """A key that is no message's chooses none; without `brings_into_view` nothing is scrolled."""
        item, index = self._entries.item(key), self._entries.index(key)
        if item is None or item.kind not in MESSAGES:
            key = None
        if key is not None and index is not None and brings_into_view:
            self._bring_into_view(index)
        self._set(key)
        self._view.repaint()

    def _set(self, key: str | None) -> None:
        if key != self._chosen:
            self._chosen = key
            self._on_choose(key)

    def choose_in_view(self) -> None:
        """The last message of which a line of text is in view; nothing is scrolled for it."""
        items = self._view.viewport.items
        seen = {place.item for place, _ in self._view.rows if place.section != Section.TAIL}
        keys = [items.key(index) for index in sorted(seen) if items.kind(index) in MESSAGES]
        if keys:
            self.choose(keys[-1], brings_into_view=False)
        else:
            self.choose_edge(False)

    def move(self, step: int) -> None:
        """Negative = up. Without a chosen one it begins in view."""
        index, items = self._entries.index(self._chosen), self._view.viewport.items
        if index is None:
            self.choose_in_view()
            return
        way = range(index + 1, len(items)) if step > 0 else range(index - 1, -1, -1)
        messages = islice((items.key(at) for at in way if items.kind(at) in MESSAGES), abs(step))
        self.choose([self._chosen, *messages][-1])

    def choose_edge(self, first: bool) -> None:
        items = self._view.viewport.items
        ordered = range(len(items)) if first else reversed(range(len(items)))
        self.choose(next((items.key(at) for at in ordered if items.kind(at) in MESSAGES), None))

    def _bring_into_view(self, index: int) -> None:
        rows = self._view.rows
        head, end = Place(index), Place(index, Section.TAIL)
        places = [place for place, _ in rows]
        if head in places and (end in places or places[0] == head):
            return
        if places and index >= places[-1].item:  # just show its end, unless its beginning would leave the view
            at_top = self._view.viewport.back(end, max(self._view.viewport.height - 1, 0))
            self._view.scroll_to(min(at_top, head))
        else:
            self._view.scroll_to(head)

    def entries_changed(self, change: EntriesChange) -> None:
        """Stay on the same message; when it is gone, on none."""
        del change
        if self._entries.index(self._chosen) is None:
            self._set(None)

    def mark(self, looks: list[RowLook]) -> None:
        """The bar goes along the chosen message, but for the blank line behind it."""
        index = self._entries.index(self._chosen)
        for row, (place, _) in enumerate(self._view.rows):
            if place.item == index and not self._is_last_line(place):
                looks[row] = looks[row]._replace(gutter=CHOSEN_BAR)

    def _is_last_line(self, place: Place) -> bool:
        return place.section == Section.TAIL and place.line == len(self._view.viewport.lines(place)) - 1
