"""When what happened to a reply: the marks of each of its requests, how fast tokens came, where they stalled.

The requests stand one behind the other on one scale: what passed between two of them, such as the time before somebody
went on with a reply, is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import pairwise
from math import ceil

from kimi_tui.core.session.session import NO_TIMING, NO_USAGE, MessageState, RequestKind, RequestRecord
from kimi_tui.core.session.token_trace import FailedAttempt, TokenTrace, TracedRequest

STALL_GAPS = 5
"""Tokens stall where a pause is so many times longer than half of the pauses are, …"""
LEAST_STALL_S = 0.5
"""… and at least so long."""
FEW_PAUSES, STALL_S = 4, 1.0
"""Where there are fewer pauses than that to compare, one of so long is a stall."""


LEAST_BUCKET_S = 0.25
"""Tokens are counted over at least so long: in shorter times there are too few of them to make a rate."""


class Doing(Enum):
    TRYING = auto()
    """An attempt that failed, and the pause behind it."""
    WAITING = auto()
    """For the first token."""
    THINKING = auto()
    ANSWERING = auto()


@dataclass(frozen=True, slots=True)
class Stall:
    start_s: float
    """Since the beginning of the timeline: when the token before it came."""
    length_s: float
    doing: Doing


@dataclass(frozen=True, slots=True)
class Lane:
    """One request; its moments are in seconds since the beginning of the timeline."""

    kind: str
    begin_s: float
    """When its first attempt was sent."""
    sent_s: float
    """When the attempt was sent that brought it."""
    first_token_s: float | None
    """None = no token came."""
    thinking_end_s: float | None
    """None = it did not think, or does still."""
    end_s: float
    """Its end, or now."""
    is_thinking: bool
    is_running: bool
    is_timed: bool
    """Whether anything is known of when."""
    state: MessageState | None
    tokens: int | None
    """None = nobody counted them."""
    is_estimated: bool = False
    attempts: Sequence[FailedAttempt] = ()
    """Those that failed before, on the clock's own scale."""
    arrivals_s: Sequence[float] | None = None
    """When its tokens came; None = not known any more."""
    stalls: tuple[Stall, ...] = ()
    """One that lasts still ends now, and one that went on until the request was cut or failed with it."""

    @property
    def tokens_per_s(self) -> float | None:
        """None = too little came to tell."""
        if self.first_token_s is None or not self.tokens or self.tokens < 2 or self.end_s - self.first_token_s < 0.2:
            return None
        return self.tokens / (self.end_s - self.first_token_s)

    def doing(self, at_s: float) -> Doing | None:
        """None = it had not begun, or is over."""
        if not self.begin_s <= at_s < self.end_s:
            return None
        if at_s < self.sent_s:
            return Doing.TRYING
        if self.first_token_s is None or at_s < self.first_token_s:
            return Doing.WAITING
        is_thought = self.thinking_end_s is not None and at_s < self.thinking_end_s
        return Doing.THINKING if is_thought or self.is_thinking else Doing.ANSWERING


