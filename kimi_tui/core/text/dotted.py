"""Short words beside each other, with a dot between."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kimi_tui.core.text.cells import cells_of

SEPARATOR = " · "


def dotted(*words: str) -> str:
    """Those that are not empty in one line."""
    return SEPARATOR.join(filter(None, words))


def packed(words: Iterable[str], cells: int) -> Sequence[str]:
    """As many in each line as have room in so many cells; none is cut in two, so that one may be longer."""
    lines: list[str] = []
    for word in filter(None, words):
        longer = dotted(lines[-1], word) if lines else word
        if lines and cells_of(longer) <= cells:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
