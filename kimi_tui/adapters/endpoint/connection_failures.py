"""What the HTTP library's errors mean, in our own: how far the request had come, and who failed on the way.

The library's words stay behind: they may hold the key, or a proxy's password.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from kimi_tui.core.errors import TRY_AGAIN, BrokenStreamError, CompletionError, ConnectionFailedError, TimedOutError
from kimi_tui.core.text.cells import cut
from kimi_tui.core.text.visible import visible_line
from kimi_tui.core.wire.endpoint_errors import PROXY_LOGIN_HINT

Kind = TypeVar("Kind", bound=BaseException)

LOST = ("The connection was lost.", "It was not tried again by itself, since it may have been billed. Try again.")
UNANSWERED = (
    "The endpoint closed the connection without an answer.",
    "It was not tried again by itself, since it may have been billed. Check --base-url, or try again.",
)
PROXY_HINT = "Check the proxy that [api] proxy, HTTPS_PROXY or ALL_PROXY names; NO_PROXY names hosts without one."
AUTHORITY_HINT = (
    "Its authority is unknown. To trust that: SSL_CERT_FILE=FILE, certificates in PEM form, or SSL_CERT_DIR=FOLDER, "
    "instead of those that come with the program."
)


@dataclass(eq=False)
class Way:
    """How far a request has come: as the library tells of it, since its errors do not say who failed."""

    has_proxy: bool = False
    is_plain: bool = False
    """Whether the endpoint is asked without TLS: then no tunnel is made through a proxy."""
    limit: asyncio.Timeout | None = None
    """Ends what takes too long; moved while a way through a proxy is made, which the library does not limit."""
    limit_s: float = 10.0
    _is_in_tunnel: bool = False
    _is_made: bool = True

    async def note(self, event: str, info: object) -> None:
        """See the "trace" extension of httpcore."""
        del info
        if event.endswith("connect_tcp.started") and self.has_proxy:
            self._is_made = self._is_in_tunnel = False
            self._move(self.limit_s)
        elif event.endswith("start_tls.started"):
            self._is_in_tunnel = not event.startswith("connection.")
        elif event in {"proxy.start_tls.complete", "socks.start_tls.complete"} or (
            self.is_plain and event.endswith("connect_tcp.complete")
        ):
            self._is_made = True
            self._move(None)

    def _move(self, delay_s: float | None) -> None:
        if self.limit is not None:
            now_s = asyncio.get_running_loop().time()
            self.limit.reschedule(None if delay_s is None else now_s + delay_s)

    @property
    def is_at_proxy(self) -> bool:
        """Whether a proxy has still to let it through: nothing has reached the endpoint."""
        return not self._is_made and not self._is_in_tunnel

    @property
    def other(self) -> str:
        return "proxy" if self.is_at_proxy else "endpoint"


DIRECT = Way()
HOST_CELLS = 36
"""As much of a host's name as a line has room for."""


def translate(error: Exception, lost: tuple[str, str] = LOST, way: Way = DIRECT) -> CompletionError:  # noqa: PLR0911 - one row a kind
    """Make one of our own errors; `lost` = what is told of a connection that broke: what happened, and what to do."""
    import httpx  # noqa: PLC0415 - see the head of `http_client`

    # Only what cannot have reached the endpoint may be sent again by itself.
    match error:
        case httpx.TimeoutException():  # of the connection: nothing else has a limit here
            return too_slow(way)
        case httpx.ProxyError():
            return _refused_by_proxy(str(error))
        case httpx.ConnectError():
            return _not_connected(error, way)
        case httpx.DecodingError():
            return BrokenStreamError("The reply is compressed in a way that cannot be read.", TRY_AGAIN)
        case httpx.InvalidURL() | httpx.UnsupportedProtocol():
            return ConnectionFailedError("The endpoint's address cannot be used.", "Check --base-url.")
        case httpx.LocalProtocolError():
            return ConnectionFailedError(
                "The request holds what HTTP does not allow; it was not sent.", "Check the key and [api] headers."
            )
        case httpx.RemoteProtocolError() if way.is_at_proxy:
            return ConnectionFailedError("The proxy does not answer as a proxy; nothing was sent.", PROXY_HINT)
    if way.is_at_proxy:
        return ConnectionFailedError("The proxy closed the connection; nothing was sent.", PROXY_HINT, retryable=True)
    wants_certificate = any("CERTIFICATE_REQUIRED" in (found.reason or "") for found in _found(error, ssl.SSLError))
    return _of_tls("CERTIFICATE_REQUIRED", "endpoint") if wants_certificate else ConnectionFailedError(*lost)


