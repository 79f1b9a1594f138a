"""Which addresses may be opened: hostile ones are refused, and what is opened is exactly what is shown."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kimi_tui.core.text.web_address import MAX_CHARS, AddressError, web_address

HOSTILE = [
    "", "https", "https:", "https:/", "https://", "https:///", "https:///etc/passwd", "http://:80/", "https:example.org", "https:/example.org",
    "//example.org", "/etc/passwd", "example.org", "--help", "-h", "javascript:alert(1)", "JaVaScRiPt://example.org/%0Aalert(1)",
    "file:///etc/passwd", "file://example.org/x", "ssh://example.org", "ssh://-oProxyCommand=x/", "ftp://example.org", "data:text/html,x",
    "mailto:a@example.org", "vscode://x", "ms-msdt:/id", "view-source:https://example.org", " https://example.org", "https://example.org ",
    "https://good.org@evil.org/", "https://good.org:80@evil.org/", "https://@evil.org", "https://a:b@evil.org", "https://good.org\\@evil.org/",
    "https:\\\\evil.org", "https://good.org\\.evil.org", "https://evil.org/\\x", "https://good%2Eorg/", "https://good.org%2F@evil.org", "https://good.org%00.evil.org/",
    "https://exam ple.org", "https://example.org/a b", "https://example.org/\n--help", "https://example.org/\x1b]52;c;eA==\x07", "https://example.org/\x9b1m",
    "https://example.org/\u202egpj.exe", "https://\u202emoc.elpmaxe", "https://example.org/\U000e0041", "https://exa\u200bmple.org", "https://exa\u200dmple.org",
    "https://exa\u2060mple.org", "https://exa\xadmple.org", "https://example.org/\ud800", "https://\udc00.org", "https://example.org\u2028/",
    "https://good.org\uff0fevil.org", "https://good.org\u2044evil.org:x", "https://good.org\u2100.evil.org", "https://good.org\uff20evil.org", "https://good.org\uff1f.evil.org",
    "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://127.1/", "https://0177.0.0.1/", "https://127.0.0.1.5/", "https://1.2.3.256/",
    "https://[::1", "https://::1]/", "http://[1::2:80/", "https://[::1]]/", "https://[[::1]/", "https://[::1]:80:80/", "https://[evil.org]/", "https://[::1]x/", "https://[fe80::1%25eth0]/", "https://example.org:/", "https://example.org:0/",
    "https://example.org:65536/", "https://example.org:-1/", "https://example.org:8o/", "https://example.org:\u0661/", "https://-example.org/", "https://example-.org/",
    "https://exa..mple.org/", "https://.org/", "https://example.org./", "https://a$b.org/", "https://a'b.org/", 'https://a"b.org/', "https://`id`.org/", "https://$(id)/", "https://a;b.org",
    "https://<b>.org/", "https://" + "a" * 64 + ".org/", "https://" + "a." * 200 + "org/", "https://example.org/" + "a" * MAX_CHARS, "https://example.org/" + "ä" * 700, "h" * 10_000_000,
    "https://\u0301example.org", "https://\ue000.org",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:40]))
def test_a_hostile_address_is_refused(text: str) -> None:
    with pytest.raises(AddressError):
        web_address(text)


@pytest.mark.parametrize(
    ("text", "opened"),
    [
        ("https://example.org", "https://example.org"),
        ("HTTPS://Example.ORG:443/A?b=c#d", "https://example.org:443/A?b=c#d"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/"),
        ("http://[::0001]:8000/x", "http://[::1]:8000/x"),
        ("https://a_b.example.org/", "https://a_b.example.org/"),
        ("https://example.org/@user", "https://example.org/@user"),
        ("https://example.org?to=https://evil.org", "https://example.org?to=https://evil.org"),
        ("https://en.wikipedia.org/wiki/Lamb_(food)", "https://en.wikipedia.org/wiki/Lamb_(food)"),
        ("https://example.org/ä?ö=ü#ß", "https://example.org/%C3%A4?%C3%B6=%C3%BC#%C3%9F"),
        ("https://example.org/%e4%20%41", "https://example.org/%e4%20%41"),
        ("https://example.org/100%", "https://example.org/100%25"),
        ("https://example.org/$(id)`id`'\"<>|{}^", "https://example.org/%24(id)%60id%60%27%22%3C%3E%7C%7B%7D%5E"),
        ("https://example.org/a\u200bb", "https://example.org/a%E2%80%8Bb"),
        ("https://faß.de/", "https://xn--fa-hia.de/"),
        ("https://BÜCHER.example/", "https://xn--bcher-kva.example/"),
        ("https://例え。テスト/", "https://xn--r8jz45g.xn--zckzah/"),
        ("https://ｅｘａｍｐｌｅ.org/", "https://example.org/"),
    ],
)
def test_what_is_opened(text: str, opened: str) -> None:
    assert web_address(text).text == opened


def test_letters_that_look_alike_are_named() -> None:
    for text in ("https://аpple.com/", "https://xn--pple-43d.com/"):  # the first letter is Cyrillic
        found = web_address(text)
        assert found.host == "xn--pple-43d.com"
        assert found.reads_as == "аpple.com"
        assert found.scripts == ("Cyrillic", "Latin")
    assert web_address("https://apple.com").scripts == ()
    assert web_address("https://apple.com").reads_as == ""
    assert web_address("https://xn--99999999.org").reads_as == ""  # no punycode


def test_what_a_host_in_punycode_hides_is_shown() -> None:
    label = "a\u202eb".encode("punycode").decode()
    assert web_address(f"https://xn--{label}.org").reads_as == "a‹U+202E›b.org"


parts = st.sampled_from(
    ["https://", "http://", "/", "\\", "@", ":", "%", "%2e", "[", "]", "?", "#", ".", "xn--", "ä", "а", "\u202e", "\u200d", "\x1b", "\ud83d", "\uff0f", "127.1", "0x7f", "evil.org", "-"]
)  # fmt: skip
addresses = st.one_of(st.text(), st.lists(st.one_of(parts, st.text(max_size=3)), max_size=12).map("".join))


@given(addresses.map(lambda text: f"https://{text}") | addresses)
@example("https://a.b/%")
@settings(max_examples=500)
def test_what_passes_is_plain_and_means_the_same_to_every_reader(text: str) -> None:
    try:
        found = web_address(text)
    except AddressError:
        return
    assert found.text.isascii()
    assert found.text.isprintable()
    assert not set(found.text) & set(" \"'`$<>\\^{|}")
    assert len(found.text) <= MAX_CHARS
    split = urlsplit(found.text)
    assert split.scheme in {"http", "https"}
    assert (split.username, split.password) == (None, None)
    assert split.hostname == found.host.strip("[]")
    assert web_address(found.text) == found


@pytest.mark.slow
@given(addresses.map(lambda text: f"https://{text}"))
@settings(max_examples=20_000, deadline=None)
def test_no_generated_address_hides_where_it_goes(text: str) -> None:
    test_what_passes_is_plain_and_means_the_same_to_every_reader.hypothesis.inner_test(text)  # type: ignore[attr-defined]
