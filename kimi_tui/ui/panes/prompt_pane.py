"""The prompt pane: the exact input of the next turn, or of a past one, part by part."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from kimi_tui.core.prompt.prompt_view import PromptView
from kimi_tui.core.prompt.prompt_writer import PromptPart
from kimi_tui.core.prompt.template import Template
from kimi_tui.core.settings.actions import BY_ID
from kimi_tui.ui.keys.focus import take_keys
from kimi_tui.ui.state.entry import Entry, EntryKind
from kimi_tui.ui.text import words
from kimi_tui.ui.text.safe_text import line_text
from kimi_tui.ui.transcript.transcript_widget import Transcript

Form = Literal["text", "json", "curl"]
"""What a prompt is copied as: the input itself, the request's body, or a curl command."""
FORMS: Mapping[str, Form] = {"copy-prompt": "text", "copy-body": "json", "copy-curl": "curl"}
"""By action."""
SEPARATOR = " · "
"""What stands between the figures."""
MAX_SIZE_LINES = 3
"""Most lines that the figures take; in a narrow pane the last ones are left out, the parts say them too."""


def default_keys() -> dict[str, tuple[str, ...]]:
    """The keys of the pane's actions as the registry has them."""
    return {action_id: BY_ID[action_id].keys for action_id in FORMS}


class PromptPane(Vertical):
    """A prompt as lines, with its size above; follows its end, which is what typing changes."""

    DEFAULT_CSS = """
    PromptPane {
        height: 1fr;
        background: $background;
        #prompt-sizes { height: 1; padding: 0 1; color: $foreground; background: $surface; }
        &.-over #prompt-sizes { text-style: bold; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_lines(-1)", show=False),
        Binding("down", "scroll_lines(1)", show=False),
        Binding("pageup", "scroll_pages(-1)", show=False),
        Binding("pagedown", "scroll_pages(1)", show=False),
        Binding("home", "to_top", show=False),
        Binding("end", "follow_tail", show=False),
    ]

    @dataclass
    class CopyRequested(Message):
        """What the pane shows is to be copied."""

        form: Form
        """As what."""
        view: PromptView
        """What is shown."""

    def __init__(self, *, keys: Mapping[str, tuple[str, ...]] | None = None, id: str | None = None) -> None:
        """Start empty and following.

        Args:
            keys: The keys of each action in `FORMS`; None = the registry's.
            id: The widget's id.
        """
        super().__init__(id=id)
        chosen = default_keys() if keys is None else keys
        self._forms = {key: form for action_id, form in FORMS.items() for key in chosen.get(action_id, ())}
        self._view: PromptView | None = None
        self._title = ""
        self._drawn: tuple[PromptView, str] | None = None

    def compose(self) -> ComposeResult:
        """The sizes, and the lines below."""
        yield Static(id="prompt-sizes", markup=False)
        yield Transcript(id="prompt-lines")

    # -- content

    @property
    def view(self) -> PromptView | None:
        """What is shown; None = nothing yet."""
        return self._view

    @property
    def title(self) -> str:
        """Whose request is shown, such as "Request of m4"; "" = the next turn's."""
        return self._title

    def show(self, view: PromptView, title: str = "") -> None:
        """Show a prompt; while the pane is hidden it is only kept, and drawn when the pane comes into view.

        Args:
            view: The prompt.
            title: Says whose request it is, where it is a past one; the fields that were sent are listed below it.
        """
        self._view, self._title = view, title
        self._update()

    def _update(self) -> None:
        """Draw what changed."""
        if self._view is None or not self._is_in_view or self._drawn == (self._view, self._title):
            return
        view, old, self._drawn = self._view, self._drawn, (self._view, self._title)
        if old is not None and old[1] == self._title and _differ_at_the_end_only(old[0], view):
            for before, part in zip(old[0].tail, view.tail, strict=True):
                if before != part:
                    self._lines.update_entry(_part_entry(part, view.template))
        else:
            self._lines.set_entries(
                [*(_part_entry(part, view.template) for part in view.parts), *self._field_entries()]
            )
        if old is None or old[1] != self._title:
            self._lines.follow_tail()
        self._update_sizes()

    @property
    def _is_in_view(self) -> bool:
        return self.is_mounted and all(node.display for node in self.ancestors_with_self)

    @property
    def _lines(self) -> Transcript:
        return self.query_one(Transcript)

    def _field_entries(self) -> list[Entry]:
        """What was sent with a past request."""
        if not self._title or self._view is None:
            return []
        sent = self._view.sent
        lines = ["not known"] if sent is None else [f"{name} = {_shown(value)}" for name, value in sent.items()]
        return [Entry("fields", EntryKind.NOTICE, "sent with it", "\n".join(lines) or "nothing")]

    def _update_sizes(self) -> None:
        assert self._view is not None
        sizes = self.query_one("#prompt-sizes", Static)
        lines = _packed(_figures(self._view, self._title), max(self.size.width - 2, 1))
        sizes.styles.height = len(lines)  # another height lays the screen out anew, another text does not
        sizes.update("\n".join(lines), layout=False)
        self.set_class(self._view.tokens > self._view.window_tokens, "-over")

    # -- keys, focus and what happens to it

    def focus(self, scroll_visible: bool = True) -> Self:
        """Give the focus to the lines."""
        del scroll_visible
        take_keys(self._lines)
        return self

    def action_scroll_lines(self, lines: int) -> None:
        """Scroll by lines; negative = up."""
        self._lines.scroll_lines(lines)

    def action_scroll_pages(self, pages: int) -> None:
        """Scroll by pages; negative = up."""
        self._lines.scroll_page(pages)

    def action_to_top(self) -> None:
        """Show the beginning."""
        self._lines.scroll_to_top()

    def action_follow_tail(self) -> None:
        """Show the end and keep it in view."""
        self._lines.follow_tail()

    def on_key(self, event: events.Key) -> None:
        """Ask for a copy."""
        form = self._forms.get(event.key)
        if form is not None and self._view is not None:
            event.stop()
            self.post_message(self.CopyRequested(form, self._view))

    def on_show(self) -> None:
        """Draw what was given before the pane came into view."""
        self._update()

    def on_resize(self) -> None:
        """Write the sizes for another width."""
        if self._drawn is not None:
            self._update_sizes()


