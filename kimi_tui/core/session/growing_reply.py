"""A reply while it is written: the one place of its text until it is a message of the session.

It is changed at its end only; whoever shows, keeps or saves it reads it here, and is told by events from where to where
it grew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from kimi_tui.core.session.endings import THINKING_ENDS
from kimi_tui.core.session.request_starts import requests_of
from kimi_tui.core.session.session import (
    NO_USAGE,
    Message,
    RequestKind,
    RequestRecord,
    RequestStart,
    ThinkingEnd,
    Timing,
    Usage,
)
from kimi_tui.core.session.written import CONTENT, REASONING, WrittenRange, clipped
from kimi_tui.core.text.growing_text import GrowingText, TextView


class ReplyPart(StrEnum):
    REASONING = "reasoning"
    ANSWER = "answer"


FIELD_OF = {ReplyPart.REASONING: REASONING, ReplyPart.ANSWER: CONTENT}
"""Where each part stands in a message."""


def texts_of(message: Message) -> dict[ReplyPart, str]:
    return {ReplyPart.REASONING: message.reasoning or "", ReplyPart.ANSWER: message.content}


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """A request that runs, as if it broke off now."""

    record: RequestRecord
    part: ReplyPart = ReplyPart.REASONING
    held: str = ""
    """What would stand at the end of `part` besides what the reply says: with more text it may be the start of a
    mark."""
    held_tokens: int = 0
    is_thinking: bool = field(kw_only=True)


class ReplyView(Protocol):
    """A `GrowingReply` to be read: what listeners and plans get."""

    @property
    def id(self) -> str: ...

    @property
    def beginning(self) -> Message: ...

    @property
    def question_id(self) -> str: ...

    @property
    def is_new(self) -> bool: ...

    @property
    def texts(self) -> Mapping[ReplyPart, TextView]: ...

    @property
    def is_thinking(self) -> bool: ...

    @property
    def thinking_end(self) -> str | None: ...

    @property
    def cut_tail(self) -> str: ...

    @property
    def shortenings(self) -> int: ...

    @property
    def written(self) -> tuple[WrittenRange, ...]: ...

    @property
    def tokens(self) -> Mapping[ReplyPart, int]: ...

    @property
    def requests(self) -> tuple[RequestRecord, ...]: ...

    @property
    def usage(self) -> Usage: ...

    @property
    def request_id(self) -> str | None: ...

    def message(self, created: datetime, running: OpenRequest | None = None) -> Message: ...


class GrowingReply:
    """The engine alone changes it, and who makes it anew from a journal; all others have a `ReplyView`."""

    def __init__(
        self, beginning: Message, *, is_thinking: bool, requests: Sequence[RequestRecord] | None = None
    ) -> None:
        """`beginning` = the message as far as it is known; of a reply that is gone on with, the whole of it.

        `requests` = those behind it; None = as that says.
        """
        self.beginning = beginning
        self.texts = {part: GrowingText(text) for part, text in texts_of(beginning).items()}
        self.is_thinking = is_thinking
        self.tokens = dict.fromkeys(ReplyPart, 0)
        """Tokens that came of each part, those of a reply that is gone on with left out; some may count for both."""
        self.thinking_end = beginning.thinking_end if beginning.thinking_end in THINKING_ENDS else None
        """Who ended its thinking besides the model, of `THINKING_ENDS`; None = nobody."""
        self.cut_tail = beginning.cut_tail
        """The end of the thinking that was taken away then."""
        chars = {FIELD_OF[part]: len(text) for part, text in self.texts.items()}
        self.written = clipped(beginning.written, chars)
        """What of it the user wrote."""
        self.shortenings = 0
        """How often the end of a part was taken away."""
        self.requests = requests_of(beginning) if requests is None else tuple(requests)
        """The requests behind it that have ended, in order."""

    @property
    def id(self) -> str:
        return self.beginning.id

    @property
    def question_id(self) -> str:
        assert self.beginning.parent is not None, "a reply stands below its question"
        return self.beginning.parent

    @property
    def is_new(self) -> bool:
        """Whether it began with nothing: no request was sent for it before."""
        return self.beginning.state is None

    @property
    def has_grown(self) -> bool:
        """Whether anything came: text, or the mark that closes the think block of a reply that is gone on with."""
        has_closed = not self.is_new and self.beginning.has_open_block and not self.is_thinking
        if has_closed and self.thinking_end is None:
            return True
        return any(len(self.texts[part]) > len(before) for part, before in texts_of(self.beginning).items())

    def grow(self, part: ReplyPart, text: str, tokens: int = 0) -> tuple[int, int]:
        """Add text at the end of a part; where it stands, [start, end) in code points."""
        whole = self.texts[part]
        start = len(whole)
        whole.append(text)
        self.tokens[part] += tokens
        self.is_thinking = part is ReplyPart.REASONING
        return start, len(whole)

    def grow_whole(self, reasoning: str, content: str, *, is_thinking: bool) -> None:
        self.texts[ReplyPart.REASONING].append(reasoning)
        self.texts[ReplyPart.ANSWER].append(content)
        self.is_thinking = is_thinking

    def shorten(self, part: ReplyPart, chars: int) -> int:
        """Take characters away from the end of a part; where it ends then, in code points."""
        end = len(self.texts[part]) - chars
        self.texts[part].shorten(end)
        self.written = clipped(self.written, {FIELD_OF[it]: len(text) for it, text in self.texts.items()})
        self.shortenings += 1
        return end

    def close_thinking(self) -> None:
        """Note that the think block is closed, whether or not an answer follows."""
        self.is_thinking = False

    def end_thinking(self, who: str, tail: str = "") -> None:
        """Close the think block in the place of the model; `tail` = the end of the thought that was taken away."""
        self.is_thinking, self.thinking_end, self.cut_tail = False, who, tail

    def note_sent(self, sent: Mapping[str, object]) -> None:
        """Note what its first request sends."""
        self.beginning = replace(self.beginning, sent=sent)

    def end_request(self, record: RequestRecord) -> None:
        self.requests = (*self.requests, record)

    @property
    def usage(self) -> Usage:
        return sum((request.usage for request in self.requests), NO_USAGE)

    @property
    def request_id(self) -> str | None:
        """Of its last request; None = the endpoint gave none."""
        return self.requests[-1].request_id if self.requests else None

    @property
    def start(self) -> RequestStart | None:
        """How much of it there is for a request that is sent now; None = it is the first one, and there is nothing."""
        if not self.requests:
            return None
        return RequestStart(len(self.texts[ReplyPart.REASONING]), len(self.texts[ReplyPart.ANSWER]), self.is_thinking)

    def message(self, created: datetime, running: OpenRequest | None = None) -> Message:
        """Make the message that it is as it stands, or would be if the request that runs broke off now.

        `created` = now; a reply that is gone on with keeps the time when it was made.
        """
        texts = {part: str(text) for part, text in self.texts.items()}
        requests, is_thinking = self.requests, self.is_thinking
        thinking_tokens = self.tokens[ReplyPart.REASONING]
        if running is not None:
            texts[running.part] += running.held
            requests, is_thinking = (*requests, running.record), running.is_thinking
            thinking_tokens += running.held_tokens if running.part is ReplyPart.REASONING else 0
        reasoning, content = texts[ReplyPart.REASONING], texts[ReplyPart.ANSWER]
        was_thinking = self.beginning.thinking is not False
        usage = sum((request.usage for request in requests), NO_USAGE)
        last = requests[-1] if requests else RequestRecord()
        has_block = was_thinking or bool(reasoning)
        is_thought_out = has_block and not is_thinking and not content
        return replace(
            self.beginning,
            content=content,
            created=self.beginning.created or created,
            reasoning=reasoning or None,
            state=last.state,
            finish_reason=last.finish_reason,
            request_id=last.request_id,
            thinking=has_block,
            reopened=self.beginning.reopened or (has_block and not was_thinking),
            thinking_end=self.thinking_end or (ThinkingEnd.MODEL if is_thought_out else None),
            cut_tail=self.cut_tail,
            written=self.written,
            thinking_tokens=self._thinking_tokens(reasoning, thinking_tokens),
            usage=None if usage == NO_USAGE else usage,
            timing=total_timing(requests),
            requests=stored_requests(requests),
        )

    def _thinking_tokens(self, reasoning: str, now: int) -> int | None:
        """`now` = those of this turn; None = part of the reasoning came uncounted, or there is none."""
        known = self.beginning.reasoning or ""
        before = self.beginning.thinking_tokens if known else 0
        is_counted = now > 0 or len(reasoning) <= len(known)
        return before + now if reasoning and before is not None and is_counted else None


def stored_requests(requests: Sequence[RequestRecord]) -> tuple[RequestRecord, ...]:
    """Those that a message tells of one by one: an ordinary single one it says by itself."""
    tells_more = len(requests) > 1 or any(
        request.kind == RequestKind.ANSWER or request.is_estimated for request in requests
    )
    return tuple(requests) if tells_more else ()


def total_timing(requests: Sequence[RequestRecord]) -> Timing:
    """One reply's timing: the first token of the first request that brought one, and the sums."""
    firsts = [request.timing.first_token_s for request in requests if request.timing.first_token_s is not None]
    thinking = [request.timing.thinking_s for request in requests if request.timing.thinking_s is not None]
    totals = [request.timing.total_s for request in requests if request.timing.total_s is not None]
    return Timing(firsts[0] if firsts else None, sum(thinking) if thinking else None, round(sum(totals), 3))
