"""The conversation as cached lines behind one widget.

`entries` are the values shown; `item` keeps the lines of one of them; `layout`, `highlight` and `styles` make lines of
Markdown, code and theme; `transcript` is the widget with its viewport.
"""

from kimi_tui.ui.widgets.transcript.entries import Entry, EntryKind
from kimi_tui.ui.widgets.transcript.transcript import Transcript

__all__ = ["Entry", "EntryKind", "Transcript"]
