"""Selecting with the mouse: by dragging, which scrolls on beyond the edge, and by clicking more than once."""

from __future__ import annotations

from textual.geometry import Offset

from kimi_tui.ui.transcript.painter import GUTTER, char_at
from kimi_tui.ui.transcript.selection import Selection
from kimi_tui.ui.transcript.selection_range import Point, SelectionRange, point_at, whole_block, word_at
from kimi_tui.ui.transcript.view import View


class MouseSelection:
    """What a hand on the mouse selects; cells are those of the widget, rows outside it included."""

    def __init__(self, view: View, selection: Selection) -> None:
        self._view, self._selection = view, selection
        self._anchor: Point | None = None
        self._pressed_at = self._dragged_to = Offset(0, 0)
        self.has_dragged = False
        """Whether the button was not only pressed since: it is no click."""

    def press(self, at: Offset) -> None:
        """Remember where a selection may begin."""
        self._anchor, self._pressed_at = self._point_at(at), at
        self.has_dragged = False
        self._selection.set_mode(False)

    def drag(self, at: Offset) -> bool:
        """Select to a cell; whether the mouse selects.

        Terminals that report parts of a cell also tell of a hand that only trembles: that is still a click.
        """
        if self._anchor is None or (at == self._pressed_at and not self.has_dragged):
            return False
        self.has_dragged = True
        self._dragged_to = at
        self._extend()
        return True

    @property
    def is_outside(self) -> bool:
        """Whether the mouse is dragged above or below what is in view."""
        return self._anchor is not None and not 0 <= self._dragged_to.y < self._view.viewport.height

    def scroll_on(self) -> None:
        """Scroll where the mouse is outside: the farther away, the faster."""
        if self.is_outside:
            y = self._dragged_to.y
            self._view.scroll_lines(y if y < 0 else max(y - self._view.viewport.height + 1, 1))
            self._extend()

    def release(self) -> bool:
        """End the drag; whether there was one."""
        self._anchor = None
        return self.has_dragged

    def _extend(self) -> None:
        row = min(max(self._dragged_to.y, 0), self._view.viewport.height - 1)
        caret = self._point_at(Offset(self._dragged_to.x, row))
        if caret is not None and self._anchor is not None:
            self._selection.select(SelectionRange(self._anchor, caret))

    def select_around(self, at: Offset, *, is_word: bool) -> None:
        """Select the word, or the whole block, under the mouse."""
        if 0 <= at.y < len(self._view.rows):
            place, line = self._view.rows[at.y]
            char = char_at(line, at.x - GUTTER)
            viewport = self._view.viewport
            self._selection.select(word_at(viewport, place, char) if is_word else whole_block(viewport, place))

    def _point_at(self, at: Offset) -> Point | None:
        """The point at a cell; the end where there is no line."""
        rows = self._view.rows
        if not rows:
            return None
        place, line = rows[min(max(at.y, 0), len(rows) - 1)]
        char = len(line.text) if at.y >= len(rows) else char_at(line, max(at.x - GUTTER, 0))
        return point_at(self._view.viewport, place, char)
