"""The endpoint over HTTP: a body out, pieces of bytes in, every failure translated.

It does not know what the bytes mean. httpx is imported when the first request is sent, since its start costs as much
as the rest of a short command.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from kimi_tui import __version__
from kimi_tui.adapters.endpoint import network
from kimi_tui.adapters.endpoint.connection_failures import PROXY_HINT, UNANSWERED, Way, too_slow, translate
from kimi_tui.core.errors import (
    TRY_AGAIN,
    BrokenStreamError,
    CompletionError,
    ConnectionFailedError,
    UsageError,
)
from kimi_tui.core.faults import reason_of
from kimi_tui.core.ports import Tap
from kimi_tui.core.settings.settings import is_loopback
from kimi_tui.core.text.redaction import Redactor
from kimi_tui.core.wire.dialect import Dialect
from kimi_tui.core.wire.endpoint_errors import error_from_response, moment_of

if TYPE_CHECKING:
    import httpx

log = logging.getLogger("kimi_tui")

MAX_REQUEST_ID_CHARS = 200
"""Most characters of a request's id that are kept; honest ones have 36."""
MAX_ERROR_BYTES = 64 * 1024
ERROR_BODY_TIMEOUT_S = 5.0
MAX_PIECE_BYTES = 64 * 1024
"""Most bytes of a reply that are handed on at once: a small compressed piece may hold a thousand times its size."""
SENT_BYTES = 256 * 1024
"""Most bytes of a request that are handed to the network at once."""
GATHERED_BYTES = 16 * 1024
"""About how many bytes are gathered before they are handed on: few enough that a key need not wait for them."""
MIN_SECRET_CHARS = 8
"""A header's value of fewer characters is taken for a word, not for a secret."""


def check_base_url(base_url: str, key_variable: str) -> None:
    """UsageError for what is no http(s) address, holds a password, or leaves this machine unencrypted.

    `key_variable` is where the key belongs, for the message.
    """
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, None
    if parts is not None and "@" in parts.netloc:
        # What stands before the @ may be a password: the address is not repeated.
        raise UsageError("The endpoint's address holds a user or password.", f"The key goes into {key_variable}.")
    if parts is None or parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment:
        raise UsageError(f"{base_url!r} is not an address of an endpoint.", "Such as https://host/v1/inference")
    if parts.scheme == "http" and not is_loopback(host):
        raise UsageError(
            f"{base_url!r} would send your key and texts unencrypted.", "Use https://, or an address of this machine."
        )


