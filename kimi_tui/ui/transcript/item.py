"""One entry and its layout: laid out when looked at, and again only where it changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from kimi_tui.core.markdown.blocks import Block
from kimi_tui.core.session.growing_reply import FIELD_OF, ReplyPart
from kimi_tui.core.session.written import spans
from kimi_tui.core.text.growing_text import TextView
from kimi_tui.ui.state.entry import Entry, EntryKind
from kimi_tui.ui.transcript.entry_chrome import (
    BARE,
    BLANK,
    INDENT,
    head_lines,
    indented,
    own_style,
    plain_body,
    tail_lines,
    thought_lines,
)
from kimi_tui.ui.transcript.layout import block_lines
from kimi_tui.ui.transcript.lines import Line
from kimi_tui.ui.transcript.pieces import Look, Piece, Section, size_of
from kimi_tui.ui.transcript.prompt_lines import REACH_CHARS, prompt_lines, with_margin
from kimi_tui.ui.transcript.section_layout import ChunkLayout, SectionLayout
from kimi_tui.ui.transcript.written_marks import marked, within

SECTIONS = {ReplyPart.ANSWER: Section.BODY, ReplyPart.REASONING: Section.REASONING}
FIELDS = {section: FIELD_OF[part] for part, section in SECTIONS.items()}
NOTHING_LAID_OUT: Mapping[Section, SectionLayout] = MappingProxyType({})
"""Shared by all whose height alone was asked for."""
_NOTHING = SectionLayout()


class Item:
    __slots__ = ("_look", "_parts", "entry", "is_folded")

    def __init__(self, entry: Entry, *, is_folded: bool) -> None:
        """Nothing is cut, parsed or laid out before it is looked at."""
        self.entry = entry
        self.is_folded = is_folded
        self._parts: Mapping[Section, SectionLayout] = NOTHING_LAID_OUT
        self._look: Look | None = None

    def prepare(self) -> None:
        """This may be done in a thread, while nothing else knows it."""
        self._section(Section.BODY).source.prepare()

    # -- what is shown

    @property
    def key(self) -> str:
        return self.entry.key

    @property
    def kind(self) -> EntryKind:
        return self.entry.kind

    @property
    def is_streaming(self) -> bool:
        return self.entry.is_streaming

    @property
    def is_excluded(self) -> bool:
        return self.entry.is_excluded

    def text(self, section: Section) -> str:
        return str(self._source_of(section))

    def _source_of(self, section: Section) -> str | TextView:
        text = self.entry.text if section is Section.BODY else self.entry.reasoning
        return "" if text is None else text

    @property
    def has_thought(self) -> bool:
        return self.entry.is_thinking or bool(self.entry.reasoning)

    def grow(self, reply_part: ReplyPart) -> None:
        """Take in what the entry's view has grown by; it is parsed when it is looked at."""
        section = SECTIONS[reply_part]
        if (part := self._parts.get(section)) is not None:
            part.grow()
        if section is Section.REASONING and (line := self.thought_line) is not None:
            head = self._parts.get(Section.HEAD)
            if head is not None and head.height <= line:  # it was laid out before there was a think block
                head.forget_lines()

    def shows(self, entry: Entry) -> bool:
        """Whether that is what is shown, with all that it says by now."""
        return self.entry == entry and not any(part.source.is_behind for part in self._parts.values())

    def update(self, entry: Entry) -> None:
        """Text that only grew keeps its lines."""
        if entry.kind is not self.entry.kind:
            self._parts = NOTHING_LAID_OUT
        self.entry = entry
        for section in (Section.BODY, Section.REASONING):
            if (part := self._parts.get(section)) is not None:
                part.change_to(self._source_of(section))
        self._reset_fixed(Section.HEAD, Section.TAIL)

    def set_thought_label(self, label: str) -> bool:
        """False when it stays the same."""
        if label == self.entry.thought_label:
            return False
        self.entry = replace(self.entry, thought_label=label)
        self._reset_fixed(Section.HEAD)
        return True

    def fold(self, is_folded: bool) -> None:
        self.is_folded = is_folded
        self._reset_fixed(Section.HEAD)

    def _reset_fixed(self, *sections: Section) -> None:
        for section in sections:
            if (part := self._parts.get(section)) is not None:
                part.forget_lines()

    # -- parts and lines

    def height(self, look: Look) -> int:
        """As far as that is known."""
        if not self._parts:
            entry = self.entry
            reasoning = None if self.is_folded else entry.reasoning
            return estimated_height(entry.kind, entry.text, reasoning, look.width)
        self.see(look)
        return sum(self.section(section).height for section in Section)

    def see(self, look: Look) -> None:
        """Give up what was laid out for another look."""
        if self._look is not look:
            self._look = look
            for part in self._parts.values():
                part.see(look)

    def section(self, section: Section) -> SectionLayout:
        """One without chunks where there is nothing to show."""
        if section is Section.REASONING and (self.is_folded or not self.has_thought):
            return _NOTHING
        return self._section(section)

    def _section(self, section: Section) -> SectionLayout:
        part = self._parts.get(section)
        if part is None:
            if section in {Section.HEAD, Section.TAIL}:
                part = SectionLayout(None)
            else:
                is_markdown = section is Section.BODY and self.kind is EntryKind.ASSISTANT
                part = SectionLayout(self._source_of(section), is_markdown=is_markdown)
            self._parts = {**self._parts, section: part}
            if self._look is not None:
                part.see(self._look)
        return part

    def chunk(self, section: Section, place: int, look: Look) -> ChunkLayout:
        self.see(look)
        return self.section(section).parse(place, look, is_streaming=self.entry.is_streaming)

    def lines(self, section: Section, chunk_place: int, place: int, look: Look) -> list[Line]:
        chunk = self.chunk(section, chunk_place, look)
        piece = chunk.pieces[place]
        columns = self.section(section).columns(chunk_place, place, _inner_width(look))
        if piece.lines is None or piece.columns != columns:
            piece.columns = columns
            piece.lines = list(self._lay_out(section, chunk_place, place, piece, look))
            if chunk.heights[place] != len(piece.lines):
                chunk.heights.set(place, len(piece.lines))
                self.section(section).measure(chunk_place)
        return piece.lines

    def pieces_without_lines(self, look: Look) -> Iterator[tuple[Section, int, int]]:
        """Each as section, chunk, place in the chunk."""
        for section in Section:
            for place, _ in enumerate(self.section(section).chunks):
                for number, piece in enumerate(self.chunk(section, place, look).pieces):
                    if piece.lines is None:
                        yield section, place, number

    def piece(self, section: Section, chunk_place: int, place: int) -> Piece:
        return self.section(section).chunks[chunk_place].pieces[place]

    @property
    def thought_line(self) -> int | None:
        """Which line of its head opens and closes the think block; None = it has none."""
        return (1 if self.entry.heading else 0) if self.has_thought else None

    def _lay_out(self, section: Section, chunk_place: int, place: int, piece: Piece, look: Look) -> Iterable[Line]:
        entry, content, part = self.entry, piece.content, self.section(section)
        pieces = part.chunks[chunk_place].pieces
        is_first = not (chunk_place or place)
        is_last = place == len(pieces) - 1 and chunk_place == len(part.chunks) - 1
        if isinstance(content, Block):
            gap = [BLANK] if content.has_gap and not is_first else []
            lines = block_lines(
                content,
                look.styles,
                _inner_width(look),
                part.source.references,
                piece.cache,
                columns=piece.columns,
                is_growing=entry.is_streaming,
            )
            return [*gap, *indented(self._marked(lines, section, chunk_place, piece, look), look.styles)]
        if section is Section.HEAD:
            return head_lines(entry, look, has_thought=self.has_thought, is_folded=self.is_folded)
        if section is Section.TAIL:
            return tail_lines(entry, look)
        text = content or ""
        if section is Section.REASONING:
            return self._marked(thought_lines(text, look, is_last=is_last), section, chunk_place, piece, look)
        if entry.kind is EntryKind.PROMPT:
            end = piece.start + len(text)
            before, after = part.source.around(chunk_place, piece.start, end, REACH_CHARS)
            drawn = partial(prompt_lines, text, template=entry.template, before=before, after=after, is_last=is_last)
            return with_margin(drawn, entry.margin, look) if entry.margin else drawn(look)
        body = plain_body(entry, text, look, is_first=is_first, is_last=is_last)
        return self._marked(body, section, chunk_place, piece, look)

    def _marked(
        self, lines: Iterable[Line], section: Section, chunk_place: int, piece: Piece, look: Look
    ) -> Iterable[Line]:
        """Mark what of a piece the user wrote of a reply."""
        if not self.entry.written:
            return lines
        start = self.section(section).chunks[chunk_place].source.start + piece.start
        end = start + len(piece.source)
        own = within(spans(self.entry.written, FIELDS[section], end), start, end)
        return marked(list(lines), piece.source, own, own_style(look.styles))


def estimated_height(kind: EntryKind, text: str | TextView, reasoning: str | TextView | None, width: int) -> int:
    """About how many lines an entry has at a width; `reasoning` None = there is none, or it is folded."""
    lines = 0 if kind in BARE else 3 + bool(text)
    for shown in (text, reasoning or ""):
        ends, chars = size_of(shown)
        lines += ends + chars // max(width, 1)
    return lines


def _inner_width(look: Look) -> int:
    return max(look.width - INDENT, 1)
