"""Whether an address may be opened, and the form in which it is shown and opened: ASCII alone, nothing hidden.

Only http and https with a host and without user-info pass. What browsers would read in another way than people do
(backslashes, a host with percent signs, a number in a host's place, one slash or three) is refused, not put right. The
host stands in punycode, so that look-alike letters show; what else is not ASCII is percent-encoded.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass

from kimi_tui.core.text.visible import visible

MAX_CHARS = 2048
"""Longest address that is opened, as it is opened."""
_START = re.compile(r"(?i)(https?)://(?!/)")
_AUTHORITY_END = re.compile("[/?#]")
_HOST_AND_PORT = re.compile(r"(\[[^\]]*\]|(?!\[).*?)(?::([^:]*))?", re.DOTALL)
_DOTS = re.compile("[.\u3002\uff0e\uff61]")
"""What stands between labels; browsers take the East Asian full stops too."""
_LABEL = re.compile("[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile("[0-9]+|0x[0-9a-f]*")
_NOT_SENT = re.compile(r"""[^!#&()*+,\-./0-9:;=?@A-Z\[\]_a-z~%]|%(?![0-9A-Fa-f]{2})""")
"""What is percent-encoded: what is not ASCII, and what a shell script that opens addresses could take for its own."""

NO_LITERAL = "its host is no address in brackets"


class AddressError(ValueError):
    """Says why an address is not opened, in words that go after "not opened, since"."""


@dataclass(frozen=True, slots=True)
class WebAddress:
    text: str
    """Printable ASCII: exactly what is opened."""
    host: str
    """As it stands in the text, without the port."""
    reads_as: str = ""
    """The host in its own letters where it is in punycode, made visible; "" = it is not."""
    scripts: tuple[str, ...] = ()
    """The scripts of those letters, such as "Cyrillic", where there are several."""


def web_address(text: str) -> WebAddress:
    """Raises AddressError where the address is not one that is opened."""
    if len(text) > MAX_CHARS:
        raise AddressError(f"it is longer than {MAX_CHARS} characters")
    if "\\" in text:
        raise AddressError("it holds a backslash, which browsers take for a slash")
    if text != visible(text) or any(char.isspace() for char in text):
        raise AddressError("it holds a blank or a character that cannot be seen")
    start = _START.match(text)
    if start is None:
        raise AddressError("it does not begin with http:// or https:// and a host")
    end = _AUTHORITY_END.search(text, start.end())
    cut = end.start() if end else len(text)
    host, port = _host_and_port(text[start.end() : cut])
    whole = f"{start[1].lower()}://{host}{port}{_NOT_SENT.sub(_encoded, text[cut:])}"
    if len(whole) > MAX_CHARS:
        raise AddressError(f"it is longer than {MAX_CHARS} characters")
    reading = ".".join(_reading(label) for label in host.split("."))
    scripts = _scripts(reading)
    return WebAddress(whole, host, visible(reading) if reading != host else "", scripts if len(scripts) > 1 else ())


def _host_and_port(authority: str) -> tuple[str, str]:
    if "@" in authority:
        raise AddressError("it holds a user name before the host, as addresses do that pretend to be others")
    if "%" in authority:
        raise AddressError("its host holds percent signs")
    parts = _HOST_AND_PORT.fullmatch(authority)
    if parts is None:
        raise AddressError(NO_LITERAL)
    host, port = parts.groups()
    if port is not None and not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536):
        raise AddressError("its port is no number from 1 to 65535")
    return _ip_literal(host) if host.startswith("[") else _name(host), "" if port is None else f":{int(port)}"


def _ip_literal(host: str) -> str:
    try:
        return f"[{ipaddress.IPv6Address(host[1:-1])}]"
    except ValueError:
        raise AddressError(NO_LITERAL) from None


def _name(host: str) -> str:
    if not host:
        raise AddressError("it has no host")
    labels = [_label(label) for label in _DOTS.split(unicodedata.normalize("NFKC", host).lower())]
    name = ".".join(labels)
    if len(name) > 253:
        raise AddressError("its host is too long")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError:
            raise AddressError("its host is a number, which stands for an address that is not seen") from None
    return name


def _label(label: str) -> str:
    if label.isascii():
        plain = label
    else:
        # Joiners and fillers are gone already, or refused; a mark alone would sit on the dot before it.
        if unicodedata.category(label[0])[0] == "M" or any(unicodedata.category(char)[0] in "CZ" for char in label):
            raise AddressError("its host holds a character that cannot be seen")
        plain = "xn--" + unicodedata.normalize("NFC", label).encode("punycode").decode()
    if not _LABEL.fullmatch(plain):
        raise AddressError("its host is none that can be looked up")
    return plain


def _encoded(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode())


def _reading(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode().decode("punycode")
    except ValueError:  # not all that begins so is punycode
        return label


def _scripts(text: str) -> tuple[str, ...]:
    """The scripts of the letters, sorted; the first word of a letter's name is that of its script."""
    names = {unicodedata.name(char, "").partition(" ")[0] for char in text if char.isalpha()}
    return tuple(sorted(name.capitalize() for name in names if name))
