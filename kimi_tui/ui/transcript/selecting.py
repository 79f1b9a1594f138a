"""Fourth layer of the transcript: selection with mouse and keyboard.

The library selects among what is on screen; a conversation goes on above and below it. So the range is kept here, as
points in the texts, and the library is only told that there is one: it shows up in `Screen.get_selected_text`, and
goes when the library clears the screen's selections (Escape, a click elsewhere).
"""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.geometry import Offset
from textual.message import Message
from textual.selection import SELECT_ALL, Selection
from textual.timer import Timer

from kimi_tui.ui.transcript import copying
from kimi_tui.ui.transcript.match_layer import FindingPane
from kimi_tui.ui.transcript.painter import MARGIN, Mark, RowLook, Span, char_at
from kimi_tui.ui.transcript.pieces import Section
from kimi_tui.ui.transcript.selection import (
    Point,
    Range,
    moved,
    place_of,
    point_at,
    selected_span,
    text_chars,
    whole_block,
    word_at,
)
from kimi_tui.ui.transcript.viewport import TOP, Place

DRAG_SCROLL_S = 1 / 20
"""Seconds between two steps of scrolling while the mouse selects beyond the edge."""
LINE_KEYS = {"up": -1, "down": 1, "shift+up": -1, "shift+down": 1, "k": -1, "j": 1}
"""Keys that move the selection's end by lines."""
CHAR_KEYS = {"left": -1, "right": 1, "shift+left": -1, "shift+right": 1, "h": -1, "l": 1}
"""Keys that move it by characters."""
PAGE_KEYS = {"pageup": -1, "pagedown": 1, "shift+pageup": -1, "shift+pagedown": 1}
"""Keys that move it by pages."""
EDGE_KEYS = {"home": False, "end": True, "shift+home": False, "shift+end": True}
"""Keys that move it to the beginning (False) or the end of its line."""
WHOLE_KEYS = {"ctrl+home": False, "ctrl+end": True}
"""Keys that move it to the very beginning (False) or end."""
HINTS = "arrows extend · y copies · Escape ends"
"""What the keys do while they select."""


