"""The simulator behind the program's own client: the pace, and that who stops listening ends it."""

from __future__ import annotations

import httpx
import pytest

from kimi_tui.adapters.endpoint.http_client import EndpointClient
from kimi_tui.adapters.endpoint.simulator import showpieces, tour
from kimi_tui.adapters.endpoint.simulator.simulated_bytes import FIRST_TOKEN_S, MAX_PIECES, paced
from kimi_tui.adapters.endpoint.simulator.transport import SimulatorTransport
from kimi_tui.core.errors import CompletionError
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from tests.adapters.simulated import body_of, plan_of, prompt_of
from tests.fakes.clock import HandClock
from tests.reading import Read, builder_of, read_reply

URL = "https://example.invalid/v1/inference/moonshotai/Kimi-K2.5"


def client_of(clock: HandClock, tokens_per_s: float = 60) -> EndpointClient:
    return EndpointClient(DEEPINFRA, URL, "demo", transport=SimulatorTransport(DEEPINFRA, tokens_per_s, clock))


async def ask(client: EndpointClient, prompt: str, **fields: object) -> Read:
    async with client.send(body_of(prompt, **fields), "m/x") as response:
        builder = builder_of(prompt, is_event_stream=response.is_event_stream)
        return read_reply(builder, [chunk async for chunk in response.chunks()])


async def test_a_reply_comes_through_the_clients_own_code_at_its_pace() -> None:
    clock, prompt = HandClock(), prompt_of("table")
    client = client_of(clock)
    result = await ask(client, prompt)
    await client.aclose()
    assert result.replies[0].content == showpieces.TABLE
    assert clock.sleeps[0] == FIRST_TOKEN_S
    tokens = len(plan_of(prompt).replies[0])
    assert clock.time_s - FIRST_TOKEN_S == pytest.approx(tokens / 60, abs=0.05)


async def test_unstreamed_replies_come_at_once() -> None:
    clock = HandClock()
    result = await ask(client_of(clock), prompt_of("table"), stream=False)
    assert result.replies[0].content == showpieces.TABLE
    assert clock.sleeps == []


async def test_slow_is_slow() -> None:
    fast, slow = HandClock(), HandClock()
    await ask(client_of(fast), prompt_of("lamb"))
    await ask(client_of(slow), prompt_of("slow"))
    assert slow.time_s > 4 * fast.time_s


async def test_without_a_rate_nothing_waits_and_others_get_their_turn() -> None:
    clock = HandClock()
    result = await ask(client_of(clock, 0), prompt_of("long"))
    assert result.replies[0].content == showpieces.long_text()
    assert set(clock.sleeps) == {0.0}
    assert len(clock.sleeps) == len(plan_of(prompt_of("long")).replies[0]) // MAX_PIECES


async def test_a_high_rate_joins_tokens() -> None:
    clock, made = HandClock(), [b"x"] * 1000
    pieces = [piece async for piece in paced(iter(made), 2000, clock)]
    assert b"".join(pieces) == b"".join(made)
    assert all(1 < len(piece) <= MAX_PIECES for piece in pieces)
    assert clock.time_s - FIRST_TOKEN_S == pytest.approx(0.5, abs=0.02)


async def test_who_stops_listening_ends_the_reply() -> None:
    clock, prompt = HandClock(), prompt_of("long")
    client = client_of(clock)
    async with client.send(body_of(prompt), "m/x") as response:
        async for _ in response.chunks():
            break
    assert len(clock.sleeps) <= 4  # what was read ahead
    result = await ask(client, prompt_of("math"))
    assert result.replies[0].content == showpieces.MATH


async def test_errors_arrive_as_the_programs_own() -> None:
    client = client_of(HandClock())
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
    result = await ask(client_of(HandClock()), prompt_of("hello"))
    assert result.replies[0].content == tour.WELCOME
