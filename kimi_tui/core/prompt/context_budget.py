"""Whether an input can fit the context window: by estimate, so that only what surely cannot fit is refused."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from kimi_tui.core.errors import InputTooLargeError
from kimi_tui.core.prompt.prompt_writer import PromptWriter
from kimi_tui.core.prompt.token_estimate import estimate_tokens, least_tokens
from kimi_tui.core.session import tree
from kimi_tui.core.session.growing_reply import GrowingText
from kimi_tui.core.session.session import Message, Role, Session


def counted_prefix(session: Session, prompt: GrowingText) -> int | None:
    """Input tokens of the newest reply of the active branch whose exact input the prompt begins with; None = none."""
    messages = tree.branch(session)
    # Replies written in the same way share one walk, so that a long session costs one look at each message.
    known: dict[PromptWriter, list[int]] = {}
    for place in reversed(range(len(messages))):
        reply = messages[place]
        counted = _first_count(reply)
        if counted is None:
            continue
        writer = PromptWriter.of_past(session, reply)
        if writer not in known:
            known[writer] = _agreement(writer, messages[:place], prompt)
        offsets = known[writer]
        if place >= len(offsets):
            continue
        if prompt.has_at(offsets[place], writer.open_part(writer.open_turn_of(reply)).text):
            return counted
    return None


def _first_count(reply: Message) -> int | None:
    """Of its first request: the later ones also counted what it had written by then."""
    if reply.role is not Role.ASSISTANT:
        return None
    usage = reply.requests[0].usage if reply.requests else reply.usage
    return None if usage is None else usage.input_tokens


def _agreement(writer: PromptWriter, messages: Sequence[Message], prompt: GrowingText) -> list[int]:
    """Say at which offset of a prompt each message begins, as far as the two agree; the last one is their end."""
    offset, offsets = 0, list[int]()
    for part in itertools.chain([writer.system_part()], map(writer.message_part, messages)):
        text = part.text if part is not None else ""
        if not prompt.has_at(offset, text):
            break
        offset += len(text)
        offsets.append(offset)
    return offsets


def check_input(session: Session, prompt: GrowingText, window_tokens: int) -> None:
    """Raise InputTooLargeError where even its characters / 6, or the count of its beginning, exceeds the window."""
    least = least_tokens(*prompt.pieces)
    if least <= window_tokens:
        least = max(least, counted_prefix(session, prompt) or 0)
    if least > window_tokens:
        raise InputTooLargeError(
            f"The input has at least {least} tokens, the context window holds {window_tokens}. Nothing was sent.",
            "Begin a new session, or shorten the message. [api] context_tokens sets the window.",
        )


def doubtful_tokens(prompt: GrowingText, window_tokens: int) -> int | None:
    """Estimate an input that may exceed the window: it is sent all the same, with a word about it; None = it fits."""
    if len(prompt) <= window_tokens:  # no character is estimated at more than one token
        return None
    tokens = estimate_tokens(*prompt.pieces)
    return tokens if tokens > window_tokens else None