class SelectingPane(FindingPane):
    """Entries of which text can be selected."""

    @dataclass
    class SelectionModeChanged(Message, namespace="transcript"):
        """Selecting with the keyboard began or ended."""

        is_selecting: bool
        """Whether the arrow keys select now."""

    @dataclass
    class CopyRequested(Message, namespace="transcript"):
        """What was selected with the keyboard is to be copied."""

        text: str
        """It, as it was written."""

    def __init__(self, *, fold_reasoning: bool = True, id: str | None = None) -> None:
        """Start empty and following, with nothing selected.

        Args:
            fold_reasoning: Whether think blocks are closed at first.
            id: The widget's id.
        """
        super().__init__(fold_reasoning=fold_reasoning, id=id)
        self._selected: Range | None = None
        self._is_selecting = False
        self._drag_from: Point | None = None
        self._pressed_at = Offset(0, 0)
        self._has_dragged = False
        self._drag_at = Offset(0, 0)
        self._drag_timer: Timer | None = None

    # -- what is selected

    @property
    def is_selecting(self) -> bool:
        """Whether the arrow keys select."""
        return self._is_selecting

    @property
    def hints(self) -> str:
        """What the keys do now, for a footer; "" = what they always do."""
        return HINTS if self._is_selecting else ""

    def selected_text(self) -> str:
        """What is selected, as it was written; "" = nothing is."""
        self._refresh_look()
        if self._selected is None or self._selected.is_empty or not self._is_there(self._selected):
            return ""
        return copying.selected_text(self._view, self._selected)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """What is selected, for the library; all of it when nothing is and the library says so."""
        del selection
        text = self.selected_text()
        return (text, "\n") if text else None

    def selection_updated(self, selection: Selection | None) -> None:
        """Nothing is selected any more when the library says so."""
        del selection  # told late: what counts is what the screen knows now
        if self not in self.screen.selections and not self._is_selecting:
            self._selected = None
        self._invalidate()

    def select_all(self) -> None:
        """Select everything."""
        self._refresh_look()
        if self._view.items:
            last = Place(len(self._view.items) - 1, Section.TAIL)
            self._select(Range(Point(Place(0), 0), Point(last, 0)))

    def _select(self, selected: Range | None) -> None:
        self._selected = selected
        others = {widget: other for widget, other in self.screen.selections.items() if widget is not self}
        is_any = selected is not None and not selected.is_empty
        self.screen.selections = {**others, self: SELECT_ALL} if is_any else others
        self._invalidate()

    def _is_there(self, selected: Range) -> bool:
        return self._view.is_there(selected.start.place) and self._view.is_there(selected.end.place)

    def _entries_moved(self, places: dict[int, int]) -> None:
        super()._entries_moved(places)
        self._selected = None if self._selected is None else moved(self._selected, places)

    # -- with the keyboard

    def start_selection(self) -> None:
        """Begin to select with the keyboard: at the text of the chosen message when it is in view, else at the top."""
        self._update_frame()
        if not self._rows:
            return
        chosen = self._places.get(self.chosen or "")
        rows = [place for place, line in self._rows if place.item == chosen and text_chars(line)]
        texts = [place for place in rows if place.section == Section.BODY]
        place = next(iter([*texts, *rows, *(place for place, _ in self._rows)]))
        point = point_at(self._view, place, 0)
        self._select(Range(point, point))
        self._set_selecting(True)

    def end_selection(self) -> None:
        """Select nothing any more."""
        self._set_selecting(False)
        self._select(None)

    def _set_selecting(self, is_selecting: bool) -> None:
        if is_selecting != self._is_selecting:
            self._is_selecting = is_selecting
            self.post_message(self.SelectionModeChanged(is_selecting))

    def on_key(self, event: events.Key) -> None:
        """Extend the selection; y or Enter copies it, v and Space begin it anew here, Escape ends it."""
        if not self._is_selecting or self._selected is None:
            return
        if self._selection_key(event.key):
            event.stop()
            event.prevent_default()

    def _selection_key(self, key: str) -> bool:
        assert self._selected is not None
        match key:
            case "escape":
                self.end_selection()
            case "y" | "enter":
                text = self.selected_text()
                self.end_selection()
                if text:
                    self.post_message(self.CopyRequested(text))
            case "v" | "space":
                self._select(Range(self._selected.head, self._selected.head))
            case _:
                return self._caret_key(key)
        return True

    def _caret_key(self, key: str) -> bool:
        assert self._selected is not None
        self._refresh_look()
        if not self._is_there(self._selected) or not self._view.lines(self._selected.head.place):
            self.end_selection()
            return True
        if (head := self._caret_after(key, self._selected.head)) is None:
            return False
        self._select(Range(self._selected.anchor, head))
        self._show_caret(head)
        return True

    def _caret_after(self, key: str, head: Point) -> Point | None:
        """Where the selection's end is after a key; None = the key is none of its own."""
        place, char = place_of(self._view, head)
        line = self._view.lines(place)[place.line]
        if key in CHAR_KEYS:
            return self._beside(head, CHAR_KEYS[key])
        if key in LINE_KEYS:
            return self._below(place, char, LINE_KEYS[key])
        if key in PAGE_KEYS:
            return self._below(place, char, PAGE_KEYS[key] * max(self.size.height - 2, 1))
        if key in EDGE_KEYS:
            end = len(line.text) - (0 if line.joint else 1)
            return point_at(self._view, place, end if EDGE_KEYS[key] else 0)
        if key in WHOLE_KEYS:
            return self._edge(is_end=WHOLE_KEYS[key])
        return None

    def _edge(self, *, is_end: bool) -> Point:
        """The very beginning, or the very end."""
        end = Place(len(self._view.items) - 1, Section.TAIL, 0, 1)
        place = self._view.back(end, 1) if is_end else next((at for at, _ in self._view.walk(TOP)), TOP)
        lines = self._view.lines(place)
        return point_at(self._view, place, len(lines[place.line].text) if is_end and lines else 0)

    def _beside(self, point: Point, step: int) -> Point:
        """One character on or back, over the ends of lines and pieces."""
        place, char = place_of(self._view, point)
        line = self._view.lines(place)[place.line]
        at = char + step
        if line.lead_chars <= at <= len(line.text) and (at < len(line.text) or line.joint == "\n" or step < 0):
            return point_at(self._view, place, at)
        other = self._line_beside(place, step)
        if other is None:
            return point
        end = len(self._view.lines(other)[other.line].text)
        is_wrapped = step < 0 and self._view.lines(other)[other.line].joint != "\n"
        return point_at(self._view, other, 0 if step > 0 else max(end - is_wrapped, 0))

    def _below(self, place: Place, char: int, lines: int) -> Point:
        """The same column some lines further down, or up."""
        at = place
        for _ in range(abs(lines)):
            at = self._line_beside(at, 1 if lines > 0 else -1) or at
        return point_at(self._view, at, char)

    def _line_beside(self, place: Place, step: int) -> Place | None:
        """The next line, or the one before; None = there is none."""
        if step > 0:
            lines = self._view.walk(place)
            next(lines, None)
            below = next(lines, None)
            return None if below is None else below[0]
        above = self._view.back(place, 1)
        return None if above == place else above

    def _show_caret(self, head: Point) -> None:
        """Scroll so far that the selection's end is in view."""
        place, _ = place_of(self._view, head)
        self._update_frame()
        rows = [at for at, _ in self._rows]
        if place in rows:
            return
        if rows and place < rows[0]:
            self._show_at_top(place)
        else:
            self._show_at_top(self._view.back(place, max(self.size.height - 1, 0)))

    # -- with the mouse

    def _press(self, at: Offset) -> None:
        """Remember where a selection may begin."""
        self._drag_from, self._pressed_at = self._point_under(at), at
        self._has_dragged = False
        self._set_selecting(False)

    def _drag(self, at: Offset) -> None:
        """Extend the selection to a cell, which may lie outside: then it scrolls on by itself.

        Terminals that report parts of a cell also tell of a hand that only trembles: that is still a click.
        """
        if self._drag_from is None or (at == self._pressed_at and not self._has_dragged):
            return
        if not self._has_dragged:
            self._has_dragged = True
            self.capture_mouse()
        self._drag_at = at
        self._extend()
        is_outside = not 0 <= at.y < self.size.height
        if is_outside and self._drag_timer is None:
            self._drag_timer = self.set_interval(DRAG_SCROLL_S, self._scroll_drag)
        elif not is_outside:
            self._stop_drag_scroll()

    def _scroll_drag(self) -> None:
        """Scroll while the mouse is beyond the edge: the farther away, the faster."""
        y = self._drag_at.y
        self.scroll_lines(y if y < 0 else max(y - self.size.height + 1, 1))
        self._extend()

    def _extend(self) -> None:
        row = min(max(self._drag_at.y, 0), self.size.height - 1)
        head = self._point_under(Offset(self._drag_at.x, row))
        if head is not None and self._drag_from is not None:
            self._select(Range(self._drag_from, head))

    def _release(self) -> bool:
        """End the drag; whether there was one."""
        self._stop_drag_scroll()
        self._drag_from = None
        if self._has_dragged:
            self.release_mouse()
        return self._has_dragged

    def _stop_drag_scroll(self) -> None:
        if self._drag_timer is not None:
            self._drag_timer.stop()
            self._drag_timer = None

    def on_unmount(self) -> None:
        """Scroll no further."""
        self._stop_drag_scroll()

    def _select_around(self, at: Offset, *, is_word: bool) -> None:
        """Select the word, or the whole block, under the mouse."""
        self._update_frame()
        if 0 <= at.y < len(self._rows):
            place, line = self._rows[at.y]
            char = char_at(line, at.x - MARGIN)
            self._select(word_at(self._view, place, char) if is_word else whole_block(self._view, place))

    def _point_under(self, at: Offset) -> Point | None:
        """The point at a cell; the end where there is no line."""
        self._update_frame()
        if not self._rows:
            return None
        if at.y >= len(self._rows):
            place, line = self._rows[-1]
            return point_at(self._view, place, len(line.text))
        place, line = self._rows[max(at.y, 0)]
        return point_at(self._view, place, char_at(line, max(at.x - MARGIN, 0)))

    # -- drawing

    def _row_looks(self) -> list[RowLook]:
        looks = super()._row_looks()
        selected = self._selected
        if selected is None:
            return looks
        if not self._is_there(selected):
            self._selected = None
            return looks
        caret = place_of(self._view, selected.head) if self._is_selecting else None
        for row, (place, line) in enumerate(self._rows):
            span = selected_span(self._view, selected, place, line)
            spans = [] if span is None or selected.is_empty else [span]
            if caret is not None and caret[0] == place:
                spans.append(Span(caret[1], caret[1] + 1, Mark.CARET))
            if spans:
                looks[row] = looks[row]._replace(spans=(*looks[row].spans, *spans))
        return looks
