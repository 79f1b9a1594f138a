"""What the settings make of a turn's plan; apart from `sampling`, since the first frame needs no plan."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.session import Session
from kimi_tui.core.settings.sampling import resolve_chat
from kimi_tui.core.settings.settings import Settings
from kimi_tui.core.wire.plans import Plan, RequestStep, chosen
from kimi_tui.core.wire.strict_answers import thinking_fields, thinking_first, thinks_first
from kimi_tui.core.wire.thinking_budget import Budget


def is_parted(settings: Settings, session: Session, request: RequestSettings) -> bool:
    """Whether its turns are two requests; raises FieldError as `resolve_chat` does."""
    return thinks_first(request) and resolve_chat(settings, session).free_thinking


def first_fields(settings: Settings, session: Session, request: RequestSettings) -> Mapping[str, object]:
    """What the first request of the next turn sends; raises as `is_parted` does."""
    if not is_parted(settings, session, request):
        return request.fields
    return RequestStep(fields=thinking_fields(request, settings.dialect)).fields_over(request.fields)


def resolve_plan(settings: Settings, session: Session, request: RequestSettings, base: Plan, budget: Budget) -> Plan:
    """Put what the settings choose for any turn onto a plan; raises FieldError as `resolve_chat` does."""
    chat = resolve_chat(settings, session)
    is_parted = thinks_first(request) and chat.free_thinking
    parted = partial(thinking_first, request=request, dialect=settings.dialect) if is_parted else lambda plan: plan
    return chosen(base, budget, auto_continue=chat.auto_continue, cuts_back=chat.whole_sentences, parted=parted)
