"""The entries of a transcript by their keys: what is shown, and what grows.

Whoever keeps indices or keys of entries is told by an `EntriesChange` what has become of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import NamedTuple

from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.text.growing_text import TextView
from kimi_tui.ui.state.entry import Entry
from kimi_tui.ui.transcript.item import LARGE_TEXT, SECTIONS, Item
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
    def __init__(self, viewport: Viewport, *, fold_reasoning: bool) -> None:
        self._viewport = viewport
        self.fold_reasoning = fold_reasoning
        self._indices: dict[str, int] = {}
        self._prepared: dict[str, Item] = {}  # of entries that will be shown

    def index(self, key: str | None) -> int | None:
        return None if key is None else self._indices.get(key)

    def item(self, key: str | None) -> Item | None:
        index = self.index(key)
        return None if index is None else self._viewport.items[index]

    def prepare(self, entries: Sequence[Entry]) -> None:
        """This may be done in a thread."""
        large = (entry for entry in entries if not entry.is_streaming and len(entry.text) > LARGE_TEXT)
        items = {entry.key: Item(entry, is_folded=self.fold_reasoning) for entry in large}
        for item in items.values():
            item.prepare()
        self._prepared = items

    def _is_prepared(self, entry: Entry) -> bool:
        known = self._prepared.get(entry.key)
        return known is not None and known.entry is entry and known.is_folded == self.fold_reasoning

    def _make_item(self, entry: Entry) -> Item:
        if self._is_prepared(entry):
            return self._prepared.pop(entry.key)
        return Item(entry, is_folded=self.fold_reasoning)

    def set_entries(self, entries: Sequence[Entry]) -> EntriesChange:
        """Entries that stay the same keep their lines and their fold."""
        shown = self._viewport.items
        same = sum(1 for _ in takewhile(_is_entry_of, zip(entries, shown, strict=False)))
        old = {item.key: item for item in shown[same:]}
        items, replaced = shown[:same], list[int]()
        for entry in entries[same:]:
            known = old.get(entry.key)
            if known is None:
                known = self._make_item(entry)
            elif known.entry is not entry and self._is_prepared(entry):  # of another session, where keys are the same
                known = self._make_item(entry)
                replaced.append(len(items))
            elif not known.shows(entry):
                known.update(entry)
                self._viewport.measure(self._indices[entry.key])
                replaced.append(len(items))
            items.append(known)
        if shown and items[: len(shown)] == shown:  # nothing else than more at the end
            return self._extend(items[len(shown) :], replaced)
        return self._set_items(items, replaced)

    def _extend(self, items: Sequence[Item], replaced: Sequence[int]) -> EntriesChange:
        first = len(self._viewport.items)
        for index, item in enumerate(items, first):
            self._indices[item.key] = index
            self._viewport.add(item)
        arrived = (first, Section.BODY) if items else None
        return EntriesChange(replaced=replaced, grown=range(first, first + len(items)), arrived=arrived)

    def _set_items(self, items: list[Item], replaced: Sequence[int]) -> EntriesChange:
        old, last = self._indices, self._viewport.items[-1].key if self._viewport.items else None
        self._viewport.set_items(items)
        self._indices = {item.key: index for index, item in enumerate(items)}
        added = [index for index, item in enumerate(items) if item.key not in old]
        end = self.index(last)
        below = next((index for index in added if end is not None and index > end), None)
        return EntriesChange(
            moved={index: self._indices[key] for key, index in old.items() if key in self._indices},
            replaced=replaced,
            grown=added,
            arrived=None if below is None else (below, Section.BODY),
            has_other_end=end is None,
        )

    def update(self, entry: Entry) -> EntriesChange:
        """Show an entry anew: its place, its fold, and the lines that are the same stay; one not there is ignored."""
        index = self._indices.get(entry.key)
        if index is None:
            return EntriesChange()
        item = self._viewport.items[index]
        is_longer = _is_grown(item, entry)
        item.update(entry)
        self._viewport.measure(index)
        return EntriesChange(replaced=() if is_longer else [index], grown=[index])

    def append(self, key: str, part: ReplyPart, text: str) -> EntriesChange:
        """An entry that is not there is ignored."""
        index = self._indices.get(key)
        if index is None:
            return EntriesChange()
        self._viewport.items[index].append(part, text)
        self._viewport.measure(index)
        return EntriesChange(grown=[index], arrived=(index, SECTIONS[part]) if text else None)


def _is_entry_of(pair: tuple[Entry, Item]) -> bool:
    return pair[1].entry is pair[0]


def _is_grown(item: Item, entry: Entry) -> bool:
    before = item.entry
    return _goes_on(before.text, entry.text) and _goes_on(before.reasoning or "", entry.reasoning or "")


def _goes_on(before: str | TextView, now: str | TextView) -> bool:
    return now is before or str(now).startswith(str(before))
