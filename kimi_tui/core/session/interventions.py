"""What the user did to a reply while it was written, and the reply as it was before that."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import takewhile

from kimi_tui.core.session.endings import THINKING_ENDS
from kimi_tui.core.session.growing_reply import total_timing
from kimi_tui.core.session.session import NO_USAGE, Message, MessageState, Session


def can_be_undone(message: Message) -> bool:
    return message.thinking_end in THINKING_ENDS and bool(message.reasoning or message.cut_tail)


def source_of(session: Session, reply: Message) -> Message | None:
    """The reply whose thinking another one took over; None = it took none, or that is gone."""
    if not reply.took_thinking:
        return None
    family = takewhile(lambda other: other.id != reply.id, session.messages)
    return next((it for it in family if it.parent == reply.parent and it.reasoning == reply.reasoning), None)


def undone(message: Message, id_: str, now: datetime) -> Message:
    """An alternative to a reply whose thinking was ended from outside: all that was thought, and no answer so far."""
    before = tuple(takewhile(lambda request: request.kind != "answer", message.requests))
    usage = sum((request.usage for request in before), NO_USAGE)
    return replace(
        message,
        id=id_,
        created=now,
        reasoning=(message.reasoning or "") + message.cut_tail,
        content="",
        state=MessageState.CANCELLED,
        finish_reason=None,
        request_id=before[-1].request_id if before else message.request_id,
        thinking_end=None,
        cut_tail="",
        usage=None if usage == NO_USAGE else usage,
        timing=total_timing(before) if before else message.timing,
        requests=before if len(before) > 1 else (),
    )
