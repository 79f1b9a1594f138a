"""A raw input that is being written, kept beside its session until it is sent or thrown away."""

from __future__ import annotations

import json
from dataclasses import dataclass

from kimi_tui.core.text.surrogates import replace_lone


@dataclass(frozen=True, slots=True)
class RawDraft:
    text: str
    """Exact, without lone surrogates, never empty."""
    reply_to: str | None = None
    """Id of the question whose request it was made of; None = it was made of the next input."""

    def encode(self) -> bytes:
        return json.dumps({"reply_to": self.reply_to, "text": self.text}, ensure_ascii=False).encode()


def decode_raw_draft(data: bytes) -> RawDraft | None:
    """None = it is none that can be read."""
    try:
        plain = json.loads(data)
        text, reply_to = plain["text"], plain["reply_to"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if not isinstance(text, str) or not text or not isinstance(reply_to, str | None):
        return None
    return RawDraft(replace_lone(text), reply_to)
