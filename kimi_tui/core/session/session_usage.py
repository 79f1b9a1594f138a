"""What a session took: each request once, however many alternatives stand for what it brought."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence

from kimi_tui.core.session.session import NO_TIMING, NO_USAGE, Message, Timing, Usage

Counted = tuple[str | None, Usage, Timing]
"""A request that took something: its id, what it took, how long."""


def total_usage(messages: Iterable[Message]) -> Usage:
    """Add up the requests behind messages.

    Undoing makes an alternative that carries the requests of the reply that it was made of. Two to the same question
    are one where they have the same id and figures; one reply's own are never the same.
    """
    counted, usages = Counter[Hashable](), list[Usage]()
    for message in messages:
        if message.usage is None:
            continue
        seen: dict[Hashable, int] = {}
        for request in _counted_requests(message, message.usage):
            key = _key(message, request)
            seen[key] = seen.get(key, 0) + 1
            if seen[key] > counted[key]:
                counted[key] += 1
                usages.append(request[1])
    inputs = [it.input_tokens for it in usages if it.input_tokens is not None]
    outputs = [it.output_tokens for it in usages if it.output_tokens is not None]
    costs = [it.cost_usd for it in usages if it.cost_usd is not None]
    return Usage(sum(inputs) if inputs else None, sum(outputs) if outputs else None, sum(costs) if costs else None)


def _counted_requests(message: Message, usage: Usage) -> Sequence[Counted]:
    """Where the file tells of all of them alone, they are one."""
    found = [(it.request_id, it.usage, it.timing) for it in message.requests if it.usage != NO_USAGE]
    return found or [(message.request_id, usage, message.timing or NO_TIMING)]


def _key(message: Message, request: Counted) -> Hashable:
    request_id, usage, timing = request
    figures = (usage.input_tokens, usage.output_tokens, usage.cost_usd)
    return message.parent, request_id, figures, (timing.first_token_s, timing.total_s or None)
