"""Whether an input can fit the context window: by estimate, so that only what surely cannot fit is refused."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from kimi_tui.core.errors import InputTooLargeError
from kimi_tui.core.prompt.prompt_writer import PromptWriter
from kimi_tui.core.prompt.token_estimate import estimate_tokens, least_tokens
from kimi_tui.core.session import tree
from kimi_tui.core.session.session import Message, Role, Session


def surely_too_large(prompt: str, window_tokens: int, counted: int | None) -> bool:
    """Whether even the least that an input can have exceeds the context window."""
    return least_tokens(prompt, counted) > window_tokens


def counted_prefix(session: Session, prompt: str) -> int | None:
    """Find the endpoint's own count of a prefix of a prompt.

    Returns:
        Input tokens of the newest reply of the active branch whose exact input the prompt begins with; None = none.
    """
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
        if prompt.startswith(writer.open_part(writer.open_turn_of(reply)).text, offsets[place]):
            return counted
    return None


def _first_count(reply: Message) -> int | None:
    """Input tokens of a reply's first request: the later ones also counted what it had written by then."""
    if reply.role is not Role.ASSISTANT:
        return None
    usage = reply.requests[0].usage if reply.requests else reply.usage
    return None if usage is None else usage.input_tokens


def _agreement(writer: PromptWriter, messages: Sequence[Message], prompt: str) -> list[int]:
    """Say at which offset of a prompt each message begins, as far as the two agree; the last one is their end."""
    offset, offsets = 0, list[int]()
    for part in itertools.chain([writer.system_part()], map(writer.message_part, messages)):
        text = part.text if part is not None else ""
        if not prompt.startswith(text, offset):
            break
        offset += len(text)
        offsets.append(offset)
    return offsets


def check_input(session: Session, prompt: str, window_tokens: int) -> None:
    """Refuse an input that surely exceeds the context window.

    Raises:
        InputTooLargeError: Even its characters / 6, or the endpoint's count of its beginning, exceeds the window.
    """
    counted = None if surely_too_large(prompt, window_tokens, None) else counted_prefix(session, prompt)
    if surely_too_large(prompt, window_tokens, counted):
        raise InputTooLargeError(
            f"The input has at least {least_tokens(prompt, counted)} tokens, the context window holds {window_tokens}. "
            "Nothing was sent.",
            "Begin a new session, or shorten the message. [api] context_tokens sets the window.",
        )


def is_doubtful(prompt: str, window_tokens: int) -> bool:
    """Whether an input may exceed the window, by the estimate; it is sent all the same, with a word about it."""
    # No character is estimated at more than one token.
    return len(prompt) > window_tokens and estimate_tokens(prompt) > window_tokens
