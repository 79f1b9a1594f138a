"""The simulator over HTTP: what clients of the native endpoint send, and what they must not get away with."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import pytest

from kimi_tui.adapters.endpoint import demo_server
from kimi_tui.adapters.endpoint.demo_server import serve
from kimi_tui.adapters.endpoint.http_client import EndpointClient
from kimi_tui.adapters.endpoint.simulator import showpieces, tour
from kimi_tui.core.session.session import DEFAULT_MODEL
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from kimi_tui.core.wire.endpoint_errors import body_message
from tests.adapters.simulated import body_of, prompt_of

PATH = "/v1/inference/moonshotai/Kimi-K2.5"
KEY = {"Authorization": "Bearer anything"}


@asynccontextmanager
async def serving(rate: float = 0) -> AsyncIterator[str]:
    """A running server's address; afterwards it has ended, and every connection with it."""
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(DEEPINFRA, port=0, rate=rate, announce=address.set_result))
    yield await address
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() == {asyncio.current_task()}


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]))
    yield reader, writer
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def answer_of(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """One response with a length."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    return int(head[0].split()[1]), headers, await reader.readexactly(int(headers["content-length"]))


def raw(body: bytes, *lines: str, path: str = PATH, method: str = "POST", version: str = "HTTP/1.1") -> bytes:
    head = [f"{method} {path} {version}", "Host: 127.0.0.1", "Authorization: Bearer K", *lines, "", ""]
    return "\r\n".join(head).encode() + body


async def test_it_streams_the_reply() -> None:
    async with serving() as address, httpx.AsyncClient() as client:
        response = await client.post(address + PATH, content=body_of(prompt_of("table")), headers=KEY)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream"
    frames = [line.removeprefix("data: ") for line in response.text.splitlines() if line]
    assert frames[-1] == "[DONE]"
    assert json.loads(frames[-2])["generated_text"].endswith(showpieces.TABLE)


async def test_the_address_alone_is_a_base_url() -> None:
    async with serving() as address:
        client = EndpointClient(DEEPINFRA, address, "K")
        async with client.send(body_of(prompt_of("table")), DEFAULT_MODEL) as response:
            assert b"".join([piece async for piece in response.chunks()]).endswith(b"[DONE]\n\n")
        await client.aclose()


async def test_the_javascript_client_gets_its_reply() -> None:
    """Header for header what the npm package `deepinfra` 2.0.2 sends for `TextGeneration.generate`."""
    body = json.dumps(
        {
            "input": "<|im_user|>ChatMessageRole.USER<|im_middle|>Hello!<|im_end|>"
            "<|im_assistant|>assistant<|im_middle|><think>",
            "stop": ["<|im_end|>", "[EOS]"],
        },
        separators=(",", ":"),
    ).encode()
    request = (
        f"POST {PATH} HTTP/1.1\r\nAccept: application/json, text/plain, */*\r\nContent-Type: application/json\r\n"
        "User-Agent: DeepInfra TypeScript API Client\r\nAuthorization: Bearer K\r\n"
        f"Content-Length: {len(body)}\r\nAccept-Encoding: gzip, compress, deflate, br\r\nHost: 127.0.0.1:8080\r\n"
        "Connection: keep-alive\r\n\r\n"
    ).encode() + body
    async with serving(rate=1) as address, connected(address) as (reader, writer):
        writer.write(request + request)
        for number in range(2):
            status, headers, content = await answer_of(reader)
            document: dict[str, Any] = json.loads(content)
            assert (status, headers["content-type"]) == (200, "application/json")
            assert document["results"][0]["generated_text"].endswith(tour.WELCOME)
            assert document["request_id"] == f"sim-{number}"
            assert document["inference_status"]["status"] == "succeeded"


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {}, 200),
        ("HEAD", "/", {}, 200),
        ("POST", "/", KEY, 405),
        ("GET", PATH, KEY, 405),
        ("POST", "/v1/chat/completions", KEY, 404),
        ("POST", "/chat/completions", KEY, 404),
        ("POST", "/v1/completions", KEY, 404),
        ("POST", "/Kimi-K2.5", KEY, 404),
        ("POST", "/v1/inference/", KEY, 404),
        ("POST", PATH, KEY, 422),
        ("POST", PATH + "?x=1", KEY, 422),
    ],
)
async def test_what_is_no_request_for_a_reply(method: str, path: str, headers: dict[str, str], status: int) -> None:
    async with serving() as address, httpx.AsyncClient() as client:
        response = await client.request(method, address + path, headers=headers)
        assert response.status_code == status
        if status != 200:
            assert body_message(response.content, DEEPINFRA.error_keys)
        elif method == "GET":
            assert "/v1/inference/" in response.text
        again = await client.get(address)
    assert again.status_code == 200


async def test_no_key_is_needed() -> None:
    async with serving() as address, httpx.AsyncClient() as client:
        for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": "Basic eA=="}):
            response = await client.post(address + PATH, content=body_of("x", stream=False), headers=headers)
            assert response.status_code == 200


async def test_wrong_fields_are_refused() -> None:
    async with serving() as address, httpx.AsyncClient() as client:
        response = await client.post(address + PATH, content=body_of("x", temperature=-1))
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", "temperature"]


async def test_bodies_in_chunks_and_expectations() -> None:
    body = body_of(prompt_of("table"), stream=False)
    chunks = b"".join(b"%X;x=y\r\n%b\r\n" % (len(part), part) for part in (body[:50], body[50:]))
    async with serving() as address, connected(address) as (reader, writer):
        writer.write(raw(chunks + b"0\r\nTrailer: x\r\n\r\n", "Transfer-Encoding: chunked"))
        assert (await answer_of(reader))[0] == 200
        writer.write(raw(b"", "Expect: 100-continue", f"Content-Length: {len(body)}"))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(body)
        assert (await answer_of(reader))[0] == 200


@pytest.mark.parametrize("lines", [["Connection: close"], ["HTTP/1.0"]])
async def test_a_connection_that_is_to_close_closes(lines: list[str]) -> None:
    body = body_of(prompt_of("table"))
    version = "HTTP/1.0" if lines == ["HTTP/1.0"] else "HTTP/1.1"
    more = [] if version == "HTTP/1.0" else lines
    async with serving() as address, connected(address) as (reader, writer):
        writer.write(raw(body, f"Content-Length: {len(body)}", *more, version=version))
        answer = await reader.read()
    assert answer.endswith(b"[DONE]\n\n" if version == "HTTP/1.0" else b"[DONE]\n\n\r\n0\r\n\r\n")
    assert (b"chunked" in answer) is (version == "HTTP/1.1")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / SPDY/1\r\n\r\n", 400),
        (raw(b"", "Content-Length: -1"), 400),
        (raw(b"", "Content-Length: \xb2"), 400),
        (raw(b"", "Content-Length: 1001"), 413),
        (raw(b"zz\r\n", "Transfer-Encoding: chunked"), 400),
        (raw(b"7d0\r\n" + b"x" * 2_000 + b"\r\n", "Transfer-Encoding: chunked"), 413),
        (raw(b"", "X: " + "x" * 200_000), 431),
    ],
)
async def test_bad_requests_are_told_and_closed(
    request_bytes: bytes, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_server, "MAX_BODY_BYTES", 1_000)
    async with serving() as address, connected(address) as (reader, writer):
        writer.write(request_bytes)
        assert (await answer_of(reader))[0] == status
        assert await reader.read() == b""


async def test_a_reply_that_is_cut_ends_without_its_last_chunk() -> None:
    async with serving() as address, httpx.AsyncClient() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post(address + PATH, content=body_of(prompt_of("cut")), headers=KEY)
        response = await client.post(address + PATH, content=body_of(prompt_of("stream error")), headers=KEY)
    assert '"error_message"' in response.text.splitlines()[-2]


async def test_clients_that_leave_disturb_nobody(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(rate=500) as address:
        async with connected(address) as (reader, writer):
            body = body_of(prompt_of("long"))
            writer.write(raw(body, f"Content-Length: {len(body)}"))
            await reader.readuntil(b"data: ")
        async with connected(address) as (_, writer):
            writer.write(b"POST")
        async with httpx.AsyncClient() as client:
            assert (await client.get(address)).status_code == 200
    assert caplog.records == []


async def test_the_server_ends_with_a_reply_under_way(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(rate=1) as address:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]))
        body = body_of(prompt_of("long"))
        writer.write(raw(body, f"Content-Length: {len(body)}"))
        await reader.readuntil(b"\r\n\r\n")
    assert await reader.read() is not None
    writer.close()
    assert caplog.records == []


async def test_a_port_that_is_taken_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        await serve(DEEPINFRA, port=taken.getsockname()[1], rate=0, announce=print)
