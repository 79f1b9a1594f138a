"""What the settings make of a turn's plan; apart from `sampling`, since the first frame needs no plan."""

from __future__ import annotations

from kimi_tui.core.session.session import Session
from kimi_tui.core.settings.sampling import resolve_auto_continue
from kimi_tui.core.settings.settings import Settings
from kimi_tui.core.wire.plans import Plan, chosen
from kimi_tui.core.wire.thinking_budget import Budget


def resolve_plan(settings: Settings, session: Session, base: Plan, budget: Budget) -> Plan:
    """Put what the settings choose for any turn onto a plan; raises FieldError as `resolve_budget` does."""
    auto_continue = resolve_auto_continue(settings, session)
    return chosen(base, budget, auto_continue=auto_continue, cuts_back=settings.chat.whole_sentences)
