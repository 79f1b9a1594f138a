"""What a turn does next: given what has come and why each request ended, the next request or the end.

A plan is a pure function, so that it is tried without a network by feeding it ends; one plan may ask another and change
what it says. The engine carries it out and keeps the limits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import takewhile

from kimi_tui.core.session.growing_reply import ReplyView
from kimi_tui.core.session.session import FinishReason, MessageState, RequestKind, RequestRecord, ThinkingEnd
from kimi_tui.core.wire.thinking_budget import NO_BUDGET, Budget


class Cause(StrEnum):
    ITSELF = "itself"
    LENGTH = "length"
    """It had as many tokens as it was allowed."""
    USER = "signal"
    """The user cut it, not the turn: a "signal" in recordings."""
    BUDGET = "budget"
    """Its thinking reached a limit in tokens or seconds."""
    THOUGHT = "thought"
    """It was to think only, and went on to answer."""
    STOPPED = "stopped"
    """The user stopped the turn: nothing follows."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Limits:
    """When a request is cut short; by default never."""

    thinking_tokens: int | None = None
    """Most tokens that come inside the think block, ≥ 1."""
    thinking_s: float | None = None
    """Longest time inside the think block, in seconds since its first token."""
    can_be_cut: bool = False
    """Whether the user may cut it."""


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class RequestStep:
    """One request of a turn. Its prompt is the turn's, with all that the reply says so far in its open turn."""

    kind: str = RequestKind.REPLY
    ends_thinking: str = ""
    """Who closes the think block first, where it is open: a `ThinkingEnd`; "" = nobody."""
    cuts_back: bool = False
    """Whether of a thought that broke off then only the whole sentences are kept."""
    only_thinks: bool = False
    """Whether it ends with the thinking: what comes behind the block is no part of the reply."""
    fields: Mapping[str, object | None] = field(default_factory=dict)
    """Request fields in the place of the turn's; None = not sent."""
    limits: Limits = NO_LIMITS

    def fields_over(self, fields: Mapping[str, object], ends: Sequence[RequestEnd] = ()) -> dict[str, object]:
        """What is sent behind requests that ended so, where the turn says `fields`.

        Behind one that was cut short there is only what it left of the most tokens of a reply.
        """
        most, came = fields.get("max_new_tokens"), [end.tokens for end in takewhile(_leaves_rest, reversed(ends))]
        rest = {"max_new_tokens": max(most - sum(came), 1)} if came and isinstance(most, int) else {}
        return {name: value for name, value in {**fields, **rest, **self.fields}.items() if value is not None}


@dataclass(frozen=True, slots=True)
class RequestEnd:
    step: RequestStep
    cause: Cause
    tokens: int = 0
    """How many came for the reply, `beyond` included."""
    beyond: str = ""
    """Reasoning that came together with the last token of its budget: it is no part of the reply."""


class RequestCutError(Exception):
    """A client raises it where the request was ended from this side when it was recorded: as if it was now."""

    def __init__(self, cause: Cause) -> None:
        """USER, BUDGET or STOPPED."""
        super().__init__(cause)
        self.cause = cause


def _leaves_rest(end: RequestEnd) -> bool:
    return end.cause in CUT_BY or (end.step.only_thinks and end.cause is not Cause.LENGTH)


Plan = Callable[[ReplyView, Sequence[RequestEnd]], RequestStep | None]
"""Gives the next request, the first one included; None = the turn is over. The ends stand in order, STOPPED never."""


def single(reply: ReplyView, ends: Sequence[RequestEnd]) -> RequestStep | None:
    """Ask once: an ordinary turn."""
    del reply
    return None if ends else RequestStep()


CUT_BY = {Cause.USER: ThinkingEnd.USER, Cause.BUDGET: ThinkingEnd.BUDGET}
"""Who ends the thinking of a request that is cut."""


def chosen(
    plan: Plan,
    budget: Budget = NO_BUDGET,
    *,
    auto_continue: int = 0,
    cuts_back: bool = True,
    parted: Callable[[Plan], Plan] = lambda plan: plan,
) -> Plan:
    """A plan with all that a user may choose for any turn; `parted` may part the thinking from the answer."""
    return answering(parted(continuing(plan, auto_continue)), budget, cuts_back=cuts_back)


def answering(plan: Plan, budget: Budget = NO_BUDGET, *, cuts_back: bool = True) -> Plan:
    """Another plan, whose thinking the user or a budget may end: then the answer follows."""
    limits = Limits(budget.tokens, budget.seconds, can_be_cut=True)

    def next_step(reply: ReplyView, ends: Sequence[RequestEnd]) -> RequestStep | None:
        who = CUT_BY.get(ends[-1].cause) if ends else ThinkingEnd.BUDGET if budget.tokens == 0 else None
        if who and reply.is_thinking:
            kind = RequestKind.ANSWER if reply.requests else RequestKind.REPLY
            return RequestStep(kind, ends_thinking=who, cuts_back=cuts_back)
        step = plan(reply, ends)
        return step and replace(step, limits=limits)

    return next_step


def continuing(plan: Plan, times: int) -> Plan:
    """Another plan, which goes on by itself where the endpoint stopped for want of tokens, so many times at most."""

    def next_step(reply: ReplyView, ends: Sequence[RequestEnd]) -> RequestStep | None:
        if ends and ends[-1].cause is Cause.LENGTH and sum(end.cause is Cause.LENGTH for end in ends) <= times:
            return RequestStep(RequestKind.CONTINUE)
        return plan(reply, ends)

    return next_step


def cause_of(record: RequestRecord) -> Cause:
    """Tell why a request ended that nobody cut."""
    if record.state in {MessageState.FAILED, MessageState.INTERRUPTED}:
        return Cause.FAILED
    if record.state is MessageState.CANCELLED:
        return Cause.STOPPED
    return Cause.LENGTH if record.finish_reason == FinishReason.LENGTH else Cause.ITSELF
