"""What a reply said when each of its requests was sent: the end of that request's input, rebuilt from what is stored.

Every record says how much of the reply there was; the texts themselves are the beginnings of what it says now,
but for what was taken away since: half a mark that became one, and the thought that broke off.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kimi_tui.core.session.endings import THINKING_ENDS
from kimi_tui.core.session.session import NO_TIMING, NO_USAGE, Message, RequestKind, RequestRecord


class TextSoFar(NamedTuple):
    reasoning: str = ""
    content: str = ""
    is_thinking: bool = True


def requests_of(reply: Message) -> tuple[RequestRecord, ...]:
    """The requests behind a reply, at least one where anything was sent for it."""
    if reply.requests or reply.state is None or reply.is_unasked:
        return reply.requests
    usage, timing = reply.usage or NO_USAGE, reply.timing or NO_TIMING
    return (RequestRecord(RequestKind.REPLY, reply.state, reply.request_id, reply.finish_reason, usage, timing),)


def was_answered_unthought(reply: Message) -> bool:
    """Whether its first request closed the think block at once, as a budget of 0 does."""
    is_ended = reply.thinking_end in THINKING_ENDS and not reply.reasoning and not reply.cut_tail
    return is_ended and ending_request(reply) is None


def ending_request(reply: Message) -> int | None:
    """The place of the request before which the user or a budget ended the thinking; None = none did."""
    if reply.thinking_end not in THINKING_ENDS:
        return None
    return next((place for place, request in enumerate(reply.requests) if request.kind == RequestKind.ANSWER), None)


def texts_so_far(reply: Message) -> Sequence[TextSoFar | None]:
    """By request, in order; None = the file does not say, or what it says cannot be.

    Whether the block was open before the first one its template and mode say, not this.
    """
    found: list[TextSoFar | None] = []
    reasoning, content, ending = reply.reasoning or "", reply.content, ending_request(reply)
    for place, request in reversed(list(enumerate(requests_of(reply)))):
        if (start := request.start) is None:
            found.append(None if place else text_begun(reply, reasoning, content))
        else:
            kept = start.reasoning - len(start.retracted)
            is_there = 0 <= kept <= len(reasoning) and 0 <= start.content <= len(content)
            if is_there:
                reasoning, content = reasoning[:kept] + start.retracted, content[: start.content]
            found.append(TextSoFar(reasoning, content, start.is_thinking) if is_there else None)
        if place == ending:
            reasoning += reply.cut_tail
    return found[::-1]


def text_begun(reply: Message, reasoning: str, content: str) -> TextSoFar:
    """What its first request went on with, of texts that begin with it."""
    begun = reply.begun
    if begun is None:
        return TextSoFar()
    return TextSoFar(reasoning[: begun.reasoning], content[: begun.content or 0], begun.content is None)
