"""The conversation as cached lines behind one widget.

What flows through it, each step in its own module: `entries` are the values shown; `item` keeps one of them as pieces,
which grow at the end only; `layout` (with `tables`, `highlight` and `styles`) makes lines of a piece at a width, and
`lines` wraps them; `viewport` knows which lines are on screen, by an anchor and an index of `heights`; `transcript` is
the widget that draws them and takes keys and mouse.
"""

from kimi_tui.ui.widgets.transcript.entries import Entry, EntryKind
from kimi_tui.ui.widgets.transcript.transcript import Transcript

__all__ = ["Entry", "EntryKind", "Transcript"]
