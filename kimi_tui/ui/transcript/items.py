"""The entries of a transcript in order: each becomes an item when it is looked at, of thousands only some do."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from kimi_tui.ui.state.entries import MessageEntries, Source, is_laid_out, key_of, kind_of
from kimi_tui.ui.state.entry import Entry, EntryKind
from kimi_tui.ui.transcript.item import Item, estimated_height
from kimi_tui.ui.transcript.pieces import Look, Section

LARGE_TEXT = 1_000_000
"""A text of more characters takes longer to cut than a key may wait."""


class Items:
    """What is asked of every entry (text, kind, fold) is answered from the sources and creates no `Item`."""

    def __init__(self, *, fold_reasoning: bool) -> None:
        self.fold_reasoning = fold_reasoning
        """Whether the think blocks of those are closed that nobody has looked at."""
        self._sources: list[Source] = []
        self._keys: list[str] = []  # theirs: what is in view is asked for in every frame
        self._messages: MessageEntries | None = None  # makes their entries; None = there is no message among them
        self._made: dict[str, Item] = {}
        self._prepared: dict[str, Item] = {}  # of entries that will be shown

    # -- each by its index

    def __len__(self) -> int:
        return len(self._sources)

    def __getitem__(self, index: int) -> Item:
        key = self._keys[index]
        if key not in self._made:
            entry = _entry(self._sources[index], self._messages)
            self._made[key] = self._take_prepared(entry) or Item(entry, is_folded=self.fold_reasoning)
        return self._made[key]

    def __iter__(self) -> Iterator[Item]:
        return (self[index] for index in range(len(self)))

    def key(self, index: int) -> str:
        return self._keys[index]

    def find(self, key: str) -> int | None:
        """Looks from the end: what grows stands there."""
        return next((index for index in range(len(self) - 1, -1, -1) if self._keys[index] == key), None)

    def keys(self) -> Sequence[str]:
        return self._keys

    def kind(self, index: int) -> EntryKind:
        item = self._made.get(self._keys[index])
        return kind_of(self._sources[index]) if item is None else item.kind

    def text(self, index: int, section: Section) -> str:
        """Of the body or the reasoning, as it is shown."""
        source = self._sources[index]
        if isinstance(source, Entry) or self._keys[index] in self._made:
            return self[index].text(section)
        if section is Section.REASONING:
            return source.reasoning or ""
        return self[index].text(section) if is_laid_out(source) else source.content

    def has_thought(self, index: int) -> bool:
        source = self._sources[index]
        if isinstance(source, Entry) or self._keys[index] in self._made:
            return self[index].has_thought
        return bool(source.reasoning)

    def is_folded(self, index: int) -> bool:
        item = self._made.get(self._keys[index])
        return self.fold_reasoning if item is None else item.is_folded

    def height(self, index: int, look: Look) -> int:
        """As far as that is known."""
        item = self._made.get(self._keys[index])
        if item is not None:
            return item.height(look)
        source = self._sources[index]
        text = source.text if isinstance(source, Entry) else source.content
        return estimated_height(kind_of(source), text, None if self.fold_reasoning else source.reasoning, look.width)

    # -- all of them

    def fold(self, is_folded: bool) -> None:
        """Close or open the think blocks of all; those to come are as these are."""
        self.fold_reasoning = is_folded
        for item in self._made.values():
            if item.is_folded != is_folded:
                item.fold(is_folded)

    def prepare(self, sources: Sequence[Source], messages: MessageEntries | None) -> None:
        """This may be done in a thread."""
        items = dict[str, Item]()
        for source in sources:
            if isinstance(source, Entry) and source.is_streaming:
                continue
            if len(source.text if isinstance(source, Entry) else source.content) > LARGE_TEXT:
                items[key_of(source)] = item = Item(_entry(source, messages), is_folded=self.fold_reasoning)
                item.prepare()
        self._prepared = items

    def _take_prepared(self, entry: Entry) -> Item | None:
        known = self._prepared.get(entry.key)
        if known is None or known.entry != entry or known.is_folded != self.fold_reasoning:
            return None
        return self._prepared.pop(entry.key)

    def change_to(
        self, sources: Sequence[Source], keys: list[str], messages: MessageEntries | None, was: Iterable[int | None]
    ) -> list[int]:
        """Have others, with their keys; which of them had another text before.

        Those of the same key keep their fold and the lines that are the same. `was` = where each stood, None = nowhere;
        it may end where only new ones follow.
        """
        before, messages_before = self._sources, self._messages
        self._sources, self._keys, self._messages = list(sources), keys, messages
        are_marked_alike = messages_before == messages
        replaced = list[int]()
        for index, (source, old_index) in enumerate(zip(sources, was, strict=False)):
            old = None if old_index is None else before[old_index]
            if old is None or (old is source and are_marked_alike):
                continue
            item = self._made.get(self._keys[index])
            if item is None:
                is_other = old != source
            elif old is source and _has_same_marks(source, messages_before, messages):
                is_other = False
            else:
                is_other = self._update(item, _entry(source, messages))
            if is_other:
                replaced.append(index)
        return replaced

    def _update(self, item: Item, entry: Entry) -> bool:
        """Whether it is another one."""
        if item.shows(entry):
            return False
        prepared = self._take_prepared(entry)
        if prepared is None:
            item.update(entry)
        else:
            self._made[entry.key] = prepared
        return True

    def update(self, index: int, entry: Entry) -> None:
        """Show an entry in the place of what stood there."""
        self[index].update(entry)
        self._sources[index] = entry

    def keep(self, keys: Collection[str]) -> None:
        """Forget all others."""
        self._made = {key: item for key, item in self._made.items() if key in keys}


def _entry(source: Source, messages: MessageEntries | None) -> Entry:
    if isinstance(source, Entry):
        return source
    assert messages is not None, "somebody must make their entries"
    return messages.entry(source)


def _has_same_marks(source: Source, before: MessageEntries | None, now: MessageEntries | None) -> bool:
    return before is not None and now is not None and before.marks(source) == now.marks(source)
