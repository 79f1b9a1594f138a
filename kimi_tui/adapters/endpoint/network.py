"""The way to the endpoint: the proxy that leads there, the certificates that are trusted, how names are looked up.

Proxy and certificates are read here and not by the HTTP library, which says of a wrong variable neither its name nor
what is wrong.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import sys
import threading
from concurrent.futures import Future
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from kimi_tui.core.errors import ConnectionFailedError
from kimi_tui.core.faults import reason_of
from kimi_tui.core.wire.proxies import checked_address, proxy_kind, unusable

if TYPE_CHECKING:  # the name of a type only: see the head of `http_client`
    import httpx

CERTIFICATES_HINT = "It has to name certificates in PEM form; without it those that come with the program are trusted."


def find_proxy(base_url: str, setting: str | None) -> httpx.Proxy | None:
    """The proxy that leads to an address; `setting` None = as the environment says.

    ConnectionFailedError where it cannot be used; the summary names where it was set, and never its value.
    """
    found = ("[api] proxy", setting) if setting else _of_environment(base_url)
    if found is None:
        return None
    source, value = found
    address = checked_address(value, source)
    if address.lower().startswith("socks") and find_spec("socksio") is None:
        raise ConnectionFailedError(
            f"{source} names a SOCKS proxy, which needs the package socksio; nothing was sent.",
            "pip install 'kimi-tui[socks]' brings it; NO_PROXY names hosts that are asked directly.",
        )
    return _proxy(address, source)


def _of_environment(base_url: str) -> tuple[str, str] | None:
    """The variable that names the proxy, and its value; None = none does."""
    from urllib.request import getproxies  # noqa: PLC0415 - it costs as much as the HTTP library, which needs it too

    found = getproxies()
    kind = proxy_kind(base_url, found)
    if kind is None:
        return None
    names = [name for name in os.environ if name.lower() == f"{kind}_proxy" and os.environ[name] == found[kind]]
    # Where no variable says anything, some systems have settings of their own.
    return names[0] if names else "The system's proxy", found[kind]


def _proxy(address: str, source: str) -> httpx.Proxy:
    import httpx  # noqa: PLC0415 - see the head of `http_client`

    try:
        is_secured = address.lower().startswith("https:")
        proxy = httpx.Proxy(address, ssl_context=load_certificates() if is_secured else None)
    except (httpx.InvalidURL, ValueError):
        proxy = None
    if proxy is None:  # not raised above: the library's error holds the address, and with it the password
        raise unusable(source)
    return proxy


def socks_errors() -> tuple[type[Exception], ...]:
    """What a SOCKS proxy that answers nonsense makes the library raise."""
    error = getattr(sys.modules.get("socksio"), "SOCKSError", None)
    return () if error is None else (error,)


def load_certificates() -> ssl.SSLContext:
    """Those of SSL_CERT_FILE or SSL_CERT_DIR, else the HTTP library's; ConnectionFailedError where unusable."""
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file:
        _check_file(file)
    elif folder and not any(os.path.isdir(part) for part in folder.split(os.pathsep)):
        raise ConnectionFailedError(f"SSL_CERT_DIR: {folder} is no folder; nothing was sent.", CERTIFICATES_HINT)
    import httpx  # noqa: PLC0415 - see the head of `http_client`

    try:
        if file or folder:
            return ssl.create_default_context(cafile=file or None, capath=None if file else folder)
        return httpx.create_ssl_context(trust_env=False)
    except ssl.SSLError:
        summary, hint = f"SSL_CERT_FILE: {file} holds no certificates; nothing was sent.", CERTIFICATES_HINT
    except OSError as error:
        log = os.environ.get("SSLKEYLOGFILE")
        summary = f"SSLKEYLOGFILE: {log} cannot be written: {reason_of(error)}; nothing was sent."
        hint = "Unset it, or name a file that can be written."
    raise ConnectionFailedError(summary, hint)


def _check_file(path: str) -> None:
    try:
        with open(path, "rb"):
            return
    except OSError as error:
        summary = f"SSL_CERT_FILE: {path} cannot be read: {reason_of(error)}; nothing was sent."
    raise ConnectionFailedError(summary, CERTIFICATES_HINT)


def look_names_up_aside(loop: asyncio.AbstractEventLoop) -> None:
    """From now on names are looked up in threads that nobody waits for.

    The event loop's own are waited for when the program ends, and a lookup without an answer takes half a minute and
    more.
    """
    loop.getaddrinfo = _getaddrinfo  # type: ignore[method-assign]


async def _getaddrinfo(host: Any, port: Any, **options: int) -> list[Any]:
    found = Future[list[Any]]()
    found.set_running_or_notify_cancel()  # it cannot be called off any more, only left

    def look_up() -> None:
        try:
            found.set_result(socket.getaddrinfo(host, port, **options))
        except (OSError, UnicodeError) as error:
            found.set_exception(error)

    threading.Thread(target=look_up, name="name lookup", daemon=True).start()
    return await asyncio.wrap_future(found)
