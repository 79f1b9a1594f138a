"""The endpoint's faults that were found so far, as recordings, replayed through the real engine.

A new one is made by `kimi-tui ask --record` or /record, looked through, and gets its row here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from kimi_tui.adapters.endpoint.demo_server import Recorded, serve
from kimi_tui.adapters.endpoint.http_client import EndpointClient
from kimi_tui.adapters.recording_files import load_recording
from kimi_tui.core.settings.recorded_turn import recorded_turn
from kimi_tui.core.settings.sampling import resolve_request
from kimi_tui.core.settings.settings import Settings
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from kimi_tui.core.wire.recording import Recording
from kimi_tui.core.wire.turn_events import TurnEnded
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.engine.openings import recorded_opening
from kimi_tui.engine.turn_engine import Engine
from tests.fakes.clock import HandClock
from tests.recorded import cut_again, plain, replay

FOLDER = Path(__file__).parent / "recordings"
LOST, UNANSWERED = "The connection was lost.", "The endpoint closed the connection without an answer."
NO_REPLY = "The endpoint answered with something that is no reply."
Outcome = tuple[str, str | None, str, str]
"""The state, the reasoning and the answer of the (first) reply, and what is told; None = no message came of it."""
FOUND: dict[str, Outcome] = {
    "no-blank-lines-between-events": ("complete", "Hm.", "The answer is 42.", ""),
    "no-final-blank-line": ("complete", "Hm.", "The answer is 42.", ""),
    "instant-mode-thinks-all-the-same": ("complete", "The user wants  a number. 3*7.", "\n\n21", ""),
    "lines-end-at-cr-cut-before-lf": ("complete", "hm", "hm</think>half done", ""),
    "an-emoji-in-two-tokens": ("complete", "hm", "so \U0001f600!", ""),
    "half-an-emoji-at-the-end": ("complete", "hm", "so \ufffd", ""),
    "bytes-that-are-no-utf-8": ("complete", "hm", "caf\ufffd", ""),
    "a-character-cut-in-two": ("complete", "hm", "café", ""),
    "an-echoed-think-mark": ("complete", "hm", "a <think> b </think> c", ""),
    "a-think-mark-over-two-tokens": ("complete", "hm ", "yes", ""),
    "special-tokens": ("complete", "hm", "yes", ""),
    "stopped-while-it-thought": ("complete", "It ends at ", "", ""),
    "length-while-it-thought": ("complete", "One two ", "", ""),
    "the-end-was-none": ("complete", "hm", "one two", ""),
    "only-generated-text": ("complete", "hm", "yes", ""),
    "nulls-everywhere": ("complete", "hm", "yes", ""),
    "json-in-a-stream-s-name": ("complete", "hm", "yes", ""),
    "unstreamed": ("complete", "hm", "yes", ""),
    "two-replies-at-once": ("complete", "hm", "yes", ""),
    "queued-for-a-webhook": ("queued", None, "", ""),
    "an-error-in-the-stream": (
        "failed", "hm", "half", "The endpoint reported an error: InferenceError: out of memory"
    ),
    "an-event-named-error": ("failed", "hm", "half", "The endpoint reported an error: it broke"),
    "an-error-as-detail": ("failed", None, "", "The endpoint reported an error: no such field"),
    "reset-amid-the-text": ("interrupted", "hm", "half", LOST),
    "the-stream-just-ends": ("interrupted", "hm", "half", "The connection closed before the reply was complete."),
    "reset-before-the-head": ("failed", None, "", UNANSWERED),
    "closed-before-the-head": ("failed", None, "", UNANSWERED),
    "no-last-chunk": ("interrupted", "hm", "half", LOST),
    "garbage-in-the-stream": ("interrupted", "hm", "half", "The endpoint sent something that is no reply."),
    "control-bytes-in-the-text": ("complete", "hm", "a\x1b]52;c;eA==\x07b\u202ec", ""),
    "a-page-instead": ("interrupted", None, "", NO_REPLY),
    "bad-compression": ("interrupted", None, "", "The reply is compressed in a way that cannot be read."),
    "nothing-at-all": ("interrupted", None, "", NO_REPLY),
    "silence-amid-the-text": ("interrupted", "hm", "half", "No token came for 1 s."),
    "the-key-repeated-by-a-401": (
        "failed", None, "", "The endpoint does not accept the key (HTTP 401: no such key: [key])."
    ),
    "the-key-repeated-in-the-text": ("complete", "hm", "your key is [key]!", ""),
    "fields-refused-by-a-422": ("failed", None, "", "The endpoint refused the request (HTTP 422: top_k: too large)."),
    "a-proxy-s-page-for-a-502": ("failed", None, "", "The endpoint failed (HTTP 502: Bad gateway)."),
    "a-redirect": ("failed", None, "", "The endpoint redirects (HTTP 307: to https://…@example.org/x)."),
    "busy-once-then-well": ("complete", "hm", "half done", ""),
    "refused-once-then-well": ("complete", "hm", "half done", ""),
}  # fmt: skip
"""By the recording's name."""


