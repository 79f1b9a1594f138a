"""Foreign text in a place of so many cells."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size, split_text

from kimi_tui.core.text.visible import visible_line

ELLIPSIS = "…"
CHARS_PER_CELL = 8
"""More characters than that for each cell are not looked at: a text may be megabytes of joiners."""


def first_fitting(forms: Sequence[str], cells: int) -> str:
    """The first of several forms of a text that has room in so many cells, else the last."""
    return next((form for form in forms if cell_len(form) <= cells), forms[-1])


def fit(text: str, width: int) -> str:
    """Make foreign text safe, and exactly so many cells wide: padded with blanks, or cut with "…" at its end."""
    return set_cell_size(fitted(text, width), width) if width > 0 else ""


def fitted(text: str, width: int) -> str:
    """Make foreign text safe, and at most so many cells wide: cut with "…" at its end."""
    if width < 1:
        return ""
    limit = (width + 1) * CHARS_PER_CELL
    shown = visible_line(text[:limit])
    cells = cell_len(shown)
    if cells > width or len(text) > limit:
        # `split_text` fails where the text is not longer than the place it is cut at.
        shown = (split_text(shown, width - 1)[0] if cells >= width else shown).rstrip(" ") + ELLIPSIS
    return shown
