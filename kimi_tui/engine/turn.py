"""One running turn: the reply it writes, what its listeners are told, and a way to stop it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime

from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.growing_reply import GrowingReply, OpenRequest, ReplyPart, ReplyView
from kimi_tui.core.session.session import Message
from kimi_tui.core.session.token_trace import TokenTrace
from kimi_tui.core.session.tree import SentContext
from kimi_tui.core.wire.tape import Tape
from kimi_tui.core.wire.token_borders import Borders
from kimi_tui.core.wire.turn_events import (
    NEXT_PHASES,
    Phase,
    PhaseChanged,
    ReplyDelta,
    ReplyShortened,
    TurnEnded,
    TurnEvent,
)
from kimi_tui.engine.open_session import OpenSession


class Listener:
    """The events that one listener has still to take.

    Deltas that wait are joined: a slow listener costs no memory, and never slows the reading of the network.
    """

    def __init__(self) -> None:
        self._waiting: list[TurnEvent] = []
        self._arrived = asyncio.Event()
        self._over = asyncio.Event()

    def put(self, event: TurnEvent) -> None:
        """Let an event wait; none follows `TurnEnded`."""
        last = self._waiting[-1] if self._waiting else None
        if isinstance(event, ReplyDelta) and isinstance(last, ReplyDelta) and event.goes_on_with(last):
            self._waiting[-1] = replace(last, end=event.end, tokens=last.tokens + event.tokens)
        else:
            self._waiting.append(event)
        if isinstance(event, TurnEnded):
            self._over.set()
        self._arrived.set()

    async def drain(self) -> list[TurnEvent]:
        """Take all events that wait, at least one; [] when the turn is over and nothing waits."""
        if not self._waiting and not self._over.is_set():
            await self._arrived.wait()
        self._arrived.clear()
        events, self._waiting = self._waiting, []
        return events

    async def pause(self, longest_s: float) -> None:
        """Let events gather for so many seconds, or until the turn ends."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), longest_s)

    async def __aiter__(self) -> AsyncIterator[TurnEvent]:
        """Yield every event in order; the last one is `TurnEnded`."""
        while events := await self.drain():
            for event in events:
                yield event


class Turn:
    def __init__(self, open_session: OpenSession, request: RequestSettings, reply: GrowingReply) -> None:
        self.open_session = open_session
        self.request = request
        self.growing = reply
        """The engine's own."""
        self.reply: ReplyView = reply
        self.phase = Phase.IDLE
        self.question: Message | None = None
        """The question as it stands in the session; None = it is not there (yet)."""
        self.trace = TokenTrace()
        """The tokens of the reply, as far as they are known."""
        self.tape: Tape | None = None
        """What its requests and their answers are recorded on; None = they are not."""
        self.head_before: str | None = None
        """What is shown again where it brings nothing; None = nothing, or the turn has no place yet. The screen sets it
        anew where something else was shown meanwhile."""
        self.has_gone_back = False
        """Whether the old reply is the head again, since this one brought nothing."""
        self.is_stopped = False
        self.is_sealed = False
        """Whether nothing stops it any more: what arrived is being kept."""
        self.cut_request: Callable[[], None] | None = None
        """Cuts the request that runs; None = it is not to be cut, or none runs."""
        self.measure_request: Callable[[], OpenRequest] | None = None
        """Tells of the request that runs, as if it broke off now; None = none runs."""
        self.skip_pause: Callable[[], object] | None = None
        """Ends the pause before the next attempt; None = there is none."""
        self.context: SentContext | None = None
        """What its prompt says besides its messages; None = it has not begun."""
        self._listeners: list[Listener] = []
        self.hearing: list[asyncio.Task[None]] = []
        """What hears it from its first event on, each in a task of its own."""
        self._ended: asyncio.Future[TurnEnded] = asyncio.get_running_loop().create_future()
        self._running: asyncio.Task[None] | None = None

    @property
    def is_aside(self) -> bool:
        """Whether another reply to the same question is shown: this one does not become the head."""
        return self.open_session.shown_reply not in {None, self.reply.id}

    @property
    def open_request(self) -> OpenRequest | None:
        return self.measure_request and self.measure_request()

    def reply_so_far(self, now: datetime) -> Message | None:
        """The reply as if the request that runs broke off now; None = its question has no place yet."""
        if self.context is None:
            return None
        message = self.reply.message(now, self.open_request)
        return self.context.noted_on(message, self.open_session.value) if self.reply.is_new else message

    def listen(self) -> Listener:
        """Hear every event from now on: all of them, where this is called before the event loop goes on."""
        listener = Listener()
        self._listeners.append(listener)
        return listener

    def stop(self) -> None:
        """Stop it, whatever it is waiting for; what arrived is kept. Stopping twice is stopping once."""
        if self.is_stopped or self.is_sealed or self._ended.done():
            return
        self.is_stopped = True
        if self._running is not None:
            self._running.cancel()

    def cut(self) -> bool:
        """Cut the request that runs, and let the turn's plan say what follows; False = this one is not to be cut."""
        if self.cut_request is None or self.is_stopped:
            return False
        self.cut_request()
        return True

    def skip_wait(self) -> bool:
        """Make the next attempt now instead of after its pause; False = none waits."""
        if self.skip_pause is None or self.is_stopped:
            return False
        self.skip_pause()
        return True

    async def finished(self) -> TurnEnded:
        """Wait for its end, which may have been long ago, and until those who hear every turn are done with it."""
        ended = await asyncio.shield(self._ended)
        if self.hearing:
            await asyncio.wait(self.hearing)
        return ended

    # -- the engine's side

    def run_as(self, task: asyncio.Task[None]) -> None:
        """Say which task drives it, so that `stop` can cancel it.

        That task calls this itself: one that is cancelled before it runs would end without a last event. Raises
        CancelledError where the turn was stopped before.
        """
        if self.is_stopped:
            raise asyncio.CancelledError
        self._running = task

    def report(self, event: TurnEvent) -> None:
        for listener in self._listeners:
            listener.put(event)

    def grow(self, part: ReplyPart, text: str, tokens: int, borders: Borders, now_s: float) -> None:
        """`borders` = the text in its tokens, as they are numbered in the request that runs."""
        start, end = self.growing.grow(part, text, tokens)
        self.trace.grow(part, start, borders, now_s)
        self.report(ReplyDelta(self.reply.id, part, start, end, tokens))

    def shorten(self, part: ReplyPart, chars: int) -> None:
        if chars:
            end = self.growing.shorten(part, chars)
            self.trace.shorten(part, end)
            self.report(ReplyShortened(self.reply.id, part, end))

    def move(self, phase: Phase) -> None:
        if phase is self.phase:
            return
        assert phase in NEXT_PHASES[self.phase], f"{self.phase} → {phase}"
        self.phase = phase
        self.report(PhaseChanged(self.reply.id, phase))

    def end(self, event: TurnEnded) -> None:
        if not self._ended.done():
            self._ended.set_result(event)
        self.report(event)
