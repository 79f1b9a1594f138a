"""One entry as pieces: laid out when looked at, and again only where it changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum

from rich.style import Style

from kimi_tui.core.markdown import Block, MarkdownSource, References
from kimi_tui.core.replies import ReplyPart
from kimi_tui.core.visible import visible_line
from kimi_tui.ui.widgets.transcript.entries import Entry, EntryKind
from kimi_tui.ui.widgets.transcript.highlight import LineColours
from kimi_tui.ui.widgets.transcript.layout import BOLD, ITALIC, block_lines, plain_lines
from kimi_tui.ui.widgets.transcript.lines import Line, line_of, wrap
from kimi_tui.ui.widgets.transcript.plain import PlainSource
from kimi_tui.ui.widgets.transcript.styles import Styles

GLYPHS = {"info": "ⓘ", "warning": "⚠", "error": "✗"}
"""What a notice begins with: its severity is never told by colour alone."""
INDENT = 2
"""Blanks before every line but the heading."""
BLANK = line_of(())
"""A line with nothing on it."""


class Section(IntEnum):
    """The parts of an entry, from top to bottom."""

    HEAD = 0
    """Who speaks, and the line of the think block."""
    REASONING = 1
    """The open think block; no pieces while it is folded."""
    BODY = 2
    """The text, or the answer."""
    TAIL = 3
    """The footer, and the blank line behind."""


@dataclass(frozen=True, slots=True)
class Look:
    """How everything is laid out; another look is another layout."""

    styles: Styles
    """The theme."""
    width: int
    """Cells per line, at least 1."""


@dataclass(slots=True, eq=False)
class Piece:
    """A part of an entry that is laid out as a whole."""

    content: Block | str | None = None
    """A block of Markdown, or plain text; None = made from the entry itself."""
    colours: LineColours | None = None
    """Colours of a fence that still grows."""
    lines: list[Line] | None = None
    """Its lines; None = not laid out."""
    height: int = 1
    """How many lines it has; an estimate before it was laid out."""


class Item:
    """An entry of the transcript and what is kept of its layout."""

    def __init__(self, entry: Entry, *, is_folded: bool) -> None:
        """Nothing is parsed or laid out before it is looked at."""
        self._entry = entry
        self._texts: dict[ReplyPart, list[str]] = {
            ReplyPart.ANSWER: [entry.text],
            ReplyPart.REASONING: [entry.reasoning or ""],
        }
        self._added: dict[ReplyPart, list[str]] = {ReplyPart.ANSWER: [], ReplyPart.REASONING: []}
        self._sizes = {part: _size(texts[0]) for part, texts in self._texts.items()}
        self.is_folded = is_folded
        """Whether the think block is closed."""
        self.laid_out_lines = 0
        """How many lines were laid out in all, for those who count."""
        self._sources: dict[Section, MarkdownSource | PlainSource] = {}
        self._pieces: dict[Section, list[Piece]] = {}
        self._done: dict[Section, int] = {}  # how many pieces cannot change any more
        self._references: References = {}
        self._look: Look | None = None

    # -- what is shown

    @property
    def key(self) -> str:
        """Key of its entry."""
        return self._entry.key

    @property
    def is_streaming(self) -> bool:
        """Whether text is still added."""
        return self._entry.is_streaming

    @property
    def entry(self) -> Entry:
        """The entry, with all that was appended."""
        return replace(
            self._entry, text=self._text(ReplyPart.ANSWER), reasoning=self._text(ReplyPart.REASONING) or None
        )

    def _text(self, part: ReplyPart) -> str:
        texts = self._texts[part]
        if len(texts) > 1:
            texts[:] = ["".join(texts)]
        return texts[0]

    @property
    def has_thought(self) -> bool:
        """Whether there is a think block."""
        return self._entry.is_thinking or any(self._texts[ReplyPart.REASONING])

    def append(self, part: ReplyPart, text: str) -> None:
        """Add text at the end; it is parsed when it is looked at."""
        if not self.has_thought:
            self._reset(Section.HEAD)
        self._texts[part].append(text)
        self._added[part].append(text)
        ends, chars = self._sizes[part]
        more_ends, more_chars = _size(text)
        self._sizes[part] = ends + more_ends, chars + more_chars

    def update(self, entry: Entry) -> None:
        """Show another entry; text that only grew keeps its lines."""
        self._update_part(ReplyPart.ANSWER, entry.text)
        self._update_part(ReplyPart.REASONING, entry.reasoning or "")
        was_streaming = self._entry.is_streaming
        self._entry = entry
        self._reset(Section.HEAD, Section.TAIL)
        if was_streaming and not entry.is_streaming:
            self._added[ReplyPart.ANSWER].append("")  # its end is made anew, being whole now

    def _update_part(self, part: ReplyPart, text: str) -> None:
        old = self._text(part)
        if text == old:
            return
        if text.startswith(old):
            self.append(part, text[len(old) :])
            return
        self._texts[part], self._added[part], self._sizes[part] = [text], [], _size(text)
        section = Section.BODY if part is ReplyPart.ANSWER else Section.REASONING
        self._sources.pop(section, None)
        self._reset(section)

    def set_thought_label(self, label: str) -> bool:
        """Change the line of the think block; False when it stays the same."""
        if label == self._entry.thought_label:
            return False
        self._entry = replace(self._entry, thought_label=label)
        self._reset(Section.HEAD)
        return True

    def fold(self, is_folded: bool) -> None:
        """Open or close the think block."""
        self.is_folded = is_folded
        self._reset(Section.HEAD, Section.REASONING)

    def _reset(self, *sections: Section) -> None:
        for section in sections:
            self._pieces.pop(section, None)
            self._done.pop(section, None)

    # -- pieces and lines

    @property
    def height(self) -> int:
        """How many lines it has, as far as that is known."""
        if self._look is None:
            return self.estimate(80)
        return sum(piece.height for section in Section for piece in self.known_pieces(section, self._look))

    def estimate(self, width: int) -> int:
        """About how many lines it has at a width, without parsing it."""
        ends, chars = self._sizes[ReplyPart.ANSWER]
        lines = 3 + ends + chars // max(width, 1)
        if self.has_thought and not self.is_folded:
            ends, chars = self._sizes[ReplyPart.REASONING]
            lines += ends + chars // max(width, 1)
        return lines

    def pieces(self, section: Section, look: Look) -> list[Piece]:
        """The pieces of a section, with all that was appended."""
        self._see(look)
        if section in {Section.HEAD, Section.TAIL}:
            return self._pieces.setdefault(section, [Piece()])
        if section is Section.REASONING and (self.is_folded or not self.has_thought):
            return []
        self._grow(section, look)
        return self._pieces[section]

    def known_pieces(self, section: Section, look: Look) -> list[Piece]:
        """The pieces of a section as they were last looked at."""
        return self._pieces.get(section) or (self.pieces(section, look) if section not in self._pieces else [])

    def lines(self, section: Section, place: int, look: Look) -> list[Line]:
        """The lines of a piece."""
        pieces = self.pieces(section, look)
        piece = pieces[place]
        if piece.lines is None:
            piece.lines = list(self._lay_out(section, place, piece, look))
            piece.height = len(piece.lines)
            self.laid_out_lines += piece.height
        return piece.lines

    @property
    def thought_line(self) -> int | None:
        """Which line of its head opens and closes the think block; None = it has none."""
        return (1 if self._entry.heading else 0) if self.has_thought else None

    def _see(self, look: Look) -> None:
        """Forget the lines of another look."""
        if self._look is not look:
            self._look = look
            for section, pieces in self._pieces.items():
                for piece in pieces:
                    piece.lines = None
                    if section in {Section.REASONING, Section.BODY}:
                        piece.height = _estimate(piece, look.width)

    def _grow(self, section: Section, look: Look) -> None:
        """Take in what was appended."""
        part = ReplyPart.ANSWER if section is Section.BODY else ReplyPart.REASONING
        added = self._added[part]
        source = self._sources.get(section)
        if source is None:
            is_markdown = section is Section.BODY and self._entry.kind is EntryKind.ASSISTANT
            text, is_growing = self._text(part), self._entry.is_streaming
            source = MarkdownSource(text, is_growing=is_growing) if is_markdown else PlainSource(text)
            self._sources[section] = source
        elif added:
            source.append("".join(added))
            if isinstance(source, MarkdownSource) and not self._entry.is_streaming:
                source.settle()
        elif section in self._pieces:
            return
        added.clear()
        self._refill(section, source, look)

    def _refill(self, section: Section, source: MarkdownSource | PlainSource, look: Look) -> None:
        """Make pieces of what a source has more than before; those of an open end are made anew."""
        pieces = self._pieces.setdefault(section, [])
        done = self._done.get(section, 0)
        opened = pieces[done:]
        del pieces[done:]
        if pieces and not opened:
            pieces[-1].lines = None  # it was the last one, and may look different as such
        pieces += [_piece(content, look.width) for content in source.finished[done:]]
        self._done[section] = len(pieces)
        for content in source.open:
            piece = _piece(content, look.width)
            if self._entry.is_streaming and isinstance(content, Block):
                piece.colours = next((old.colours for old in opened if _start(old) == content.start), None)
                piece.colours = piece.colours or LineColours()
            pieces.append(piece)
        if isinstance(source, MarkdownSource) and source.references != self._references:
            self._references = dict(source.references)
            for piece in pieces:
                piece.lines = None

    def _lay_out(self, section: Section, place: int, piece: Piece, look: Look) -> Iterable[Line]:
        content, styles, inner = piece.content, look.styles, max(look.width - INDENT, 1)
        if isinstance(content, Block):
            if place and content.head is None:
                yield BLANK
            for line in block_lines(content, styles, inner, self._references, piece.colours):
                yield line.led(" " * INDENT, styles.base)
        elif section is Section.REASONING:
            is_last = place == len(self._pieces[section]) - 1
            yield from self._reasoning(content or "", styles, inner, is_last=is_last)
        elif section is Section.BODY:
            is_last = place == len(self._pieces[section]) - 1
            for line in self._plain(content or "", styles, inner, is_first=place == 0, is_last=is_last):
                yield line.led(" " * INDENT, styles.base)
        else:
            yield from self._head(look) if section is Section.HEAD else self._tail(styles, inner)

    def _head(self, look: Look) -> Iterable[Line]:
        entry, styles = self._entry, look.styles
        if entry.heading:
            role = {EntryKind.USER: "user-name", EntryKind.WELCOME: "heading"}.get(entry.kind, "assistant-name")
            heading = line_of([(visible_line(entry.heading), styles.role(role) + BOLD)])
            places = f"◂ {entry.alternatives[0]}/{entry.alternatives[1]} ▸" if entry.alternatives else ""
            right = "  ".join(part for part in (places, visible_line(entry.detail)) if part)
            right_line = line_of([(right, styles.role("dim-text"))])
            gap = max(look.width - heading.width - right_line.width, 2) if right else 0
            yield line_of([*heading.runs, (" " * gap, styles.base), *right_line.runs])
        if self.has_thought:
            mark = "▸" if self.is_folded else "▾"
            label = visible_line(entry.thought_label) or "Thinking …"
            line = line_of([(f"{mark} {label}", styles.role("reasoning"))])
            yield line.led(" " * INDENT, styles.base)

    def _reasoning(self, text: str, styles: Styles, width: int, *, is_last: bool) -> Iterable[Line]:
        style, bar = styles.role("reasoning") + ITALIC, styles.role("rule")
        for line in _unended(text, style, max(width - 2, 1), is_last=is_last):
            yield line.led("  │ ", bar)
        if is_last:
            yield BLANK

    def _plain(self, text: str, styles: Styles, width: int, *, is_first: bool, is_last: bool) -> Iterable[Line]:
        entry = self._entry
        if entry.kind is not EntryKind.NOTICE:
            yield from _unended(text, styles.base, width, is_last=is_last)
            return
        style = styles.role({"warning": "warning-text", "error": "error-text"}.get(entry.severity, "notice"))
        glyph = GLYPHS.get(entry.severity, GLYPHS["info"])
        for place, line in enumerate(_unended(text, style, width - 2, is_last=is_last)):
            yield line.led("  " if place or not is_first else f"{glyph} ", style)

    def _tail(self, styles: Styles, width: int) -> Iterable[Line]:
        if self._entry.footer:
            for line in wrap([(f"({visible_line(self._entry.footer)})", styles.role("dim-text"))], width):
                yield line.led(" " * INDENT, styles.base)
        yield BLANK


def _unended(text: str, style: Style, width: int, *, is_last: bool) -> list[Line]:
    """Wrapped text of one chunk, without an empty line for its last line end."""
    text = text.replace("\r\n", "\n")
    text = text.rstrip("\n") if is_last else text.removesuffix("\n")
    return plain_lines(text, style, width)


def _size(text: str) -> tuple[int, int]:
    """Line ends and characters, to guess a height from."""
    return text.count("\n"), len(text)


def _piece(content: Block | str, width: int) -> Piece:
    piece = Piece(content)
    piece.height = _estimate(piece, width)
    return piece


def _start(piece: Piece) -> int | None:
    return piece.content.start if isinstance(piece.content, Block) else None


def _estimate(piece: Piece, width: int) -> int:
    content = piece.content
    if content is None:
        return 1
    ends, chars = _size(content if isinstance(content, str) else content.source)
    return max(ends, 1) + chars // max(width, 1)
