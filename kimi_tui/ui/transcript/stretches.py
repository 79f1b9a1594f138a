"""A text as stretches, each parsed only when it is looked at, and parsed again after it was dropped.

A short text is one stretch. Of a long one only the stretches in view are parsed: a reply of any size opens at its end
without being read from its beginning. What a growing text adds is parsed by its last stretch alone.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace

from kimi_tui.core.markdown.block_cuts import without_prefix
from kimi_tui.core.markdown.source import Block, MarkdownSource, References
from kimi_tui.ui.transcript.heights import Heights
from kimi_tui.ui.transcript.highlight import LineColours
from kimi_tui.ui.transcript.link_targets import targets
from kimi_tui.ui.transcript.pieces import Look, Piece, size_of
from kimi_tui.ui.transcript.plain import PlainSource
from kimi_tui.ui.transcript.stretch_cuts import HARD_CHARS, Cut, next_cut


class Stretch:
    """A run of text that is parsed as one."""

    __slots__ = (
        "_done", "_is_whole", "_parsed_before", "_size", "_source", "_taken", "_was_growing", "goes_on", "heights",
        "opening", "pieces", "references", "start", "table", "text",
    )  # fmt: skip

    def __init__(self, text: str, start: int, opening: str = "", *, goes_on: bool = False, table: int = -1) -> None:
        """Nothing is parsed yet."""
        self.text = text
        """Its source."""
        self.start = start
        """Where it begins, in characters of the whole text."""
        self.opening = opening
        """First lines of the fence or table that it goes on with; "" = none."""
        self.goes_on = goes_on
        """Whether it begins inside a block."""
        self.table = table
        """Where the table begins that it goes on with, in characters of the whole text; -1 = it does not."""
        self.pieces: list[Piece] = []
        """What it was parsed to; nothing before it is looked at."""
        self.heights = Heights()
        """Lines of its pieces, kept when they are dropped."""
        self.references: References = {}
        """Targets of links in it, as far as it was parsed."""
        self._source: MarkdownSource | PlainSource | None = None
        self._taken = 0  # how many characters the source has
        self._done = 0  # how many pieces cannot change any more
        self._is_whole = False  # whether nothing is added any more
        self._was_growing = False  # whether more was expected when it was parsed, so that its end may look half
        self._size = size_of(text)
        self._parsed_before = 0

    @property
    def parsed_chars(self) -> int:
        """How much was given to the parser, for those who count."""
        now = self._source.parsed_chars if isinstance(self._source, MarkdownSource) else 0
        return self._parsed_before + now

    def height(self, width: int) -> int:
        """How many lines it has, as far as that is known."""
        if len(self.heights):
            return self.heights.total
        ends, chars = self._size
        return ends + chars // max(width, 1)

    def append(self, text: str) -> None:
        """Add text at the end; it is parsed when it is looked at."""
        self.text += text
        self._is_whole = False
        ends, chars = size_of(text)
        self._size = self._size[0] + ends, self._size[1] + chars

    def cut(self, chars: int) -> str:
        """End here; what stood behind is given back. What was parsed stays, where it does not reach farther."""
        rest, self.text = self.text[chars:], self.text[:chars]
        self._size = size_of(self.text)
        self._is_whole = True
        if self._taken > chars:
            self.drop()
            self.heights = Heights()
        elif self.pieces:
            self.pieces[-1].lines = None  # it was the last one, and may look different as such
            if self._taken == chars and not self._was_growing:
                self._close()
        return rest

    def table_behind(self, cut: Cut) -> int:
        """Where the table begins that goes on behind its end; -1 = none does."""
        return self.start + cut.opened if cut.opened >= 0 else self.table if cut.opening else -1

    def _close(self) -> None:
        """Nothing comes any more."""
        if isinstance(self._source, MarkdownSource):
            self._parsed_before += self._source.parsed_chars
        self._source = None

    def drop(self) -> None:
        """Give up what it was parsed to."""
        self._close()
        self.pieces, self._taken, self._done = [], 0, 0

    def restyle(self, width: int | None) -> None:
        """Give up all lines; at another width the heights as well."""
        self.forget_lines()
        if width is not None:
            self.heights = Heights(piece.estimate(width) for piece in self.pieces)

    def forget_lines(self) -> None:
        """Give up the lines, not the heights."""
        for piece in self.pieces:
            piece.lines = None

    def parse(self, look: Look, *, is_markdown: bool, is_streaming: bool) -> bool:
        """Take in what was added since the last time; False = nothing was.

        Args:
            look: How it is laid out.
            is_markdown: Whether it is Markdown.
            is_streaming: Whether more may be added.
        """
        is_growing = is_streaming and is_markdown and not self._is_whole
        if self._is_parsed and (is_growing or not self._was_growing):
            return False
        if self._source is None:
            self.drop()
            text = self.opening + self.text
            self._source = MarkdownSource(text, is_growing=is_growing) if is_markdown else PlainSource(text)
        else:
            self._source.append(self.text[self._taken :])
        self._taken, self._was_growing = len(self.text), is_growing
        if isinstance(self._source, MarkdownSource):
            if not is_growing:
                self._source.settle()
            self.references = self._source.references
        self._fill(look.width, self._source, is_growing=is_growing)
        if self._is_whole:
            self._close()
        return True

    @property
    def _is_parsed(self) -> bool:
        return self._taken == len(self.text)

    def all_references(self) -> References:
        """Targets of links in it when nothing is added any more, whether or not it was parsed."""
        if self._is_parsed and not self._was_growing:
            return self.references
        return targets(self.opening + self.text)

    def _fill(self, width: int, source: MarkdownSource | PlainSource, *, is_growing: bool) -> None:
        """Make pieces of what the source has more than before; those of an open end are made anew."""
        known = self.heights if len(self.heights) == len(source.finished) + len(source.open) else None
        opened = self.pieces[self._done :]
        del self.pieces[self._done :]
        if self.pieces and not opened:
            self.pieces[-1].lines = None  # it was the last one, and may look different as such
        if known is None:
            self.heights.cut(min(self._done, len(self.heights)))
        for content in source.finished[self._done :]:
            self._add(content, width, is_known=known is not None)
        self._done = len(self.pieces)
        for content in source.open:
            piece = self._add(content, width, is_known=known is not None)
            if is_growing:
                colours = next((old.colours for old in opened if old.start == piece.start), None)
                piece.colours = colours or LineColours()

    def _add(self, content: Block | str, width: int, *, is_known: bool) -> Piece:
        if isinstance(content, str):
            start = self.pieces[-1].start + len(self.pieces[-1].source) if self.pieces else 0
        else:
            start = max(content.start - len(self.opening), 0)
            if self.opening and not self.pieces:  # it goes on under lines that stand elsewhere
                content = replace(without_prefix(content, self.opening), head=content.head or content)
        piece = Piece(content, start)
        self.pieces.append(piece)
        if not is_known:
            self.heights.append(piece.estimate(width))
        return piece

    def piece_at(self, chars: int) -> int:
        """Which piece holds a character of its text; it is parsed."""
        return max(bisect_right(self.pieces, chars, key=lambda piece: piece.start) - 1, 0)


class Part:
    """A section of an entry: its text as stretches."""

    def __init__(self, text: str = "", *, is_markdown: bool = False) -> None:
        """Nothing is parsed yet."""
        self._is_markdown = is_markdown
        self.stretches: list[Stretch] = []
        """Its stretches, in order; none when there is no text."""
        self.references: References = {}
        """Targets of links, as far as they are known."""
        self._found: dict[int, References] = {}  # by stretch
        self._known = 0  # of how many stretches, from the first on, all targets of links are found
        self._was_streaming = False
        self._heights = Heights()
        self._look: Look | None = None
        self._add(text, 0)

    @property
    def text(self) -> str:
        """The whole text."""
        if len(self.stretches) == 1:
            return self.stretches[0].text
        return "".join(stretch.text for stretch in self.stretches)

    @property
    def chars(self) -> int:
        """Characters of the whole text."""
        return self.stretches[-1].start + len(self.stretches[-1].text) if self.stretches else 0

    @property
    def height(self) -> int:
        """How many lines it has, as far as that is known."""
        return self._heights.total

    def append(self, text: str) -> None:
        """Add text at the end."""
        if not text:
            return
        if not self.stretches:
            self._add(text, 0)
            return
        place, last = len(self.stretches) - 1, self.stretches[-1]
        self._known = min(self._known, place)
        last.append(text)
        cut = next_cut(last.text, last.opening, is_markdown=self._is_markdown)
        if cut is not None:
            rest = last.cut(cut.chars)
            self._add(rest, last.start + cut.chars, cut, last.table_behind(cut))
        self.measure(place)

    def change_to(self, text: str) -> None:
        """Become another text; what is the same at its beginning keeps its stretches, and its lines if it only grew."""
        same = 0
        for stretch in self.stretches:
            if not text.startswith(stretch.text, stretch.start):
                break
            same += 1
        if same == len(self.stretches):
            self.append(text[self.chars :])
            return
        start, table = self.stretches[same].start, self.stretches[same].table
        cut = Cut(0, self.stretches[same].opening, self.stretches[same].goes_on)
        del self.stretches[same:]
        self._heights.cut(same)
        self._found = {place: found for place, found in self._found.items() if place < same}
        self._known = min(self._known, same)
        for stretch in self.stretches[-1:]:
            stretch.forget_lines()
        self._add(text[start:], start, cut, table)

    def around(self, place: int, piece: Piece, reach: int = 64) -> tuple[str, str]:
        """What stands right before a piece and right behind it, in characters of the text."""
        stretch = self.stretches[place]
        end = piece.start + len(piece.source)
        before = stretch.text[max(piece.start - reach, 0) : piece.start]
        if len(before) < reach and place:
            before = self.stretches[place - 1].text[-reach:] + before
        after = stretch.text[end : end + reach]
        if len(after) < reach and place + 1 < len(self.stretches):
            after += self.stretches[place + 1].text[:reach]
        return before, after

    def _add(self, text: str, start: int, before: Cut | None = None, table: int = -1) -> None:
        """Add stretches, behind a cut that was made before; `table` = where the table begins that goes on there."""
        place, cut = 0, before or Cut(0)
        while place < len(text):
            window = text[place : place + HARD_CHARS + 1]
            end = next_cut(window, cut.opening, is_markdown=self._is_markdown) or Cut(len(window))
            stretch = Stretch(window[: end.chars], start + place, cut.opening, goes_on=cut.is_inside, table=table)
            self.stretches.append(stretch)
            self._heights.append(stretch.height(self._width))
            place, cut, table = place + end.chars, end, stretch.table_behind(end)

    @property
    def _width(self) -> int:
        return 80 if self._look is None else self._look.width

    def see(self, look: Look) -> None:
        """Give up the lines of another look."""
        if self._look is look:
            return
        is_other_width = self._look is None or self._look.width != look.width
        self._look = look
        for stretch in self.stretches:
            stretch.restyle(look.width if is_other_width else None)
        if is_other_width:
            self._heights = Heights(stretch.height(look.width) for stretch in self.stretches)

    def parse(self, place: int, look: Look, *, is_streaming: bool) -> Stretch:
        """One stretch, parsed."""
        self.see(look)
        if self._was_streaming and not is_streaming:
            self._give_up_expected()
        self._was_streaming = is_streaming
        stretch = self.stretches[place]
        whole = len(self.stretches) - is_streaming
        if stretch.parse(look, is_markdown=self._is_markdown, is_streaming=is_streaming and place == whole):
            self._learn({place: stretch.references})
            self.measure(place)
        self._find_references(whole)
        return stretch

    def prepare(self) -> None:
        """Find what has to be known of the whole text before any of it is shown; it is complete."""
        self._find_references(len(self.stretches))

    def _find_references(self, whole: int) -> None:
        """Find the targets of links in the first so many stretches: they count in all, whichever are in view."""
        if self._known < whole and self._is_markdown:
            self._learn({at: self.stretches[at].all_references() for at in range(self._known, whole)})
            self._known = whole

    def _give_up_expected(self) -> None:
        """Show as text what looks like a link to a target that did not come."""
        for stretch in self.stretches:
            if "][" in stretch.text:
                stretch.forget_lines()

    def _learn(self, found: dict[int, References]) -> None:
        """Know the targets that stretches have, which may change what is shown anywhere."""
        if all(self._found.get(place, {}) == references for place, references in found.items()):
            return
        self._found |= {place: dict(references) for place, references in found.items()}
        known: dict[str, str] = {}
        for _, references in sorted(self._found.items(), reverse=True):
            known |= references
        if known != self.references:
            self.references = known
            for stretch in self.stretches:
                stretch.forget_lines()

    def measure(self, place: int) -> None:
        """Take the height of a stretch as it is now."""
        self._heights.set(place, self.stretches[place].height(self._width))

    def lines_before(self, place: int) -> int:
        """Lines before a stretch, as far as they are known."""
        return self._heights.before(place)

    def find_line(self, line: int) -> tuple[int, int]:
        """The stretch that a line is in, and how many lines stand before it there."""
        return self._heights.find(line)

    def stretch_at(self, chars: int) -> int:
        """Which stretch holds a character."""
        return max(bisect_right(self.stretches, chars, key=lambda stretch: stretch.start) - 1, 0)


class FixedPart(Part):
    """A section that is made from the entry itself: one piece, or none."""

    def __init__(self, count: int = 1) -> None:
        """Have so many pieces: 0 or 1."""
        super().__init__()
        self.stretches = [_FixedStretch()] * count
        self._heights = Heights([1] * count)


class _FixedStretch(Stretch):
    """One piece without a text."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("", 0)
        self.drop()

    def drop(self) -> None:
        """There is nothing to parse again."""
        self.pieces = [Piece()]
        self.heights = Heights([1])

    def parse(self, look: Look, *, is_markdown: bool, is_streaming: bool) -> bool:
        """There is nothing to parse."""
        del look, is_markdown, is_streaming
        return False
