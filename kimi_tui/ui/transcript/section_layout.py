"""A section of an entry as chunks of blocks, with lines and heights: made when looked at, dropped when far away."""

from __future__ import annotations

from bisect import bisect_right

from kimi_tui.core.markdown.blocks import Block
from kimi_tui.core.markdown.chunked_text import Chunk, ChunkedText
from kimi_tui.core.markdown.cutting import Cut
from kimi_tui.core.markdown.inline import may_refer
from kimi_tui.core.text.growing_text import GrowingText, TextView
from kimi_tui.ui.transcript.heights import Heights
from kimi_tui.ui.transcript.layout import LayoutCache
from kimi_tui.ui.transcript.long_tables import LongTables
from kimi_tui.ui.transcript.pieces import Look, Piece, size_of
from kimi_tui.ui.transcript.table_layout import Widths


class ChunkLayout:
    """A chunk without text has one piece, which is made from the entry itself."""

    __slots__ = ("_done", "heights", "pieces", "source")

    def __init__(self, chunk: Chunk) -> None:
        """Nothing is parsed yet."""
        self.source = chunk
        self.heights = Heights()
        """Lines of its pieces, kept when they are dropped."""
        self.drop()

    def height(self, width: int) -> int:
        """As far as that is known."""
        if len(self.heights):
            return self.heights.total
        ends, chars = size_of(self.source.text)
        return ends + chars // max(width, 1)

    def drop(self) -> None:
        self.source.drop()
        self.pieces = list[Piece]()
        """Its blocks; nothing before it is looked at."""
        self._done = 0  # how many pieces cannot change any more
        if not self.source.chars:
            self.pieces, self.heights = [Piece()], Heights([1])

    def end(self) -> None:
        """Another chunk follows, so that nothing is added any more."""
        if not self.source.blocks:
            self.pieces, self._done, self.heights = [], 0, Heights()
        elif self.pieces:
            self.pieces[-1].lines = None  # it was the last one, and may look different as such

    def restyle(self, width: int | None) -> None:
        """Give up all lines; at another width (None = it is the same) the heights as well."""
        self.forget_lines()
        if width is not None:
            self.heights = Heights(piece.estimate(width) for piece in self.pieces)

    def forget_lines(self) -> None:
        """The heights stay."""
        for piece in self.pieces:
            piece.lines = None

    def fill(self, width: int, *, is_growing: bool) -> None:
        """Have a piece for each block; those of an open end are made anew where they changed."""
        blocks, start = self.source.blocks, self.source.start
        is_known = len(self.heights) == len(blocks)
        opened = self.pieces[self._done :]
        del self.pieces[self._done :]
        if self.pieces and not opened:
            self.pieces[-1].lines = None  # it was the last one, and may look different as such
        if not is_known:
            self.heights.cut(min(self._done, len(self.heights)))
        for place, content in enumerate(blocks[self._done :]):
            before = self.pieces[-1] if self.pieces else None
            if isinstance(content, str):
                piece = Piece(content, before.start + len(before.source) if before else 0)
            elif not is_growing or len(self.pieces) < self.source.finished:
                piece = Piece(content, content.start - start)
            elif place < len(opened) and opened[place].content == content:
                piece = opened[place]
            else:
                known = next((old.cache for old in opened if old.start == content.start - start), None)
                piece = Piece(content, content.start - start, known or LayoutCache())
            self.pieces.append(piece)
            if not is_known:
                self.heights.append(piece.estimate(width))
        self._done = self.source.finished

    def piece_at(self, chars: int) -> int:
        """The chunk must have been parsed."""
        return max(bisect_right(self.pieces, chars, key=lambda piece: piece.start) - 1, 0)


class SectionLayout:
    def __init__(self, text: str | TextView | None = "", *, is_markdown: bool = False) -> None:
        """None = it has no text, and is made from the entry itself."""
        self.source = ChunkedText("" if text is None else text, is_markdown=is_markdown)
        if text is None:
            self.source.chunks.append(Chunk(GrowingText(), 0, 0, Cut(0)))
        self.chunks: list[ChunkLayout] = []
        """One for each of the text's chunks, in order; none when there is nothing to show."""
        self._tables = LongTables(self.source)
        self._references = self.source.references
        self._was_streaming = False
        self._heights = Heights()
        self._look: Look | None = None
        self._follow(0)

    @property
    def height(self) -> int:
        return self._heights.total

    def grow(self) -> None:
        last = max(len(self.chunks) - 1, 0)
        self.source.grow()
        self._follow(last)

    def change_to(self, text: str | TextView) -> None:
        """What is the same at the beginning keeps its lines if the text only grew."""
        known = len(self.chunks)
        self.source.change_to(text)
        self._tables = LongTables(self.source)
        same = sum(chunk.source is now for chunk, now in zip(self.chunks, self.source.chunks, strict=False))
        del self.chunks[same:]
        self._heights.cut(same)
        if same < known and same:
            self.chunks[-1].forget_lines()
        self._follow(max(same - 1, 0))

    def _follow(self, place: int) -> None:
        """Have a layout for each chunk; that at a place may have grown or ended."""
        if place < len(self.chunks):
            if len(self.chunks) < len(self.source.chunks):
                self.chunks[place].end()
            self.measure(place)
        for chunk in self.source.chunks[len(self.chunks) :]:
            self.chunks.append(ChunkLayout(chunk))
            self._heights.append(self.chunks[-1].height(self._width))

    @property
    def _width(self) -> int:
        return 80 if self._look is None else self._look.width

    def see(self, look: Look) -> None:
        if self._look is look:
            return
        is_other_width = self._look is None or self._look.width != look.width
        self._look = look
        for chunk in self.chunks:
            chunk.restyle(look.width if is_other_width else None)
        if is_other_width:
            self._heights = Heights(chunk.height(look.width) for chunk in self.chunks)

    def parse(self, place: int, look: Look, *, is_streaming: bool) -> ChunkLayout:
        self.see(look)
        if self._was_streaming and not is_streaming:
            self._give_up_expected()
        self._was_streaming = is_streaming
        chunk = self.chunks[place]
        if self.source.parse(place, is_streaming=is_streaming):
            chunk.fill(look.width, is_growing=is_streaming and place == len(self.chunks) - 1)
            self.measure(place)
        if self.source.references is not self._references:
            self._references = self.source.references
            self.forget_lines()
        return chunk

    def forget_lines(self) -> None:
        """The heights stay."""
        for chunk in self.chunks:
            chunk.forget_lines()

    def _give_up_expected(self) -> None:
        """What looks like a link to a target that did not come is text."""
        for chunk in self.chunks:
            if may_refer(chunk.source.text):
                chunk.forget_lines()

    def columns(self, place: int, piece: int, width: int) -> Widths | None:
        """None = the piece is no part of a long table."""
        content = self.chunks[place].pieces[piece].content
        if not isinstance(content, Block) or content.kind != "table":
            return None
        return self._tables.widths(content, place, piece, width)

    def measure(self, place: int) -> None:
        self._heights.set(place, self.chunks[place].height(self._width))

    def lines_before(self, place: int) -> int:
        """As far as they are known."""
        return self._heights.before(place)

    def find_line(self, line: int) -> tuple[int, int]:
        """The chunk that a line is in, and how many lines stand before it there."""
        return self._heights.find(line)
