"""How many tokens a text has, about; the tokeniser is the endpoint's own."""

from __future__ import annotations

import functools
import re

from kimi_tui.core.prompt.template import ALL_MARKERS
from kimi_tui.core.session.session import Message

MAX_CHARS_PER_TOKEN = 6
"""No ordinary text has more characters to a token: characters / 6 is a lower bound. A guess on the safe side."""
PIECE_CHARS = 1_000_000
"""How much of a text is estimated at once, in characters."""
BYTES_PER_TOKEN = 4
"""A usual figure for alphabets and code in UTF-8; a guess."""


@functools.cache
def _ideographs() -> re.Pattern[str]:
    """Match characters that are tokens by themselves; this takes longer to compile than a short prompt to send."""
    return re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]+")


def estimate_tokens(text: str) -> int:
    """Estimate the tokens of a text: one to a marker and to a CJK character, one to four other bytes."""
    text, markers = ALL_MARKERS.taken_from(text)
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


def _rounded_up(size: int, per_token: int) -> int:
    return -(-size // per_token)


def least_tokens(prompt: str, counted: int | None) -> int:
    """Say how many tokens an input has at the very least.

    Args:
        prompt: The whole input.
        counted: The endpoint's own count of a prefix of it; None = it has counted none.
    """
    text, markers = ALL_MARKERS.taken_from(prompt)
    return max(markers + _rounded_up(len(text), MAX_CHARS_PER_TOKEN), counted or 0)