def load(name: str) -> Recording:
    recording = load_recording(FOLDER / f"{name}.jsonl")
    assert recording.unread == 0
    return recording


def outcome(ended: TurnEnded) -> Outcome:
    first = ended.replies[0] if ended.replies else None
    texts = (first.reasoning, first.content) if first is not None else (None, "")
    return str(ended.state), *texts, ended.error.summary if ended.error is not None else ""


def test_every_recording_has_its_row() -> None:
    assert {path.stem for path in FOLDER.glob("*.jsonl")} == set(FOUND)


@pytest.mark.parametrize("name", FOUND)
async def test_a_fault_is_taken_as_it_was_when_it_was_found(name: str) -> None:
    session, ended = await replay(load(name))
    assert outcome(ended) == FOUND[name]
    assert [message.content for message in session.messages][:1] == ["What is it?"]


def halves(place: int) -> Callable[[bytes], Sequence[bytes]]:
    return lambda whole: [whole[:place], whole[place:]]


@pytest.mark.parametrize("name", FOUND)
async def test_where_its_bytes_are_cut_changes_nothing(name: str) -> None:
    recording = load(name)
    _, ended = await replay(recording)
    replies = [plain(reply) for reply in ended.replies]
    for cut in (lambda whole: [whole[i : i + 1] for i in range(len(whole))], *map(halves, range(3, 200, 29))):
        _, again = await replay(cut_again(recording, cut))
        assert (outcome(again), [plain(reply) for reply in again.replies]) == (FOUND[name], replies)


@pytest.mark.slow
@pytest.mark.parametrize("name", FOUND)
async def test_wherever_its_bytes_are_cut_nothing_changes(name: str) -> None:
    recording = load(name)
    longest = max(sum(len(data.piece) for data in exchange.pieces) for exchange in recording.exchanges)
    for place in range(longest):
        assert outcome((await replay(cut_again(recording, halves(place))))[1]) == FOUND[name]


@asynccontextmanager
async def serving(recording: Recording) -> AsyncIterator[str]:
    """The address of the simulator's server, which answers with a recording."""
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    recorded = Recorded(recording.exchanges, HandClock())
    task = asyncio.create_task(serve(DEEPINFRA, port=0, rate=0, announce=address.set_result, recorded=recorded))
    yield await address
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


CLOSED = {"bad-compression", "silence-amid-the-text"}
"""Those whose failure was another one than the closed connection that a server can answer with."""


@pytest.mark.parametrize("name", sorted(set(FOUND) - CLOSED))
async def test_a_server_answers_with_it(name: str) -> None:
    recording = load(name)
    turn = recorded_turn(recording, name)
    opening = recorded_opening(turn)
    request = resolve_request(turn.settings(Settings()), turn.session, opening.options)
    async with serving(recording) as address:
        client = EndpointClient(DEEPINFRA, address, "K")
        engine, session = Engine(client, HandClock(), lambda: 0.0), OpenSession(turn.session, None)
        ended = await engine.start(session, opening, request, turn.plan).finished()
        await client.aclose()
    assert outcome(ended) == FOUND[name]


@pytest.mark.parametrize("name", FOUND)
def test_it_names_nobody(name: str) -> None:
    data = (FOLDER / f"{name}.jsonl").read_text()
    assert not [word for word in ("sk-", "password", "127.0.0.1", "Bearer", "uthorization") if word in data]
