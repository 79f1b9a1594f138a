"""Messages and notices as entries of the transcript."""

from __future__ import annotations

from collections.abc import Sequence

from kimi_tui.core import conversation
from kimi_tui.core.errors import KimiError
from kimi_tui.core.neutralise import marker_spans
from kimi_tui.core.session import Message, Role, Session
from kimi_tui.ui import words
from kimi_tui.ui.widgets.transcript import Entry, EntryKind

USER_NAME = "You"
ASSISTANT_NAME = "Kimi"


def session_entries(session: Session, *, timestamps: bool) -> list[Entry]:
    """Every message of the active branch, in order."""
    siblings = _places(session)
    return [
        message_entry(message, timestamps=timestamps, alternatives=siblings.get(message.id))
        for message in conversation.branch(session)
    ]


def _places(session: Session) -> dict[str, tuple[int, int]]:
    """The place of every message that has alternatives, from 1, and how many there are."""
    families: dict[str | None, list[str]] = {}
    for message in session.messages:
        families.setdefault(message.parent, []).append(message.id)
    return {
        id_: (place, len(family))
        for family in families.values()
        if len(family) > 1
        for place, id_ in enumerate(family, start=1)
    }


def message_entry(
    message: Message, *, timestamps: bool, alternatives: tuple[int, int] | None = None, key: str | None = None
) -> Entry:
    """Show one message.

    Args:
        message: The message.
        timestamps: Whether its time stands beside the name.
        alternatives: Its place among its alternatives, such as (2, 3); None = it has none.
        key: The entry's key; None = the message's id.
    """
    detail = f"{message.created.astimezone():%H:%M}" if timestamps and message.created else ""
    if message.role is Role.USER:
        footer = "a control marker in this text is sent neutralised" if marker_spans(message.content) else ""
        return Entry(
            key=key or message.id,
            kind=EntryKind.USER,
            heading=USER_NAME,
            text=message.content,
            footer=footer,
            alternatives=alternatives,
            detail=detail,
        )
    timing, usage = message.timing, message.usage
    all_reasoning = not message.content
    return Entry(
        key=key or message.id,
        kind=EntryKind.ASSISTANT,
        heading=ASSISTANT_NAME,
        text=message.content,
        reasoning=message.reasoning or None,
        thought_label=words.thought_label(
            timing.thinking_s if timing else None,
            usage.output_tokens if usage and all_reasoning else reasoning_tokens(message),
        ),
        footer=words.ending(message),
        alternatives=alternatives,
        detail=detail,
    )


def reasoning_tokens(message: Message) -> int | None:
    """Share of the reported output tokens that the reasoning's length suggests; None = not known."""
    if not message.reasoning or message.usage is None or message.usage.output_tokens is None:
        return None
    share = len(message.reasoning) / (len(message.reasoning) + len(message.content))
    return round(message.usage.output_tokens * share)


def notice(key: str, text: str, severity: str = "info") -> Entry:
    """Something the program says inside the conversation."""
    return Entry(key=key, kind=EntryKind.NOTICE, heading="", text=text, severity=severity)


def error_notice(key: str, error: KimiError, kept: str = "", severity: str = "error") -> Entry:
    """A failure: what happened, what was kept, what to do next."""
    lines: Sequence[str] = (error.summary, kept, error.hint)
    return notice(key, "\n".join(line for line in lines if line), severity)
