"""The way to the endpoint as environment and config name it: taken, or refused with the name of what is wrong."""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from kimi_tui.adapters.endpoint.http_client import EndpointClient
from kimi_tui.adapters.endpoint.network import find_proxy, load_certificates
from kimi_tui.core import errors
from kimi_tui.core.wire.deepinfra import DEEPINFRA

HOST = "api.example.org"
URL = f"https://{HOST}/v1"
KEY = "sk-secret-0123456789"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"):
        monkeypatch.delenv(name, raising=False)


async def failure(client: EndpointClient) -> errors.CompletionError:
    with pytest.raises(errors.CompletionError) as caught:
        async with client.send(b"{}", "m"):
            pass
    await client.aclose()
    return caught.value


@asynccontextmanager
async def proxy() -> AsyncIterator[tuple[str, list[bytes]]]:
    """A proxy that notes what it is asked for, and refuses."""
    asked: list[bytes] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.write(b"HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "[api] proxy"])
async def test_the_proxy_that_is_named_is_asked(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    async with proxy() as (address, asked):
        setting = f"http://{address}" if variable.startswith("[") else None
        if setting is None:
            monkeypatch.setenv(variable, address)
        error = await failure(EndpointClient(DEEPINFRA, URL, KEY, proxy=setting))
    assert asked == [f"CONNECT {HOST}:443 HTTP/1.1\r\n".encode()]
    assert "proxy" in error.summary


@pytest.mark.parametrize("no_proxy", ["example.org", "fd00::/8,10.0.0.0/8", "::/0,[x]/y,127.0.0.1/32"])
async def test_ranges_are_understood_or_passed_over(monkeypatch: pytest.MonkeyPatch, no_proxy: str) -> None:
    monkeypatch.setenv("NO_PROXY", no_proxy)
    async with proxy() as (address, asked):
        monkeypatch.setenv("HTTPS_PROXY", address)
        assert (find_proxy(URL, None) is None) is (no_proxy == "example.org")
        assert (find_proxy("https://127.0.0.1:9/v1", None) is None) is ("127.0.0.1" in no_proxy)
        if no_proxy != "example.org":
            await failure(EndpointClient(DEEPINFRA, URL, KEY))
    assert len(asked) == (no_proxy != "example.org")


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("ALL_PROXY", "socks5://u:hush@127.0.0.1:1", "kimi-tui[socks]"),
        ("all_proxy", "socks5h://u:hush@127.0.0.1:1", "kimi-tui[socks]"),
        ("ALL_PROXY", "socks://u:hush@127.0.0.1:1", "socks5:// may be meant"),
        ("HTTPS_PROXY", "http://u:hush@:1", "http://host:3128"),
        ("HTTPS_PROXY", "http://u:hush@h:1/\udcff", "http://host:3128"),
        ("HTTPS_PROXY", "http://u:hush@999.999.1.1:1", "http://host:3128"),
        ("SSL_CERT_FILE", "/nowhere/c.pem", "/nowhere/c.pem"),
        ("SSL_CERT_FILE", str(Path(__file__).parent), "directory"),
        ("SSL_CERT_FILE", __file__, "holds no certificates"),
        ("SSL_CERT_DIR", "/nowhere", "no folder"),
        ("SSLKEYLOGFILE", "/nowhere/keys", "/nowhere/keys"),
    ],
)
async def test_what_the_environment_says_wrongly_is_told_with_its_name(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv(variable, value)
    error = await failure(EndpointClient(DEEPINFRA, URL, KEY))
    assert type(error) is errors.ConnectionFailedError
    assert (variable in error.summary, words in f"{error.summary} {error.hint}") == (True, True)
    assert not error.retryable
    assert error.hint
    assert "hush" not in f"{error.summary} {error.hint} {error.__context__}"


async def test_a_variable_that_is_not_used_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "nonsense://")
    async with proxy() as (address, asked):
        monkeypatch.setenv("HTTPS_PROXY", address)
        await failure(EndpointClient(DEEPINFRA, URL, KEY))
    assert len(asked) == 1


async def test_what_answers_instead_of_the_network_needs_no_way_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/c.pem")
    monkeypatch.setenv("HTTPS_PROXY", "socks://h")
    transport = httpx.MockTransport(lambda _: httpx.Response(200))
    client = EndpointClient(DEEPINFRA, URL, KEY, proxy="http://127.0.0.1:1", transport=transport)
    async with client.send(b"{}", "m"):
        pass
    await client.aclose()


def test_certificates_that_are_named_are_trusted_and_no_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    usual = load_certificates()
    assert usual.verify_mode is ssl.CERT_REQUIRED
    (first, second, *_) = usual.get_ca_certs(binary_form=True)
    path = tmp_path / "c.pem"
    path.write_text(ssl.DER_cert_to_PEM_cert(first) + ssl.DER_cert_to_PEM_cert(second))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    assert load_certificates().get_ca_certs(binary_form=True) == [first, second]
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert load_certificates().verify_mode is ssl.CERT_REQUIRED
