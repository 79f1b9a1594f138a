"""The simulator's replies as bytes, in the words of a dialect and at a pace."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterator, Mapping

from kimi_tui.adapters.endpoint.simulator.simulated_answer import SimulatedReply
from kimi_tui.adapters.endpoint.simulator.tokens import logprob_of
from kimi_tui.adapters.endpoint.simulator.tour import BROKEN, Break
from kimi_tui.core.errors import CompletionError
from kimi_tui.core.ports import Clock
from kimi_tui.core.session.session import Usage
from kimi_tui.core.wire.dialect import Dialect, Frame, Generated
from kimi_tui.core.wire.sse import encode_event

FIRST_TOKEN_S = 0.4
"""Pause before the first token, in seconds, at any pace but 0."""
MIN_PAUSE_S = 0.01
"""Shorter pauses are joined: the system's timers are hardly finer."""
MAX_PIECES = 64
"""Most pieces that go out together, so that others get their turn."""


def encode(document: Mapping[str, object]) -> bytes:
    """Write a document as endpoints do: compact JSON in UTF-8."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def event_stream(plan: SimulatedReply, dialect: Dialect) -> Iterator[bytes]:
    """Yield the events of a streamed reply, one a token, then its end."""
    for frame in _frames(plan):
        yield b"".join(map(encode_event, dialect.twin.write_events(frame)))


def played(plan: SimulatedReply, dialect: Dialect, tokens_per_s: float, clock: Clock) -> AsyncGenerator[bytes, None]:
    """A streamed reply at its pace; `tokens_per_s` as for `paced`."""
    return paced(event_stream(plan, dialect), tokens_per_s / plan.slowness, clock)


async def paced(pieces: Iterator[bytes], tokens_per_s: float, clock: Clock) -> AsyncGenerator[bytes, None]:
    """Yield pieces, one a token, at a pace, 0 = as fast as they are taken; where it is high, several together.

    Nothing is made ahead: who stops listening ends it.
    """
    if tokens_per_s:
        await clock.sleep(FIRST_TOKEN_S)
    start_s, waiting = clock.monotonic(), list[bytes]()
    for place, piece in enumerate(pieces):
        ahead_s = start_s + place / tokens_per_s - clock.monotonic() if tokens_per_s else 0.0
        if waiting and (ahead_s > MIN_PAUSE_S or len(waiting) == MAX_PIECES):
            yield b"".join(waiting)
            waiting.clear()
            await clock.sleep(max(ahead_s, 0.0))
        waiting.append(piece)
    if waiting:
        yield b"".join(waiting)


def document(plan: SimulatedReply, dialect: Dialect) -> Mapping[str, object]:
    """The content of an unstreamed reply."""
    return dialect.twin.write_reply(_whole(plan))


def _frames(plan: SimulatedReply) -> Iterator[Frame]:
    tokens = plan.replies[0]
    thought = _thought_tokens(plan, tokens)
    for place, text in enumerate(tokens[:thought]):
        yield Frame(tokens=1, reasoning=text, request_id=plan.request_id, logprob=logprob_of(text, place))
    for place, text in enumerate(tokens[thought:], thought):
        logprob = 0.0 if text == plan.mark else logprob_of(text, place)
        yield Frame(text, 1, request_id=plan.request_id, logprob=logprob)
    if plan.breaks is Break.ERROR:
        yield Frame(error=CompletionError(BROKEN))
    elif plan.breaks is None:
        yield _whole(plan)


def _whole(plan: SimulatedReply) -> Frame:
    """The end of a reply, with all of it."""
    return Frame(
        finish_reason=plan.finish_reason,
        results=tuple(_generated(plan, tokens) for tokens in plan.replies),
        usage=Usage(plan.input_tokens, plan.output_tokens, plan.cost_usd),
        request_id=plan.request_id,
        is_done=True,
    )


def _generated(plan: SimulatedReply, tokens: tuple[str, ...]) -> Generated:
    thought = _thought_tokens(plan, tokens)
    return Generated("".join(tokens[thought:]), "".join(tokens[:thought]))


def _thought_tokens(plan: SimulatedReply, tokens: tuple[str, ...]) -> int:
    """How many tokens are reasoning."""
    if not plan.thinks:
        return 0
    return tokens.index(plan.mark) if plan.mark in tokens else len(tokens)
