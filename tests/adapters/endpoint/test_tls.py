"""TLS as it goes wrong, on real connections: told in a few words, with nothing sent before it is right."""

from __future__ import annotations

import asyncio
import socket
import ssl
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from kimi_tui.adapters.endpoint.http_client import EndpointClient
from kimi_tui.core import errors
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from tests.tls import AUTHORITY, CERTIFICATES, Server, listening, tls_server

KEY = "sk-secret-0123456789"
AUTHORITY_HASH = "f781faa7"
"""As `openssl rehash` names it in a folder."""


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(AUTHORITY))


async def failure(url: str, connect_timeout_s: float = 10.0) -> errors.CompletionError:
    client = EndpointClient(DEEPINFRA, url, KEY, connect_timeout_s=connect_timeout_s)
    with pytest.raises(errors.CompletionError) as caught:
        async with client.send(b"{}", "m"):
            pass
    await client.aclose()
    assert KEY not in f"{caught.value.summary} {caught.value.hint}"
    assert caught.value.hint
    assert len(caught.value.summary) <= errors.LINE_CELLS
    return caught.value


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
async def test_a_server_whose_authority_is_named_is_trusted(host: str) -> None:
    with tls_server(host="127.0.0.1" if host == "localhost" else host) as server:
        shown = f"[{host}]" if ":" in host else host
        client = EndpointClient(DEEPINFRA, f"https://{shown}:{server.port}/v1", KEY)
        async with client.send(b"{}", "m") as response:
            assert response.is_event_stream
        await client.aclose()
    assert f"Bearer {KEY}".encode() in server.received[0]


@pytest.mark.parametrize(
    ("certificate", "words", "hint"),
    [
        ("elsewhere", "certificate is for another host", "--base-url"),
        ("expired", "certificate has expired", "clock"),
        ("early", "certificate is not valid yet", "clock"),
        ("self-signed", "certificate is not trusted", "SSL_CERT_FILE"),
    ],
)
async def test_a_certificate_that_is_not_right(certificate: str, words: str, hint: str) -> None:
    with tls_server(certificate) as server:
        error = await failure(f"https://{server.host}/v1")
        assert server.received == []
    assert (type(error), error.retryable) == (errors.ConnectionFailedError, False)
    assert words in error.summary
    assert "nothing was sent" in error.summary
    assert hint in error.hint


@pytest.mark.parametrize("variable", ["", "SSL_CERT_FILE"])
async def test_an_authority_that_is_not_known_is_said_how_to_add(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    if variable:
        monkeypatch.setenv(variable, str(CERTIFICATES / "self-signed.pem"))
    with tls_server() as server:
        error = await failure(f"https://{server.host}/v1")
    assert "authority is unknown" in error.hint
    assert "SSL_CERT_FILE=" in error.hint
    assert "SSL_CERT_DIR=" in error.hint


async def test_a_certificate_that_is_named_itself_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATES / "self-signed.pem"))
    with tls_server("self-signed") as server:
        client = EndpointClient(DEEPINFRA, f"https://{server.host}/v1", KEY)
        async with client.send(b"{}", "m"):
            pass
        await client.aclose()
    assert len(server.received) == 1


async def test_a_folder_of_certificates_is_trusted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    (tmp_path / f"{AUTHORITY_HASH}.0").write_bytes(AUTHORITY.read_bytes())
    with tls_server() as server:
        client = EndpointClient(DEEPINFRA, f"https://{server.host}/v1", KEY)
        async with client.send(b"{}", "m"):
            pass
        await client.aclose()
    assert len(server.received) == 1


def old(context: ssl.SSLContext) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1


def unusual(context: ssl.SSLContext) -> None:
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")


def asking(context: ssl.SSLContext) -> None:
    context.load_verify_locations(AUTHORITY)
    context.verify_mode = ssl.CERT_REQUIRED


def plain(answer: bytes) -> AbstractContextManager[Server]:
    """A server without TLS, which answers whatever comes."""

    def handle(connection: socket.socket, running: Server) -> None:
        running.received.append(connection.recv(65536))
        connection.sendall(answer)
        if answer:
            connection.recv(65536)

    return listening(handle)


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (lambda: plain(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "does not speak TLS"),
        (lambda: plain(b"SSH-2.0-OpenSSH_9.6\r\n"), "does not speak TLS"),
        (lambda: plain(b"\x00\x01\x02 garbage" * 20), "does not speak TLS"),
        (lambda: tls_server(prepare=old), "only an outdated TLS"),
        (lambda: plain(b"\x15\x03\x01\x00\x02\x02\x46"), "only an outdated TLS"),
        (lambda: tls_server(prepare=unusual), "agree on no TLS"),
    ],
    ids=["plain HTTP", "SSH", "garbage", "TLS 1.1", "an alert about the version", "no common cipher"],
)
async def test_a_server_that_speaks_otherwise(start: Callable[[], AbstractContextManager[Server]], words: str) -> None:
    with start() as server:
        error = await failure(f"https://{server.host}/v1")
        assert not any(KEY.encode() in request for request in server.received)
    assert (type(error), error.retryable) == (errors.ConnectionFailedError, False)
    assert words in error.summary
    assert "nothing was sent" in error.summary


async def test_a_server_that_wants_a_certificate() -> None:
    with tls_server(prepare=asking) as server:
        error = await failure(f"https://{server.host}/v1")
    assert (type(error), error.retryable) == (errors.ConnectionFailedError, False)
    assert server.received == []


async def test_a_server_that_closes_while_the_connection_is_secured() -> None:
    with plain(b"") as server:
        error = await failure(f"https://{server.host}/v1")
    assert (type(error), error.retryable) == (errors.ConnectionFailedError, True)


async def test_a_server_that_stays_silent_while_the_connection_is_secured() -> None:
    gone = asyncio.Event()
    loop = asyncio.get_running_loop()

    def handle(connection: socket.socket, _running: Server) -> None:
        while connection.recv(65536):
            pass
        loop.call_soon_threadsafe(gone.set)

    with listening(handle) as server:
        error = await failure(f"https://{server.host}/v1", connect_timeout_s=0.2)
        async with asyncio.timeout(10):
            await gone.wait()
    assert (type(error), error.retryable) == (errors.TimedOutError, True)
