"""The tokens of a reply as they came: when, how likely, and which characters of the reply each one is.

It is kept in arrays, 16 bytes a token, and holds no text: places are offsets into the reply's own, in code points.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat
from typing import NamedTuple

from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.session import Timing

NOT_KNOWN = 2**32 - 1
"""In the place of a token's number: the text came with no token that is known."""
LONGEST_MS = 2**32 - 1


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """An attempt that brought nothing, so that the request was sent once more."""

    sent_s: float
    failed_s: float


@dataclass(slots=True)
class TracedRequest:
    """The one place of a request's moments: on the engine's clock, in seconds."""

    kind: str
    """As `RequestRecord.kind`."""
    sent_s: float
    """When the last attempt was sent."""
    first: int
    """The number of its first token."""
    failed: tuple[FailedAttempt, ...] = ()
    """The attempts before."""
    ended_s: float | None = None
    """None = it runs."""
    has_thought: bool = False
    """Whether it began inside the think block, or brought reasoning."""
    first_text_s: float | None = None
    """None = it brought no text, or came in one piece."""
    answer_s: float | None = None
    """When the first text of its answer came; None = it brought none."""
    is_of_another: bool = False
    """Whether it was another reply's, which this one begins like."""

    @property
    def is_thinking(self) -> bool:
        """Before its first text it waits."""
        has_begun = self.first_text_s is not None and self.has_thought
        return has_begun and self.answer_s is None and self.ended_s is None

    def timing(self, now_s: float) -> Timing:
        """Up to its end, or now."""
        end_s = now_s if self.ended_s is None else self.ended_s
        total_s, first_s = round(end_s - self.sent_s, 3), self.first_text_s
        if first_s is None:
            return Timing(total_s=total_s)
        thought_s = (end_s if self.answer_s is None else self.answer_s) - first_s
        return Timing(round(first_s - self.sent_s, 3), round(thought_s, 3) if self.has_thought else None, total_s)


class Token(NamedTuple):
    """A token, or one side of one that the end of the thinking parts; or text that came with no token that is known."""

    part: ReplyPart
    start: int
    """In its part."""
    end: int
    number: int
    """Its place among all tokens that came, from 0; see `NOT_KNOWN`."""

    @property
    def is_known(self) -> bool:
        return self.number != NOT_KNOWN


@dataclass(slots=True)
class _Places:
    """The tokens of one part of a reply, in order."""

    ends: array[int] = field(default_factory=lambda: array("I"))
    numbers: array[int] = field(default_factory=lambda: array("I"))

    @property
    def chars(self) -> int:
        return self.ends[-1] if self.ends else 0

    def add(self, end: int, number: int) -> None:
        self.ends.append(end)
        self.numbers.append(number)

    def shorten(self, end: int) -> None:
        """Keep what stands before `end`."""
        kept = bisect_left(self.ends, end)
        is_cut = kept < len(self.ends) and end > (self.ends[kept - 1] if kept else 0)
        number = self.numbers[kept] if is_cut else NOT_KNOWN
        del self.ends[kept:], self.numbers[kept:]
        if is_cut:
            self.add(end, number)

    def copy(self) -> _Places:
        return _Places(self.ends[:], self.numbers[:])


