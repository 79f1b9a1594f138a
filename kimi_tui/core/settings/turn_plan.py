"""What the settings make of a turn's plan; apart from `sampling`, since the first frame needs no plan."""

from __future__ import annotations

from functools import partial

from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.session import Session
from kimi_tui.core.settings.sampling import resolve_auto_continue, resolve_free_thinking
from kimi_tui.core.settings.settings import Settings
from kimi_tui.core.wire.plans import Plan, chosen
from kimi_tui.core.wire.strict_answers import thinking_first, thinks_first
from kimi_tui.core.wire.thinking_budget import Budget


def resolve_plan(settings: Settings, session: Session, request: RequestSettings, base: Plan, budget: Budget) -> Plan:
    """Put what the settings choose for any turn onto a plan; raises FieldError as `resolve_budget` does."""
    auto_continue, cuts_back = resolve_auto_continue(settings, session), settings.chat.whole_sentences
    if not thinks_first(request) or not resolve_free_thinking(settings, session):
        return chosen(base, budget, auto_continue=auto_continue, cuts_back=cuts_back)
    parted = partial(thinking_first, request=request)
    return chosen(base, budget, auto_continue=auto_continue, cuts_back=cuts_back, parted=parted)
