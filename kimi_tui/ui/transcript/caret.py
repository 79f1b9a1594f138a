"""Where the caret goes: the end of a selection that is moved with the keyboard."""

from __future__ import annotations

from kimi_tui.ui.transcript.pieces import Section
from kimi_tui.ui.transcript.selection_range import Point, place_of, point_at
from kimi_tui.ui.transcript.viewport import TOP, Place, Viewport

LINE_KEYS = {"up": -1, "down": 1, "shift+up": -1, "shift+down": 1, "k": -1, "j": 1}
"""Keys that move it by lines."""
CHAR_KEYS = {"left": -1, "right": 1, "shift+left": -1, "shift+right": 1, "h": -1, "l": 1}
"""Keys that move it by characters."""
PAGE_KEYS = {"pageup": -1, "pagedown": 1, "shift+pageup": -1, "shift+pagedown": 1}
"""Keys that move it by pages."""
EDGE_KEYS = {"home": False, "end": True, "shift+home": False, "shift+end": True}
"""Keys that move it to the beginning (False) or the end of its line."""
WHOLE_KEYS = {"ctrl+home": False, "ctrl+end": True}
"""Keys that move it to the very beginning (False) or end."""


def caret_after(viewport: Viewport, key: str, caret: Point) -> Point | None:
    """Where the caret is after a key; None = the key is none of its own."""
    place, char = place_of(viewport, caret)
    if key in CHAR_KEYS:
        return _beside(viewport, place, char, CHAR_KEYS[key])
    if key in LINE_KEYS:
        return _below(viewport, place, char, LINE_KEYS[key])
    if key in PAGE_KEYS:
        return _below(viewport, place, char, PAGE_KEYS[key] * viewport.page_lines)
    if key in EDGE_KEYS:
        line = viewport.line(place)
        end = len(line.text) - (0 if line.joint else 1)
        return point_at(viewport, place, end if EDGE_KEYS[key] else 0)
    if key in WHOLE_KEYS:
        return _edge(viewport, is_end=WHOLE_KEYS[key])
    return None


def _edge(viewport: Viewport, *, is_end: bool) -> Point:
    """The very beginning, or the very end."""
    if not is_end:
        return point_at(viewport, next((at for at, _ in viewport.walk(TOP)), TOP), 0)
    place = viewport.back(Place(len(viewport.items) - 1, Section.TAIL, 0, 1), 1)
    return point_at(viewport, place, len(viewport.line(place).text) if viewport.lines(place) else 0)


def _beside(viewport: Viewport, place: Place, char: int, step: int) -> Point:
    """One character on or back, over the ends of lines and pieces."""
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
    """The same column some lines further down, or up."""
    for _ in range(abs(lines)):
        place = _neighbour(viewport, place, 1 if lines > 0 else -1) or place
    return point_at(viewport, place, char)


def _neighbour(viewport: Viewport, place: Place, step: int) -> Place | None:
    """The next line (1), or the one before (-1); None = there is none."""
    if step > 0:
        lines = viewport.walk(place)
        next(lines, None)
        return next((at for at, _ in lines), None)
    above = viewport.back(place, 1)
    return None if above == place else above
