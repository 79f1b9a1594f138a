"""A text of any length as chunks, each parsed to blocks only when it is looked at, and again after it was dropped.

A short text is one chunk. Of a long one only the chunks in view are parsed: a reply of any size opens at its end
without being read from its beginning. What a growing text adds is parsed by its last chunk alone.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from kimi_tui.core.markdown.blocks import Block, parse
from kimi_tui.core.markdown.cutting import HARD_CHARS, Cut, PlainSource, next_cut
from kimi_tui.core.markdown.inline import References
from kimi_tui.core.markdown.source import MarkdownSource

_MAY_DEFINE = re.compile(r"(?:\A|[\r\n])[ \t>*+.)\-\d]*\[(?:[^\[\]\\]|\\.){1,999}\]:", re.DOTALL)
"""What may define the target of a link, in whatever it stands; where it is missing the parser would find none."""


class Chunk:
    __slots__ = (
        "_is_markdown", "_is_whole", "_source", "_taken", "_was_growing", "blocks", "finished",
        "is_inside", "opening", "references", "start", "table", "text",
    )  # fmt: skip

    def __init__(self, text: str, start: int, cut: Cut, table: int = -1, *, is_markdown: bool = False) -> None:
        """`cut` = the end of the chunk before it."""
        self.text = text
        self.start = start
        """In characters of the whole text."""
        self.opening = cut.opening
        self.is_inside = cut.is_inside
        self.table = table
        self.blocks: list[Block | str] = []
        """What it was parsed to: Markdown, or some lines of plain text; nothing before it is looked at."""
        self.finished = 0
        """How many of them cannot change any more."""
        self.references: References = {}
        self._is_markdown = is_markdown
        self._source: MarkdownSource | PlainSource | None = None
        self._taken = 0  # how many characters the source has
        self._is_whole = False  # whether nothing is added any more
        self._was_growing = False  # whether more was expected when it was parsed, so that its end may look half

    @property
    def is_parsed(self) -> bool:
        return self._taken == len(self.text)

    def append(self, text: str) -> None:
        """It is parsed when it is looked at."""
        self.text += text
        self._is_whole = False

    def cut(self, chars: int) -> str:
        """End here; what stood behind is given back. What was parsed stays, where it does not reach farther."""
        rest, self.text = self.text[chars:], self.text[:chars]
        self._is_whole = True
        if self._taken > chars:
            self.drop()
        elif self.is_parsed and not self._was_growing:
            self._source = None
        return rest

    def table_behind(self, cut: Cut) -> int:
        """Where the table begins that goes on behind its end; -1 = none does."""
        return self.start + cut.table if cut.table >= 0 else self.table if cut.opening else -1

    def drop(self) -> None:
        self._source = None
        self.blocks, self.finished, self._taken = [], 0, 0

    def parse(self, *, is_streaming: bool) -> bool:
        """Take in what was added since the last time; False = nothing was."""
        is_growing = is_streaming and self._is_markdown and not self._is_whole
        if self.is_parsed and (is_growing or not self._was_growing):
            return False
        source = self._source
        if source is not None:
            source.append(self.text[self._taken :])
        elif self._is_markdown:
            source = MarkdownSource(
                self.text,
                is_growing=is_growing,
                start=self.start,
                opening=self.opening,
                is_inside=self.is_inside,
                table=self.table,
            )
        else:
            source = PlainSource(self.text)
        if isinstance(source, MarkdownSource):
            if not is_growing:
                source.settle()
            self.references = source.references
        self.blocks[self.finished :] = [*source.finished[self.finished :], *source.open]
        self.finished = len(source.finished)
        self._source, self._taken, self._was_growing = source, len(self.text), is_growing
        if self._is_whole:
            self._source = None
        return True

    def targets(self) -> References:
        """Targets of links in it when nothing is added any more, whether or not it was parsed."""
        if self.is_parsed and not self._was_growing:
            return self.references
        text = self.opening + self.text
        if "]:" not in text or not _MAY_DEFINE.search(text):
            return {}
        return {label: target for _, label, target in parse(text)[1]}


class ChunkedText:
    def __init__(self, text: str = "", *, is_markdown: bool = False) -> None:
        self.chunks: list[Chunk] = []
        """Empty when there is no text."""
        self.references: References = {}
        """Targets of links, as far as they are known; another mapping as soon as there are others."""
        self._is_markdown = is_markdown
        self._found: dict[int, References] = {}  # by chunk
        self._known = 0  # of how many chunks, from the first on, all targets of links are found
        self._add(text, 0, Cut(0))

    @property
    def text(self) -> str:
        return self.chunks[0].text if len(self.chunks) == 1 else "".join(chunk.text for chunk in self.chunks)

    @property
    def chars(self) -> int:
        return self.chunks[-1].start + len(self.chunks[-1].text) if self.chunks else 0

    def append(self, text: str) -> None:
        if not self.chunks:
            self._add(text, 0, Cut(0))
            return
        last = self.chunks[-1]
        self._known = min(self._known, len(self.chunks) - 1)
        last.append(text)
        cut = next_cut(last.text, last.opening, is_markdown=self._is_markdown)
        if cut is not None:
            self._add(last.cut(cut.chars), last.start + cut.chars, cut, last.table_behind(cut))

    def change_to(self, text: str) -> None:
        """Become another text; what is the same at its beginning keeps its chunks."""
        same = 0
        while same < len(self.chunks) and text.startswith(self.chunks[same].text, self.chunks[same].start):
            same += 1
        if same == len(self.chunks):
            self.append(text[self.chars :])
            return
        first = self.chunks[same]
        del self.chunks[same:]
        self._found = {place: found for place, found in self._found.items() if place < same}
        self._known = min(self._known, same)
        self._add(text[first.start :], first.start, Cut(0, first.opening, first.is_inside), first.table)

    def _add(self, text: str, start: int, cut: Cut, table: int = -1) -> None:
        """`table` = where the table begins that goes on behind the cut; -1 = none does."""
        place = 0
        while place < len(text):
            window = text[place : place + HARD_CHARS + 1]
            end = next_cut(window, cut.opening, is_markdown=self._is_markdown) or Cut(len(window))
            chunk = Chunk(window[: end.chars], start + place, cut, table, is_markdown=self._is_markdown)
            self.chunks.append(chunk)
            place, cut, table = place + end.chars, end, chunk.table_behind(end)

    def parse(self, place: int, *, is_streaming: bool) -> bool:
        """Parse a chunk, and find the targets of links that stand in others; False = its blocks were known."""
        whole = len(self.chunks) - is_streaming
        is_new = self.chunks[place].parse(is_streaming=is_streaming and place == whole)
        if is_new:
            self._learn({place: self.chunks[place].references})
        self._find_targets(whole)
        return is_new

    def prepare(self) -> None:
        """Find what has to be known of the whole text before any of it is shown; it is complete."""
        self._find_targets(len(self.chunks))

    def _find_targets(self, whole: int) -> None:
        """Find the targets of links in the first so many chunks: they count in all, whichever are in view."""
        if self._known < whole and self._is_markdown:
            self._learn({place: self.chunks[place].targets() for place in range(self._known, whole)})
            self._known = whole

    def _learn(self, found: dict[int, References]) -> None:
        """The first of those with the same label counts."""
        if all(self._found.get(place, {}) == references for place, references in found.items()):
            return
        self._found |= found
        known: dict[str, str] = {}
        for _, references in sorted(self._found.items(), reverse=True):
            known |= references
        if known != self.references:
            self.references = known

    def chunk_at(self, chars: int) -> int:
        return max(bisect_right(self.chunks, chars, key=lambda chunk: chunk.start) - 1, 0)

    def around(self, place: int, start: int, end: int, reach: int) -> tuple[str, str]:
        """So many characters before and behind a part of a chunk, `start` and `end` counted in the chunk."""
        text = self.chunks[place].text
        before, after = text[max(start - reach, 0) : start], text[end : end + reach]
        if len(before) < reach and place:
            before = self.chunks[place - 1].text[-reach:] + before
        if len(after) < reach and place + 1 < len(self.chunks):
            after += self.chunks[place + 1].text[:reach]
        return before, after
