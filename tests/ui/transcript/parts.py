"""A transcript without its widget: the parts that meet in it, on a screen of so many rows and columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.style import Style

from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.text.growing_text import GrowingText
from kimi_tui.ui.state.entry import Entry, EntryKind
from kimi_tui.ui.text.role_styles import Styles
from kimi_tui.ui.transcript.code_blocks import CodeBlocks
from kimi_tui.ui.transcript.cursor import Cursor
from kimi_tui.ui.transcript.entry_list import EntriesChange, EntryList
from kimi_tui.ui.transcript.folds import Folds
from kimi_tui.ui.transcript.item import Item
from kimi_tui.ui.transcript.jumps import Jumps
from kimi_tui.ui.transcript.painter import Mark, RowLook
from kimi_tui.ui.transcript.pieces import Look
from kimi_tui.ui.transcript.search import Search
from kimi_tui.ui.transcript.selection import Selection
from kimi_tui.ui.transcript.transcript_widget import Transcript
from kimi_tui.ui.transcript.view import View
from kimi_tui.ui.transcript.viewport import Viewport


def live(kind: EntryKind = EntryKind.ASSISTANT) -> Entry:
    """A reply that is about to grow."""
    return Entry("live", kind, "Kimi", GrowingText(), GrowingText(), is_streaming=True)


def extend(entry: Entry, part: ReplyPart, text: str) -> None:
    view = entry.text if part is ReplyPart.ANSWER else entry.reasoning
    assert isinstance(view, GrowingText)
    view.append(text)


def append_to(item: Item, text: str) -> None:
    extend(item.entry, ReplyPart.ANSWER, text)
    item.grow(ReplyPart.ANSWER)


def append(shown: Transcript | Parts, part: ReplyPart, text: str, key: str = "live") -> None:
    """Let a reply grow where it is shown, if it is."""
    items = shown.view.viewport.items
    if (index := items.find(key)) is not None:
        extend(items[index].entry, part, text)
    shown.grow(key, part)


def window(entry: Entry, look: Look, height: int = 20) -> tuple[Viewport, Item]:
    """A view of one entry, and its item."""
    viewport = Viewport(look, height)
    EntryList(viewport).set_entries([entry])
    return viewport, viewport.items[0]


class Parts:
    """The parts, and what they told."""

    def __init__(self, width: int = 57, height: int = 12) -> None:
        self.look, self.height = Look(Styles({}, Style()), width), height
        self.chosen = list[str | None]()
        self.found = list[Transcript.Found]()
        self.selected, self.modes, self.copied = list[bool](), list[bool](), list[str]()
        self.waiting = list[Callable[[], None]]()
        self.viewport = Viewport(self.look, height)
        self.entries = EntryList(self.viewport)
        self.view = View(self.viewport, lambda: (self.look, self.height), lambda: None)
        self.selection = Selection(self.view, self.selected.append, self.modes.append, self.copied.append)
        self.folds = Folds(self.entries, self.view, self.selection.drop_hidden)
        self.cursor = Cursor(self.entries, self.view, self.chosen.append)
        self.jumps = Jumps(self.view)
        self.code = CodeBlocks(self.entries, self.view)
        self.search = Search(self.view, self.folds, lambda _, callback: self.waiting.append(callback), self._found)

    def _found(self, text: str, count: int, current: int, is_reading: bool) -> None:
        self.found.append(Transcript.Found(text, count, current, is_reading))

    def changed(self, change: EntriesChange) -> None:
        """Tell all parts what has become of the entries."""
        for part in (self.view, self.cursor, self.jumps, self.search, self.selection):
            part.entries_changed(change)

    def set_entries(self, entries: Sequence[Entry]) -> None:
        self.changed(self.entries.set_entries(entries))

    def grow(self, key: str, part: ReplyPart) -> None:
        self.changed(self.entries.grow(key, part))

    def read_all(self) -> None:
        """Let the search read until it is done."""
        while self.waiting:
            self.waiting.pop(0)()

    def texts(self) -> list[str]:
        """The lines in view."""
        return [line.text.rstrip() for _, line in self.view.rows]

    def looks(self) -> list[RowLook]:
        """How the rows are marked."""
        looks = self.view.row_looks()
        for part in (self.jumps, self.cursor, self.code, self.search, self.selection):
            part.mark(looks)
        return looks

    def marks(self) -> list[tuple[str, Mark]]:
        """The marked texts in view."""
        return [
            (line.text[span.start : span.end], span.mark)
            for look, (_, line) in zip(self.looks(), self.view.rows, strict=True)
            for span in look.spans
        ]
