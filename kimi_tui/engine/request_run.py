"""One request of a turn: sent with retries, read to its end, timed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from itertools import groupby, takewhile

from kimi_tui.core.errors import CompletionError, ConnectionFailedError, TimedOutError
from kimi_tui.core.ports import Clock, CompletionClient, CompletionResponse
from kimi_tui.core.prompt.open_prompt import OpenPrompt
from kimi_tui.core.prompt.request_settings import first_silence_s
from kimi_tui.core.session.growing_reply import OpenRequest, ReplyPart
from kimi_tui.core.session.session import BROKEN_OFF, NO_USAGE, FinishReason, MessageState, RequestRecord, Usage
from kimi_tui.core.wire.body import build_body
from kimi_tui.core.wire.plans import Cause, RequestCutError, RequestEnd, RequestStep, cause_of
from kimi_tui.core.wire.reply import CountedSegment, ReplyBuilder, ReplyResult
from kimi_tui.core.wire.retry import MAX_RETRIES, retry_delay_s
from kimi_tui.core.wire.turn_events import AttemptBegan, Phase, RequestEnded, Retrying
from kimi_tui.engine.silence import Silence
from kimi_tui.engine.turn import Turn

LINGER_S = 2.0
"""How long a connection may stay open after the reply's end: counts and the last word may follow."""
SLEPT = (
    "This machine slept, and the connection did not outlive that.",
    "It was not tried again by itself, since it may have been billed. Try again.",
)
PART_PHASES = {ReplyPart.REASONING: Phase.REASONING, ReplyPart.ANSWER: Phase.ANSWERING}


