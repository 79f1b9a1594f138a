"""The traces of the replies that came since the program started: an LRU cache, bounded by the tokens in it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import NamedTuple

from kimi_tui.core.session.growing_reply import ReplyPart, texts_of
from kimi_tui.core.session.session import Message
from kimi_tui.core.session.token_trace import TokenTrace
from kimi_tui.core.text.text_pieces import common_chars

MAX_TOKENS = 1_000_000
"""How many tokens all traces hold together; each takes 16 bytes. The last one is kept whatever its size."""


class Absent(Enum):
    """Why there is no trace of a reply."""

    EARLIER = auto()
    """It came before the program was started, or was made of such a one."""
    GIVEN_UP = auto()
    """It had to make room."""
    WHOLE = auto()
    """It came in one piece, not token by token."""


class _Kept(NamedTuple):
    trace: TokenTrace
    texts: dict[ReplyPart, str]
    """What the reply said then: the trace holds offsets into it."""


class KeptTraces:
    def __init__(self, max_tokens: int = MAX_TOKENS) -> None:
        self._max_tokens, self._tokens = max_tokens, 0
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._given_up: set[tuple[str, str]] = set()

    def keep(self, session_id: str, message: Message, trace: TokenTrace) -> None:
        key = session_id, message.id
        self._forget(key)
        self._kept[key] = _Kept(trace, texts_of(message))
        self._tokens += trace.count
        self._given_up.discard(key)
        while self._tokens > self._max_tokens and len(self._kept) > 1:
            oldest = next(iter(self._kept))
            self._forget(oldest)
            self._given_up.add(oldest)

    def _forget(self, key: tuple[str, str]) -> None:
        if (known := self._kept.pop(key, None)) is not None:
            self._tokens -= known.trace.count

    def of(self, session_id: str, message: Message) -> TokenTrace | Absent:
        """What is known of a reply's tokens: its own, or of what it has in common with the one that it was made of."""
        found = self.beginning(session_id, message, [message.id])
        if found.in_reply:
            return found
        keys = [(session_id, id_) for id_ in _origins(message)]
        if any(key in self._given_up for key in keys):
            return Absent.GIVEN_UP
        return Absent.WHOLE if keys[0] in self._kept and not found.count else Absent.EARLIER

    def own(self, session_id: str, message: Message) -> TokenTrace | None:
        """What came for a reply and for no other; None = nothing since the program started."""
        known = self._kept.get((session_id, message.id))
        return None if known is None else known.trace

    def beginning(self, session_id: str, message: Message, ids: Sequence[str]) -> TokenTrace:
        """What is known of a reply's text where it is, or begins like, one of several; else nothing is."""
        for id_ in [*ids, *_origins(message)]:
            key = session_id, id_
            if (known := self._kept.pop(key, None)) is None:
                continue
            self._kept[key] = known  # used last
            now = texts_of(message)
            chars = {part: common_chars(text, now[part]) for part, text in known.texts.items()}
            return known.trace.beginning(chars, is_same_reply=id_ == message.id)
        return TokenTrace()


def _origins(message: Message) -> list[str]:
    of = message.begun.of if message.begun is not None else None
    return [message.id] if of is None else [message.id, of]
