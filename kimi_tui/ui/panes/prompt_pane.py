"""The prompt pane: the exact input of the next turn, or of a past one, part by part; it follows its end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Self

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from kimi_tui.core.prompt.prompt_view import PromptView
from kimi_tui.core.text.dotted import packed
from kimi_tui.ui.keys.focus import take_keys
from kimi_tui.ui.panes.prompt_entries import (
    ShownPart,
    field_entries,
    figures,
    left_out_entries,
    parts_shown,
    shared_lines,
)
from kimi_tui.ui.state.entry import Entry
from kimi_tui.ui.transcript.scroll_keys import ScrollKeys, scroll_bindings
from kimi_tui.ui.transcript.transcript_widget import Transcript
from kimi_tui.ui.transcript.view import View

MAX_SIZE_LINES = 3
"""In a narrow pane the last figures are left out, the parts say them too."""


class PromptPane(ScrollKeys, Vertical):
    DEFAULT_CSS = """
    PromptPane {
        height: 1fr;
        background: $background;
        #prompt-sizes, #prompt-shared { height: 1; padding: 0 1; color: $foreground; background: $surface; }
        #prompt-shared { display: none; color: $text-muted; }
        &.-over #prompt-sizes { text-style: bold; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [*scroll_bindings()]

    class HintsChanged(Message):
        """Another request is shown."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view: PromptView | None = None
        self._title = ""
        self._drawn: tuple[PromptView, str] | None = None
        self._shown: list[tuple[ShownPart, list[Entry]]] = []  # of the parts of what is drawn, what each is shown as
        self._lines = Transcript(id="prompt-lines")

    def compose(self) -> ComposeResult:
        yield Static(id="prompt-sizes", markup=False)
        yield Static(id="prompt-shared", markup=False)
        yield self._lines

    # -- content

    @property
    def view(self) -> PromptView | None:
        """None = nothing is shown yet."""
        return self._view

    def show(self, view: PromptView, title: str = "") -> None:
        """While the pane is hidden the prompt is only kept, and drawn when the pane comes into view.

        `title` says whose request it is, where it is a past one; the fields that were sent are listed below it.
        """
        if title != self._title:
            self.post_message(self.HintsChanged())
        self._view, self._title = view, title
        self._update()

    def _update(self) -> None:
        if self._view is None or not self._is_in_view or self._drawn == (self._view, self._title):
            return
        view, old, self._drawn = self._view, self._drawn, (self._view, self._title)
        if old is None or old[1] != self._title or not self._update_tail(old[0], view):
            self._shown = parts_shown(view, self._shown)
            fields = field_entries(view) if self._title else []
            self._lines.set_entries([*left_out_entries(view), *_entries_of(self._shown), *fields])
        if old is None or old[1] != self._title:
            self._lines.view.follow_tail()
        self._update_sizes()

    def _update_tail(self, old: PromptView, new: PromptView) -> bool:
        """Show the parts anew that typing changes, where the others stay as they are; whether that was enough."""
        count = len(new.closed)
        if old.closed is not new.closed or old.closed_sizes is not new.closed_sizes:
            return False
        if _marks(old, count) != _marks(new, count):
            return False
        before, tail = self._shown[count:], parts_shown(new, (), count)
        pairs = [_entries_of(before), _entries_of(tail)]
        if [entry.key for entry in pairs[0]] != [entry.key for entry in pairs[1]]:
            return False
        self._shown[count:] = tail
        for entry, changed in zip(*pairs, strict=True):
            if entry != changed:
                self._lines.update_entry(changed)
        return True

    @property
    def _is_in_view(self) -> bool:
        return self.is_mounted and all(node.display for node in self.ancestors_with_self)

    def _update_sizes(self) -> None:
        assert self._view is not None
        sizes = self.query_one("#prompt-sizes", Static)
        width = max(self.size.width - 2, 1)
        lines = packed(figures(self._view, self._title), width)[:MAX_SIZE_LINES]
        sizes.styles.height = len(lines)  # another height lays the screen out anew, another text does not
        sizes.update("\n".join(lines), layout=False)
        shared = self.query_one("#prompt-shared", Static)
        shared.display = self._view.shared is not None
        if self._view.shared is not None:
            lines = shared_lines(self._view, self._view.shared, width)
            shared.styles.height = len(lines)
            shared.update("\n".join(lines), layout=False)
        self.set_class(self._view.tokens > self._view.window_tokens, "-over")

    # -- what happens to it

    def focus(self, scroll_visible: bool = True) -> Self:
        del scroll_visible
        take_keys(self._lines)
        return self

    @property
    def scrolled(self) -> View:
        return self._lines.view

    def on_show(self) -> None:
        """What was given before the pane came into view is drawn."""
        self._update()

    def on_resize(self) -> None:
        if self._drawn is not None:
            self._update_sizes()


def _marks(view: PromptView, count: int) -> tuple[object, ...]:
    """What is marked in the first parts."""
    shared, end = view.shared, view.window_end
    border = None if shared is None or shared.place >= count else shared
    return border, None if end is None or end >= count else end


def _entries_of(shown: Iterable[tuple[ShownPart, list[Entry]]]) -> list[Entry]:
    return [entry for _, entries in shown for entry in entries]
