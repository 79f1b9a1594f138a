"""Which side panes are in view, and how wide: a decision by the size of the terminal.

Wide terminals show the sessions at the left and one other pane at the right, narrow ones one pane beside the
conversation, small ones one pane instead of it, while it has the keys. Below that the program says what it needs;
nothing is lost by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

LEFT = "sessions"
MIN_COLUMNS, MIN_ROWS = 45, 14
OVERLAY_COLUMNS, OVERLAY_ROWS = 72, 18
"""Below either of these a pane covers the conversation."""
TWO_PANE_COLUMNS = 110
"""From here on there may be a pane at each side."""
MIN_CONVERSATION_COLUMNS = 40
MIN_PANE_COLUMNS = 20


class Arrangement(NamedTuple):
    left: str = ""
    """Name of the pane there, as below; "" = none."""
    right: str = ""
    overlay: str = ""
    """Name of the pane that covers the conversation."""
    left_columns: int = 0
    """Width of the left one in cells, its edge included."""
    right_columns: int = 0
    is_too_small: bool = False

    @property
    def panes(self) -> tuple[str, ...]:
        return tuple(name for name in (self.left, self.right, self.overlay) if name)


def arrange(columns: int, rows: int, opened: Sequence[str], widths: Mapping[str, int], keyed: str = "") -> Arrangement:
    """Say which of the opened panes are in view; every size is in cells.

    Of `opened` the last was opened last; `widths` are wishes. `keyed` has the keys, or is to get them, "" = none: it
    stays in view, and none covers the conversation without them.
    """
    if columns < MIN_COLUMNS or rows < MIN_ROWS:
        return Arrangement(is_too_small=True)
    if not opened:
        return Arrangement()
    if columns < OVERLAY_COLUMNS or rows < OVERLAY_ROWS:
        return Arrangement(overlay=keyed if keyed in opened else "")
    opened = [*(name for name in opened if name != keyed), *(name for name in opened if name == keyed)]
    candidates = opened if columns >= TWO_PANE_COLUMNS else opened[-1:]
    left = LEFT if LEFT in candidates else ""
    right = next((name for name in reversed(candidates) if name != LEFT), "")
    room = columns - MIN_CONVERSATION_COLUMNS
    least = MIN_PANE_COLUMNS if left and right else 0
    left_columns = min(widths[left], room - least) if left else 0
    right_columns = min(widths[right], room - left_columns) if right else 0
    return Arrangement(left, right, "", left_columns, right_columns)


def toggled(opened: Sequence[str], name: str, in_view: Sequence[str]) -> tuple[str, ...]:
    """Open a pane, bring one that is hidden behind another to view, or close one that is in view.

    What was hidden behind one that is closed is closed with it: nobody has asked for it now.
    """
    rest = tuple(other for other in opened if other != name)
    return tuple(other for other in rest if other in in_view) if name in in_view else (*rest, name)
