"""Which known names a wrong one may have meant."""

from __future__ import annotations

from collections.abc import Iterable

from kimi_tui.core.text.quoting import SHOWN_CHARS

MOST_ALIKE = 2
"""How many names are told that are merely alike."""
LEAST_PART = 3
"""From how many characters on a part of a name may stand for it."""


def nearest(name: object, known: Iterable[str], where: str = "") -> str:
    """The known names that begin like a wrong one, else hold it, else are most like it.

    Where none is, the place that lists them; "" = all of them here.
    """
    names = list(known)
    near = _near(name[:SHOWN_CHARS], names) if isinstance(name, str) and name else []
    return " or ".join(near or [where or ", ".join(names)])


def _near(name: str, names: list[str]) -> list[str]:
    word = name.lower()
    if begun := [other for other in names if other.lower().startswith(word)]:
        return begun
    if len(word) >= LEAST_PART and (around := [other for other in names if word in other.lower()]):
        return around
    from difflib import get_close_matches  # noqa: PLC0415 - for mistakes only

    small = {other.lower(): other for other in names}
    return [small[other] for other in get_close_matches(word, small, n=MOST_ALIKE)]
