"""The marks of a reply's requests on one scale, its rate, and its stalls."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.session import MessageState, RequestRecord, Timing, Usage
from kimi_tui.core.session.timeline import LEAST_STALL_S, Doing, Lane, timeline
from kimi_tui.core.session.token_trace import TokenTrace


def record(kind: str = "reply", first: float = 0.5, thought: float | None = None, total: float = 4.0) -> RequestRecord:
    return RequestRecord(kind, MessageState.COMPLETE, usage=Usage(1, 99), timing=Timing(first, thought, total))


def came(trace: TokenTrace, at_s: Sequence[float], part: ReplyPart = ReplyPart.ANSWER) -> None:
    """Tokens of one character each, at those moments of the clock."""
    request, start = trace.requests[-1], trace.in_reply
    for at in at_s:
        number = trace.count - request.first
        trace.come([-0.1], at)
        trace.grow(part, start, [(number, 1)], at)
        start += 1


def marks(lane: Lane) -> tuple[float, float | None, float | None, float]:
    return lane.sent_s, lane.first_token_s, lane.thinking_end_s, lane.end_s


def test_the_file_alone_says_when_each_request_did_what() -> None:
    line = timeline([record("think", 0.5, 2.0, 3.0), record("answer", 0.25, None, 4.0)], None, 1e6)
    assert [marks(lane) for lane in line.lanes] == [(0.0, 0.5, 2.5, 3.0), (3.0, 3.25, None, 7.0)]
    assert (line.total_s, line.has_rate, line.stalls) == (7.0, False, ())
    assert [(lane.kind, lane.tokens, lane.is_running) for lane in line.lanes] == [
        ("think", 99, False),
        ("answer", 99, False),
    ]
    first, second = line.lanes
    assert [first.doing(at) for at in (0.0, 0.5, 2.4, 2.6, 3.0)] == [
        Doing.WAITING,
        Doing.THINKING,
        Doing.THINKING,
        Doing.ANSWERING,
        None,
    ]
    assert (second.doing(2.9), second.doing(3.1), second.doing(5.0)) == (None, Doing.WAITING, Doing.ANSWERING)


def test_what_the_file_does_not_say_is_not_known() -> None:
    line = timeline([RequestRecord("reply", MessageState.COMPLETE)], None, 0.0)
    assert (line.total_s, line.lanes[0].is_timed, line.lanes[0].tokens) == (0.0, False, None)
    assert timeline([], None, 0.0).lanes == ()
    assert line.rates(3) == [0.0, 0.0, 0.0]


def test_a_running_request_is_measured_by_the_clock() -> None:
    trace = TokenTrace()
    trace.begin_request("reply", 100.0)
    trace.send(100.0)
    assert marks(timeline([], trace, 101.5).lanes[0]) == (0.0, None, None, 1.5)
    came(trace, [101.0, 101.5], ReplyPart.REASONING)
    lane = timeline([], trace, 102.0).lanes[0]
    assert (marks(lane), lane.is_thinking, lane.doing(1.9)) == ((0.0, 1.0, None, 2.0), True, Doing.THINKING)
    trace.come([-0.1], 103.0)
    trace.grow(ReplyPart.ANSWER, 0, [(2, 1)], 103.0)
    lane = timeline([], trace, 104.0).lanes[0]
    assert (marks(lane), lane.is_running, lane.is_thinking, lane.tokens) == ((0.0, 1.0, 3.0, 4.0), True, False, 3)
    assert (lane.doing(2.5), lane.doing(3.5)) == (Doing.THINKING, Doing.ANSWERING)


def test_attempts_that_failed_are_before_the_one_that_brought_it() -> None:
    trace = TokenTrace()
    trace.begin_request("reply", 9.0)
    trace.send(10.0)
    trace.fail(10.5)
    trace.send(12.0)
    came(trace, [13.0])
    trace.end_request(14.0)
    lane = timeline([record(first=1.0, total=2.0)], trace, 99.0).lanes[0]
    assert marks(lane) == (2.0, 3.0, None, 4.0)
    assert (lane.doing(1.0), lane.doing(2.5), len(lane.attempts)) == (Doing.TRYING, Doing.WAITING, 1)
    assert list(lane.arrivals_s or ()) == [3.0]


def test_of_a_reply_that_was_gone_on_with_later_the_first_requests_may_be_unknown() -> None:
    trace = TokenTrace()
    trace.begin_request("continue", 50.0)
    came(trace, [51.0])
    trace.end_request(52.0)
    line = timeline([record(total=4.0), record("continue", 1.0, None, 2.0)], trace, 99.0)
    assert [lane.arrivals_s for lane in line.lanes] == [None, [5.0]]
    assert (line.has_rate, line.has_all_rates, line.total_s) == (True, False, 6.0)


def test_requests_of_another_reply_are_none_of_this_one() -> None:
    trace = TokenTrace()
    trace.begin_request("reply", 0.0)
    came(trace, [1.0, 2.0])
    trace.end_request(3.0)
    other = trace.beginning(dict.fromkeys(ReplyPart, 1), is_same_reply=False)
    other.begin_request("continue", 60.0)
    came(other, [61.0])
    other.end_request(62.0)
    line = timeline([record("continue", 1.0, None, 2.0)], other, 99.0)
    assert [(lane.kind, list(lane.arrivals_s or ())) for lane in line.lanes] == [("continue", [1.0])]


def stalls(at_s: Sequence[float], now_s: float | None = None) -> list[tuple[float, float]]:
    trace = TokenTrace()
    trace.begin_request("reply", 0.0)
    came(trace, at_s)
    if now_s is None:
        trace.end_request(at_s[-1])
    line = timeline([] if now_s is not None else [record(total=at_s[-1])], trace, now_s or 0.0)
    return [(round(stall.start_s, 6), round(stall.length_s, 6)) for stall in line.stalls]


def test_a_pause_is_a_stall_where_it_is_long_beside_the_others() -> None:
    steady = [0.1 * number for number in range(1, 11)]
    assert stalls(steady) == []
    assert stalls([*steady, 3.0, 3.1]) == [(1.0, 2.0)]
    assert stalls([*steady, 1.45]) == []
    assert stalls([1.0, 2.0, 3.0, 4.0, 7.0]) == []  # it is slow throughout
    assert stalls([*steady, 1.0 + LEAST_STALL_S]) == []
    assert stalls([*steady, 1.1 + LEAST_STALL_S]) == [(1.0, 0.6)]
    bursts = [at for at in (0.3, 0.6, 0.9, 1.2, 1.5) for _ in range(5)]  # somebody on the way gathers them
    assert stalls(bursts) == []
    assert stalls([*bursts, 4.0]) == [(1.5, 2.5)]
    assert stalls([0.1, 0.9, 0.9]) == []  # too few to say what is usual
    assert stalls([0.1, 1.3]) == [(0.1, 1.2)]
    assert stalls(steady, now_s=1.2) == []
    assert stalls(steady, now_s=4.0) == [(1.0, 3.0)]


@pytest.mark.parametrize("state", list(MessageState))
def test_silence_up_to_a_cut_or_a_failure_is_a_stall(state: MessageState) -> None:
    trace = TokenTrace()
    trace.begin_request("reply", 0.0)
    came(trace, [0.1, 0.2])
    trace.end_request(9.2)
    line = timeline([RequestRecord("reply", state, timing=Timing(0.1, None, 9.2))], trace, 0.0)
    assert [stall.start_s for stall in line.stalls] == ([] if state is MessageState.COMPLETE else [0.2])


def test_what_it_did_when_it_stalled_is_known() -> None:
    trace = TokenTrace()
    trace.begin_request("reply", 0.0)
    came(trace, [0.1, 0.2, 0.3], ReplyPart.REASONING)
    came(trace, [5.3], ReplyPart.REASONING)
    (stall,) = timeline([], trace, 5.3).stalls
    assert (stall.start_s, round(stall.length_s, 6), stall.doing) == (0.3, 5.0, Doing.THINKING)


@given(st.lists(st.integers(0, 60_000), min_size=1, max_size=60), st.integers(1, 120), st.floats(60.0, 90.0, width=32))
def test_rates_add_up_to_the_tokens(at_ms: list[int], parts: int, total_s: float) -> None:
    trace = TokenTrace()
    trace.begin_request("reply", 0.0)
    came(trace, sorted(at / 1000 for at in at_ms))
    trace.end_request(total_s)
    line = timeline([record(total=total_s)], trace, 0.0)
    rates = line.rates(parts)
    assert len(rates) == parts
    assert sum(rate * line.total_s / parts for rate in rates) == pytest.approx(len(at_ms))
