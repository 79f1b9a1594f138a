"""Proxies on real connections: the way through them, and every way in which one refuses, breaks or babbles."""

from __future__ import annotations

import base64
import logging
import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from kimi_tui.adapters.endpoint.http_client import EndpointClient
from kimi_tui.core import errors
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from tests.tls import AUTHORITY, Server, listening, read_request, server_context, tls_server, tunnel

KEY = "sk-secret-0123456789"
PASSWORD = "hush-hush-9876"
BASE = "https://localhost:9/v1"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv("SSL_CERT_FILE", str(AUTHORITY))


def proxy(answer: bytes, onward: int | None = None) -> AbstractContextManager[Server]:
    """A proxy with one answer to CONNECT, and behind it a way to a port of this machine."""

    def handle(connection: socket.socket, running: Server) -> None:
        running.received.append(read_request(connection))
        connection.sendall(answer)
        if onward is not None:
            tunnel(connection, ("127.0.0.1", onward))

    return listening(handle)


async def failure(address: str, base: str = BASE, connect_timeout_s: float = 10.0) -> errors.CompletionError:
    client = EndpointClient(DEEPINFRA, base, KEY, proxy=address, connect_timeout_s=connect_timeout_s)
    with pytest.raises(errors.CompletionError) as caught:
        async with client.send(b"{}", "m"):
            pass
    await client.aclose()
    shown = f"{caught.value.summary} {caught.value.quote} {caught.value.hint} {caught.value.__context__}"
    assert not any(secret in shown for secret in (KEY, PASSWORD))
    assert caught.value.hint
    assert len(caught.value.summary) <= errors.LINE_CELLS
    return caught.value


@pytest.mark.parametrize("source", ["[api] proxy", "HTTPS_PROXY"])
async def test_the_way_leads_through_the_proxy_which_sees_neither_key_nor_text(
    monkeypatch: pytest.MonkeyPatch, source: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "kimi_tui")
    with tls_server() as endpoint, proxy(b"HTTP/1.1 200 Here\r\n\r\n", endpoint.port) as way:
        address = f"http://me:{PASSWORD}@{way.host}"
        if source == "HTTPS_PROXY":
            monkeypatch.setenv(source, address)
        setting = None if source == "HTTPS_PROXY" else address
        client = EndpointClient(DEEPINFRA, f"https://localhost:{endpoint.port}/v1", KEY, proxy=setting)
        async with client.send(b'{"input": "lamb"}', "m") as response:
            assert response.is_event_stream
        await client.aclose()
    (asked,) = way.received
    assert asked.startswith(f"CONNECT localhost:{endpoint.port} HTTP/1.1\r\n".encode())
    assert base64.b64encode(f"me:{PASSWORD}".encode()) in asked
    assert KEY.encode() not in asked
    assert b"lamb" in endpoint.received[0]
    assert b"roxy-" not in endpoint.received[0]
    assert PASSWORD not in caplog.text


@pytest.mark.parametrize(
    ("answer", "summary", "retryable"),
    [
        (b"HTTP/1.1 407 Show me\r\nproxy-authenticate: Basic\r\n\r\n",
         "The proxy wants a user and a password (HTTP 407); nothing was sent.", False),
        (b"HTTP/1.1 403 No\r\n\r\n", "The proxy refused the connection (HTTP 403).", False),
        (b"HTTP/1.1 503 Later\r\n\r\n", "The proxy refused the connection (HTTP 503).", True),
        (b"nothing like HTTP\r\n\r\n", "The proxy does not answer as a proxy; nothing was sent.", False),
        (b"\x00\xff\x1b[2J" * 40, "The proxy does not answer as a proxy; nothing was sent.", False),
    ],
    ids=["407", "403", "503", "words", "bytes"],
)  # fmt: skip
async def test_what_a_proxy_answers(answer: bytes, summary: str, retryable: bool) -> None:
    with proxy(answer) as way:
        error = await failure(f"http://me:{PASSWORD}@{way.host}")
        assert all(KEY.encode() not in asked for asked in way.received)
    assert (error.summary, error.retryable) == (summary, retryable)


