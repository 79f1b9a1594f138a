"""Plans: what a turn does next, tried by feeding them ends."""

from __future__ import annotations

import pytest

from kimi_tui.core.session.growing_reply import GrowingReply, ReplyPart
from kimi_tui.core.session.session import Message, MessageState, RequestRecord, Role
from kimi_tui.core.wire.plans import Cause, RequestEnd, RequestStep, answering, cause_of, continuing, single


def growing(reasoning: str = "", content: str = "") -> GrowingReply:
    reply = GrowingReply(Message("m2", Role.ASSISTANT, "", "m1"), is_thinking=True)
    for part, text in ((ReplyPart.REASONING, reasoning), (ReplyPart.ANSWER, content)):
        if text:
            reply.grow(part, text)
    return reply


def test_an_ordinary_turn_has_one_request() -> None:
    step = single(growing(), [])
    assert step == RequestStep("reply")
    for cause in Cause:
        assert single(growing("hm"), [RequestEnd(step, cause)]) is None


def test_plans_compose() -> None:
    plan, ends = continuing(answering(single), 1), list[RequestEnd]()
    kinds = []
    for reply, cause in [(growing(), Cause.USER), (growing("hm"), Cause.LENGTH), (growing("hm", "ye"), Cause.ITSELF)]:
        for _ in ends:
            reply.end_request(RequestRecord())
        step = plan(reply, ends)
        assert step is not None
        kinds.append((step.kind, step.ends_thinking, step.limits.can_be_cut))
        ends.append(RequestEnd(step, cause))
    assert kinds == [("reply", "", True), ("answer", "user", False), ("continue", "", False)]
    assert plan(growing("hm", "yes"), ends) is None


@pytest.mark.parametrize(
    ("state", "reason", "cause"),
    [
        (MessageState.COMPLETE, "stop", Cause.ITSELF),
        (MessageState.COMPLETE, "length", Cause.LENGTH),
        (MessageState.QUEUED, None, Cause.ITSELF),
        (MessageState.CANCELLED, None, Cause.STOPPED),
        (MessageState.FAILED, None, Cause.FAILED),
        (MessageState.INTERRUPTED, "length", Cause.FAILED),
    ],
)
def test_why_a_request_ended(state: MessageState, reason: str | None, cause: Cause) -> None:
    assert cause_of(RequestRecord(state=state, finish_reason=reason)) is cause


def test_a_reply_that_is_cut_by_length_is_gone_on_with_so_many_times() -> None:
    plan, ends = continuing(single, 2), list[RequestEnd]()
    for kind in ("reply", "continue", "continue"):
        step = plan(growing("hm", "ye"), ends)
        assert step is not None
        assert step.kind == kind
        ends.append(RequestEnd(step, Cause.LENGTH))
    assert plan(growing("hm", "ye"), ends) is None
    assert continuing(single, 0)(growing(), ends[:1]) is None


STEP, THINKS = RequestStep(), RequestStep("think", only_thinks=True)


@pytest.mark.parametrize(
    ("ends", "most"),
    [
        ([], 90),
        ([RequestEnd(STEP, Cause.USER, 4)], 86),
        ([RequestEnd(STEP, Cause.BUDGET, 4, " and more")], 86),
        ([RequestEnd(STEP, Cause.BUDGET, 0)], 90),
        ([RequestEnd(THINKS, Cause.ITSELF, 4)], 86),
        ([RequestEnd(THINKS, Cause.THOUGHT, 4)], 86),
        ([RequestEnd(STEP, Cause.USER, 200)], 1),
        # What went on to its end had all of it, and so has the one behind it.
        ([RequestEnd(STEP, Cause.LENGTH, 90)], 90),
        ([RequestEnd(THINKS, Cause.LENGTH, 90)], 90),
        ([RequestEnd(THINKS, Cause.LENGTH, 90), RequestEnd(THINKS, Cause.ITSELF, 4)], 86),
        ([RequestEnd(STEP, Cause.USER, 4), RequestEnd(STEP, Cause.LENGTH, 86)], 90),
        ([RequestEnd(THINKS, Cause.USER, 4), RequestEnd(STEP, Cause.USER, 3)], 83),
    ],
)
def test_behind_a_request_that_was_cut_short_the_rest_of_the_most_tokens_is_sent(
    ends: list[RequestEnd], most: int
) -> None:
    fields = {"stream": True, "max_new_tokens": 90, "seed": 1}
    assert list(STEP.fields_over(fields, ends).items()) == [("stream", True), ("max_new_tokens", most), ("seed", 1)]
    assert STEP.fields_over({"stream": True}, ends) == {"stream": True}
    assert RequestStep(fields={"max_new_tokens": None}).fields_over(fields, ends) == {"stream": True, "seed": 1}
