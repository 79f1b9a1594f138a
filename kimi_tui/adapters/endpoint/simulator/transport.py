"""The simulator behind the HTTP client: requests end here instead of in the network."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, AsyncIterator, Mapping

import httpx

from kimi_tui.adapters.clock import SystemClock
from kimi_tui.adapters.endpoint.simulator.simulated_answer import respond
from kimi_tui.adapters.endpoint.simulator.simulated_bytes import document, encode, played
from kimi_tui.adapters.endpoint.simulator.simulated_request import Refusal
from kimi_tui.core.ports import Clock
from kimi_tui.core.wire.dialect import Dialect

TOKENS_PER_S = 60.0


class SimulatorTransport(httpx.AsyncBaseTransport):
    """Answers every POST as the endpoint would, whatever its address."""

    def __init__(self, dialect: Dialect, tokens_per_s: float = TOKENS_PER_S, clock: Clock | None = None) -> None:
        """`tokens_per_s` 0 = at once; unstreamed replies always come at once. `clock` None = the system's."""
        self._dialect, self._tokens_per_s, self._clock = dialect, tokens_per_s, clock or SystemClock()
        self._numbers = itertools.count()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method != "POST":
            return _json(405, self._dialect.twin.write_error("POST is needed"))
        # A large body takes long to read: as over a network, nobody waits for that.
        plan = await asyncio.to_thread(respond, await request.aread(), self._dialect, next(self._numbers))
        if isinstance(plan, Refusal):
            return _json(plan.status, plan.document)
        if not plan.is_streamed:
            return _json(200, document(plan, self._dialect))
        stream = _Stream(played(plan, self._dialect, self._tokens_per_s, self._clock))
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=stream)


class _Stream(httpx.AsyncByteStream):
    def __init__(self, pieces: AsyncGenerator[bytes, None]) -> None:
        self._pieces = pieces

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._pieces

    async def aclose(self) -> None:
        """End generation: whoever stops listening gets no more of it."""
        await self._pieces.aclose()


def _json(status: int, content: Mapping[str, object]) -> httpx.Response:
    return httpx.Response(status, headers={"content-type": "application/json"}, content=encode(content))