async def test_what_is_wrong_behind_a_proxy_is_the_endpoint_s() -> None:
    def babbling(connection: socket.socket, _running: Server) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.recv(65536)

    with listening(babbling) as endpoint, proxy(b"HTTP/1.1 200 Here\r\n\r\n", endpoint.port) as way:
        error = await failure(f"http://{way.host}")
    assert error.summary == "The endpoint does not speak TLS; nothing was sent."
    with tls_server("expired") as endpoint, proxy(b"HTTP/1.1 200 Here\r\n\r\n", endpoint.port) as way:
        error = await failure(f"http://{way.host}")
        assert endpoint.received == []
    assert error.summary == "The endpoint's certificate has expired; nothing was sent."


def closing(connection: socket.socket, _running: Server) -> None:
    connection.recv(10)


def silent(connection: socket.socket, _running: Server) -> None:
    while connection.recv(65536):
        pass


@pytest.mark.parametrize(
    ("handle", "kind", "words"),
    [
        (closing, errors.ConnectionFailedError, "The proxy "),
        (silent, errors.TimedOutError, "The proxy did not take the connection in time."),
    ],
    ids=["closes", "is silent"],
)
async def test_a_proxy_that_says_nothing(
    handle: Callable[[socket.socket, Server], None], kind: type[errors.CompletionError], words: str
) -> None:
    with listening(handle) as way:
        error = await failure(f"http://{way.host}", connect_timeout_s=0.3)
    assert type(error) is kind
    assert error.summary.startswith(words)


async def test_nobody_is_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    error = await failure(f"http://me:{PASSWORD}@127.0.0.1:{port}")
    assert (error.summary, error.retryable) == ("The proxy cannot be reached: Connection refused.", True)
    assert "NO_PROXY" in error.hint


async def test_a_name_of_a_proxy_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def lookup(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "x")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    error = await failure(f"http://me:{PASSWORD}@proxy.example:3128")
    assert error.summary == "The proxy's name is not known."


async def test_an_endpoint_behind_a_proxy_may_take_its_time() -> None:
    context = server_context("here")

    def slow(connection: socket.socket, running: Server) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            running.received.append(read_request(secured))
            time.sleep(0.6)
            secured.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx")

    with listening(slow) as endpoint, proxy(b"HTTP/1.1 200 Here\r\n\r\n", endpoint.port) as way:
        base = f"https://localhost:{endpoint.port}/v1"
        client = EndpointClient(DEEPINFRA, base, KEY, proxy=f"http://{way.host}", connect_timeout_s=0.4)
        async with client.send(b"{}", "m") as response:
            assert b"".join([piece async for piece in response.chunks()]) == b"x"
        await client.aclose()


async def test_a_proxy_that_is_reached_by_tls_is_trusted_as_the_endpoint_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with tls_server(answer=b"HTTP/1.1 407 Who\r\n\r\n") as way:
        error = await failure(f"https://localhost:{way.port}")
        assert "HTTP 407" in error.summary
        monkeypatch.delenv("SSL_CERT_FILE")
        error = await failure(f"https://localhost:{way.port}")
    assert error.summary == "The proxy's certificate is not trusted; nothing was sent."


async def test_a_plain_endpoint_behind_a_proxy_of_the_settings() -> None:
    with proxy(b"HTTP/1.1 407 Who\r\ncontent-length: 14\r\n\r\n" + PASSWORD.encode()) as way:
        error = await failure(f"http://me:{PASSWORD}@{way.host}", "http://127.0.0.1:9/v1")
    assert (error.status, error.summary.partition(":")[0]) == (407, "A proxy wants a user and a password (HTTP 407")
