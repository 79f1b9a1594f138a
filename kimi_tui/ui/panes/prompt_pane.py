"""The prompt pane: the exact input of the next turn, or of a past one, part by part."""

from __future__ import annotations

import itertools
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
from kimi_tui.core.session.session import RequestRecord
from kimi_tui.core.settings.actions import BY_ID
from kimi_tui.core.text.cells import cut
from kimi_tui.core.text.counts import counted
from kimi_tui.core.text.visible import visible_line
from kimi_tui.ui.keys.focus import take_keys
from kimi_tui.ui.state.entry import Entry, EntryKind
from kimi_tui.ui.text import words
from kimi_tui.ui.text.safe_text import line_text
from kimi_tui.ui.transcript.transcript_widget import Transcript

Form = Literal["text", "json", "curl"]
FORMS: Mapping[str, Form] = {"copy-prompt": "text", "copy-body": "json", "copy-curl": "curl"}
STEPS: Mapping[str, int] = {"previous-request": -1, "next-request": 1}
SEPARATOR = " · "
NAMED_LEFT_OUT, BEGINNING = 12, 40
"""How many of the messages that are not sent are named, and how much of each is shown, in cells."""
MAX_SIZE_LINES = 3
"""In a narrow pane the last figures are left out, the parts say them too."""


def default_keys() -> dict[str, tuple[str, ...]]:
    return {action_id: BY_ID[action_id].keys for action_id in (*FORMS, *STEPS)}


class PromptPane(Vertical):
    """Follows its end, which is what typing changes."""

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
        view: PromptView

    @dataclass
    class StepRequested(Message):
        """The request before or after is to be shown."""

        by: int
        """-1 or 1."""

    class HintsChanged(Message):
        """Another request is shown."""

    def __init__(self, *, keys: Mapping[str, tuple[str, ...]] | None = None, id: str | None = None) -> None:
        """`keys` are those of each action in `FORMS` and `STEPS`; None = the registry's."""
        super().__init__(id=id)
        chosen = default_keys() if keys is None else keys
        self._forms = {key: form for action_id, form in FORMS.items() for key in chosen.get(action_id, ())}
        self._steps = {key: by for action_id, by in STEPS.items() for key in chosen.get(action_id, ())}
        self._view: PromptView | None = None
        self._title = ""
        self._drawn: tuple[PromptView, str] | None = None
        self._entries: list[Entry] = []  # of the parts of what is drawn; those of its tail may have been updated since

    def compose(self) -> ComposeResult:
        yield Static(id="prompt-sizes", markup=False)
        yield Transcript(id="prompt-lines")

    # -- content

    @property
    def view(self) -> PromptView | None:
        """None = nothing is shown yet."""
        return self._view

    @property
    def title(self) -> str:
        """Whose request is shown, such as "Request of m4"; "" = the next turn's."""
        return self._title

    def show(self, view: PromptView, title: str = "") -> None:
        """While the pane is hidden the prompt is only kept, and drawn when the pane comes into view.

        `title` says whose request it is, where it is a past one; the fields that were sent are listed below it.
        """
        self._view, self._title = view, title
        self._update()

    def _update(self) -> None:
        if self._view is None or not self._is_in_view or self._drawn == (self._view, self._title):
            return
        view, old, self._drawn = self._view, self._drawn, (self._view, self._title)
        if old is not None and old[1] == self._title and _differ_at_the_end_only(old[0], view):
            for before, part in zip(old[0].tail, view.tail, strict=True):
                if before != part:
                    self._lines.update_entry(_part_entry(part, view.template))
        else:
            shown = zip(() if old is None else old[0].closed, self._entries, strict=False)
            self._entries = _entries(view, shown)
            self._lines.set_entries([*_left_out_entries(view), *self._entries, *self._field_entries()])
        if old is None or old[1] != self._title:
            self._lines.view.follow_tail()
        self._update_sizes()

    @property
    def _is_in_view(self) -> bool:
        return self.is_mounted and all(node.display for node in self.ancestors_with_self)

    @property
    def _lines(self) -> Transcript:
        return self.query_one(Transcript)

    def _field_entries(self) -> list[Entry]:
        if not self._title or self._view is None:
            return []
        fields = Entry("fields", EntryKind.NOTICE, "sent with it", "\n".join(_field_lines(self._view)))
        if self._view.request is None:
            return [fields]
        return [fields, Entry("outcome", EntryKind.NOTICE, "came of it", "\n".join(_outcome(self._view.request)))]

    def _update_sizes(self) -> None:
        assert self._view is not None
        sizes = self.query_one("#prompt-sizes", Static)
        lines = _packed(_figures(self._view, self._title), max(self.size.width - 2, 1))
        sizes.styles.height = len(lines)  # another height lays the screen out anew, another text does not
        sizes.update("\n".join(lines), layout=False)
        self.set_class(self._view.tokens > self._view.window_tokens, "-over")

    # -- keys, focus and what happens to it

    def focus(self, scroll_visible: bool = True) -> Self:
        del scroll_visible
        take_keys(self._lines)
        return self

    def action_scroll_lines(self, lines: int) -> None:
        """Negative = up."""
        self._lines.view.scroll_lines(lines)

    def action_scroll_pages(self, pages: int) -> None:
        """Negative = up."""
        self._lines.view.scroll_pages(pages)

    def action_to_top(self) -> None:
        self._lines.view.scroll_to_top()

    def action_follow_tail(self) -> None:
        self._lines.view.follow_tail()

    def on_key(self, event: events.Key) -> None:
        form = self._forms.get(event.key)
        if event.key in self._steps:
            event.stop()
            self.post_message(self.StepRequested(self._steps[event.key]))
        elif form is not None and self._view is not None:
            event.stop()
            self.post_message(self.CopyRequested(form, self._view))

    def on_show(self) -> None:
        """What was given before the pane came into view is drawn."""
        self._update()

    def on_resize(self) -> None:
        if self._drawn is not None:
            self._update_sizes()