class EndpointClient:
    """Sends requests over one pool of connections."""

    def __init__(
        self,
        dialect: Dialect,
        base_url: str,
        key: str | None,
        *,
        connect_timeout_s: float = 10.0,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`base_url` is one that `check_base_url` lets pass, `key` one that `check_key` does; None = no key is sent.

        `proxy` None = as the environment says. `transport` answers instead of the network, for the simulator and tests.
        """
        self.dialect = dialect
        self._base_url, self._key, self._connect_timeout_s = base_url, key, connect_timeout_s
        self._headers, self._proxy, self._transport = dict(headers or {}), proxy, transport
        self._client: httpx.AsyncClient | None = None
        self._opening = asyncio.Lock()
        self._has_proxy = False
        self._secrets = [value for value in (key or "", *self._headers.values()) if len(value) >= MIN_SECRET_CHARS]

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def without_secrets(self, words: str) -> str:
        """The endpoint's own words, without the key or another header's value where it repeats one."""
        return Redactor(self._secrets).clean(words)

    async def _open(self) -> httpx.AsyncClient:
        """Raises ConnectionFailedError where a header, the named proxy or certificates cannot be used."""
        async with self._opening:  # requests that begin together share the pool
            if self._client is None:
                headers = self._checked_headers()
                network.look_names_up_aside(asyncio.get_running_loop())
                self._client = await self._made(headers)
            return self._client

    def _checked_headers(self) -> httpx.Headers:
        import httpx  # noqa: PLC0415 - see the head of the module

        own = {
            "User-Agent": f"kimi-tui/{__version__}",
            "Content-Type": "application/json",
            "Accept": "text/event-stream, application/json",
            **({"Authorization": f"Bearer {self._key}"} if self._key else {}),
        }
        pairs = (*own.items(), *self._headers.items())
        if not all(text.isascii() and text.isprintable() for pair in pairs for text in pair):
            # Checked before the library sees it: its own error would repeat the value.
            raise ConnectionFailedError(
                "A header holds what no request can carry; nothing was sent.", "Check the key and [api] headers."
            )
        headers = httpx.Headers(own)
        headers.update(self._headers)  # instead of ours, however they are spelled
        return headers

    async def _made(self, headers: httpx.Headers) -> httpx.AsyncClient:
        import httpx  # noqa: PLC0415 - see the head of the module

        # Certificates are files, and take 30 ms to load.
        proxy, trusted = (None, False) if self._transport is not None else await asyncio.to_thread(self._find_way)
        self._has_proxy = proxy is not None
        # A proxy's password is a secret as the key is.
        self._secrets += [word for word in (proxy.auth or ()) if len(word) >= MIN_SECRET_CHARS] if proxy else []
        return httpx.AsyncClient(
            headers=headers,
            # Once connected, the engine keeps the clock: it alone can tell a token from a sign of life.
            timeout=httpx.Timeout(None, connect=self._connect_timeout_s),
            follow_redirects=False,
            transport=self._transport,
            proxy=proxy,
            verify=trusted,
            trust_env=False,
        )

    def _find_way(self) -> tuple[httpx.Proxy | None, ssl.SSLContext | bool]:
        """The proxy, and the certificates that are trusted; an address of this machine without TLS needs none.

        Nor may a proxy of the environment carry what was to stay on this machine, unencrypted.
        """
        is_plain = self._base_url.lower().startswith("http://")
        proxy = network.find_proxy(self._base_url, self._proxy) if self._proxy or not is_plain else None
        return proxy, not is_plain and network.load_certificates()

    @asynccontextmanager
    async def send(self, body: bytes, model: str, tap: Tap | None = None) -> AsyncIterator[_Response]:
        """POST a body; leaving the context closes the connection, which ends generation. Raises CompletionError."""
        # Only the opening is translated here: what goes wrong in the caller's block is the caller's.
        if tap is not None:
            tap.sent(Redactor(self._secrets).whole(body), model)
        response = await self._post(body, self.dialect.address(self._base_url, model), tap)
        if isinstance(response, CompletionError):
            raise response
        answer = _Response(response, tap, Redactor(self._secrets))
        try:
            yield answer
        finally:
            await answer.stop()
            await _close(response)

    async def _post(self, body: bytes, url: str, tap: Tap | None) -> httpx.Response | CompletionError:
        """Send a body; a failure is returned: one raised here would carry the library's, which may hold the key."""
        import httpx  # noqa: PLC0415 - see the head of the module

        started_s = time.monotonic()
        way = Way(limit_s=self._connect_timeout_s, is_plain=url.lower().startswith("http://"))
        try:
            client = await self._open()
            way.has_proxy = self._has_proxy
            size = {"Content-Length": str(len(body))}
            content, extensions = _sent_pieces(body), {"trace": way.note}
            request = client.build_request("POST", url, content=content, headers=size, extensions=extensions)
            async with asyncio.timeout(None) as way.limit:
                response = await client.send(request, stream=True)
        except CompletionError as error:
            failure = error.with_traceback(None)
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
            failure = translate(error, UNANSWERED, way)
        except TimeoutError:
            failure = too_slow(way)
        except network.socks_errors():
            failure = ConnectionFailedError("The proxy does not answer as a SOCKS proxy.", PROXY_HINT)
        except OSError as error:
            failure = ConnectionFailedError(f"The request could not be sent: {reason_of(error)}.", "Send again.")
        except (ValueError, TypeError):  # of values that were checked before: the words could repeat one
            failure = ConnectionFailedError(
                "The request could not be put together; nothing was sent.",
                "Check --base-url, --model and [api] headers.",
            )
        else:
            took_s = time.monotonic() - started_s
            request_id = response.headers.get("x-request-id")
            log.info("POST of %d bytes: HTTP %d in %.3f s, %.80r", len(body), response.status_code, took_s, request_id)
            if tap is not None:
                clean = Redactor(self._secrets).clean
                tap.answered(response.status_code, {name: clean(value) for name, value in response.headers.items()})
            return await self._judge(response, tap)
        log.info("POST of %d bytes: %s after %.3f s", len(body), failure.kind, time.monotonic() - started_s)
        return failure

    async def _judge(self, response: httpx.Response, tap: Tap | None) -> httpx.Response | CompletionError:
        codings = response.headers.get("content-encoding", "")
        if response.is_success and "," not in codings:
            return response
        try:
            if response.is_success:
                # Bombs within bombs; no honest endpoint compresses twice.
                return BrokenStreamError("The reply is compressed in a way that cannot be read.", TRY_AGAIN)
            words = b"" if "," in codings else await _error_body(response)
        finally:
            await _close(response)
        # Some servers repeat the key that they do not accept. Before the words are cut: half a key is one too.
        redactor = Redactor(self._secrets)
        words = redactor.whole(words)
        headers = {name: redactor.clean(value) for name, value in response.headers.items()}
        if tap is not None:
            tap.data(words)
        now_there = moment_of(headers.get("date", ""))  # by the endpoint's own clock, which ours may differ from
        return error_from_response(
            response.status_code, headers, words, self.dialect.error_keys, now_there or datetime.now(UTC)
        )


async def _sent_pieces(body: bytes) -> AsyncIterator[bytes]:
    """A body in pieces: each is encrypted and copied at once, and keys come between two of them."""
    for start in range(0, len(body), SENT_BYTES):
        yield body[start : start + SENT_BYTES]


async def _close(response: httpx.Response) -> None:
    import httpx  # noqa: PLC0415 - see the head of the module

    # There is nothing left to say about a connection that cannot even be closed.
    with suppress(httpx.HTTPError, httpx.StreamError, OSError):
        await response.aclose()


async def _error_body(response: httpx.Response) -> bytes:
    """Read the beginning of an error's body; the status says what matters, so neither size nor time is spent on it."""
    import httpx  # noqa: PLC0415 - see the head of the module

    body = bytearray()
    with suppress(httpx.HTTPError, httpx.StreamError, TimeoutError):
        async with asyncio.timeout(ERROR_BODY_TIMEOUT_S):
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) >= MAX_ERROR_BYTES:
                    break
    return bytes(body[:MAX_ERROR_BYTES])