def _differ_at_the_end_only(old: PromptView, new: PromptView) -> bool:
    """Whether the closed parts are the very same, and the parts behind them still those."""
    return old.closed is new.closed and [part.key for part in old.tail] == [part.key for part in new.tail]


def _part_entry(part: PromptPart, template: Template) -> Entry:
    """One part, with its size in the heading."""
    return Entry(
        key=part.key,
        kind=EntryKind.PROMPT,
        heading=f"{part.kind}{SEPARATOR}~{words.count(part.tokens)} tok",
        text=part.text,
        footer=f"{part.neutralised} neutralised" if part.neutralised else "",
        detail=part.message_id or "",
        template=template,
    )


def _figures(view: PromptView, title: str) -> Iterable[str]:
    """What stands above the lines."""
    if title:
        yield line_text(title)
    is_over = view.tokens > view.window_tokens
    what = "tok" if title else "tok to send,"  # the status line counts the conversation, not what is being typed
    yield f"{'⚠ ' if is_over else ''}~{words.count(view.tokens)} {what} of {words.count(view.window_tokens)}"
    if view.neutralised:
        yield f"{view.neutralised} neutralised"
    if view.counted_tokens is not None:
        yield f"{words.count(view.counted_tokens)} counted"


def _packed(figures: Iterable[str], width: int) -> Sequence[str]:
    """Lines of as many figures as fit, each figure in one piece."""
    lines: list[str] = []
    for figure in figures:
        longer = f"{lines[-1]}{SEPARATOR}{figure}" if lines else figure
        if lines and cell_len(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(figure)
    return lines[:MAX_SIZE_LINES]


def _shown(value: object) -> str:
    """Write a field's value as it stood in the body."""
    return json.dumps(value, ensure_ascii=False, default=str)
