"""A recording in the endpoint's place: every request gets what the one of that number got, at the same pace."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from kimi_tui.core.errors import BrokenStreamError, CompletionError
from kimi_tui.core.ports import Clock, Tap
from kimi_tui.core.wire.dialect import Dialect
from kimi_tui.core.wire.endpoint_errors import error_from_response, moment_of
from kimi_tui.core.wire.plans import Cause, RequestCutError
from kimi_tui.core.wire.recording import Answered, Exchange, Recording

CUTS = frozenset({Cause.USER, Cause.BUDGET, Cause.STOPPED})
"""Causes of an end that came from this side."""


class RecordedClient:
    """Where the user or a limit ended a request, it raises RequestCutError behind the very same byte."""

    def __init__(self, recording: Recording, dialect: Dialect, clock: Clock) -> None:
        self.dialect = dialect
        self._recording, self._clock = recording, clock
        self._left: Iterator[Exchange] = iter(recording.exchanges)
        self._stops_next = recording.is_stopped_between

    def without_secrets(self, words: str) -> str:
        """A recording holds none."""
        return words

    @asynccontextmanager
    async def send(self, body: bytes, model: str, tap: Tap | None = None) -> AsyncIterator[_Response]:
        del body, model, tap
        exchange = next(self._left, None)
        if exchange is None:
            if self._stops_next:
                self._stops_next = False
                raise RequestCutError(Cause.STOPPED)
            raise CompletionError(
                "The recording holds no further request; this is a replay, and nothing was sent.",
                "Ctrl+Q leaves it; kimi-tui alone talks to the endpoint.",
            )
        pace = Pace(self._clock, self._clock.monotonic())
        if exchange.answer is None:
            await self.end(exchange, pace)
            raise BrokenStreamError("The recording ends before an answer came.")
        await pace.until(exchange.answer.at_s)
        if not exchange.answer.is_success:
            raise await self._refusal(exchange, exchange.answer, pace)
        yield _Response(self, exchange, exchange.answer, pace)

    async def _refusal(self, exchange: Exchange, answer: Answered, pace: Pace) -> CompletionError:
        for data in exchange.pieces:
            await pace.until(data.at_s)
        words = b"".join(data.piece for data in exchange.pieces)
        now_there = moment_of(answer.headers.get("date", ""))
        return error_from_response(answer.status, answer.headers, words, self.dialect.error_keys, now_there)

    async def end(self, exchange: Exchange, pace: Pace) -> None:
        """End as it ended then; where nothing is to be done, the bytes say it all."""
        end = exchange.end
        if end is None:
            why = "it has reached its largest size" if self._recording.is_cut_off else "the program ended"
            raise BrokenStreamError(f"The recording ends here: {why}.")
        await pace.until(end.at_s)
        if end.failure is not None:
            raise end.failure.error()
        is_cut_by_tokens = end.cause is Cause.BUDGET and exchange.sent.step.limits.thinking_tokens is not None
        if end.cause in CUTS and not is_cut_by_tokens:  # the engine counts tokens itself, as it did then
            raise RequestCutError(end.cause)


@dataclass(frozen=True, slots=True)
class Pace:
    clock: Clock
    sent_s: float

    async def until(self, at_s: float) -> None:
        delay_s = self.sent_s + at_s - self.clock.monotonic()
        if delay_s > 0:
            await self.clock.sleep(delay_s)


class _Response:
    def __init__(self, client: RecordedClient, exchange: Exchange, answer: Answered, pace: Pace) -> None:
        self._client, self._exchange, self._answer, self._pace = client, exchange, answer, pace

    @property
    def is_event_stream(self) -> bool:
        return self._answer.is_event_stream

    @property
    def request_id(self) -> str | None:
        return self._answer.headers.get("x-request-id")

    async def chunks(self) -> AsyncIterator[bytes]:
        for data in self._exchange.pieces:
            await self._pace.until(data.at_s)
            yield data.piece
        await self._client.end(self._exchange, self._pace)
