"""What a reply took, as far as that is known."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from kimi_tui.core.prompt.token_estimate import received_tokens
from kimi_tui.core.session.session import NO_TIMING, NO_USAGE, Message, Timing, Usage


class ReplyFigures(NamedTuple):
    usage: Usage
    """Output tokens that nobody counted are estimated."""
    timing: Timing
    is_estimated: bool
    """Whether output tokens and cost are not, or not all, as the endpoint counted them."""


def figures_of(reply: Message) -> ReplyFigures:
    usage, timing = reply.usage or NO_USAGE, reply.timing or NO_TIMING
    is_uncounted = usage.output_tokens is None and not reply.is_unasked
    if is_uncounted:
        usage = replace(usage, output_tokens=received_tokens(reply))
    return ReplyFigures(usage, timing, is_uncounted or reply.is_partly_counted)
