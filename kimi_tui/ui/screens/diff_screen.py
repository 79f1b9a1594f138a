"""What differs between an input and that of a past request; Left and Right choose which request."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Static

from kimi_tui.core.prompt.past_requests import PastRequest
from kimi_tui.core.prompt.prompt_diff import Change, DiffPiece, PromptComparison
from kimi_tui.core.session.request_starts import requests_of
from kimi_tui.core.text.counts import counted
from kimi_tui.core.text.visible import visible_line
from kimi_tui.ui.panes.prompt_entries import part_name
from kimi_tui.ui.panes.prompt_source import Comparing
from kimi_tui.ui.screens.above import Above, clickable
from kimi_tui.ui.state.entry import ADDED, ALIKE, REMOVED, Entry, EntryKind
from kimi_tui.ui.text import words
from kimi_tui.ui.transcript.scroll_keys import ScrollKeys, scroll_bindings
from kimi_tui.ui.transcript.transcript_widget import Transcript
from kimi_tui.ui.transcript.view import View

MARGINS = {Change.SAME: ALIKE, Change.REMOVED: REMOVED, Change.ADDED: ADDED}
MAKING = "Comparing …"
NOTHING_DIFFERS = "Nothing differs: the two inputs are one."


class DiffScreen(ScrollKeys, Above[None]):
    DEFAULT_CSS = """
    DiffScreen {
        background: $background;
        & > #diff-titles { height: auto; padding: 0 1; background: $surface; color: $foreground; }
        & > #diff-keys {
            height: 1; padding: 0 1; background: $surface; color: $text-muted;
            link-color: $text-muted; link-style: none; link-background: $surface;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("q", "cancel"),
        ("left", "step(1)"),
        ("right", "step(-1)"),
        *scroll_bindings(),
    ]

    def __init__(self, comparing: Comparing, index: int) -> None:
        """`index` is that of the request to begin with."""
        super().__init__()
        self._comparing, self._index = comparing, index
        self._comparison: PromptComparison | None = None
        self._lines = Transcript(id="diff-lines")

    def compose(self) -> ComposeResult:
        yield Static(id="diff-titles", markup=False)
        yield self._lines
        yield Static(id="diff-keys", markup=False)

    def on_mount(self) -> None:
        self._lines.focus()
        self._compare()

    def _compare(self) -> None:
        request = self._request()
        assert request is not None
        self._comparison = None
        self._show_titles(request)
        self.run_newest(self._compare_with, request)

    def _request(self, by: int = 0) -> PastRequest | None:
        """The one to compare with, or so many before; None = there is none."""
        return self._comparing.requests.at(self._index + by)

    async def _compare_with(self, request: PastRequest) -> None:
        """Off the event loop: inputs may be large."""
        comparison = await asyncio.to_thread(self._comparing.against, request)
        if request is not self._request():
            return
        self._comparison = comparison
        entries = await asyncio.to_thread(lambda: list(diff_entries(comparison)))
        self._lines.set_entries(entries)
        self._lines.view.scroll_to_top()
        self._show_titles(request)

    def _show_titles(self, request: PastRequest) -> None:
        width = max(self.app.size.width - 2, 1)
        place = f"{self._index + 1} back" if self._index else "the last"
        sizes = MAKING if self._comparison is None else _sizes(self._comparison)
        parts = (f"{REMOVED}{_name_of(request)} ({place})", f"{ADDED}{self._comparing.title}", sizes)
        line = "   ".join(parts)
        self.query_one("#diff-titles", Static).update(line if cell_len(line) <= width else "\n".join(parts))
        ways = [("Left earlier request", 1), ("Right later request", -1)]
        hints = [(words, f"step({by})") for words, by in ways if self._request(by) is not None]
        self.query_one("#diff-keys", Static).update(clickable([*hints, ("Escape back", "cancel")]))

    def action_step(self, by: int) -> None:
        if self._request(by) is not None:
            self._index += by
            self._compare()

    @property
    def scrolled(self) -> View:
        return self._lines.view

    def on_resize(self) -> None:
        if (request := self._request()) is not None and self.is_mounted:
            self._show_titles(request)


def _name_of(request: PastRequest) -> str:
    count = len(requests_of(request.reply))
    number = f" {request.place + 1}/{count}" if count > 1 else ""
    return f"request{number} of {visible_line(request.reply.id)}"


def _sizes(comparison: PromptComparison) -> str:
    names = {Change.REMOVED: "removed", Change.ADDED: "added", Change.SAME: "alike"}
    sizes = ((comparison.tokens[change], name) for change, name in names.items())
    return ", ".join(f"~{words.count(tokens)} tok {name}" for tokens, name in sizes if tokens)


def diff_entries(comparison: PromptComparison) -> Iterator[Entry]:
    """What differs with what stands beside it; the rest is folded to a line with its size."""
    pieces, folded = comparison.pieces, iter(comparison.folded_tokens)
    if all(piece.change is Change.SAME for piece in pieces):
        yield Entry("alike", EntryKind.NOTICE, "", NOTHING_DIFFERS)
    named = ""
    for number, piece in enumerate(pieces):
        if piece.is_folded:
            yield Entry(str(number), EntryKind.REASONING, "", _fold_words(piece, next(folded)))
            named = ""
            continue
        name = part_name(piece.part) if piece.change is not Change.SAME else named
        yield _entry(number, piece, comparison, "" if name == named else name)
        named = name


def _entry(number: int, piece: DiffPiece, comparison: PromptComparison, heading: str) -> Entry:
    template = comparison.old.template if piece.change is Change.REMOVED else comparison.new.template
    text = piece.text.removesuffix("\n") or "\n"  # each piece ends its line
    return Entry(str(number), EntryKind.PROMPT, heading, text, template=template, margin=MARGINS[piece.change])


def _fold_words(piece: DiffPiece, tokens: int) -> str:
    parts = f"{counted(piece.parts, 'part')}, " if piece.parts > 1 else ""
    return f"⋯ alike: {parts}~{words.count(tokens)} tok"
