"""What the user did to a reply while it was written, and the reply as it was before that."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from kimi_tui.core.session.growing_reply import ENDED_FROM_OUTSIDE
from kimi_tui.core.session.session import NO_USAGE, Message, MessageState


def can_be_undone(message: Message) -> bool:
    return message.thinking_end in ENDED_FROM_OUTSIDE and bool(message.reasoning or message.cut_tail)


def undone(message: Message, id_: str, now: datetime) -> Message:
    """An alternative to a reply whose thinking was ended from outside: all that was thought, and no answer so far."""
    first = message.requests[0] if message.requests else None
    return replace(
        message,
        id=id_,
        created=now,
        reasoning=(message.reasoning or "") + message.cut_tail,
        content="",
        state=MessageState.CANCELLED,
        finish_reason=None,
        request_id=first.request_id if first else message.request_id,
        thinking_end=None,
        cut_tail="",
        usage=None if first is None or first.usage == NO_USAGE else first.usage,
        timing=first.timing if first else message.timing,
        requests=(),
    )