def _differ_at_the_end_only(old: PromptView, new: PromptView) -> bool:
    """Whether the closed parts are the very same, and the parts behind them still those."""
    return old.closed is new.closed and [part.key for part in old.tail] == [part.key for part in new.tail]


def _entries(view: PromptView, before: Iterable[tuple[PromptPart, Entry]]) -> list[Entry]:
    """A part that was shown in the same place keeps its entry, and so its lines."""
    pairs = itertools.zip_longest(view.parts, before)
    return [
        known[1] if known is not None and known[0] is part else _part_entry(part, view.template)
        for part, known in itertools.islice(pairs, len(view.parts))
    ]


def _part_entry(part: PromptPart, template: Template) -> Entry:
    thinking = f", ~{words.count(part.thinking_tokens)} of it thinking" if part.thinking else ""
    return Entry(
        key=part.key,
        kind=EntryKind.PROMPT,
        heading=f"{part.kind}{SEPARATOR}~{words.count(part.tokens)} tok{thinking}",
        text=part.text,
        footer=f"{part.neutralised} neutralised" if part.neutralised else "",
        detail=part.message_id or "",
        template=template,
    )


def _left_out_entries(view: PromptView) -> list[Entry]:
    """The messages that are no part of it, the last of them by name."""
    if not view.left_out:
        return []
    before = len(view.left_out) - NAMED_LEFT_OUT
    lines = [f"{counted(before, 'message')} more …"] if before > 0 else []
    named = ((it, visible_line(it.content[:BEGINNING])) for it in view.left_out[-NAMED_LEFT_OUT:])
    lines += [f"{message.id} {message.role.value}: {cut(text, BEGINNING)}" for message, text in named]
    heading = f"not sent{SEPARATOR}{counted(len(view.left_out), 'message')}"
    return [Entry("left-out", EntryKind.NOTICE, heading, "\n".join(lines))]


def _figures(view: PromptView, title: str) -> Iterable[str]:
    if title:
        yield line_text(title)
    is_over = view.tokens > view.window_tokens
    what = "tok" if title else "tok to send,"  # the status line counts the conversation, not what is being typed
    yield f"{'⚠ ' if is_over else ''}~{words.count(view.tokens)} {what} of {words.count(view.window_tokens)}"
    if view.thinking_tokens:
        yield f"~{words.count(view.thinking_tokens)} of it kept thinking"
    if view.left_out:
        yield f"{counted(len(view.left_out), 'message')} not sent"
    if view.neutralised:
        yield f"{view.neutralised} neutralised"
    if view.counted_tokens is not None:
        yield f"{words.count(view.counted_tokens)} counted"


def _packed(figures: Iterable[str], width: int) -> Sequence[str]:
    lines: list[str] = []
    for figure in figures:
        longer = f"{lines[-1]}{SEPARATOR}{figure}" if lines else figure
        if lines and cell_len(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(figure)
    return lines[:MAX_SIZE_LINES]


def _field_lines(view: PromptView) -> list[str]:
    """What differs from the first request behind the same reply says so."""
    if view.sent is None:
        return ["not known"]
    first = view.sent if view.sent_first is None else view.sent_first
    lines = [f"{name} = {_shown(value)}{_unlike(name, value, first)}" for name, value in view.sent.items()]
    lines += [f"{name} is not sent{_unlike(name, None, first)}" for name in first if name not in view.sent]
    return lines or ["nothing"]


def _unlike(name: str, value: object, first: Mapping[str, object]) -> str:
    if name not in first:
        return "  (first: not sent)"
    return "" if first[name] == value else f"  (first: {_shown(first[name])})"


def _outcome(request: RequestRecord) -> list[str]:
    """Its kind, how it ended, what it took."""
    usage, mark = request.usage, "~" if request.is_estimated else ""
    state = "" if request.state is None else request.state.value
    lines = [SEPARATOR.join(filter(None, (f"{request.kind} request", state, line_text(request.finish_reason or ""))))]
    tokens = [
        f"{'' if what == 'in' else mark}{words.count(count)} {what}"
        for count, what in ((usage.input_tokens, "in"), (usage.output_tokens, "out"))
        if count is not None
    ]
    cost = "cost not known" if usage.cost_usd is None else words.dollars(usage.cost_usd)
    lines.append(SEPARATOR.join([*tokens, cost]))
    if request.timing.total_s is not None:
        lines.append(words.seconds(request.timing.total_s))
    if request.request_id:
        lines.append(f"request_id {line_text(request.request_id)}")
    return lines


def _shown(value: object) -> str:
    """As it stood in the body."""
    return json.dumps(value, ensure_ascii=False, default=str)