def too_slow(way: Way) -> CompletionError:
    return TimedOutError(
        f"The {way.other} did not take the connection in time.",
        PROXY_HINT if way.is_at_proxy else "Try again; [api] connect_timeout sets how long to wait.",
        retryable=True,
    )


def _refused_by_proxy(words: str) -> CompletionError:
    """The library's words begin with a status, or are those of a SOCKS proxy."""
    status = int(words[:3]) if words[:3].isdigit() else None
    if status == 407 or (status is None and ("AUTH" in words or "password" in words)):
        shown = " (HTTP 407)" if status else ""
        return ConnectionFailedError(
            f"The proxy wants a user and a password{shown}; nothing was sent.",
            PROXY_LOGIN_HINT,
        )
    shown = f" (HTTP {status})" if status else ""
    is_passing = status is None or status >= 500
    return ConnectionFailedError(f"The proxy refused the connection{shown}.", PROXY_HINT, retryable=is_passing)


def _not_connected(error: Exception, way: Way) -> CompletionError:
    other, hint = way.other, "Check the network, --base-url and any proxy, then try again."
    hint = PROXY_HINT if way.is_at_proxy else hint
    wrong = next(_found(error, OSError), None)
    match wrong:
        case ssl.SSLEOFError():
            what = f"The {other} broke off while the connection was being secured"
        case ssl.SSLCertVerificationError():
            return _untrusted(wrong, other)
        case ssl.SSLError():
            return _of_tls(wrong.reason or "", other)
        case socket.gaierror(errno=socket.EAI_AGAIN):
            what = f"The {other}'s name cannot be looked up just now"
        case socket.gaierror():
            what = f"The {other}'s name is not known{_named(error, way)}"
        case _:
            # In the system's words: those of the error repeat the address.
            reasons = [os.strerror(found.errno) for found in _found(error, OSError) if found.errno]
            what = f"The {other} cannot be reached{f': {reasons[-1]}' if reasons else ''}"
    return ConnectionFailedError(f"{what}.", hint, retryable=True)


def _named(error: Exception, way: Way) -> str:
    """The host that was looked up; a proxy's stays unsaid."""
    if not way.is_at_proxy:
        with suppress(RuntimeError):  # the library has not noted the request
            return f": {cut(visible_line(getattr(error, 'request').url.raw_host.decode()), HOST_CELLS)}"  # noqa: B009 - only some of its errors have one
    return ""


_CLOCK = "Check this machine's clock"
_VERDICTS = {
    9: ("certificate is not valid yet", f"{_CLOCK}."),
    10: ("certificate has expired", f"{_CLOCK}; if that is right, the certificate has to be renewed there."),
    62: ("certificate is for another host", "Check the host in --base-url, or [api] base_url."),
    64: ("certificate is for another host", "Check the host in --base-url, or [api] base_url."),
    **dict.fromkeys((2, 18, 19, 20, 21), ("certificate is not trusted", AUTHORITY_HINT)),
}
"""By what OpenSSL found. Source: its manual, X509_STORE_CTX_get_error."""


def _untrusted(error: ssl.SSLCertVerificationError, other: str) -> CompletionError:
    what, hint = _VERDICTS.get(error.verify_code, ("certificate cannot be used", "It has to be put right there."))
    return ConnectionFailedError(f"The {other}'s {what}; nothing was sent.", hint)


_TLS_REASONS = (
    (
        ("PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL"),
        "speaks only an outdated TLS",
        "TLS 1.2 is the oldest that is used; the server has to be brought up to date.",
    ),
    (
        ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL"),
        "does not speak TLS",
        "Check address and port; http:// is for endpoints of this machine alone.",
    ),
    (("CERTIFICATE_REQUIRED",), "wants a certificate of yours", "Certificates of clients are not supported."),
    (("",), "and this program agree on no TLS", "The server's settings for TLS have to be changed."),
)
"""By what OpenSSL's name for the reason holds, the first that fits: what is wrong, and what to do."""


def _of_tls(reason: str, other: str) -> CompletionError:
    """`reason` = OpenSSL's name for it."""
    what, hint = next((what, hint) for names, what, hint in _TLS_REASONS if any(name in reason for name in names))
    return ConnectionFailedError(f"The {other} {what}; nothing was sent.", hint)


def _found(error: BaseException | None, kind: type[Kind]) -> Iterator[Kind]:
    """Every error of a kind behind an error, the nearest first."""
    while error is not None:
        if isinstance(error, kind):
            yield error
        if isinstance(error, BaseExceptionGroup):  # one for each address that was tried
            yield from _found(error.exceptions[0], kind)
            return
        error = error.__cause__ or error.__context__