class RequestRun:
    """Sends one request until it brings text or cannot be sent again; what comes grows the turn's reply.

    It runs in a task of its own, which alone is cancelled where the request is cut short: the turn goes on.
    """

    def __init__(
        self,
        turn: Turn,
        step: RequestStep,
        prompt: OpenPrompt,
        fields: Mapping[str, object],
        *,
        client: CompletionClient,
        clock: Clock,
        jitter: Callable[[], float],
    ) -> None:
        self._turn, self._step, self._prompt, self._fields = turn, step, prompt, fields
        self._client, self._clock, self._jitter = client, clock, jitter
        self._task: asyncio.Task[ReplyResult] | None = None
        self._timer: asyncio.Task[None] | None = None
        self._cut_by: Cause | None = None
        self._result: ReplyResult | None = None
        self._builder = self._new_builder(is_event_stream=True)
        self._start = turn.growing.start
        self._header_id: str | None = None
        self._is_answered = False
        self._beyond_budget = ""
        self._tokens_before = sum(turn.reply.tokens.values())

    async def run(self) -> tuple[RequestEnd, ReplyResult]:
        """Send it, and note it on the reply. What had arrived is kept where it is cut or the turn is stopped."""
        self._turn.measure_request = self._broken_off
        is_thinking = self._turn.reply.is_thinking
        self._turn.trace.begin_request(self._step.kind, self._clock.monotonic(), is_thinking=is_thinking)
        self._task = asyncio.get_running_loop().create_task(self._carry_out())
        try:
            result = await self._task
        except asyncio.CancelledError:  # before it had begun, or when nothing was left to be cancelled
            result = self._result or self._end(is_cancelled=True)
        cause = self._cut_by or cause_of(self._turn.reply.requests[-1])
        if self._turn.tape is not None:
            self._turn.tape.end(cause)
        return RequestEnd(self._step, cause, self._tokens_for_reply(), self._beyond_budget), result

    def _tokens_for_reply(self) -> int:
        """How many came for it; of what did not come token by token, as many as the endpoint told."""
        kept = sum(self._turn.reply.tokens.values()) - self._tokens_before
        came = self._builder.tokens if self._beyond_budget else kept
        return came or self._turn.reply.requests[-1].usage.output_tokens or 0

    def cut(self, cause: Cause) -> None:
        """Close the request before its end, unless it has ended."""
        if self._task is not None and not self._task.done() and self._cut_by is None:
            self._cut_by = cause
            self._task.cancel()

    async def _carry_out(self) -> ReplyResult:
        is_cancelled = False
        try:
            await self._until_settled()
        except asyncio.CancelledError:
            is_cancelled = True
        except RequestCutError as cut:
            self._cut_by = self._cut_by or cut.cause
            if cut.cause is Cause.STOPPED:
                self._turn.is_stopped = True
        finally:
            if self._timer is not None:
                self._timer.cancel()
        self._result = self._end(is_cancelled=is_cancelled or self._cut_by is not None)
        return self._result

    async def _until_settled(self) -> None:
        """Send it until something has come, or it is no use any more."""
        request = self._turn.request
        write = partial(build_body, self._client.dialect, request.model, self._prompt.text, self._fields, request.extra)
        body = await asyncio.to_thread(write)
        attempt, retries, tape = 1, request.retries, self._turn.tape
        while True:
            if tape is not None:
                tape.begin(self._step, attempt)
            try:
                return await self._once(body)
            except CompletionError as error:
                self._builder.fail(error)
                if tape is not None:
                    tape.end(Cause.FAILED, error)
                # What the endpoint has begun to answer it bills.
                delay_s = None if self._is_answered else retry_delay_s(error, attempt, retries, self._jitter())
                if delay_s is None:
                    return None
                attempt += 1
                self._turn.trace.fail(self._clock.monotonic())
                attempts = 1 + min(retries, MAX_RETRIES)
                self._turn.report(Retrying(self._turn.reply.id, attempt, attempts, delay_s, error))
            await self._pause(delay_s)
            self._turn.report(AttemptBegan(self._turn.reply.id, attempt))

    async def _pause(self, delay_s: float) -> None:
        """Wait, unless that is skipped."""
        pause = asyncio.ensure_future(self._clock.sleep(delay_s))
        self._turn.skip_pause = pause.cancel
        try:
            await asyncio.wait([pause])
        finally:
            self._turn.skip_pause = None
            pause.cancel()

    def _new_builder(self, *, is_event_stream: bool) -> ReplyBuilder:
        return ReplyBuilder(self._client.dialect, self._prompt, is_event_stream=is_event_stream)

    async def _once(self, body: bytes) -> None:
        self._builder = self._new_builder(is_event_stream=True)
        self._turn.trace.send(self._clock.monotonic())
        request = self._turn.request
        wait_s = first_silence_s(self._fields, request.silence_s)
        silence = Silence(self._clock, wait_s)
        try:
            async with silence, self._client.send(body, request.model, self._turn.tape) as response:
                self._is_answered, self._header_id = True, response.request_id
                self._builder = self._new_builder(is_event_stream=response.is_event_stream)
                await self._read(response, silence)
        except TimeoutError:
            if silence.has_slept:
                raise ConnectionFailedError(*SLEPT) from None
            silence_s = request.silence_s if self._builder.tokens else wait_s
            raise TimedOutError(
                f"No token came for {silence_s:g} s.", "Try again; [api] read_timeout sets how long to wait."
            ) from None

    async def _read(self, response: CompletionResponse, silence: Silence) -> None:
        """Read a reply to its end, moving the limit with every token."""
        builder, silence_s = self._builder, self._turn.request.silence_s
        tokens, has_ended = 0, False
        async for chunk in response.chunks():
            segments = builder.feed(chunk)
            self._note_tokens()
            self._retract(builder.take_retracted())
            if segments:
                self._report(segments)
            if builder.is_over:
                return
            if not builder.has_ended and builder.tokens > tokens:
                # Only tokens count: keep-alive comments must not hide a dead reply.
                silence.allow(silence_s)
            elif builder.has_ended and not has_ended:
                silence.allow(min(silence_s, LINGER_S))
            tokens, has_ended = builder.tokens, builder.has_ended

    def _note_tokens(self) -> None:
        if logprobs := self._builder.take_logprobs():
            self._turn.trace.come(logprobs, self._clock.monotonic())

    def _report(self, segments: list[CountedSegment]) -> None:
        now_s, segments = self._clock.monotonic(), self._within_budget(segments)
        if self._step.only_thinks:
            segments = self._thinking_of(segments)
        for part, group in groupby(segments, lambda counted: counted.part):
            self._turn.move(PART_PHASES[part])
            same = list(group)
            text = "".join(counted.text for counted in same)
            borders = same[0].borders if len(same) == 1 else [it for counted in same for it in counted.borders]
            self._turn.grow(part, text, sum(counted.tokens for counted in same), borders, now_s)
        self._keep_limits()

    def _retract(self, chars: int) -> None:
        """Take away the end of the reasoning that the request began with: with what came it was a mark."""
        if chars and self._start is not None:
            text = self._turn.reply.texts[ReplyPart.REASONING]
            retracted = text.between(len(text) - chars, len(text)) + self._start.retracted
            self._start = replace(self._start, retracted=retracted)
        self._turn.shorten(ReplyPart.REASONING, chars)

    def _within_budget(self, segments: list[CountedSegment]) -> list[CountedSegment]:
        """Take no more than the budget has room for, however much came at once; where the block ends by itself, all."""
        most, count = self._step.limits.thinking_tokens, self._turn.reply.tokens[ReplyPart.REASONING]
        if most is None or not self._turn.reply.is_thinking:
            return segments
        for place, counted in enumerate(segments):
            if counted.part is not ReplyPart.REASONING:
                return [] if self._beyond_budget else segments
            if count >= most:
                more = takewhile(lambda each: each.part is ReplyPart.REASONING, segments[place:])
                self._beyond_budget += "".join(each.text for each in more)
                return segments[:place]
            count += counted.tokens
        return segments

    def _thinking_of(self, segments: list[CountedSegment]) -> list[CountedSegment]:
        """Take the thinking alone: where the endpoint answers behind it, it is cut.

        Blanks there are no answer yet: the end, with its counts, may follow them.
        """
        if any(counted.part is ReplyPart.ANSWER and counted.text.strip() for counted in segments):
            self.cut(Cause.THOUGHT)
        return [counted for counted in segments if counted.part is ReplyPart.REASONING]

    def _keep_limits(self) -> None:
        """Cut a request whose thinking has had what it may have; let its time run from its first token on."""
        limits, reply = self._step.limits, self._turn.reply
        if not reply.is_thinking:
            return
        if limits.thinking_tokens is not None and reply.tokens[ReplyPart.REASONING] >= limits.thinking_tokens:
            self.cut(Cause.BUDGET)
        if limits.thinking_s is not None and self._timer is None:
            self._timer = asyncio.get_running_loop().create_task(self._end_thinking_after(limits.thinking_s))

    async def _end_thinking_after(self, delay_s: float) -> None:
        await self._clock.sleep(delay_s)
        if self._turn.reply.is_thinking:
            self.cut(Cause.BUDGET)

    def _end(self, *, is_cancelled: bool) -> ReplyResult:
        reply = self._turn.growing
        rest, result = self._builder.close(is_cut=is_cancelled and not self._builder.has_ended)
        self._note_tokens()
        self._retract(self._builder.take_retracted())
        self._report(rest)
        self._turn.trace.end_request(self._clock.monotonic())
        if not self._builder.is_thinking and not self._beyond_budget:
            reply.close_thinking()
        if result.whole:
            whole = result.whole[0]
            self._retract(whole.retracted)
            content = "" if self._step.only_thinks else whole.content
            reply.grow_whole(whole.reasoning, content, is_thinking=whole.is_thinking)
        if self._beyond_budget or (is_cancelled and not self._builder.has_ended):
            result = replace(result, state=MessageState.CANCELLED, error=None)
        elif is_cancelled:
            self._cut_by = None  # it had ended by itself
        # Whatever the endpoint says may repeat the key.
        clean, error = self._client.without_secrets, result.error
        if error is not None:
            error.reword(clean(error.summary))
            error.repeat(clean(error.said))
        result = replace(result, request_id=self._request_id(error))
        is_broken = (
            self._cut_by is not None or result.state in BROKEN_OFF or result.finish_reason == FinishReason.LENGTH
        )
        has_cost = self._builder.tokens > 0 or result.state is MessageState.CANCELLED  # what was refused has none
        record = self._record(result, is_estimated=is_broken and has_cost and result.usage == NO_USAGE)
        reply.end_request(record)
        self._turn.measure_request = None
        self._turn.report(RequestEnded(reply.id, record))
        return result

    def _request_id(self, error: CompletionError | None = None) -> str | None:
        found = self._builder.request_id or self._header_id or (error.request_id if error is not None else None)
        return found and self._client.without_secrets(found)

    def _record(self, result: ReplyResult, *, is_estimated: bool) -> RequestRecord:
        """`is_estimated`: its counts are what has come."""
        sent = {**self._fields, **self._client.dialect.unreserved(self._turn.request.extra)}
        return RequestRecord(
            self._step.kind,
            result.state,
            result.request_id,
            result.finish_reason,
            Usage(output_tokens=self._builder.tokens) if is_estimated else result.usage,
            self._turn.trace.requests[-1].timing(self._clock.monotonic()),
            sent=None if sent == self._turn.reply.beginning.sent else sent,
            is_estimated=is_estimated,
            start=self._start,
        )

    def _broken_off(self) -> OpenRequest:
        """Tell of it as if it broke off now."""
        result = ReplyResult(MessageState.INTERRUPTED, request_id=self._request_id())
        record = self._record(result, is_estimated=True)
        if self._beyond_budget:
            return OpenRequest(record, is_thinking=self._turn.reply.is_thinking)
        is_thinking = self._turn.reply.is_thinking and self._builder.is_thinking
        held = self._builder.held
        if held is None or (self._step.only_thinks and held.part is ReplyPart.ANSWER):
            return OpenRequest(record, is_thinking=is_thinking)
        return OpenRequest(record, held.part, held.text, held.tokens, is_thinking=is_thinking)
