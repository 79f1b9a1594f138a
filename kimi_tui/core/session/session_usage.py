"""What a session took: each request once, however many alternatives stand for what it brought."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator

from kimi_tui.core.session.request_starts import requests_of
from kimi_tui.core.session.session import NO_TIMING, NO_USAGE, Message, RequestRecord, Usage


def total_usage(messages: Iterable[Message]) -> Usage:
    """Add up the requests behind messages.

    Undoing makes an alternative that carries the requests of the reply that it was made of. Two to the same question
    are one where they have the same id and figures; one reply's own are never the same.
    """
    counted, total = Counter[Hashable](), NO_USAGE
    for message in messages:
        seen = Counter[Hashable]()
        for request in _counted_requests(message):
            key = _key(message, request)
            seen[key] += 1
            if seen[key] > counted[key]:
                counted[key] += 1
                total += request.usage
    return total


def _counted_requests(message: Message) -> Iterator[RequestRecord]:
    if message.usage is None:
        return
    found = [request for request in requests_of(message) if request.usage != NO_USAGE]
    if found:
        yield from found
    else:  # the file tells of all of them alone
        yield RequestRecord(request_id=message.request_id, usage=message.usage, timing=message.timing or NO_TIMING)


def _key(message: Message, request: RequestRecord) -> Hashable:
    usage, timing = request.usage, request.timing
    figures = (usage.input_tokens, usage.output_tokens, usage.cost_usd)
    return message.parent, request.request_id, figures, (timing.first_token_s, timing.total_s or None)
