"""Sessions that begin with what the settings say."""

from __future__ import annotations

from kimi_tui.cli.context import Context
from kimi_tui.core.session.session import Session


def new_session(context: Context) -> Session:
    """Make an empty session with the settings' model and system prompt."""
    from kimi_tui.adapters.clock import SystemClock  # noqa: PLC0415
    from kimi_tui.adapters.ids import new_cache_key, new_session_id  # noqa: PLC0415

    settings = context.settings()
    now = SystemClock().now()
    return Session(
        id=new_session_id(now),
        created=now,
        updated=now,
        model=settings.api.model,
        system=settings.chat.system or None,
        prompt_cache_key=new_cache_key(),
    )