@dataclass(frozen=True, slots=True)
class Timeline:
    lanes: tuple[Lane, ...]

    @property
    def total_s(self) -> float:
        return self.lanes[-1].end_s if self.lanes else 0.0

    @property
    def has_rate(self) -> bool:
        """Whether it is known of any token when it came."""
        return any(lane.arrivals_s for lane in self.lanes)

    @property
    def has_all_rates(self) -> bool:
        return all(lane.arrivals_s is not None for lane in self.lanes)

    @property
    def stalls(self) -> tuple[Stall, ...]:
        return tuple(stall for lane in self.lanes for stall in lane.stalls)

    def rates(self, parts: int) -> list[float]:
        """Tokens per second in each of so many equal parts of the whole; short ones are taken together."""
        part_s = self.total_s / parts
        if part_s <= 0:
            return [0.0] * parts
        per_bucket = min(ceil(LEAST_BUCKET_S / part_s), parts)
        counts = [0] * ceil(parts / per_bucket)
        for lane in self.lanes:
            for at_s in lane.arrivals_s or ():
                counts[min(int(at_s / part_s), parts - 1) // per_bucket] += 1
        last = parts - (len(counts) - 1) * per_bucket
        widths_s = [*[per_bucket * part_s] * (len(counts) - 1), last * part_s]
        rates = [count / width_s for count, width_s in zip(counts, widths_s, strict=True)]
        return [rates[part // per_bucket] for part in range(parts)]


def timeline(records: Sequence[RequestRecord], trace: TokenTrace | None, now_s: float) -> Timeline:
    """`records` = the requests of a reply that have ended; `trace` knows of the last of them, and of one that runs.

    `now_s` is on the clock of the trace.
    """
    trace = trace or TokenTrace()
    own = [number for number, request in enumerate(trace.requests) if not request.is_of_another]
    ended = sum(trace.requests[number].ended_s is not None for number in own)
    before = max(len(records) - ended, 0)
    known: list[tuple[RequestRecord | None, int | None]] = [(record, None) for record in records[:before]]
    last = iter(records[before:])
    known += [(None if trace.requests[number].ended_s is None else next(last, None), number) for number in own]
    lanes, at_s = list[Lane](), 0.0
    for record, number in known:
        lanes.append(_lane(record, trace, number, at_s, now_s))
        at_s = lanes[-1].end_s
    return Timeline(tuple(lanes))


def _lane(record: RequestRecord | None, trace: TokenTrace, number: int | None, begin_s: float, now_s: float) -> Lane:
    """At least one is there: the record of a request that has ended, or its number in the trace."""
    request = None if number is None else trace.requests[number]
    arrivals_ms = None if number is None else trace.arrivals_ms(number)
    timing, usage = (NO_TIMING, NO_USAGE) if record is None else (record.timing, record.usage)
    if record is None and request is not None:
        timing = request.timing(now_s)
    sent_s = begin_s + (0.0 if request is None else _trying_s(request))
    first_s, thinking_end_s = timing.first_token_s, None
    is_running = record is None and request is not None and request.ended_s is None
    is_thinking = record is None and request is not None and request.is_thinking
    if timing.thinking_s is not None and first_s is not None and not is_thinking:
        thinking_end_s = first_s + timing.thinking_s
    lane = Lane(
        kind=record.kind if record is not None else request.kind if request is not None else RequestKind.REPLY,
        begin_s=begin_s,
        sent_s=sent_s,
        first_token_s=None if first_s is None else sent_s + first_s,
        thinking_end_s=None if thinking_end_s is None else sent_s + thinking_end_s,
        end_s=sent_s + (timing.total_s or 0.0),
        is_thinking=is_thinking,
        is_running=is_running,
        is_timed=request is not None or timing != NO_TIMING,
        state=None if record is None else record.state,
        tokens=usage.output_tokens if arrivals_ms is None else len(arrivals_ms) or usage.output_tokens,
        is_estimated=arrivals_ms is None and record is not None and record.is_estimated,
        attempts=() if request is None else request.failed,
        arrivals_s=None if arrivals_ms is None else [sent_s + at_ms / 1000 for at_ms in arrivals_ms],
    )
    return replace(lane, stalls=tuple(_stalls(lane)))


def _stalls(lane: Lane) -> Iterator[Stall]:
    arrivals = lane.arrivals_s or ()
    gaps = [after - before for before, after in pairwise(arrivals)]
    if arrivals and lane.state is not MessageState.COMPLETE:
        gaps.append(lane.end_s - arrivals[-1])
    pauses = sorted(gap for gap in gaps if gap > 0)  # tokens that came together had none
    least_s = STALL_S
    if len(pauses) >= FEW_PAUSES:
        least_s = max(STALL_GAPS * pauses[(len(pauses) - 1) // 2], LEAST_STALL_S)
    for before_s, gap_s in zip(arrivals, gaps, strict=False):
        if gap_s > least_s:
            yield Stall(before_s, gap_s, lane.doing(before_s) or Doing.ANSWERING)


def _trying_s(request: TracedRequest) -> float:
    """How long it took until the attempt that brought it was sent."""
    return max(request.sent_s - request.failed[0].sent_s, 0.0) if request.failed else 0.0
