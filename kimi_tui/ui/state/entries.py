"""Messages and notices as entries of the transcript."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, repeat

from kimi_tui.core.errors import KimiError, SessionReadOnlyError
from kimi_tui.core.prompt.stop_words import end_words
from kimi_tui.core.prompt.template import ALL_MARKERS
from kimi_tui.core.prompt.token_estimate import rough_tokens
from kimi_tui.core.session.endings import marks, thinking_end
from kimi_tui.core.session.session import Message, Role
from kimi_tui.core.session.written import CONTENT
from kimi_tui.core.text.dotted import dotted
from kimi_tui.core.text.visible import visible_line
from kimi_tui.core.wire.answer_forms import form_of, is_json_form, laid_out
from kimi_tui.ui.state.branch import Branch
from kimi_tui.ui.state.entry import Entry, EntryKind
from kimi_tui.ui.text import words

USER_NAME = "You"
ASSISTANT_NAME = "Kimi"
PINNED = "pinned"
"""What stands behind the heading of a message that is."""


class MessageEntries:
    """Entries of a session's messages; one is made anew only when its message has become another."""

    def __init__(self) -> None:
        self._branch: Branch | None = None
        self._entries: list[Entry] = []  # of its messages, in their order
        self._has_timestamps = False

    def of(self, branch: Branch, *, timestamps: bool) -> Sequence[Entry]:
        """Every message of the active branch, in order; for a branch that is the same one nothing is done."""
        if timestamps != self._has_timestamps:
            self._branch, self._entries, self._has_timestamps = None, [], timestamps
        if branch is self._branch:
            return self._entries
        messages = () if self._branch is None else self._branch.messages
        before = chain(zip(messages, self._entries, strict=True), repeat(None))
        self._entries = [
            self._entry(message, branch, known) for message, known in zip(branch.messages, before, strict=False)
        ]
        self._branch = branch
        return self._entries

    def _entry(self, message: Message, branch: Branch, known: tuple[Message, Entry] | None) -> Entry:
        """The entry that stood in the same place, or a new one."""
        alternatives, setting = branch.alternatives.get(message.id), branch.settings.get(message.id, "")
        if known is not None and known[0] is message:
            entry = known[1]
            if (entry.alternatives, entry.setting) == (alternatives, setting):
                return entry
        made = message_entry(message, timestamps=self._has_timestamps, alternatives=alternatives)
        return replace(made, setting=setting) if setting else made


def message_entry(
    message: Message, *, timestamps: bool, alternatives: tuple[int, int] | None = None, key: str | None = None
) -> Entry:
    """`alternatives` is its place among them, such as (2, 3), None = it has none; `key` None = the message's id."""
    detail = f"{message.created.astimezone():%H:%M}" if timestamps and message.created else ""
    if message.role is Role.USER:
        footer = "a control marker in this text is sent neutralised" if ALL_MARKERS.spans(message.content) else ""
        return Entry(
            key=key or message.id,
            kind=EntryKind.USER,
            heading=USER_NAME,
            text=message.content,
            footer=footer,
            alternatives=alternatives,
            branch_name=message.name,
            detail=detail,
            is_excluded=message.excluded,
            remark=PINNED if message.pinned else "",
        )
    return Entry(
        key=key or message.id,
        kind=EntryKind.ASSISTANT,
        heading=ASSISTANT_NAME,
        text=_shown_answer(message),
        reasoning=message.reasoning or None,
        thought_label=_thought_label(message),
        footer=end_words(message),
        alternatives=alternatives,
        branch_name=message.name,
        detail=detail,
        is_excluded=message.excluded,
        remark=dotted(marks(message), PINNED if message.pinned else ""),
        written=message.written,
    )


def _shown_answer(reply: Message) -> str:
    """Its JSON laid out, unless some of it is the user's, which is marked by its place in the exact text."""
    is_exact = any(it.field == CONTENT for it in reply.written) or not is_json_form(form_of(reply))
    return reply.content if is_exact else laid_out(reply.content)


def _thought_label(message: Message) -> str:
    """The think block's one line."""
    thinking_s = message.timing.thinking_s if message.timing else None
    is_counted = message.usage is not None and message.usage.output_tokens is not None and not message.took_thinking
    is_received = message.thinking_tokens is not None and not _goes_on_thinking(message)
    is_estimated = not is_received and (not is_counted or message.is_partly_counted)
    tokens, ended_by = thought_tokens(message), thinking_end(message)
    return words.thought_label(thinking_s, tokens, is_estimated=is_estimated, ended_by=ended_by)


def thought_tokens(message: Message) -> int:
    """Tokens of its think block: as received, else of the reported ones the share of its length, else an estimate.

    Of one that goes on with other thinking they are those that came, as its seconds are.
    """
    reasoning, counted = message.reasoning or "", message.usage.output_tokens if message.usage else None
    if _goes_on_thinking(message) and message.begun is not None:
        reasoning = reasoning[message.begun.reasoning :]
    elif message.thinking_tokens is not None:
        return message.thinking_tokens
    if counted is None or not reasoning or message.took_thinking:
        return rough_tokens(reasoning)
    return round(counted * len(reasoning) / (len(reasoning) + len(message.content)))


def _goes_on_thinking(message: Message) -> bool:
    """Whether its requests thought on behind what was there."""
    begun = message.begun
    return begun is not None and begun.content is None and begun.reasoning > 0 and not message.is_unasked


def sent_though_pinned(messages: Sequence[Entry], cut: int) -> Sequence[Entry]:
    """Say of pinned messages before a cut that they are sent."""
    before = [replace(it, remark=f"{it.remark}, sent") if it.remark.endswith(PINNED) else it for it in messages[:cut]]
    return [*before, *messages[cut:]]


def notice(key: str, text: str, severity: str = "info") -> Entry:
    return Entry(key=key, kind=EntryKind.NOTICE, heading="", text=text, severity=severity)


def error_text(error: KimiError, kept: str = "") -> str:
    return "\n".join(line for line in (visible_line(error.summary), error.quote, kept, error.hint) if line)


def about(error: KimiError) -> str:
    """What a notice on an error is about: that a session is read-only is worth saying once."""
    return error.kind if isinstance(error, SessionReadOnlyError) else ""
