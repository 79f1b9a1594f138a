"""One running turn as its listener sees it: events that wait, and a way to stop it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.session import NO_USAGE, Message, Usage
from kimi_tui.core.wire.turn_events import NEXT_PHASES, Phase, PhaseChanged, ReplyDelta, TurnEnded, TurnEvent
from kimi_tui.engine.open_session import OpenSession


class Turn:
    """A question and the reply that is being written to it.

    Events wait until they are taken; deltas that wait are joined, so a slow listener costs no memory beyond the text
    and never slows the reading of the network.
    """

    def __init__(self, turn_id: str, open_session: OpenSession, request: RequestSettings) -> None:
        """Begin idle; the engine moves it."""
        self.id = turn_id
        """Its name among the turns of this program."""
        self.open_session = open_session
        """The session it belongs to."""
        self.request = request
        """What its requests say."""
        self.phase = Phase.IDLE
        """Where it stands."""
        self.question: Message | None = None
        """The question as it was added to the session; None = it is not there (yet)."""
        self.head_before: str | None = None
        """Head of the session before the turn."""
        self.usage: Usage = NO_USAGE
        """What it has used so far."""
        self.request_id: str | None = None
        """The endpoint's name for its last request; None = it gave none."""
        self._waiting: list[TurnEvent] = []
        self._joined: list[str] = []
        self._arrived = asyncio.Event()
        self._ended: asyncio.Future[TurnEnded] = asyncio.get_running_loop().create_future()
        self._running: asyncio.Task[None] | None = None
        self._is_stopped = False
        self._is_sealed = False

    @property
    def is_stopped(self) -> bool:
        """Whether the user asked it to stop."""
        return self._is_stopped

    def stop(self) -> None:
        """Stop it, whatever it is waiting for; what arrived is kept. Stopping twice is stopping once."""
        if self._is_stopped or self._is_sealed or self._ended.done():
            return
        self._is_stopped = True
        if self._running is not None:
            self._running.cancel()

    async def finished(self) -> TurnEnded:
        """Wait for its end, which may have been long ago."""
        return await asyncio.shield(self._ended)

    async def drain(self) -> list[TurnEvent]:
        """Take all events that wait, at least one; [] when the turn is over and nothing waits."""
        if not self._waiting and not self._ended.done():
            await self._arrived.wait()
        self._arrived.clear()
        self._join()
        events, self._waiting = self._waiting, []
        return events

    async def __aiter__(self) -> AsyncIterator[TurnEvent]:
        """Yield every event in order; the last one is `TurnEnded`."""
        while events := await self.drain():
            for event in events:
                yield event

    # -- the engine's side

    def run_as(self, task: asyncio.Task[None]) -> None:
        """Say which task drives it, so that `stop` can cancel it.

        That task calls this itself: one that is cancelled before it runs would end without a last event.

        Raises:
            asyncio.CancelledError: It was stopped before.
        """
        if self._is_stopped:
            raise asyncio.CancelledError
        self._running = task

    def seal(self) -> None:
        """Let nothing stop it any more: what arrived is being kept."""
        self._is_sealed = True

    def report(self, event: TurnEvent) -> None:
        """Let an event wait for the listener."""
        last = self._waiting[-1] if self._waiting else None
        if isinstance(event, ReplyDelta) and isinstance(last, ReplyDelta) and last.part is event.part:
            self._joined = self._joined or [last.text]
            self._joined.append(event.text)
            self._waiting[-1] = replace(last, tokens=last.tokens + event.tokens)
        else:
            self._join()
            self._waiting.append(event)
        self._arrived.set()

    def _join(self) -> None:
        """Give the last waiting delta the text of all that were joined to it."""
        if self._joined and isinstance(last := self._waiting[-1], ReplyDelta):
            self._waiting[-1] = replace(last, text="".join(self._joined))
        self._joined = []

    def move(self, phase: Phase) -> None:
        """Step to another phase and report it."""
        if phase is self.phase:
            return
        assert phase in NEXT_PHASES[self.phase], f"{self.phase} → {phase}"
        self.phase = phase
        self.report(PhaseChanged(self.id, phase))

    def end(self, event: TurnEnded) -> None:
        """Report the last event."""
        if not self._ended.done():
            self._ended.set_result(event)
        self.report(event)
