"""What is selected, and how the keyboard selects.

The library selects among what is on screen; a conversation goes on above and below it. So the range is kept here, as
points in the texts, and the library is only told that there is one.
"""

from __future__ import annotations

from collections.abc import Callable

from kimi_tui.ui.transcript import copying
from kimi_tui.ui.transcript.entry_list import EntriesChange
from kimi_tui.ui.transcript.painter import Mark, RowLook, Span
from kimi_tui.ui.transcript.pieces import Section
from kimi_tui.ui.transcript.selection_range import (
    Point,
    SelectionRange,
    moved,
    place_of,
    point_at,
    selected_span,
)
from kimi_tui.ui.transcript.view import View
from kimi_tui.ui.transcript.viewport import TOP, Place, Viewport

LINE_KEYS = {"up": -1, "down": 1, "k": -1, "j": 1}
CHAR_KEYS = {"left": -1, "right": 1, "h": -1, "l": 1}
PAGE_KEYS = {"pageup": -1, "pagedown": 1}
HINTS = "arrows extend · y copies · Escape ends"


class Selection:
    def __init__(
        self,
        view: View,
        on_select: Callable[[bool], object],
        on_mode: Callable[[bool], object],
        on_copy: Callable[[str], object],
    ) -> None:
        """`on_select` is told, at each other range, whether anything is selected.

        `on_mode` is told when the keyboard begins (True) or ends to select, `on_copy` what is to be copied.
        """
        self._view, self._on_select, self._on_mode, self._on_copy = view, on_select, on_mode, on_copy
        self._range: SelectionRange | None = None
        self.has_keys = False
        """Whether the keyboard selects."""

    def text(self) -> str:
        """As it was written; "" = nothing is selected."""
        self._view.fit()
        selected = self._shown_range()
        return "" if selected is None or selected.is_empty else copying.selected_text(self._view.viewport, selected)

    def _shown_range(self) -> SelectionRange | None:
        """None when one of its ends is not there any more, such as in reasoning that is folded."""
        selected, viewport = self._range, self._view.viewport
        if selected is None or not (viewport.is_there(selected.start.place) and viewport.is_there(selected.end.place)):
            return None
        return selected

    def select(self, selected: SelectionRange | None) -> None:
        self._range = selected
        self._on_select(selected is not None and not selected.is_empty)
        self._view.repaint()

    def forget(self) -> None:
        """Nothing is told, since whoever asks knows already; a selection of the keyboard stays."""
        if not self.has_keys:
            self._range = None
        self._view.repaint()

    def entries_changed(self, change: EntriesChange) -> None:
        if self._range is None:
            return
        here = self._range if change.moved is None else moved(self._range, change.moved)
        if here is None:
            self.end()
            return
        self._range = here
        if change.moved is not None or change.replaced:
            self.drop_hidden()

    def drop_hidden(self) -> None:
        """Without one of its ends nothing is selected."""
        if self._range is not None and self._shown_range() is None:
            self.end()

    # -- with the keyboard

    def begin(self, index: int | None) -> None:
        """Let the keyboard select, from the text of an entry on when it is in view, else from the top."""
        rows = self._view.rows
        if not rows:
            return
        lines = [place for place, line in rows if place.item == index and line.text_chars]
        texts = [place for place in lines if place.section == Section.BODY]
        place = [*texts, *lines, rows[0][0]][0]
        point = point_at(self._view.viewport, place, 0)
        self.select(SelectionRange(point, point))
        self.set_mode(True)

    def end(self) -> None:
        self.set_mode(False)
        self.select(None)

    def set_mode(self, has_keys: bool) -> None:
        """What is selected stays."""
        if has_keys != self.has_keys:
            self.has_keys = has_keys
            self._on_mode(has_keys)

    def press(self, key: str) -> bool:
        """Extend the range; y or Enter copies it, v and Space begin it anew here, Escape ends it.

        False when the key is none of these, or the keyboard does not select.
        """
        if not self.has_keys or self._range is None:
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
        if (caret := _caret_after(viewport, key, selected.caret)) is None:
            return False
        self.select(SelectionRange(selected.anchor, caret))
        place, _ = place_of(viewport, caret)
        if self._view.row_of(place) is None:
            is_above = bool(self._view.rows) and place < self._view.top
            self._view.scroll_to(place if is_above else viewport.back(place, max(viewport.height - 1, 0)))
        return True

    # -- drawing

    def mark(self, looks: list[RowLook]) -> None:
        selected, viewport = self._shown_range(), self._view.viewport
        if selected is None:
            return
        at, char = place_of(viewport, selected.caret) if self.has_keys else (None, 0)
        for row, (place, line) in enumerate(self._view.rows):
            span = None if selected.is_empty else selected_span(viewport, selected, place, line)
            spans = [] if span is None else [span]
            if place == at:
                spans.append(Span(char, char + 1, Mark.CARET))
            if spans:
                looks[row] = looks[row]._replace(spans=(*looks[row].spans, *spans))


# -- where the caret goes


def _caret_after(viewport: Viewport, key: str, caret: Point) -> Point | None:
    """None = the key does not move the caret."""
    place, char = place_of(viewport, caret)
    key = key.removeprefix("shift+")
    if key in CHAR_KEYS:
        return _beside(viewport, place, char, CHAR_KEYS[key])
    if lines := LINE_KEYS.get(key, 0) or PAGE_KEYS.get(key, 0) * viewport.page_lines:
        return _below(viewport, place, char, lines)
    match key:
        case "home":
            char = 0
        case "end":
            line = viewport.line(place)
            char = len(line.text) - (0 if line.joint else 1)
        case "ctrl+home":
            place, char = next((at for at, _ in viewport.walk(TOP)), TOP), 0
        case "ctrl+end":
            place = viewport.back(Place(len(viewport.items) - 1, Section.TAIL, 0, 1), 1)
            char = len(viewport.line(place).text) if viewport.lines(place) else 0
        case _:
            return None
    return point_at(viewport, place, char)


def _beside(viewport: Viewport, place: Place, char: int, step: int) -> Point:
    line, at = viewport.line(place), char + step
    if line.lead_chars <= at <= len(line.text) and (at < len(line.text) or line.joint == "\n" or step < 0):
        return point_at(viewport, place, at)
    if (other := _neighbour(viewport, place, step)) is None:
        return point_at(viewport, place, char)
    if step > 0:
        return point_at(viewport, other, 0)
    above = viewport.line(other)
    return point_at(viewport, other, max(len(above.text) - (above.joint != "\n"), 0))


def _below(viewport: Viewport, place: Place, char: int, lines: int) -> Point:
    for _ in range(abs(lines)):
        place = _neighbour(viewport, place, 1 if lines > 0 else -1) or place
    return point_at(viewport, place, char)


def _neighbour(viewport: Viewport, place: Place, step: int) -> Place | None:
    """`step` is 1 or -1; None = there is no line."""
    if step > 0:
        lines = viewport.walk(place)
        next(lines, None)
        return next((at for at, _ in lines), None)
    above = viewport.back(place, 1)
    return None if above == place else above
