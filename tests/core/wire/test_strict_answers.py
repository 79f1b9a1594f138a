"""An answer in a form: what each of the two requests sends, and what follows from every end of the first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.growing_reply import GrowingReply, ReplyPart
from kimi_tui.core.session.session import Message, MessageState, RequestRecord, Role
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from kimi_tui.core.wire.plans import (
    CUT_BY,
    Cause,
    Plan,
    RequestEnd,
    RequestStep,
    answering,
    chosen,
    single,
)
from kimi_tui.core.wire.reply_plans import going_on
from kimi_tui.core.wire.strict_answers import thinking_fields, thinking_first, thinks_first
from kimi_tui.core.wire.thinking_budget import Budget

OBJECT = {"type": "json_object"}
FIELDS: dict[str, Any] = {"stop": ["<|im_end|>", "[EOS]"], "response_format": OBJECT, "stream": True}
REQUEST = RequestSettings(fields=FIELDS)
THINK = RequestStep(
    "think", only_thinks=True, fields={"response_format": None, "stop": ["<|im_end|>", "[EOS]", "</think>"]}
)
ANSWER = RequestStep("answer", ends_thinking="model")


def strict(plan: Plan = single) -> Plan:
    return thinking_first(plan, REQUEST, DEEPINFRA)


def growing(reasoning: str = "", content: str = "", *, is_open: bool = True, reason: str | None = None) -> GrowingReply:
    reply = GrowingReply(Message("m2", Role.ASSISTANT, "", "m1"), is_thinking=True)
    if reasoning:
        reply.grow(ReplyPart.REASONING, reasoning)
    if content:
        reply.grow(ReplyPart.ANSWER, content)
    if not is_open:
        reply.close_thinking()
    reply.end_request(RequestRecord("think", MessageState.COMPLETE, finish_reason=reason))
    return reply


def test_it_thinks_without_the_format_and_answers_in_it() -> None:
    plan = strict()
    assert plan(growing(), []) == THINK
    assert THINK.fields_over(FIELDS) == {"stop": ["<|im_end|>", "[EOS]", "</think>"], "stream": True}
    assert plan(growing("hm"), [RequestEnd(THINK, Cause.ITSELF)]) == ANSWER
    assert ANSWER.fields_over(FIELDS) == FIELDS
    ends = [RequestEnd(THINK, Cause.ITSELF), RequestEnd(ANSWER, Cause.ITSELF)]
    assert plan(growing("hm", "{}"), ends) is None


@pytest.mark.parametrize(
    ("reply", "cause", "expected"),
    [
        (growing("hm", reason="stop"), Cause.ITSELF, ANSWER),  # the server keeps the mark, or the model just stopped
        (growing("hm"), Cause.ITSELF, ANSWER),  # it gives no reason
        (growing("hm", is_open=False, reason="stop"), Cause.ITSELF, ANSWER),  # the server returns the mark
        (growing("hm", is_open=False), Cause.THOUGHT, ANSWER),  # it went on to answer
        (growing("", reason="stop"), Cause.ITSELF, ANSWER),  # nothing was thought
        (growing("hm", is_open=False), Cause.USER, ANSWER),  # cut when the block was closed
        (growing("hm", is_open=False), Cause.BUDGET, ANSWER),
        (growing("hm", reason="content_filter"), Cause.ITSELF, None),
        (growing("hm", reason="length"), Cause.LENGTH, None),
        (growing("hm", is_open=False, reason="length"), Cause.LENGTH, None),
        (growing("hm"), Cause.FAILED, None),
        (growing("hm", is_open=False), Cause.FAILED, None),
        (growing("hm"), Cause.STOPPED, None),
    ],
)
def test_what_follows_the_thinking(reply: GrowingReply, cause: Cause, expected: RequestStep | None) -> None:
    assert strict()(reply, [RequestEnd(THINK, cause)]) == expected


def test_a_reply_that_broke_off_inside_the_thinking_thinks_on_without_the_format() -> None:
    plan = strict(going_on)
    assert plan(growing("hm"), []) == THINK
    assert plan(growing("hm so"), [RequestEnd(THINK, Cause.ITSELF)]) == ANSWER


def test_a_reply_that_broke_off_between_the_two_is_answered_in_the_format() -> None:
    assert strict(going_on)(growing("hm", is_open=False), []) == RequestStep("answer")


def test_an_answer_that_broke_off_is_gone_on_with_in_the_format() -> None:
    assert strict(going_on)(growing("hm", '{"a', is_open=False), []) == RequestStep("continue")


def test_a_thinking_that_length_cut_goes_on_by_itself_without_the_format() -> None:
    plan = chosen(single, auto_continue=1, parted=strict)
    ends = [RequestEnd(THINK, Cause.LENGTH)]
    step = plan(growing("hm", reason="length"), ends)
    assert step is not None
    assert (step.kind, step.only_thinks, step.fields) == ("think", True, THINK.fields)
    ends.append(RequestEnd(step, Cause.ITSELF))
    step = plan(growing("hm so", reason="stop"), ends)
    assert step is not None
    assert (step.kind, step.fields) == ("answer", {})
    ends.append(RequestEnd(step, Cause.LENGTH))
    assert plan(growing("hm so", "{", reason="length"), ends) is None


@pytest.mark.parametrize("cause", list(CUT_BY))
def test_answer_now_and_budgets_cut_to_the_answer_in_the_format(cause: Cause) -> None:
    plan = answering(strict(), Budget(tokens=5))
    first = plan(growing(), [])
    assert first is not None
    assert (first.only_thinks, first.limits.thinking_tokens, first.limits.can_be_cut) == (True, 5, True)
    step = plan(growing("hm"), [RequestEnd(first, cause)])
    assert step is not None
    assert (step.kind, step.ends_thinking, step.cuts_back, step.fields) == ("answer", CUT_BY[cause], True, {})


def test_a_budget_of_nothing_asks_for_the_answer_alone() -> None:
    step = answering(strict(), Budget(tokens=0))(growing(), [])
    assert step is not None
    assert (step.ends_thinking, step.only_thinks, step.fields) == ("budget", False, {})


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (REQUEST, True),
        (replace(REQUEST, thinking=False), False),
        (replace(REQUEST, fields={}), False),
        (replace(REQUEST, fields={"response_format": {"type": "text"}}), False),
        (replace(REQUEST, fields={"response_format": {"type": "regex", "regex": "a+"}}), True),
        (replace(REQUEST, fields={**FIELDS, "webhook": "https://example.org"}), False),
        (replace(REQUEST, template=replace(REQUEST.template, think=None)), False),
    ],
)
def test_when_a_turn_is_two_requests(request_: RequestSettings, expected: bool) -> None:
    assert thinks_first(request_) is expected


@given(stops=st.one_of(st.none(), st.lists(st.sampled_from(["</think>", *"abcdefghijklmnopq"]), max_size=16)))
def test_the_mark_is_among_the_stops_once_and_never_one_too_many(stops: list[str] | None) -> None:
    fields = {"response_format": OBJECT} if stops is None else {"response_format": OBJECT, "stop": stops}
    sent = thinking_fields(RequestSettings(fields=fields), DEEPINFRA)["stop"]
    assert isinstance(sent, list)
    own = [text for text in stops or [] if text != "</think>"]
    assert (sent[-1], sent.count("</think>"), sent[:-1]) == ("</think>", 1, own[:15])


def test_of_several_answers_the_thinking_is_asked_for_once_and_streamed() -> None:
    fields = {**FIELDS, "num_responses": 3, "stream": False}
    sent = THINK.fields_over(fields) | thinking_fields(RequestSettings(fields=fields), DEEPINFRA)
    assert (sent["num_responses"], sent["stream"]) == (None, True)
