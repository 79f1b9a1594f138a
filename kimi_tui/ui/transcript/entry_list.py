"""The entries of a transcript by their keys: what is shown, and what grows.

Whoever keeps indices or keys of entries is told by an `EntriesChange` what has become of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.text.growing_text import TextView
from kimi_tui.ui.state.entries import MessageEntries, Source, key_of
from kimi_tui.ui.state.entry import Entry
from kimi_tui.ui.transcript.item import SECTIONS, Item
from kimi_tui.ui.transcript.pieces import Section
from kimi_tui.ui.transcript.viewport import Viewport


class EntriesChange(NamedTuple):
    """Indices are those after the change, but for the keys of `moved`."""

    moved: Mapping[int, int] | None = None
    """New indices by the old ones, without those that are gone; None = all stay where they are."""
    replaced: Sequence[int] = ()
    """Entries with another text, not one that only grew."""
    grown: Sequence[int] = ()
    """Entries that are new, or whose text may be longer."""
    arrived: tuple[int, Section] | None = None
    """The first place where text was added that nobody has read yet."""
    has_other_end: bool = False
    """Whether what was the last entry is gone: then nothing is new, it is another branch."""


class EntryList:
    def __init__(self, viewport: Viewport) -> None:
        self._viewport = viewport
        self._indices: dict[str, int | None] = {}  # those that were asked for

    def index(self, key: str | None) -> int | None:
        if key is None:
            return None
        if key not in self._indices:
            self._indices[key] = self._viewport.items.find(key)
        return self._indices[key]

    def item(self, key: str | None) -> Item | None:
        index = self.index(key)
        return None if index is None else self._viewport.items[index]

    def set_entries(self, sources: Sequence[Source], messages: MessageEntries | None = None) -> EntriesChange:
        """Entries that stay the same keep their lines and their fold; `messages` makes those of messages."""
        self._indices.clear()
        items, old, new = self._viewport.items, self._viewport.items.keys(), list(map(key_of, sources))
        if old and old == new[: len(old)]:  # nothing else than more at the end
            replaced = items.change_to(sources, new, messages, range(len(old)))
            self._viewport.add(replaced)
            grown = range(len(old), len(new))
            return EntriesChange(None, replaced, grown, (len(old), Section.BODY) if grown else None)
        known = {key: index for index, key in enumerate(old)}
        was = list(map(known.get, new))
        replaced = items.change_to(sources, new, messages, was)
        items.keep(set(new))
        moved = {old_index: index for index, old_index in enumerate(was) if old_index is not None}
        self._viewport.move(moved)
        added = [index for index, old_index in enumerate(was) if old_index is None]
        end = moved.get(len(old) - 1)
        below = next((index for index in added if end is not None and index > end), None)
        return EntriesChange(moved, replaced, added, None if below is None else (below, Section.BODY), end is None)

    def update(self, entry: Entry) -> EntriesChange:
        """Show an entry anew: its place, its fold, and the lines that are the same stay; one not there is ignored."""
        index = self.index(entry.key)
        if index is None:
            return EntriesChange()
        is_longer = _is_grown(self._viewport.items[index], entry)
        self._viewport.items.update(index, entry)
        self._viewport.measure(index)
        return EntriesChange(replaced=() if is_longer else [index], grown=[index])

    def grow(self, key: str, part: ReplyPart) -> EntriesChange:
        """Take in what the view of an entry has grown by; one not there is ignored."""
        index = self.index(key)
        if index is None:
            return EntriesChange()
        self._viewport.items[index].grow(part)
        self._viewport.measure(index)
        return EntriesChange(grown=[index], arrived=(index, SECTIONS[part]))


def _is_grown(item: Item, entry: Entry) -> bool:
    before = item.entry
    return _goes_on(before.text, entry.text) and _goes_on(before.reasoning or "", entry.reasoning or "")


def _goes_on(before: str | TextView, now: str | TextView) -> bool:
    return now is before or str(now).startswith(str(before))