class _Response:
    def __init__(self, response: httpx.Response, tap: Tap | None, redactor: Redactor) -> None:
        self._response, self._tap, self._redactor = response, tap, redactor
        self._pieces = list[bytes]()
        self._arrived, self._taken = asyncio.Event(), asyncio.Event()
        self._reader: asyncio.Task[CompletionError | None] | None = None

    @property
    def is_event_stream(self) -> bool:
        kind = str(self._response.headers.get("content-type", ""))
        return kind.partition(";")[0].strip().lower() == "text/event-stream"

    @property
    def request_id(self) -> str | None:
        value = self._response.headers.get("x-request-id")
        return str(value)[:MAX_REQUEST_ID_CHARS] if value else None

    async def chunks(self) -> AsyncIterator[bytes]:
        """The decoded body; CompletionError where the connection breaks."""
        self._reader = asyncio.create_task(self._read())
        while self._pieces or not self._reader.done():
            await self._arrived.wait()
            self._arrived.clear()
            chunk = b"".join(self._pieces)
            self._pieces.clear()
            for start in range(0, len(chunk), MAX_PIECE_BYTES):
                if start:
                    await asyncio.sleep(0)  # the screen and the clock get their turn
                piece = chunk[start : start + MAX_PIECE_BYTES]
                if self._tap is not None:  # just what is handed on: a reader that leaves has seen no more
                    self._tap.data(self._redactor.feed(piece))
                yield piece
            self._taken.set()
        if (failure := self._reader.result()) is not None:
            raise failure

    async def _read(self) -> CompletionError | None:
        """Gather what is there already: servers send each token by itself, and a piece costs as much as its bytes."""
        import httpx  # noqa: PLC0415 - see the head of the module

        response, gathered_bytes = self._response, 0
        is_encoded = "content-encoding" in response.headers
        # What is not encoded needs nothing of the library's decoders, through which every piece would pass.
        pieces = response.aiter_bytes() if is_encoded else cast("httpx.AsyncByteStream", response.stream)
        try:
            async for piece in pieces:
                self._pieces.append(piece)
                self._arrived.set()
                gathered_bytes += len(piece)
                if gathered_bytes >= GATHERED_BYTES:
                    self._taken.clear()
                    await self._taken.wait()
                    gathered_bytes = 0
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            return translate(error)
        finally:
            self._arrived.set()
        return None

    async def stop(self) -> None:
        if self._tap is not None:
            self._tap.data(self._redactor.close())
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.wait([self._reader])
