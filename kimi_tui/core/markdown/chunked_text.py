"""A text of any length as chunks, each parsed to blocks only when it is looked at, and again after it was dropped.

A short text is one chunk. Of a long one only the chunks in view are parsed: a reply of any size opens at its end
without being read from its beginning. What a growing text adds is parsed by its last chunk alone. The text itself is
held by whoever shows it: a chunk knows where it stands there.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from kimi_tui.core.markdown import cutting
from kimi_tui.core.markdown.blocks import Block, parse
from kimi_tui.core.markdown.cutting import Cut, PlainSource, next_cut
from kimi_tui.core.markdown.inline import References
from kimi_tui.core.markdown.source import MarkdownSource
from kimi_tui.core.text.growing_text import GrowingText, TextView

_MAY_DEFINE = re.compile(r"(?:\A|[\r\n])[ \t>*+.)\-\d]*\[(?:[^\[\]\\]|\\.){1,999}\]:", re.DOTALL)
"""What may define the target of a link, in whatever it stands; where it is missing the parser would find none."""


class Chunk:
    __slots__ = (
        "_is_markdown", "_is_whole", "_source", "_taken", "_view", "_was_growing", "blocks", "chars", "finished",
        "is_inside", "opening", "references", "start", "table",
    )  # fmt: skip

    def __init__(
        self, view: TextView, start: int, chars: int, cut: Cut, table: int = -1, *, is_markdown: bool = False
    ) -> None:
        """`cut` = the end of the chunk before it."""
        self._view = view
        self.start = start
        """In characters of the whole text."""
        self.chars = chars
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
    def end(self) -> int:
        return self.start + self.chars

    @property
    def text(self) -> str:
        return self.behind(0)

    def behind(self, chars: int) -> str:
        """What stands behind so many of its characters."""
        return self._view.between(self.start + chars, self.end)

    @property
    def is_parsed(self) -> bool:
        return self._taken == self.chars

    def append(self, chars: int) -> None:
        """It is parsed when it is looked at."""
        self.chars += chars
        self._is_whole = False

    def cut(self, chars: int) -> None:
        """End here. What was parsed stays, where it does not reach farther."""
        self.chars, self._is_whole = chars, True
        if self._taken > chars:
            self.drop()
        elif self.is_parsed and not self._was_growing:
            self._source = None

    def show(self, view: TextView) -> None:
        """Read it elsewhere from now on, where the same stands."""
        self._view = view

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
            source.append(self.behind(self._taken))
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
        self._source, self._taken, self._was_growing = source, self.chars, is_growing
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
        return {it.label: it.href for it in parse(text)[1]}


class ChunkedText:
    def __init__(self, text: str | TextView = "", *, is_markdown: bool = False) -> None:
        self.chunks: list[Chunk] = []
        """Empty when there is no text."""
        self.references: References = {}
        """Targets of links, as far as they are known; another mapping as soon as there are others."""
        self._is_markdown = is_markdown
        self._found: dict[int, References] = {}  # by chunk
        self._known = 0  # of how many chunks, from the first on, all targets of links are found
        self._read(text)
        self._add(0, Cut(0))

    def _read(self, text: str | TextView) -> None:
        self._view: TextView = GrowingText(text) if isinstance(text, str) else text

    @property
    def text(self) -> str:
        return str(self._view)

    @property
    def is_behind(self) -> bool:
        """Whether there is more than what was taken in by `grow`."""
        return self.chars != len(self._view)

    @property
    def chars(self) -> int:
        return self.chunks[-1].end if self.chunks else 0

    def grow(self) -> None:
        """Take in what the view has grown by."""
        if not self.chunks:
            self._add(0, Cut(0))
            return
        last = self.chunks[-1]
        self._known = min(self._known, len(self.chunks) - 1)
        last.append(len(self._view) - last.end)
        if last.chars > cutting.SAFE_CHARS:
            cut = next_cut(last.text, last.opening, is_markdown=self._is_markdown)
            if cut is not None:
                last.cut(cut.chars)
                self._add(last.end, cut, last.table_behind(cut))

    def change_to(self, text: str | TextView) -> None:
        """Become another text; what is the same at its beginning keeps its chunks."""
        before = self._view
        self._read(text)
        same = 0
        while same < len(self.chunks) and self._has_same(self.chunks[same], before):
            self.chunks[same].show(self._view)
            same += 1
        if same == len(self.chunks):
            self.grow()
            return
        first = self.chunks[same]
        del self.chunks[same:]
        self._found = {place: found for place, found in self._found.items() if place < same}
        self._known = min(self._known, same)
        self._add(first.start, Cut(0, first.opening, first.is_inside), first.table)

    def _has_same(self, chunk: Chunk, before: TextView) -> bool:
        return self._view is before or self._view.between(chunk.start, chunk.end) == chunk.text

    def _add(self, start: int, cut: Cut, table: int = -1) -> None:
        """`table` = where the table begins that goes on behind the cut; -1 = none does."""
        while start < len(self._view):
            window = self._view.between(start, start + cutting.HARD_CHARS + 1)
            end = next_cut(window, cut.opening, is_markdown=self._is_markdown) or Cut(len(window))
            chunk = Chunk(self._view, start, end.chars, cut, table, is_markdown=self._is_markdown)
            self.chunks.append(chunk)
            start, cut, table = chunk.end, end, chunk.table_behind(end)

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
        at = self.chunks[place].start
        before = self._view.between(max(at + start - reach, 0), at + start)
        return before, self._view.between(at + end, min(at + end + reach, self.chars))
