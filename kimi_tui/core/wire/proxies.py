"""Which proxy the environment names for an address, and whether it can be one.

Source of the rules: what curl and other programs make of HTTPS_PROXY, ALL_PROXY and NO_PROXY; there is no standard.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from kimi_tui.core.errors import ConnectionFailedError

SCHEMES = ("http", "https", "socks5", "socks5h")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_BETWEEN = re.compile(r"[,\s]+")
_PORT = re.compile(r"(.*):([0-9]+)")


def proxy_kind(url: str, found: Mapping[str, str]) -> str | None:
    """The proxy of the environment that leads to an address: its own scheme's before "all"; None = no proxy.

    `found` = values by the beginnings of their variables' names, in small letters: "https", "all", "no". Such a
    beginning is given back.
    """
    parts = urlsplit(url)
    if is_direct(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80), found.get("no", "")):
        return None
    return next((kind for kind in (parts.scheme, "all") if found.get(kind, "").strip()), None)


def is_direct(host: str, port: int, no_proxy: str) -> bool:
    """Whether NO_PROXY takes a host out: by its name or one above it, its address, or a range that holds the address.

    An entry that is none of these takes nothing out.
    """
    host = host.rstrip(".").lower()
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    return any(_fits(entry.lower(), host, address, port) for entry in _BETWEEN.split(no_proxy) if entry)


def _fits(entry: str, host: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address | None, port: int) -> bool:
    if entry == "*":
        return True
    entry = _SCHEME.sub("", entry, count=1)
    name = entry.strip("[]")
    if address is not None:
        try:
            return address in ipaddress.ip_network(name, strict=False)
        except ValueError:
            pass
    if (match := _PORT.fullmatch(entry)) is not None:
        return int(match[2]) == port and _fits(match[1], host, address, port)
    name = name.removeprefix("*").strip(".")
    return bool(name) and (host == name or (address is None and host.endswith(f".{name}")))


def checked_address(value: str, source: str) -> str:
    """Read the address of a proxy as it was set; one without a scheme is one of http.

    It may hold a password, and is not repeated; `source` = where it was set, for the message. Raises
    ConnectionFailedError where it cannot be the address of a proxy.
    """
    value = value.strip()
    scheme = _SCHEME.match(value)
    if scheme is None:
        value = f"http://{value}"
    elif scheme[1].lower() not in SCHEMES:
        meant = "socks5:// may be meant. " if scheme[1].lower().startswith("socks") else ""
        raise ConnectionFailedError(
            f"{source} names a proxy of a kind that cannot be used, {scheme[0][:20]}; nothing was sent.",
            f"{meant}Known: {', '.join(SCHEMES)}.",
        )
    try:
        parts = urlsplit(value)
        is_usable = bool(parts.hostname) and parts.port != 0 and value.isprintable() and " " not in value
    except ValueError:
        is_usable = False
    if not is_usable:
        raise unusable(source)
    return value


def unusable(source: str) -> ConnectionFailedError:
    """What is told of a value that is no address."""
    return ConnectionFailedError(
        f"{source} is not the address of a proxy; nothing was sent.",
        "Such as http://host:3128 or socks5://host:1080; without it the endpoint is asked directly.",
    )
