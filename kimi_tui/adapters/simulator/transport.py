"""The simulator behind the HTTP client: requests end here instead of in the network."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx

from kimi_tui.adapters.simulator.answer import Plan, Refusal, respond
from kimi_tui.adapters.simulator.frames import document, event_stream
from kimi_tui.adapters.simulator.pace import paced

TOKENS_PER_S = 60.0
"""A believable pace."""


class SimulatorTransport(httpx.AsyncBaseTransport):
    """Answers every POST as the endpoint would."""

    def __init__(
        self, tokens_per_s: float = TOKENS_PER_S, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        """Answer at that pace; 0 = at once."""
        self._tokens_per_s, self._sleep = tokens_per_s, sleep

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        plan = respond(await request.aread())
        if isinstance(plan, Refusal):
            return httpx.Response(plan.status, json=dict(plan.document), request=request)
        if not plan.is_streamed:
            return httpx.Response(200, json=json.loads(document(plan)), request=request)
        headers = {"content-type": "text/event-stream"}
        stream = _Stream(plan, self._tokens_per_s, self._sleep)
        return httpx.Response(200, headers=headers, stream=stream, request=request)


class _Stream(httpx.AsyncByteStream):
    def __init__(self, plan: Plan, tokens_per_s: float, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._plan, self._tokens_per_s, self._sleep = plan, tokens_per_s, sleep

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in paced(event_stream(self._plan), self._tokens_per_s, self._sleep):
            yield piece
