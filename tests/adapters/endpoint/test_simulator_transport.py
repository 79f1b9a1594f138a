"""The simulator behind the program's own client: the pace, and that who stops listening ends it."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from kimi_tui.adapters.endpoint.http_client import EndpointClient
from kimi_tui.adapters.endpoint.simulator import showpieces, tour
from kimi_tui.adapters.endpoint.simulator.pace import FIRST_TOKEN_S, MAX_PIECES, paced
from kimi_tui.adapters.endpoint.simulator.transport import SimulatorTransport
from kimi_tui.core.errors import CompletionError
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from tests.adapters.simulated import body_of, plan_of, prompt_of
from tests.reading import Read, builder_of, read_reply

URL = "https://example.invalid/v1/inference/moonshotai/Kimi-K2.5"


class Clock:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now_s, self.naps = 100.0, list[float]()

    def now(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now_s += seconds
        await asyncio.sleep(0)  # as a clock does: others have their turn


def client_of(clock: Clock, tokens_per_s: float = 60) -> EndpointClient:
    return EndpointClient(
        DEEPINFRA, URL, "demo", transport=SimulatorTransport(DEEPINFRA, tokens_per_s, clock.sleep, clock.now)
    )


async def ask(client: EndpointClient, prompt: str, **fields: object) -> Read:
    async with client.send(body_of(prompt, **fields), "m/x") as response:
        builder = builder_of(prompt, is_event_stream=response.is_event_stream)
        return read_reply(builder, [chunk async for chunk in response.chunks()])


async def test_a_reply_comes_through_the_clients_own_code_at_its_pace() -> None:
    clock, prompt = Clock(), prompt_of("table")
    client = client_of(clock)
    result = await ask(client, prompt)
    await client.aclose()
    assert result.replies[0].content == showpieces.TABLE
    assert clock.naps[0] == FIRST_TOKEN_S
    tokens = len(plan_of(prompt).replies[0])
    assert clock.now_s - 100 - FIRST_TOKEN_S == pytest.approx(tokens / 60, abs=0.05)


async def test_unstreamed_replies_come_at_once() -> None:
    clock = Clock()
    result = await ask(client_of(clock), prompt_of("table"), stream=False)
    assert result.replies[0].content == showpieces.TABLE
    assert clock.naps == []


async def test_slow_is_slow() -> None:
    fast, slow = Clock(), Clock()
    await ask(client_of(fast), prompt_of("lamb"))
    await ask(client_of(slow), prompt_of("slow"))
    assert slow.now_s - 100 > 4 * (fast.now_s - 100)


async def test_without_a_rate_nothing_waits_and_others_get_their_turn() -> None:
    clock = Clock()
    result = await ask(client_of(clock, 0), prompt_of("long"))
    assert result.replies[0].content == showpieces.long_text()
    assert set(clock.naps) == {0.0}
    assert len(clock.naps) == len(plan_of(prompt_of("long")).replies[0]) // MAX_PIECES


async def test_a_high_rate_joins_tokens() -> None:
    clock, made = Clock(), [b"x"] * 1000
    pieces = [piece async for piece in paced(iter(made), 2000, clock.sleep, clock.now)]
    assert b"".join(pieces) == b"".join(made)
    assert all(1 < len(piece) <= MAX_PIECES for piece in pieces)
    assert clock.now_s - 100 - FIRST_TOKEN_S == pytest.approx(0.5, abs=0.02)


async def test_who_stops_listening_ends_the_reply() -> None:
    clock, prompt = Clock(), prompt_of("long")
    client = client_of(clock)
    async with client.send(body_of(prompt), "m/x") as response:
        async for _ in response.chunks():
            break
    assert len(clock.naps) <= 4  # what was read ahead
    result = await ask(client, prompt_of("math"))
    assert result.replies[0].content == showpieces.MATH


async def test_errors_arrive_as_the_programs_own() -> None:
    client = client_of(Clock())
    with pytest.raises(CompletionError) as caught:
        await ask(client, prompt_of("funds"))
    assert (caught.value.kind, caught.value.status) == ("payment", 402)
    with pytest.raises(CompletionError) as caught:
        await ask(client, prompt_of("tour"), top_p=0)
    assert caught.value.status == 422
    assert "top_p" in caught.value.summary


async def test_only_posts_are_answered() -> None:
    async with httpx.AsyncClient(transport=SimulatorTransport(DEEPINFRA)) as client:
        assert (await client.get(URL)).status_code == 405


async def test_the_first_words_are_the_tour() -> None:
    result = await ask(client_of(Clock()), prompt_of("hello"))
    assert result.replies[0].content == tour.WELCOME
