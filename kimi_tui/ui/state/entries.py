"""Messages and notices as entries of the transcript."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

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
from kimi_tui.ui.state.entry import Entry, EntryKind
from kimi_tui.ui.text import words

USER_NAME = "You"
ASSISTANT_NAME = "Kimi"
PINNED = "pinned"
"""What stands behind the heading of a message that is."""

Source = Message | Entry
"""What an entry is, or is made of when it is looked at: of thousands of messages, only some are."""


class Marks(NamedTuple):
    """What the entry of a message shows that is not the message's own."""

    timestamps: bool = False
    alternatives: tuple[int, int] | None = None
    """Its place among them, such as (2, 3); None = it has none."""
    setting: str = ""
    is_sent: bool = False
    """Whether it is sent because it is pinned: it stands before the cut."""


NO_MARKS = Marks()


@dataclass(frozen=True, slots=True)
class MessageEntries:
    """What entries of the messages of a branch are made of."""

    alternatives: Mapping[str, tuple[int, int]]
    """As `Branch.alternatives`."""
    settings: Mapping[str, str]
    """As `Branch.settings`."""
    timestamps: bool = False
    sent: frozenset[str] = frozenset()
    """Ids of messages before the cut that are sent, since they are pinned."""

    def marks(self, source: Source) -> Marks:
        """As they are now; those of an entry never change."""
        if isinstance(source, Entry):
            return NO_MARKS
        id_ = source.id
        return Marks(self.timestamps, self.alternatives.get(id_), self.settings.get(id_, ""), id_ in self.sent)

    def entry(self, source: Source) -> Entry:
        return source if isinstance(source, Entry) else message_entry(source, self.marks(source))


def key_of(source: Source) -> str:
    return source.id if isinstance(source, Message) else source.key


def kind_of(source: Source) -> EntryKind:
    if isinstance(source, Entry):
        return source.kind
    return EntryKind.USER if source.role is Role.USER else EntryKind.ASSISTANT


def message_entry(message: Message, shown: Marks = NO_MARKS) -> Entry:
    detail = f"{message.created.astimezone():%H:%M}" if shown.timestamps and message.created else ""
    pinned = (f"{PINNED}, sent" if shown.is_sent else PINNED) if message.pinned else ""
    if message.role is Role.USER:
        footer = "a control marker in this text is sent neutralised" if ALL_MARKERS.spans(message.content) else ""
        return Entry(
            key=message.id,
            kind=EntryKind.USER,
            heading=USER_NAME,
            text=message.content,
            footer=footer,
            alternatives=shown.alternatives,
            branch_name=message.name,
            setting=shown.setting,
            detail=detail,
            is_excluded=message.excluded,
            remark=pinned,
        )
    return Entry(
        key=message.id,
        kind=EntryKind.ASSISTANT,
        heading=ASSISTANT_NAME,
        text=laid_out(message.content) if is_laid_out(message) else message.content,
        reasoning=message.reasoning or None,
        thought_label=_thought_label(message),
        footer=end_words(message),
        alternatives=shown.alternatives,
        branch_name=message.name,
        setting=shown.setting,
        detail=detail,
        is_excluded=message.excluded,
        remark=dotted(marks(message), pinned),
        written=message.written,
    )


def is_laid_out(message: Message) -> bool:
    """Whether its JSON is: not where some of it is the user's, which is marked by its place in the exact text."""
    return is_json_form(form_of(message)) and not any(it.field == CONTENT for it in message.written)


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


def notice(key: str, text: str, severity: str = "info") -> Entry:
    return Entry(key=key, kind=EntryKind.NOTICE, heading="", text=text, severity=severity)


def error_text(error: KimiError, kept: str = "") -> str:
    return "\n".join(line for line in (visible_line(error.summary), error.quote, kept, error.hint) if line)


def about(error: KimiError) -> str:
    """What a notice on an error is about: that a session is read-only is worth saying once."""
    return error.kind if isinstance(error, SessionReadOnlyError) else ""
