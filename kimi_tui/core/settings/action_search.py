"""Actions by what one types: every word has to stand in an action's words, as their beginning or as a part."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kimi_tui.core.settings.actions import Action

LEAST_PART = 3
"""From how many characters on a word may stand inside another one."""
WHOLE, NAME, BEGINNING, PART, HELP = 5, 4, 3, 2, 1
"""How well a word fits: it is the name, begins it, begins a word of it, stands in it, or in what it does."""
_BREAKS = re.compile(r"[\s\-/]+")


def rank(action: Action, query: str, keys: Sequence[str] = ()) -> int:
    """Say how well an action fits what was typed; 0 = not at all, else more is better.

    `keys` are as people write them; one that is typed whole names it.
    """
    words = dict.fromkeys(query.casefold().split())  # a page may have been pasted, which says the same again and again
    names = [name.casefold() for name in (action.title, action.id, *action.aliases)]
    total = 0
    for word in words:
        if not (fit := _fit(word, names, action.help.casefold(), keys)):
            return 0
        total += fit
    return total


def _fit(word: str, names: Sequence[str], help_: str, keys: Sequence[str]) -> int:
    bare = word.removeprefix("/") or word
    if bare in names or word in (key.casefold() for key in keys):
        return WHOLE
    if any(name.startswith(bare) for name in names):
        return NAME
    if any(part.startswith(bare) for name in names for part in _BREAKS.split(name)):
        return BEGINNING
    if len(bare) < LEAST_PART:
        return 0
    if any(bare in name for name in names):
        return PART
    return HELP if any(part.startswith(bare) for part in re.findall(r"\w+", help_)) else 0


def spans(label: str, query: str) -> Iterator[tuple[int, int]]:
    """The places in a label where the words that were typed stand: the first of each, at a word's beginning if any."""
    for word in query.casefold().split():
        begun = re.search(rf"(?<!\w){re.escape(word)}", label.casefold())
        start = begun.start() if begun else label.casefold().find(word)
        if start >= 0:
            yield start, start + len(word)
