"""Recording a turn of the real engine, and replaying it: what the tests of recordings share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from kimi_tui.adapters.endpoint.recorded_client import RecordedClient
from kimi_tui.core.ports import Clock, CompletionClient, RunningTurn
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.message_codec import encode_message
from kimi_tui.core.session.session import NO_TIMING, Message, Session
from kimi_tui.core.settings.recorded_turn import recorded_turn
from kimi_tui.core.settings.sampling import resolve_request
from kimi_tui.core.settings.settings import Settings
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from kimi_tui.core.wire.plans import Plan, single
from kimi_tui.core.wire.recording import Exchange, Recording, RecordingHead, begun_of, encode_records, read_recording
from kimi_tui.core.wire.tape import Tape
from kimi_tui.core.wire.turn_events import TurnEnded, TurnNotice
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.engine.openings import Opening, recorded_opening
from kimi_tui.engine.turn import Turn
from kimi_tui.engine.turn_engine import Engine
from tests.fakes.clock import HandClock

Do = Callable[[Turn], Awaitable[object]]
"""What is done to a turn while it runs."""


async def record(
    client: CompletionClient,
    opening: Opening,
    request: RequestSettings,
    session: OpenSession,
    *,
    plan: Plan = single,
    do: Do | None = None,
    clock: Clock | None = None,
) -> tuple[bytes, TurnEnded]:
    """Carry a turn out; what its recording holds, and how it ended."""
    clock = clock or HandClock()
    tapes: list[Tape] = []

    def tape_for(turn: RunningTurn) -> Tape:
        beginning = turn.reply.beginning
        head = RecordingHead(
            DEEPINFRA.name, beginning.template or "", beginning.thinking is not False, beginning.neutralise,
            "2026-11-23T08:15:00Z", begun=begun_of(beginning), fields=turn.request.fields,
        )  # fmt: skip
        tapes.append(Tape(head, clock.monotonic))
        return tapes[0]

    turn = Engine(client, clock, tape_for=tape_for).start(session, opening, request, plan)
    if do is not None:
        await do(turn)
    ended = await turn.finished()
    return encode_records(tapes[0].records), ended


async def replay(recording: Recording, clock: Clock | None = None) -> tuple[Session, TurnEnded]:
    """Replay it through the real engine; the session in the end, and how the turn ended."""
    clock = clock or HandClock()
    turn = recorded_turn(recording, "FILE")
    client = RecordedClient(recording, turn.dialect, clock)
    session, opening = OpenSession(turn.session, None), recorded_opening(turn)
    request = resolve_request(turn.settings(Settings()), turn.session, opening.options)
    running = Engine(client, clock, lambda: 0.0).start(session, opening, request, turn.plan)
    events = running.listen()
    notices = [event async for event in events if isinstance(event, TurnNotice)]
    assert notices == []
    return session.value, await running.finished()


def cut_again(recording: Recording, cut: Callable[[bytes], Sequence[bytes]]) -> Recording:
    """The same recording with the pieces of each answer cut elsewhere."""

    def again(exchange: Exchange) -> Exchange:
        whole = b"".join(data.piece for data in exchange.pieces)
        at_s = exchange.pieces[0] if exchange.pieces else None
        pieces = () if at_s is None else tuple(replace(at_s, piece=piece) for piece in cut(whole))
        return replace(exchange, pieces=pieces)

    return replace(recording, exchanges=tuple(map(again, recording.exchanges)))


def plain(message: Message) -> dict[str, Any]:
    """All that a message says in a file, up to ids and times."""
    requests = tuple(replace(request, timing=NO_TIMING) for request in message.requests)
    return encode_message(replace(message, id="", parent=None, created=None, timing=None, requests=requests))


def read(data: bytes) -> Recording:
    recording = read_recording(data, "FILE")
    assert recording.unread == 0
    return recording
