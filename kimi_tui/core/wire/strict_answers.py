"""An answer in a form, and a thinking that is free of it: two requests in one turn.

A format that holds from the first token on makes servers skip, garble or swallow the thinking. So the first request
thinks without it, stopped at the mark that closes the block; the second one has the same input, the thinking and that
mark, and the format.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.endings import ORDINARY_REASONS
from kimi_tui.core.session.growing_reply import ReplyPart, ReplyView
from kimi_tui.core.session.session import RequestKind, ThinkingEnd
from kimi_tui.core.wire.dialect import Dialect
from kimi_tui.core.wire.plans import Cause, Plan, RequestEnd, RequestStep

BROKE_OFF = frozenset({Cause.FAILED, Cause.STOPPED})


def has_form(fields: Mapping[str, object]) -> bool:
    """Whether request fields hold the answer to a form."""
    form = fields.get("response_format")
    return isinstance(form, Mapping) and form.get("type") != "text"


def thinks_first(request: RequestSettings) -> bool:
    """Whether its turns are two requests; what goes to a webhook is one, since nobody here sees it end."""
    has_block = request.thinking and request.template.think is not None
    return has_block and has_form(request.fields) and "webhook" not in request.fields


def thinking_first(plan: Plan, request: RequestSettings, dialect: Dialect) -> Plan:
    """Another plan, which asks for the thinking without the format, and then for the answer in it."""
    fields = thinking_fields(request, dialect)

    def next_step(reply: ReplyView, ends: Sequence[RequestEnd]) -> RequestStep | None:
        if ends and _has_thought(reply, ends[-1]):
            return RequestStep(RequestKind.ANSWER, ends_thinking=ThinkingEnd.MODEL)
        step = plan(reply, ends)
        if step is None or step.ends_thinking:
            return step
        if reply.is_thinking:
            return replace(step, kind=RequestKind.THINK, only_thinks=True, fields={**step.fields, **fields})
        return step if len(reply.texts[ReplyPart.ANSWER]) else replace(step, kind=RequestKind.ANSWER)

    return next_step


def thinking_fields(request: RequestSettings, dialect: Dialect) -> dict[str, object | None]:
    """What the first request sends in the place of the turn's fields; None = it does not."""
    assert request.template.think is not None, "where nothing is thought there is one request"
    mark, stop = request.template.think.close, request.fields.get("stop")
    stops = [text for text in stop if text != mark] if isinstance(stop, list) else []
    most = dialect.spec("stop").maximum
    kept = stops if most is None else stops[: int(most.value) - 1]
    fields: dict[str, object | None] = {"response_format": None, "stop": [*kept, mark]}
    if request.fields.get("num_responses", 1) != 1:  # one thought, and several answers to it
        fields |= {"num_responses": None, "stream": True}
    return fields


def _has_thought(reply: ReplyView, end: RequestEnd) -> bool:
    """Whether the thinking is whole: the block is closed, or the endpoint stopped and kept the mark to itself."""
    if not end.step.only_thinks or end.cause in BROKE_OFF:
        return False
    if not reply.is_thinking:
        return end.cause is not Cause.LENGTH
    return end.cause is Cause.ITSELF and reply.requests[-1].finish_reason in ORDINARY_REASONS
