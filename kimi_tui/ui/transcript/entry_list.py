"""The entries of a transcript by their keys: what is shown, what grows, what is renamed.

Whoever keeps indices or keys of entries is told by an `EntriesChange` what has become of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.ui.state.entry import Entry
from kimi_tui.ui.transcript.item import LARGE_TEXT, SECTIONS, Item
from kimi_tui.ui.transcript.pieces import Section
from kimi_tui.ui.transcript.viewport import Viewport


@dataclass(frozen=True, slots=True)
class EntriesChange:
    """What happened to the entries; indices are those after the change, but for the keys of `moved`."""

    moved: Mapping[int, int] | None = None
    """New indices by the old ones, without those that are gone; None = all stay where they are."""
    replaced: Sequence[int] = ()
    """Entries with another text, which is no longer one of what was there."""
    grown: Sequence[int] = ()
    """Entries that are new, or whose text may be longer."""
    renamed: tuple[str, str] | None = None
    """The old and the new key of an entry."""
    arrived: tuple[int, Section] | None = None
    """The first place where text was added that nobody has read yet."""
    has_other_end: bool = False
    """Whether what was the last entry is gone: then nothing is new, it is another branch."""


class EntryList:
    """Which entries there are, in a viewport."""

    def __init__(self, viewport: Viewport, *, fold_reasoning: bool) -> None:
        """Start empty; `fold_reasoning` says whether the think blocks of new entries are closed."""
        self._viewport = viewport
        self.fold_reasoning = fold_reasoning
        self._indices: dict[str, int] = {}
        self._prepared: dict[str, Item] = {}  # of entries that will be shown

    def index(self, key: str | None) -> int | None:
        """Where an entry stands; None = it is not there."""
        return None if key is None else self._indices.get(key)

    def item(self, key: str | None) -> Item | None:
        """An entry with its layout; None = it is not there."""
        index = self.index(key)
        return None if index is None else self._viewport.items[index]

    def prepare(self, entries: Sequence[Entry]) -> None:
        """Cut the large texts of entries that will be shown; this may be done in a thread."""
        large = (entry for entry in entries if len(entry.text) > LARGE_TEXT)
        items = {entry.key: Item(entry, is_folded=self.fold_reasoning) for entry in large}
        for item in items.values():
            item.prepare()
        self._prepared = items

    def _make_item(self, entry: Entry) -> Item:
        known = self._prepared.pop(entry.key, None)
        if known is not None and known.entry is entry and known.is_folded == self.fold_reasoning:
            return known
        return Item(entry, is_folded=self.fold_reasoning)

    def set_entries(self, entries: Sequence[Entry]) -> EntriesChange:
        """Show other entries; those that stay the same keep their lines and their fold."""
        shown = self._viewport.items
        same = sum(1 for _ in takewhile(_is_entry_of, zip(entries, shown, strict=False)))
        old = {item.key: item for item in shown[same:]}
        items, replaced = shown[:same], list[int]()
        for entry in entries[same:]:
            known = old.get(entry.key)
            if known is None:
                known = self._make_item(entry)
            elif known.entry is not entry and known.entry != entry:
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

    def rename(self, old_key: str, entry: Entry) -> EntriesChange:
        """Show an entry under another key: its place, its lines, its fold stay; one not there is ignored."""
        index = self._indices.pop(old_key, None)
        if index is None:
            return EntriesChange()
        item = self._viewport.items[index]
        is_longer = _is_grown(item, entry)
        item.update(entry)
        self._indices[entry.key] = index
        self._viewport.measure(index)
        return EntriesChange(replaced=() if is_longer else [index], grown=[index], renamed=(old_key, entry.key))

    def append(self, key: str, part: ReplyPart, text: str) -> EntriesChange:
        """Add text to an entry; one that is not there is ignored."""
        index = self._indices.get(key)
        if index is None:
            return EntriesChange()
        self._viewport.items[index].append(part, text)
        self._viewport.measure(index)
        return EntriesChange(grown=[index], arrived=(index, SECTIONS[part]) if text else None)


def _is_entry_of(pair: tuple[Entry, Item]) -> bool:
    return pair[1].entry is pair[0]


def _is_grown(item: Item, entry: Entry) -> bool:
    """Whether an entry's texts begin with those that an item has."""
    return entry.text.startswith(item.text(Section.BODY)) and (entry.reasoning or "").startswith(
        item.text(Section.REASONING)
    )
