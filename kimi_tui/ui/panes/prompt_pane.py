"""The prompt pane: the exact input of the next turn, or of a past one, part by part."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, NamedTuple, Self

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from kimi_tui.core.prompt.prompt_sizes import PartSize
from kimi_tui.core.prompt.prompt_view import PromptView
from kimi_tui.core.prompt.prompt_writer import PartKind, PromptPart
from kimi_tui.core.prompt.shared_prefix import SharedPrefix
from kimi_tui.core.session.differing_fields import differing_fields
from kimi_tui.core.session.session import RequestRecord
from kimi_tui.core.settings.actions import BY_ID
from kimi_tui.core.text.cells import cut
from kimi_tui.core.text.counts import counted
from kimi_tui.core.text.dotted import dotted, packed
from kimi_tui.core.text.visible import visible_line
from kimi_tui.ui.keys.focus import take_keys
from kimi_tui.ui.state.entry import Entry, EntryKind
from kimi_tui.ui.text import words
from kimi_tui.ui.text.safe_text import line_text
from kimi_tui.ui.transcript.scroll_keys import ScrollKeys, scroll_bindings
from kimi_tui.ui.transcript.transcript_widget import Transcript
from kimi_tui.ui.transcript.view import View

Form = Literal["text", "json", "curl", "python"]
FORMS: Mapping[str, Form] = {
    "copy-prompt": "text",
    "copy-body": "json",
    "copy-curl": "curl",
    "copy-python": "python",
}
STEPS: Mapping[str, int] = {"previous-request": -1, "next-request": 1}
BORDER = "border"
"""Key of the entry that begins where the last request ended or was another."""
NAMED_LEFT_OUT, BEGINNING = 12, 40
"""How many of the messages that are not sent are named, and how much of each is shown, in cells."""
MAX_SIZE_LINES = 3
"""In a narrow pane the last figures are left out, the parts say them too."""


def default_keys() -> dict[str, tuple[str, ...]]:
    return {action_id: BY_ID[action_id].keys for action_id in (*FORMS, *STEPS)}


class PromptPane(ScrollKeys, Vertical):
    """Follows its end, which is what typing changes."""

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
        self._shown: list[tuple[_Shown, list[Entry]]] = []  # of the parts of what is drawn, what each is shown as

    def compose(self) -> ComposeResult:
        yield Static(id="prompt-sizes", markup=False)
        yield Static(id="prompt-shared", markup=False)
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
        if old is None or old[1] != self._title or not self._update_tail(old[0], view):
            self._shown = _parts_shown(view, self._shown)
            parts = [entry for _, entries in self._shown for entry in entries]
            self._lines.set_entries([*_left_out_entries(view), *parts, *self._field_entries()])
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
        before, tail = self._shown[count:], _parts_shown(new, (), count)
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
        width = max(self.size.width - 2, 1)
        lines = packed(_figures(self._view, self._title), width)[:MAX_SIZE_LINES]
        sizes.styles.height = len(lines)  # another height lays the screen out anew, another text does not
        sizes.update("\n".join(lines), layout=False)
        shared = self.query_one("#prompt-shared", Static)
        shared.display = self._view.shared is not None
        if self._view.shared is not None:
            lines = _shared_lines(self._view, self._view.shared, width)
            shared.styles.height = len(lines)
            shared.update("\n".join(lines), layout=False)
        self.set_class(self._view.tokens > self._view.window_tokens, "-over")

    # -- keys, focus and what happens to it

    def focus(self, scroll_visible: bool = True) -> Self:
        del scroll_visible
        take_keys(self._lines)
        return self

    @property
    def scrolled(self) -> View:
        return self._lines.view

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


class _Shown(NamedTuple):
    """What a part is shown by."""

    part: PromptPart
    size: PartSize
    border: int | None
    """Where in it the last request was another, in code points; None = not in it."""
    has_window_end: bool


def _marks(view: PromptView, count: int) -> tuple[object, ...]:
    """What is marked in the first parts."""
    shared, end = view.shared, view.window_end
    border = None if shared is None or shared.place >= count else shared
    return border, None if end is None or end >= count else end


def _parts_shown(
    view: PromptView, before: Sequence[tuple[_Shown, list[Entry]]], first: int = 0
) -> list[tuple[_Shown, list[Entry]]]:
    """Of all parts, or of the tail alone, which begins at part `first`.

    One that was shown so in the same place keeps its entries, and so its lines.
    """
    shared, found = view.shared, list[tuple[_Shown, list[Entry]]]()
    parts = zip(view.tail, view.tail_sizes, strict=True) if first else zip(view.parts, view.sizes, strict=True)
    for place, (part, size) in enumerate(parts, start=first):
        border = shared.offset if shared is not None and shared.place == place else None
        shown = _Shown(part, size, border, place == view.window_end)
        known = before[place] if place < len(before) else None
        is_known = known is not None and known[0].part is part and known[0][1:] == shown[1:]
        found.append(known if known is not None and is_known else (shown, _part_entries(shown, view)))
    return found


def _entries_of(shown: Iterable[tuple[_Shown, list[Entry]]]) -> list[Entry]:
    return [entry for _, entries in shown for entry in entries]


def _part_entries(shown: _Shown, view: PromptView) -> list[Entry]:
    """Two where the border is in it: the text from there on stands below a heading of its own."""
    part, size = shown.part, shown.size
    thinking = f", ~{words.count(size.thinking_tokens)} of it thinking" if part.thinking else ""
    notes = [f"{part.neutralised} neutralised"] if part.neutralised else []
    notes += [f"{words.count(size.sum_told)} tok up to here, counted"] if size.sum_told is not None else []
    entry = Entry(
        key=part.key,
        kind=EntryKind.PROMPT,
        heading=dotted(part.kind, f"{_tokens(size.tokens, is_told=size.is_told)}{thinking}"),
        text=part.text,
        footer=dotted(*notes),
        detail=part.message_id or "",
        template=view.template,
        remark="⚠ the window ends here" if shown.has_window_end else "",
    )
    if shown.border is None or view.shared is None:
        return [entry]
    border = Entry(BORDER, EntryKind.PROMPT, _border_words(view.shared), "", template=view.template)
    if not shown.border:
        return [border, entry]
    return [
        replace(entry, text=part.text[: shown.border], footer=""),
        replace(border, text=part.text[shown.border :], footer=entry.footer),
    ]


def _tokens(count: int, *, is_told: bool) -> str:
    return f"{'' if is_told else '~'}{words.count(count)} tok"


def _border_words(shared: SharedPrefix) -> str:
    return f"▼ {'new since' if shared.is_all else 'differs from'} the last request ({line_text(shared.last)})"


def _shared_lines(view: PromptView, shared: SharedPrefix, width: int) -> Sequence[str]:
    """How far it is as the last request was, and what differs first: on one line, or on two where one is too short."""
    tokens = f"{'' if shared.is_told else '~'}{shared.tokens:,} tok"
    if shared.place == len(view.parts):
        ways = [[f"all of it equals the last request, {tokens}"]]
    else:
        what = part_name(view.parts[shared.place]) + (", …" if shared.place + 1 < len(view.parts) else "")
        what = f"{'new' if shared.is_all else 'differs in'}: {what}"
        first = f"the first {tokens} equal the last request's" if shared.tokens else "the last request began otherwise"
        short = f"= {tokens}"
        ways = [[f"{first}; {what}"], [first, what], [f"{short}; {what}"], [short, what]]
    return next((way for way in ways if max(map(cell_len, way)) <= width), ways[-1])


def part_name(part: PromptPart) -> str:
    """How a part is called in a sentence."""
    if part.message_id is not None:
        return f"message {line_text(part.message_id)}"
    return "system prompt" if part.kind is PartKind.SYSTEM else part.kind.value


def _left_out_entries(view: PromptView) -> list[Entry]:
    """The messages that are no part of it, the last of them by name."""
    if not view.left_out:
        return []
    before = len(view.left_out) - NAMED_LEFT_OUT
    lines = [f"{counted(before, 'message')} more …"] if before > 0 else []
    named = ((it, visible_line(it.content[:BEGINNING])) for it in view.left_out[-NAMED_LEFT_OUT:])
    lines += [f"{message.id} {message.role.value}: {cut(text, BEGINNING)}" for message, text in named]
    heading = dotted("not sent", counted(len(view.left_out), "message"))
    return [Entry("left-out", EntryKind.NOTICE, heading, "\n".join(lines))]


def _figures(view: PromptView, title: str) -> Iterable[str]:
    if title:
        yield line_text(title)
    is_over = view.tokens > view.window_tokens
    what = "tok" if title else "tok to send,"  # the status line counts the conversation, not what is being typed
    tokens = f"{'' if view.is_told else '~'}{words.count(view.tokens)}"
    yield f"{'⚠ ' if is_over else ''}{tokens} {what} of {words.count(view.window_tokens)}"
    if view.window_end is not None:
        yield _window_words(view, view.window_end)
    if view.thinking_tokens:
        yield f"~{words.count(view.thinking_tokens)} of it kept thinking"
    if view.left_out:
        yield f"{counted(len(view.left_out), 'message')} not sent"
    if view.neutralised:
        yield f"{view.neutralised} neutralised"
    is_said = view.is_told or (view.shared is not None and view.shared.is_told)
    if view.counted_tokens is not None and not is_said:
        yield f"{words.count(view.counted_tokens)} counted"


def _window_words(view: PromptView, end: int) -> str:
    kept = f", {words.count(view.reply_tokens)} kept for the reply" if view.reply_tokens else ""
    return f"⚠ the window ends in: {part_name(view.parts[end])}{kept}"


def _field_lines(view: PromptView) -> list[str]:
    """What differs from the first request behind the same reply says so."""
    if view.sent is None:
        return ["not known"]
    first = view.sent if view.sent_first is None else view.sent_first
    differing = differing_fields({"now": view.sent, "first": first}).get("now", {})
    told = {name: f"  (first: {_shown(name, first)})" for name in differing}
    lines = [f"{name} = {_shown(name, view.sent)}{told.get(name, '')}" for name in view.sent]
    lines += [f"{name} is not sent{told.get(name, '')}" for name in first if name not in view.sent]
    return lines or ["nothing"]


def _shown(name: str, sent: Mapping[str, object]) -> str:
    """As it stood in the body; a form that a file has is its JSON already."""
    if name not in sent:
        return "not sent"
    value = sent[name]
    if name == "response_format" and isinstance(value, str):
        return visible_line(value)
    return json.dumps(value, ensure_ascii=False, default=str)


def _outcome(request: RequestRecord) -> list[str]:
    """Its kind, how it ended, what it took."""
    usage, mark = request.usage, "~" if request.is_estimated else ""
    state = "" if request.state is None else request.state.value
    lines = [dotted(f"{request.kind} request", state, line_text(request.finish_reason or ""))]
    tokens = [
        f"{'' if what == 'in' else mark}{words.count(count)} {what}"
        for count, what in ((usage.input_tokens, "in"), (usage.output_tokens, "out"))
        if count is not None
    ]
    cost = "cost not known" if usage.cost_usd is None else words.dollars(usage.cost_usd)
    lines.append(dotted(*tokens, cost))
    if request.timing.total_s is not None:
        lines.append(words.seconds(request.timing.total_s))
    if request.request_id:
        lines.append(f"request_id {line_text(request.request_id)}")
    return lines