@dataclass(slots=True)
class TokenTrace:
    requests: list[TracedRequest] = field(default_factory=list)
    _at_ms: array[int] = field(default_factory=lambda: array("I"))
    _logprobs: array[float] = field(default_factory=lambda: array("f"))
    _places: Mapping[ReplyPart, _Places] = field(default_factory=lambda: {part: _Places() for part in ReplyPart})

    # -- while it grows

    def begin_request(self, kind: str, now_s: float, *, is_thinking: bool = False) -> None:
        """`is_thinking` = inside the think block."""
        self.requests.append(TracedRequest(kind, now_s, len(self._at_ms), has_thought=is_thinking))

    def send(self, now_s: float) -> None:
        """An attempt goes out."""
        self.requests[-1].sent_s = now_s

    def fail(self, now_s: float) -> None:
        """It failed, and another one follows."""
        request = self.requests[-1]
        request.failed = (*request.failed, FailedAttempt(request.sent_s, now_s))

    def end_request(self, now_s: float) -> None:
        self.requests[-1].ended_s = now_s

    def come(self, logprobs: Sequence[float], now_s: float) -> None:
        """Tokens came, all at one moment; NaN = nothing says how likely one is."""
        at_ms = min(max(round((now_s - self.requests[-1].sent_s) * 1000), 0), LONGEST_MS)
        self._at_ms.extend(repeat(at_ms, len(logprobs)))
        self._logprobs.extend(logprobs)

    def grow(self, part: ReplyPart, start: int, borders: Sequence[tuple[int, int]], now_s: float) -> None:
        """Text stands at the end of a part now: numbers of tokens in their request, each with its characters (≥ 1)."""
        request = self.requests[-1]
        if request.first_text_s is None:
            request.first_text_s = now_s
        if part is ReplyPart.REASONING:
            request.has_thought = True
        elif request.answer_s is None:
            request.answer_s = now_s
        if not borders:
            return
        places, first = self._places[part], request.first
        if start > places.chars:
            places.add(start, NOT_KNOWN)
        for number, chars in borders:
            start += chars
            if places.numbers and places.numbers[-1] == first + number:  # the rest of it was held back
                places.ends[-1] = start
            else:
                places.add(start, first + number)

    def shorten(self, part: ReplyPart, end: int) -> None:
        self._places[part].shorten(end)

    # -- another reply that begins like this one

    def beginning(self, chars: Mapping[ReplyPart, int], *, is_same_reply: bool) -> TokenTrace:
        """What is known of so many characters of each part; of the same reply all that came is kept."""
        places = {part: known.copy() for part, known in self._places.items()}
        for part, known in places.items():
            known.shorten(chars[part])
        if is_same_reply:
            count = len(self._at_ms)
        else:
            numbers = (number for known in places.values() for number in known.numbers if number != NOT_KNOWN)
            count = max(numbers, default=-1) + 1
        return TokenTrace(
            [
                replace(request, is_of_another=request.is_of_another or not is_same_reply)
                for request in self.requests
                if is_same_reply or request.first < count
            ],
            self._at_ms[:count],
            self._logprobs[:count],
            places,
        )

    # -- to be read

    @property
    def count(self) -> int:
        """How many tokens came, those whose text is no part of the reply included."""
        return len(self._at_ms)

    @property
    def in_reply(self) -> int:
        """How many tokens text of the reply came with."""
        return sum(len(known.numbers) - known.numbers.count(NOT_KNOWN) for known in self._places.values())

    @property
    def has_certainty(self) -> bool:
        """Whether anything was said about how likely tokens are: 0 of every one says nothing."""
        return any(logprob < 0 for logprob in self._logprobs)

    def tokens(self, part: ReplyPart, chars: int, start: int = 0) -> Iterator[Token]:
        """A part's text of so many characters, from `start` on, in its tokens: joined they are all of it."""
        known = self._places[part]
        first = bisect_right(known.ends, start)
        before = known.ends[first - 1] if first else 0
        for place in range(first, len(known.ends)):
            end = min(known.ends[place], chars)
            if end > before:
                yield Token(part, before, end, known.numbers[place])
                before = end
        if before < chars:
            yield Token(part, before, chars, NOT_KNOWN)

    def logprob(self, token: Token) -> float | None:
        """None = nothing says it."""
        if not token.is_known:
            return None
        logprob = self._logprobs[token.number]
        return None if math.isnan(logprob) else logprob

    def request_of(self, token: Token) -> int:
        """The place of the request that a known token came with."""
        return bisect_right(self.requests, token.number, key=lambda request: request.first) - 1

    def after_s(self, token: Token) -> float:
        """When a known token came, since its request was sent."""
        return self._at_ms[token.number] / 1000

    def arrivals_ms(self, place: int) -> Sequence[int]:
        """When the tokens of a request came, in order, since it was sent."""
        end = self.requests[place + 1].first if place + 1 < len(self.requests) else len(self._at_ms)
        return self._at_ms[self.requests[place].first : end]
