"""The links of a message, to choose from."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from kimi_tui.core.markdown.blocks import Block
from kimi_tui.core.markdown.links import Link, addresses_in, links_in
from kimi_tui.ui.transcript.entry_list import EntryList
from kimi_tui.ui.transcript.pieces import Section
from kimi_tui.ui.transcript.view import View

MAX_LINKS = 999
"""Most links of one message that can be chosen from."""


class MessageLinks:
    def __init__(self, entries: EntryList, view: View) -> None:
        self._entries, self._view = entries, view

    def of(self, key: str) -> list[Link]:
        """In order, the first `MAX_LINKS`; [] when the message is not there."""
        list(self._contents(key))  # where links lead may be said at the end of the message
        return list(islice(self._links(key), MAX_LINKS))

    def has_any(self, key: str) -> bool:
        """What stands behind the first link is not parsed for it."""
        return next(self._links(key), None) is not None

    def _links(self, key: str) -> Iterator[Link]:
        if (item := self._entries.item(key)) is None:
            return
        for content in self._contents(key):
            if isinstance(content, str):
                yield from addresses_in(content)
            elif "[" in content.source or "<" in content.source or "://" in content.source:
                yield from links_in(content.tokens, item.section(Section.BODY).source.references)

    def _contents(self, key: str) -> Iterator[Block | str]:
        self._view.fit()
        index, viewport = self._entries.index(key), self._view.viewport
        for place in () if index is None else viewport.body_pieces(index):
            if (content := viewport.piece(place).content) is not None:
                yield content
