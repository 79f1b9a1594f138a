"""Which session a text names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kimi_tui.core.errors import StorageError
from kimi_tui.core.session.listing import names_of
from kimi_tui.core.session.session import SessionSummary

SHOWN_CANDIDATES = 5
"""How many sessions an ambiguous name lists."""


def find_in(summaries: Sequence[SessionSummary], text: str, what: str, hint: str) -> Path:
    """Find the one session that a text names.

    Raises:
        StorageError: None or several fit; several are listed.
    """
    word = text.casefold()
    rules = (
        [s for s in summaries if s.id == text and Path(s.path).stem == text],
        [s for s in summaries if s.id == text],
        [s for s in summaries if text in {Path(s.path).stem, Path(s.path).name}],
        [s for s in summaries if text and s.id.startswith(text)],
        [s for s in summaries if s.title.casefold() == word],
        [s for s in summaries if word and word in s.title.casefold()],
    )
    found = next((matches for matches in rules if matches), [])
    if len(found) == 1:
        return Path(found[0].path)
    if not found:
        raise StorageError(f"There is no {what} {text!r}.", hint)
    names = names_of(found)
    shown = [f"{name} {s.title}".rstrip() for name, s in zip(names, found, strict=True)][:SHOWN_CANDIDATES]
    more = ["…"] if len(found) > len(shown) else []
    raise StorageError(
        f"{text!r} fits {len(found)} sessions: {'; '.join(shown + more)}.", "Name one by its id or file."
    )
