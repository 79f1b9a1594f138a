"""Which hosts go past the proxy, and what can be the address of one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.errors import ConnectionFailedError
from kimi_tui.core.wire.proxies import checked_address, is_direct, proxy_kind


@pytest.mark.parametrize(
    ("host", "no_proxy", "is_taken_out"),
    [
        ("api.example.org", "", False),
        ("api.example.org", "*", True),
        ("api.example.org", "other.org, *", True),
        ("api.example.org", "example.org", True),
        ("api.example.org", ".example.org", True),
        ("api.example.org", "*.example.org", True),
        ("API.Example.org.", "api.EXAMPLE.org", True),
        ("badexample.org", "example.org", False),
        ("example.org", "api.example.org", False),
        ("api.example.org", "a.org b.org\texample.org", True),
        ("api.example.org", "https://example.org", True),
        ("api.example.org", "example.org:443", True),
        ("api.example.org", "example.org:80", False),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("10.1.2.3", "10.9.9.9/8", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3", "10.1.2.3:443", True),
        ("10.1.2.3", "2.3", False),
        ("fd00::1", "fd00::/8", True),
        ("fd00::1", "[fd00::]/8,[fd00::1]", True),
        ("fd00::1", "[fd00:0::1]:443", True),
        ("fe80::1", "fd00::/8,10.0.0.0/8", False),
        ("api.example.org", "fd00::/8,10.0.0.0/8,::1", False),
        ("api.example.org", "fd00::/999,10.0.0.0/x,[,],::/,:,:443,.,*.,//,%", False),
        ("localhost", "localhost", True),
    ],
)
def test_hosts_that_are_asked_directly(host: str, no_proxy: str, is_taken_out: bool) -> None:
    assert is_direct(host, 443, no_proxy) is is_taken_out


@given(st.text("0123456789abc.:/[]*,% -", max_size=30), st.sampled_from(["fd00::1", "10.0.0.1", "a.b"]))
def test_no_value_is_fatal(no_proxy: str, host: str) -> None:
    assert is_direct(host, 443, no_proxy) in {True, False}


def test_the_scheme_s_own_proxy_goes_before_the_one_for_all() -> None:
    url = "https://api.example.org/v1"
    assert proxy_kind(url, {}) is None
    assert proxy_kind(url, {"http": "http://a"}) is None
    assert proxy_kind(url, {"all": "socks5://a"}) == "all"
    assert proxy_kind(url, {"all": "socks5://a", "https": "http://b"}) == "https"
    assert proxy_kind(url, {"all": "socks5://a", "https": " "}) == "all"
    assert proxy_kind(url, {"https": "http://b", "no": "example.org"}) is None
    assert proxy_kind("https://[fd00::1]:8443/v1", {"https": "http://b", "no": "[fd00::1]:8443"}) is None


@pytest.mark.parametrize(
    ("value", "address"),
    [
        (" http://h:3128 ", "http://h:3128"),
        ("h:3128", "http://h:3128"),
        ("SOCKS5H://u:p@h", "SOCKS5H://u:p@h"),
        ("https://[::1]:1", "https://[::1]:1"),
    ],
)
def test_addresses(value: str, address: str) -> None:
    assert checked_address(value, "X") == address


@pytest.mark.parametrize(
    "value", ["http://", "::", "http://h:99999", "http://h:x", "http://h:0", "h h", "h\0", "http://[x"]
)
def test_what_is_no_address_is_named_by_its_variable_and_not_repeated(value: str) -> None:
    with pytest.raises(ConnectionFailedError, match=r"^SOME_PROXY is not the address of a proxy") as caught:
        checked_address(value, "SOME_PROXY")
    assert caught.value.hint


@pytest.mark.parametrize(("value", "is_socks"), [("socks://u:secret@h", True), ("ftp://u:secret@h", False)])
def test_kinds_that_cannot_be_used(value: str, is_socks: bool) -> None:
    with pytest.raises(ConnectionFailedError, match=r"^ALL_PROXY .*(socks|ftp)://") as caught:
        checked_address(value, "ALL_PROXY")
    assert "secret" not in caught.value.summary
    assert ("socks5:// may be meant" in caught.value.hint) is is_socks
