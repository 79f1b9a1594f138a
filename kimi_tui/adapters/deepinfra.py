"""The endpoint over HTTP: a body out, pieces of bytes in, every failure translated.

It does not know what the bytes mean. httpx is imported when the first request is sent, since its start costs as much
as the rest of a short command.
"""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from kimi_tui import __version__
from kimi_tui.core.errors import (
    BrokenStreamError,
    CompletionError,
    ConnectionFailedError,
    TimedOutError,
    UsageError,
)
from kimi_tui.core.http_errors import error_from_response

if TYPE_CHECKING:
    import httpx

MAX_DOCUMENT_BYTES = 64 * 1024 * 1024
"""Most decoded bytes of one reply: beyond it, a body is no reply but a mistake or an attack."""
MAX_ERROR_BYTES = 64 * 1024
"""How much of an error's body is read."""


def endpoint_url(base_url: str, model: str) -> str:
    """Join base URL and model; the slash in the model's name stays.

    Raises:
        UsageError: It is no http(s) address, or an unencrypted one that leaves this machine.
    """
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, None
    if parts is None or parts.scheme not in {"http", "https"} or not host or parts.username or parts.query:
        raise UsageError(f"{base_url!r} is not an address of an endpoint.", "Such as https://host/v1/inference")
    if parts.scheme == "http" and not _is_loopback(host):
        raise UsageError(
            f"{base_url!r} would send your key and texts unencrypted.", "Use https://, or an address of this machine."
        )
    return f"{base_url.rstrip('/')}/{quote(model, safe='/:@')}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


class DeepInfraClient:
    """Sends requests over one pool of connections."""

    def __init__(
        self,
        url: str,
        key: str | None,
        *,
        connect_timeout_s: float = 10.0,
        read_timeout_s: float = 120.0,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        user_agent: str = f"kimi-tui/{__version__}",
    ) -> None:
        """Talk to one URL.

        Args:
            url: The model's address, see `endpoint_url`.
            key: A checked API key; None = none is sent.
            connect_timeout_s: Longest wait for a connection, in seconds.
            read_timeout_s: Longest silence, in seconds.
            headers: More headers.
            proxy: Address of a proxy; None = as the environment says.
            transport: Answers instead of the network, for the simulator and tests.
            user_agent: How the program names itself.
        """
        self._url, self._key = url, key
        self._connect_timeout_s, self._read_timeout_s = connect_timeout_s, read_timeout_s
        self._headers, self._proxy, self._transport = dict(headers or {}), proxy, transport
        self._user_agent = user_agent
        self._client: httpx.AsyncClient | None = None

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            import httpx  # noqa: PLC0415 - see the head of the module

            headers = {
                "User-Agent": self._user_agent,
                "Content-Type": "application/json",
                "Accept": "text/event-stream, application/json",
                **self._headers,
            }
            if self._key:
                headers["Authorization"] = f"Bearer {self._key}"
            self._client = httpx.AsyncClient(
                headers=headers,
                timeout=httpx.Timeout(self._read_timeout_s, connect=self._connect_timeout_s),
                proxy=self._proxy,
                transport=self._transport,
                # Certificates take 30 ms to load, and an address of this machine without TLS needs none.
                verify=not self._url.startswith("http://"),
                follow_redirects=False,
            )
        return self._client

    @asynccontextmanager
    async def send(self, body: bytes) -> AsyncIterator[_Response]:
        """POST a body; leaving the context closes the connection, which ends generation.

        Raises:
            CompletionError: The endpoint refuses or cannot be reached.
        """
        import httpx  # noqa: PLC0415 - see the head of the module

        try:
            client = self._open()
            async with client.stream("POST", self._url, content=body) as response:
                if not response.is_success:
                    raise error_from_response(response.status_code, dict(response.headers), await _error_body(response))
                yield _Response(response)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise _translate(error) from None
        except (ValueError, TypeError, OSError) as error:
            # A bad header or proxy: the library's own words may hold the key.
            raise ConnectionFailedError(
                f"The request could not be sent ({type(error).__name__}).",
                "Check [api] headers and proxy.",
                retryable=False,
            ) from None


async def _error_body(response: httpx.Response) -> bytes:
    import httpx  # noqa: PLC0415 - see the head of the module

    body = b""
    try:
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) >= MAX_ERROR_BYTES:
                break
    except (httpx.HTTPError, httpx.StreamError):
        pass  # the status has said what matters
    return body[:MAX_ERROR_BYTES]


class _Response:
    """A successful answer."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    @property
    def is_event_stream(self) -> bool:
        """Whether its headers say it is an event stream."""
        kind = str(self._response.headers.get("content-type", ""))
        return kind.partition(";")[0].strip().lower() == "text/event-stream"

    @property
    def request_id(self) -> str | None:
        """The endpoint's name for the request."""
        value = self._response.headers.get("x-request-id")
        return str(value) if value else None

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the decoded body in pieces.

        Raises:
            CompletionError: The connection broke, fell silent, or sent too much.
        """
        import httpx  # noqa: PLC0415 - see the head of the module

        size_bytes = 0
        try:
            async for chunk in self._response.aiter_bytes():
                size_bytes += len(chunk)
                if size_bytes > MAX_DOCUMENT_BYTES and not self.is_event_stream:
                    raise BrokenStreamError(f"The reply is larger than {MAX_DOCUMENT_BYTES} bytes.", "Send again.")
                yield chunk
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise _translate(error) from None


def _translate(error: Exception) -> CompletionError:  # noqa: PLR0911 - one row a kind
    """Make one of our own errors of the library's; its words stay behind, they may hold the key."""
    import httpx  # noqa: PLC0415 - see the head of the module

    match error:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return TimedOutError("The endpoint did not take the connection in time.", "Send again.", retryable=True)
        case httpx.TimeoutException():
            return TimedOutError("The endpoint fell silent.", "Send again; [api] read_timeout sets how long to wait.")
        case httpx.ProxyError():
            return ConnectionFailedError("The proxy refused the connection.", "Check [api] proxy and HTTPS_PROXY.")
        case httpx.ConnectError():
            return ConnectionFailedError(
                "The endpoint cannot be reached.", "Check the network and --base-url, then send again."
            )
        case httpx.DecodingError():
            return BrokenStreamError("The reply is compressed in a way that cannot be read.", "Send again.")
        case httpx.InvalidURL() | httpx.UnsupportedProtocol():
            return ConnectionFailedError("The endpoint's address cannot be used.", "Check --base-url.", retryable=False)
        case _:
            return ConnectionFailedError("The connection was lost.", "What had arrived is kept. Send again.")
