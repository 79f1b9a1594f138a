"""What the prompt pane shows of an input, in words: its parts, how large they are, and what was sent with them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from rich.cells import cell_len

from kimi_tui.core.prompt.prompt_sizes import PartSize
from kimi_tui.core.prompt.prompt_view import PromptView
from kimi_tui.core.prompt.prompt_writer import PartKind, PromptPart
from kimi_tui.core.prompt.shared_prefix import SharedPrefix
from kimi_tui.core.session.differing_fields import differing_fields
from kimi_tui.core.session.session import RequestRecord
from kimi_tui.core.text.counts import counted
from kimi_tui.core.text.dotted import dotted
from kimi_tui.core.text.visible import visible_line
from kimi_tui.ui.state.entry import Entry, EntryKind
from kimi_tui.ui.text import words
from kimi_tui.ui.text.fit import fitted

BORDER = "border"
"""Key of the entry that begins where the last request ended or was another."""
NAMED_LEFT_OUT, BEGINNING = 12, 40
"""How many of the messages that are not sent are named, and how much of each is shown, in cells."""


class ShownPart(NamedTuple):
    part: PromptPart
    size: PartSize
    border: int | None
    """Where in it the last request was another, in code points; None = not in it."""
    has_window_end: bool


def parts_shown(
    view: PromptView, before: Sequence[tuple[ShownPart, list[Entry]]], first: int = 0
) -> list[tuple[ShownPart, list[Entry]]]:
    """Of all parts, or of the tail alone, which begins at part `first`.

    One that was shown so in the same place keeps its entries, and so its lines.
    """
    shared, found = view.shared, list[tuple[ShownPart, list[Entry]]]()
    parts = zip(view.tail, view.tail_sizes, strict=True) if first else zip(view.parts, view.sizes, strict=True)
    for place, (part, size) in enumerate(parts, start=first):
        border = shared.offset if shared is not None and shared.place == place else None
        shown = ShownPart(part, size, border, place == view.window_end)
        known = before[place] if place < len(before) else None
        is_known = known is not None and known[0].part is part and known[0][1:] == shown[1:]
        found.append(known if known is not None and is_known else (shown, _part_entries(shown, view)))
    return found


def _part_entries(shown: ShownPart, view: PromptView) -> list[Entry]:
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
    return f"▼ {'new since' if shared.is_all else 'differs from'} the last request ({visible_line(shared.last)})"


def shared_lines(view: PromptView, shared: SharedPrefix, width: int) -> Sequence[str]:
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
    if part.message_id is not None:
        return f"message {visible_line(part.message_id)}"
    return "system prompt" if part.kind is PartKind.SYSTEM else part.kind.value


def left_out_entries(view: PromptView) -> list[Entry]:
    """The messages that are no part of it, the last of them by name."""
    if not view.left_out:
        return []
    before = len(view.left_out) - NAMED_LEFT_OUT
    lines = [f"{counted(before, 'message')} more …"] if before > 0 else []
    named = view.left_out[-NAMED_LEFT_OUT:]
    lines += [f"{it.id} {it.role.value}: {fitted(it.content[:BEGINNING], BEGINNING)}" for it in named]
    heading = dotted("not sent", counted(len(view.left_out), "message"))
    return [Entry("left-out", EntryKind.NOTICE, heading, "\n".join(lines))]


def figures(view: PromptView, title: str) -> Iterable[str]:
    if title:
        yield visible_line(title)
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


def field_entries(view: PromptView) -> list[Entry]:
    found = [Entry("fields", EntryKind.NOTICE, "sent with it", "\n".join(_field_lines(view)))]
    if view.request is not None:
        found.append(Entry("outcome", EntryKind.NOTICE, "came of it", "\n".join(_outcome(view.request))))
    return found


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
    lines = [dotted(f"{request.kind} request", state, visible_line(request.finish_reason or ""))]
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
        lines.append(f"request_id {visible_line(request.request_id)}")
    return lines
