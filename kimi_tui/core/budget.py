"""How large an input is, and whether it can fit the context window.

The tokeniser is the endpoint's own, so every size here is an estimate, and only what surely cannot fit is refused.
"""

from __future__ import annotations

from kimi_tui.core import conversation
from kimi_tui.core.errors import InputTooLargeError
from kimi_tui.core.session import Role, Session

MAX_CHARS_PER_TOKEN = 6
"""No ordinary text has more characters to a token: characters / 6 is a lower bound. A guess on the safe side."""
ASCII_CHARS_PER_TOKEN = 4
"""A usual figure for English and code; a guess."""


def estimate_tokens(text: str) -> int:
    """Estimate the tokens of a text: about four ASCII characters, or one and a half others, to a token."""
    size_bytes = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    return (size_bytes + ASCII_CHARS_PER_TOKEN - 1) // ASCII_CHARS_PER_TOKEN


def counted_prefix(session: Session, prompt: str) -> int | None:
    """Find the endpoint's own count of a prefix of a prompt.

    Returns:
        Input tokens of the newest reply of the active branch whose exact input the prompt begins with; None = none.
    """
    for message in reversed(conversation.branch(session)):
        if message.role is not Role.ASSISTANT:
            continue
        usage = message.requests[0].usage if message.requests else message.usage
        if usage is None or usage.input_tokens is None:
            continue
        if prompt.startswith(conversation.prompt_of(session, message.id)):
            return usage.input_tokens
    return None


def check_input(session: Session, prompt: str, window_tokens: int) -> None:
    """Refuse an input that surely exceeds the context window.

    Raises:
        InputTooLargeError: Even its characters / 6, or the endpoint's count of its beginning, exceeds the window.
    """
    least = max(len(prompt) // MAX_CHARS_PER_TOKEN, 0)
    if least <= window_tokens:
        least = max(least, counted_prefix(session, prompt) or 0)
    if least > window_tokens:
        raise InputTooLargeError(
            f"The input has at least {least} tokens, the context window holds {window_tokens}. Nothing was sent.",
            "Begin a new session, or shorten the message. [api] context_tokens sets the window.",
        )


def is_doubtful(prompt: str, window_tokens: int) -> bool:
    """Whether an input may exceed the window, by the estimate; it is sent all the same, with a word about it."""
    return estimate_tokens(prompt) > window_tokens
