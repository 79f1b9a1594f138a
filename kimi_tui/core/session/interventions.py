"""What was done to a reply while it was written, or afterwards, and the reply as it was before that."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from kimi_tui.core.session.endings import THINKING_ENDS
from kimi_tui.core.session.growing_reply import GrowingReply, stored_requests, total_timing
from kimi_tui.core.session.reply_edits import unasked
from kimi_tui.core.session.request_starts import TextSoFar, ending_request, texts_so_far
from kimi_tui.core.session.session import NO_USAGE, Message, MessageState, RequestKind
from kimi_tui.core.session.written import REASONING


def can_be_undone(message: Message) -> bool:
    return _continuation(message) is not None or _has_ended_thinking(message)


def undone(message: Message, id_: str, now: datetime) -> Message:
    """An alternative to a reply without what was done to it last: gone on with, or its thinking ended."""
    so_far = _continuation(message)
    return _thinking_on(message, id_, now) if so_far is None else _taken_back(message, so_far, id_, now)


def words_of_undoing(message: Message) -> str:
    """What has become of a reply, when what was done to it last is undone."""
    if _continuation(message) is not None:
        return (
            "The reply is as it was before it was gone on with; the longer one stays: Left and Right show the others."
        )
    return "The thinking is as it was; m on it or /continue goes on. The answer stays: Left and Right show the others."


def is_same(left: Message, right: Message) -> bool:
    """Whether two alternatives say the same, and ended in the same way."""
    return all(getattr(left, name) == getattr(right, name) for name in ("reasoning", "content", "state", "requests"))


def _continuation(message: Message) -> TextSoFar | None:
    """What a reply said before it was gone on with last; None = its last request went on with nothing."""
    is_continued = len(message.requests) > 1 and message.requests[-1].kind == RequestKind.CONTINUE
    return texts_so_far(message)[-1] if is_continued else None


def _has_ended_thinking(message: Message) -> bool:
    is_ended = message.thinking_end in THINKING_ENDS and not message.took_thinking
    return is_ended and (bool(message.reasoning or message.cut_tail) or not message.is_unasked)


def _taken_back(message: Message, so_far: TextSoFar, id_: str, now: datetime) -> Message:
    """The text that came with the last request goes, and what that took and how it ended."""
    beginning = replace(
        message,
        id=id_,
        created=now,
        reasoning=so_far.reasoning or None,
        content=so_far.content,
        thinking=message.thinking is not False and not message.reopened,
        reopened=False,
        thinking_tokens=message.thinking_tokens if so_far.reasoning == message.reasoning else None,
        requests=message.requests[:-1],
    )
    return GrowingReply(beginning, is_thinking=so_far.is_thinking).message(now)


def _thinking_on(message: Message, id_: str, now: datetime) -> Message:
    """All that was thought, and no answer so far."""
    place, known = ending_request(message), 0 if message.begun is None else message.begun.reasoning
    if place is None and not message.cut_tail and len(message.reasoning or "") <= known:
        return _unthought(message, id_, now)
    requests = message.requests if place is None else message.requests[:place]
    usage = sum((request.usage for request in requests), NO_USAGE)
    return replace(
        message,
        id=id_,
        created=now,
        reasoning=(message.reasoning or "") + message.cut_tail or None,
        content="",
        state=MessageState.CANCELLED,
        finish_reason=None,
        request_id=requests[-1].request_id if requests else message.request_id,
        thinking_end=None,
        cut_tail="",
        written=tuple(it for it in message.written if it.field == REASONING),
        begun=message.begun and replace(message.begun, content=None),
        usage=None if usage == NO_USAGE else usage,
        timing=total_timing(requests) if requests else message.timing,
        requests=stored_requests(requests),
    )


def _unthought(message: Message, id_: str, now: datetime) -> Message:
    """One with its block open and nothing in it but what it began with, that no request was sent for yet."""
    written = tuple(it for it in message.written if it.field == REASONING)
    blank = unasked(message, id_, now, reasoning=message.reasoning or "", written=written)
    return replace(blank, excluded=message.excluded)
