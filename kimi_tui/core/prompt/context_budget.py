"""How large an input is, and whether it can fit the context window.

The tokeniser is the endpoint's own, so every size here is an estimate, and only what surely cannot fit is refused.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Sequence

from kimi_tui.core.errors import InputTooLargeError
from kimi_tui.core.prompt.past_prompt import PastPrompt
from kimi_tui.core.session import tree
from kimi_tui.core.session.session import Message, Role, Session

MAX_CHARS_PER_TOKEN = 6
"""No ordinary text has more characters to a token: characters / 6 is a lower bound. A guess on the safe side."""
_MARKER = re.compile(r"<\|[A-Za-z0-9_]+\|>|</?think>")
PIECE_CHARS = 1_000_000
"""How much of a text is estimated at once, in characters."""
BYTES_PER_TOKEN = 4
"""A usual figure for alphabets and code in UTF-8; a guess."""


@functools.cache
def _ideographs() -> re.Pattern[str]:
    """Match characters that are tokens by themselves; this takes longer to compile than a short prompt to send."""
    return re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]+")


def estimate_tokens(text: str) -> int:
    """Estimate the tokens of a text: one to a control marker and to a CJK character, one to four other bytes."""
    text, markers = _without_markers(text)
    if text.isascii():
        return markers + _rounded_up(len(text), BYTES_PER_TOKEN)
    ideographs = size_bytes = 0
    for start in range(0, len(text), PIECE_CHARS):  # nothing else runs while a pattern is looked for
        piece = text[start : start + PIECE_CHARS]
        others = _ideographs().sub("", piece)
        ideographs += len(piece) - len(others)
        size_bytes += len(others.encode("utf-8", "replace"))
    return markers + ideographs + _rounded_up(size_bytes, BYTES_PER_TOKEN)


def written_tokens(reply: Message) -> int | None:
    """Estimate the tokens of a reply that the endpoint has not counted; None = it has no text."""
    return estimate_tokens(reply.reasoning or "") + estimate_tokens(reply.content) or None


def _without_markers(text: str) -> tuple[str, int]:
    """Take the control markers, a token each, out of a text; the rest, and how many there were."""
    return _MARKER.subn("", text) if "|>" in text or "think>" in text else (text, 0)


def _rounded_up(size: int, per_token: int) -> int:
    return -(-size // per_token)


def least_tokens(prompt: str, counted: int | None) -> int:
    """Say how many tokens an input has at the very least.

    Args:
        prompt: The whole input.
        counted: The endpoint's own count of a prefix of it; None = it has counted none.
    """
    text, markers = _without_markers(prompt)
    return max(markers + _rounded_up(len(text), MAX_CHARS_PER_TOKEN), counted or 0)


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
    known: dict[PastPrompt, list[int]] = {}
    for place in reversed(range(len(messages))):
        reply = messages[place]
        counted = _first_count(reply)
        if counted is None:
            continue
        past = PastPrompt.of(session, reply)
        if past not in known:
            known[past] = _agreement(past, messages[:place], prompt)
        offsets = known[past]
        if place < len(offsets) and prompt.startswith(past.open_turn(reply), offsets[place]):
            return counted
    return None


def _first_count(reply: Message) -> int | None:
    """Input tokens of a reply's first request: the later ones also counted what it had written by then."""
    if reply.role is not Role.ASSISTANT:
        return None
    usage = reply.requests[0].usage if reply.requests else reply.usage
    return None if usage is None else usage.input_tokens


def _agreement(past: PastPrompt, messages: Sequence[Message], prompt: str) -> list[int]:
    """Say at which offset of a prompt each message begins, as far as the two agree; the last one is their end."""
    pieces = itertools.chain([past.system_block()], map(past.closed_turn, messages))
    offset, offsets = 0, list[int]()
    for piece in pieces:
        if not prompt.startswith(piece, offset):
            break
        offset += len(piece)
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
