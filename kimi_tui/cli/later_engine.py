"""The engine as the screen gets it: made with its first turn, since the first frame needs none of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the names of types only
    from kimi_tui.core.prompt.request_settings import RequestSettings
    from kimi_tui.engine.open_session import OpenSession
    from kimi_tui.engine.turn import Turn
    from kimi_tui.engine.turn_engine import Engine


class LaterEngine:
    """Starts turns on an engine that is made when the first one begins."""

    def __init__(self, make: Callable[[], Engine]) -> None:
        """Make it that way."""
        self._make = make

    @cached_property
    def _engine(self) -> Engine:
        return self._make()

    def start(
        self, open_session: OpenSession, question: str, request: RequestSettings, *, alternative_to: str | None = None
    ) -> Turn:
        """Send a question; see `Engine.start`."""
        return self._engine.start(open_session, question, request, alternative_to=alternative_to)

    def regenerate(self, open_session: OpenSession, question_id: str, request: RequestSettings) -> Turn:
        """Ask for another reply; see `Engine.regenerate`."""
        return self._engine.regenerate(open_session, question_id, request)
