"""Sessions that begin with what the settings say."""

from __future__ import annotations

from kimi_tui.core.session.session import Session
from kimi_tui.core.settings.settings import Settings


def new_session(settings: Settings) -> Session:
    from kimi_tui.adapters.clock import SystemClock
    from kimi_tui.adapters.ids import new_cache_key, new_session_id

    now = SystemClock().now()
    return Session(
        id=new_session_id(now),
        created=now,
        updated=now,
        model=settings.api.model,
        system=settings.chat.system or None,
        prompt_cache_key=new_cache_key(),
    )
