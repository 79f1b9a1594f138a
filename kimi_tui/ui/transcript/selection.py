"""What is selected, and how the keyboard selects.

The library selects among what is on screen; a conversation goes on above and below it. So the range is kept here, as
points in the texts, and the library is only told that there is one.
"""

from __future__ import annotations

from collections.abc import Callable

from kimi_tui.ui.transcript import copying
from kimi_tui.ui.transcript.caret import caret_after
from kimi_tui.ui.transcript.entry_list import EntriesChange
from kimi_tui.ui.transcript.painter import Mark, RowLook, Span
from kimi_tui.ui.transcript.pieces import Section
from kimi_tui.ui.transcript.selection_range import (
    SelectionRange,
    moved,
    place_of,
    point_at,
    selected_span,
    text_chars,
)
from kimi_tui.ui.transcript.view import View

HINTS = "arrows extend · y copies · Escape ends"
"""What the keys do while they select."""


class Selection:
    """One range of text, of which the end may be moved with the keyboard."""

    def __init__(
        self,
        view: View,
        on_select: Callable[[bool], object],
        on_mode: Callable[[bool], object],
        on_copy: Callable[[str], object],
    ) -> None:
        """Start with nothing selected.

        Args:
            view: Where it is.
            on_select: Told whether anything is selected, whenever another range is.
            on_mode: Told when the keyboard begins (True) or ends to select.
            on_copy: Told what is to be copied.
        """
        self._view, self._on_select, self._on_mode, self._on_copy = view, on_select, on_mode, on_copy
        self._range: SelectionRange | None = None
        self._has_keys = False

    @property
    def has_keys(self) -> bool:
        """Whether the keyboard selects."""
        return self._has_keys

    def text(self) -> str:
        """What is selected, as it was written; "" = nothing is."""
        self._view.fit()
        selected = self._shown_range()
        return "" if selected is None or selected.is_empty else copying.selected_text(self._view.viewport, selected)

    def _shown_range(self) -> SelectionRange | None:
        """The range, where both its ends are shown: they are not in reasoning that was folded since."""
        selected, viewport = self._range, self._view.viewport
        if selected is None or not (viewport.is_there(selected.start.place) and viewport.is_there(selected.end.place)):
            return None
        return selected

    def select(self, selected: SelectionRange | None) -> None:
        """Select a range; None = nothing."""
        self._range = selected
        self._on_select(selected is not None and not selected.is_empty)
        self._view.repaint()

    def forget(self) -> None:
        """Select nothing any more, where the keyboard does not select: whoever asks knows already."""
        if not self._has_keys:
            self._range = None
        self._view.repaint()

    def entries_changed(self, change: EntriesChange) -> None:
        """Stay on the same texts; without one of the ends nothing is selected."""
        if change.moved is not None and self._range is not None:
            self._range = moved(self._range, change.moved)

    # -- with the keyboard

    def begin(self, index: int | None) -> None:
        """Let the keyboard select, from the text of an entry on when it is in view, else from the top."""
        rows = self._view.rows
        if not rows:
            return
        lines = [place for place, line in rows if place.item == index and text_chars(line)]
        texts = [place for place in lines if place.section == Section.BODY]
        place = [*texts, *lines, rows[0][0]][0]
        point = point_at(self._view.viewport, place, 0)
        self.select(SelectionRange(point, point))
        self.set_mode(True)

    def end(self) -> None:
        """Select nothing any more, and leave the keys alone."""
        self.set_mode(False)
        self.select(None)

    def set_mode(self, has_keys: bool) -> None:
        """Let the keys select, or leave them alone; what is selected stays."""
        if has_keys != self._has_keys:
            self._has_keys = has_keys
            self._on_mode(has_keys)

    def press(self, key: str) -> bool:
        """Extend the range; y or Enter copies it, v and Space begin it anew here, Escape ends it.

        Returns:
            Whether the key is one of these, and the keyboard selects.
        """
        if not self._has_keys or self._range is None:
            return False
        match key:
            case "escape":
                self.end()
            case "y" | "enter":
                text = self.text()
                self.end()
                if text:
                    self._on_copy(text)
            case "v" | "space":
                self.select(SelectionRange(self._range.caret, self._range.caret))
            case _:
                return self._move_caret(key)
        return True

    def _move_caret(self, key: str) -> bool:
        self._view.fit()
        selected, viewport = self._shown_range(), self._view.viewport
        if selected is None or not viewport.lines(selected.caret.place):
            self.end()
            return True
        if (caret := caret_after(viewport, key, selected.caret)) is None:
            return False
        self.select(SelectionRange(selected.anchor, caret))
        place, _ = place_of(viewport, caret)
        if self._view.row_of(place) is None:
            is_above = bool(self._view.rows) and place < self._view.top
            self._view.scroll_to(place if is_above else viewport.back(place, max(viewport.height - 1, 0)))
        return True

    # -- drawing

    def mark(self, looks: list[RowLook]) -> None:
        """Mark what is selected, and the caret."""
        selected, viewport = self._shown_range(), self._view.viewport
        self._range = selected
        if selected is None:
            return
        at, char = place_of(viewport, selected.caret) if self._has_keys else (None, 0)
        for row, (place, line) in enumerate(self._view.rows):
            span = None if selected.is_empty else selected_span(viewport, selected, place, line)
            spans = [] if span is None else [span]
            if place == at:
                spans.append(Span(char, char + 1, Mark.CARET))
            if spans:
                looks[row] = looks[row]._replace(spans=(*looks[row].spans, *spans))
