"""One entry with its lines: laid out once for a width, only its open end again while it grows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rich.style import Style
from rich.text import Text
from textual.strip import Strip

from kimi_tui.core.markdown import Block, MarkdownSource
from kimi_tui.core.replies import ReplyPart
from kimi_tui.core.visible import visible_line
from kimi_tui.ui.widgets.transcript.entries import Entry, EntryKind
from kimi_tui.ui.widgets.transcript.layout import BOLD, BlockLayout, plain_lines
from kimi_tui.ui.widgets.transcript.styles import Styles

GLYPHS = {"info": "ⓘ", "warning": "⚠", "error": "✗"}
INDENT = 2
"""Blanks before every line but the heading."""
ToStrip = Callable[[Text], Strip]


class Item:
    """An entry of the transcript and what is kept of its layout."""

    def __init__(self, entry: Entry, *, is_folded: bool) -> None:
        """Nothing is laid out before it is looked at."""
        self.entry = entry
        self.is_folded = is_folded
        self.laid_out_blocks = 0
        """How many blocks were laid out in all, for those who count."""
        self._answer = MarkdownSource() if entry.is_streaming else None
        self._strips: list[Strip] | None = None
        self._thought_line: int | None = None
        self._width = 0
        self._done: list[Strip] = []
        self._done_blocks = 0

    def append(self, part: ReplyPart, text: str) -> None:
        """Add text at the end of the reply."""
        if part is ReplyPart.REASONING:
            self.entry = replace(self.entry, reasoning=(self.entry.reasoning or "") + text)
        else:
            self.entry = replace(self.entry, text=self.entry.text + text)
            if self._answer is not None:
                self._answer.append(text)
        self._strips = None

    def update(self, entry: Entry) -> None:
        """Show another entry; an answer that stayed the same keeps its blocks."""
        if entry.text != self.entry.text:
            self.forget()
            self._answer = None
        self.entry = entry
        self._strips = None

    def fold(self, is_folded: bool) -> None:
        """Open or close the reasoning."""
        self.is_folded = is_folded
        self._strips = None

    def forget(self) -> None:
        """Throw the layout away: the width or the theme is another one."""
        self._strips, self._done, self._done_blocks = None, [], 0

    @property
    def thought_line(self) -> int | None:
        """Which of its lines opens and closes the reasoning; None = it has none."""
        return self._thought_line

    def estimate(self, width: int) -> int:
        """About how many lines it has, without laying it out."""
        if self._strips is not None:
            return len(self._strips)
        text = self.entry.text
        return text.count("\n") + len(text) // max(width, 1) + 3

    def strips(self, styles: Styles, width: int, to_strip: ToStrip) -> list[Strip]:
        """Its lines at a width."""
        if width != self._width:
            self.forget()
            self._width = width
        if self._strips is None:
            head = [to_strip(line) for line in self._head(styles, width)]
            tail = [to_strip(line) for line in self._tail(styles, width)]
            self._strips = head + self._body(styles, width, to_strip) + tail
        return self._strips

    def _head(self, styles: Styles, width: int) -> list[Text]:
        entry = self.entry
        lines: list[Text] = []
        if entry.heading:
            role = {EntryKind.USER: "user-name", EntryKind.WELCOME: "heading"}.get(entry.kind, "assistant-name")
            heading = Text(visible_line(entry.heading), styles.role(role) + BOLD)
            places = f"◂ {entry.alternatives[0]}/{entry.alternatives[1]} ▸" if entry.alternatives else ""
            for extra in (entry.detail, places):
                if extra:
                    heading.append(f"  {visible_line(extra)}", styles.role("dim-text"))
            lines.append(heading)
        self._thought_line = None
        if entry.reasoning or entry.is_thinking:
            self._thought_line = len(lines)
            mark = "▸" if self.is_folded else "▾"
            lines.append(Text(f"  {mark} {visible_line(entry.thought_label)}", styles.role("reasoning")))
            if not self.is_folded:
                lines += self._reasoning(styles, width)
        return lines

    def _reasoning(self, styles: Styles, width: int) -> list[Text]:
        style = styles.role("reasoning") + Style(italic=True)
        bar = Text("  │ ", styles.role("rule"))
        return [bar + line for line in plain_lines(self.entry.reasoning or "", style, max(width - 4, 1))]

    def _body(self, styles: Styles, width: int, to_strip: ToStrip) -> list[Strip]:
        entry = self.entry
        if not entry.text:
            return []
        inner = max(width - INDENT, 1)
        if entry.kind is not EntryKind.ASSISTANT:
            return [to_strip(_indented(line)) for line in self._plain(styles, inner)]
        if self._answer is None:
            self._answer = MarkdownSource(entry.text)
        for block in self._answer.finished[self._done_blocks :]:
            self._done += self._block(block, styles, inner, to_strip)
        self._done_blocks = len(self._answer.finished)
        return self._done + [
            strip for block in self._answer.open for strip in self._block(block, styles, inner, to_strip)
        ]

    def _block(self, block: Block, styles: Styles, width: int, to_strip: ToStrip) -> list[Strip]:
        self.laid_out_blocks += 1
        lines = BlockLayout(styles, width).lines(block.tokens)
        blank = [to_strip(Text(style=styles.base))] if self._done else []
        return blank + [to_strip(_indented(line)) for line in lines]

    def _plain(self, styles: Styles, width: int) -> list[Text]:
        entry = self.entry
        if entry.kind is not EntryKind.NOTICE:
            return plain_lines(entry.text, styles.base, width)
        role = {"warning": "warning-text", "error": "error-text"}.get(entry.severity, "notice")
        return plain_lines(f"{GLYPHS.get(entry.severity, GLYPHS['info'])} {entry.text}", styles.role(role), width)

    def _tail(self, styles: Styles, width: int) -> list[Text]:
        lines = []
        if self.entry.footer:
            lines = plain_lines(f"({self.entry.footer})", styles.role("dim-text"), max(width - INDENT, 1))
        return [_indented(line) for line in lines] + [Text(style=styles.base)]


def _indented(line: Text) -> Text:
    return Text(" " * INDENT) + line
