"""Sending in a large session."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kimi_tui.adapters.clock import SystemClock
from kimi_tui.core.ports import CompletionResponse, Tap
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.engine.openings import Asking
from kimi_tui.engine.turn_engine import Engine
from tests.benchmarks.files import LARGE, large_session
from tests.benchmarks.pauses import ALLOWED_S, longest_pause

WINDOW_TOKENS = 10**7
"""A context window that all of it fits."""


class Answering:
    """An endpoint that answers at once; nothing is sent."""

    dialect = DEEPINFRA
    is_event_stream = True
    request_id = None

    @asynccontextmanager
    async def send(self, body: bytes, model: str, tap: Tap | None = None) -> AsyncIterator[CompletionResponse]:
        """It answers itself."""
        del body, model
        yield self

    async def chunks(self) -> AsyncIterator[bytes]:
        """One token, and the end."""
        yield b'data: {"token": {"text": "yes"}}\n\ndata: [DONE]\n\n'

    def without_secrets(self, words: str) -> str:
        """There are none."""
        return words


async def pauses_while_sending() -> AsyncIterator[tuple[str, float, float]]:
    """How long keys may have to wait while a question is sent in a large session, against what is allowed."""
    for shape in LARGE:
        open_session = OpenSession(large_session(shape), None)
        request = RequestSettings(context_tokens=WINDOW_TOKENS)
        turn = Engine(Answering(), SystemClock()).start(open_session, Asking("And now?"), request)
        longest = await longest_pause(turn.finished())
        yield f"longest pause, sending in a session of {shape} : allowed", longest, ALLOWED_S
