"""The event stream decoder: the standard's examples and its traps, at every cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.errors import BrokenStreamError
from kimi_tui.core.wire.sse import SseDecoder, SseEvent
from tests.core.cuts import check_every_cut


def decode(pieces: list[bytes]) -> list[SseEvent]:
    decoder = SseDecoder()
    return [event for piece in pieces for event in decoder.feed(piece)]


def unfinished(pieces: list[bytes]) -> SseEvent | None:
    decoder = SseDecoder()
    for piece in pieces:
        decoder.feed(piece)
    return decoder.close()


@pytest.mark.parametrize(
    ("stream", "event"),
    [
        (b"data: a\n\n", None),
        (b"data: a\n\n: comment", None),
        (b"data: a\n\nevent: error\ndata: x\ndata: y", SseEvent("error", "x\ny")),
        (b"data: a\n\ndata: x\r", SseEvent("message", "x")),
        (b"data: a\n\ndat", None),
        (b"\xef\xbb", None),
    ],
)
def test_the_end_tells_what_it_left_unfinished(stream: bytes, event: SseEvent | None) -> None:
    check_every_cut(stream, unfinished, event)


def messages(*texts: str) -> list[SseEvent]:
    return [SseEvent("message", text) for text in texts]


CASES = [
    pytest.param(b"data: YHOO\ndata: +2\ndata: 10\n\n", messages("YHOO\n+2\n10"), id="standard: stocks"),
    pytest.param(
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
        [SseEvent("message", "first event", "1"), SseEvent("message", "second event"), SseEvent("message", " third event")],
        id="standard: comment, id, blanks",
    ),
    pytest.param(b"data\n\ndata\ndata\n\ndata:", messages("", "\n"), id="standard: empty data"),
    pytest.param(b"data:test\n\ndata: test\n\n", messages("test", "test"), id="standard: one blank dropped"),
    pytest.param(b"data: a\r\rdata: b\r\n\r\ndata: c\n\n", messages("a", "b", "c"), id="CR, CRLF and LF"),
    pytest.param(b"data: a\r\ndata: b\r\n\r\n", messages("a\nb"), id="CRLF is one line end"),
    pytest.param(b"\xef\xbb\xbfdata: a\n\n", messages("a"), id="one byte-order mark dropped"),
    pytest.param(b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", [], id="a second one is text"),
    pytest.param("data: a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\n\n".encode(), messages("a\u2028b\u2029c\x85d\x0be\x0cf\x1cg"), id="no other line ends"),
    pytest.param(b"event: error\ndata: x\n\ndata: y\n\n", [SseEvent("error", "x"), SseEvent("message", "y")], id="type"),
    pytest.param(b"event: ping\n\ndata: y\n\n", messages("y"), id="type without data"),
    pytest.param(b"id: a\0b\ndata: x\n\n", messages("x"), id="NUL in an id"),
    pytest.param(b"retry: 1\nnonsense: 2\nnonsense\n:c\ndata: x\n\n", messages("x"), id="unknown fields"),
    pytest.param(b"data: a\n\ndata: unfinished\n", messages("a"), id="unfinished"),
    pytest.param("data: 羊👍\n\n".encode(), messages("羊👍"), id="multi-byte"),
    pytest.param(b"data: \xff\xfe\n\n", messages("\ufffd\ufffd"), id="not UTF-8"),
    pytest.param(b"Data: a\n data: b\n\n", [], id="names are exact"),
    pytest.param(b"", [], id="nothing"),
    pytest.param(
        b"data:\0\ndata:  2\rData:1\ndata\0:2\ndata:1\r\0data:4\nda-ta:3\rdata_5\ndata:3\rdata:\r\n data:32\ndata:4\n\n",
        messages("\0\n 2\n1\n3\n\n4"),
        id="field parsing",
    ),
    pytest.param(b"data:test\r\ndata\ndata:test\r\n\r\n", messages("test\n\ntest"), id="mixed line ends in one event"),
    pytest.param(b"data:\ttest\rdata: \ndata:test\n\n", messages("\ttest\n\ntest"), id="only one blank, never a tab"),
    pytest.param(b"\xef\xbb\xbfdata:1\n\n\xef\xbb\xbfdata:2\n\ndata:3\n\n", messages("1", "3"), id="a later byte-order mark is text"),
    pytest.param(b"data: \xef\xbb\xbfx\n\n", messages("\ufeffx"), id="a byte-order mark in the data stays"),
    pytest.param(b"\xef\xbbdata: a\n\ndata: b\n\n", messages("b"), id="half a byte-order mark"),
    pytest.param(b"event: \ndata:x\n\n", messages("x"), id="an empty type is message"),
    pytest.param(b"event: a\nevent: b\ndata: x\n\n", [SseEvent("b", "x")], id="the last type counts"),
    pytest.param(b"id: 1\ndata: x\n\ndata: y\n\n", [SseEvent("message", "x", "1"), SseEvent("message", "y", "1")], id="an id stays"),
    pytest.param(b"\r\n\r\r\n\ndata: x\r\r", messages("x"), id="blank lines first, CR last"),
    pytest.param(b":" + b"x" * 70 + b"\n:\ndata: x\n\n", messages("x"), id="comments"),
    pytest.param(b"data: a: b:c\n\n", messages("a: b:c"), id="colons"),
]  # fmt: skip


@pytest.mark.parametrize(("stream", "events"), CASES)
def test_at_every_cut(stream: bytes, events: list[SseEvent]) -> None:
    check_every_cut(stream, decode, events)


def test_an_empty_piece_between_cr_and_lf_is_nothing() -> None:
    assert decode([b"data: a\r", b"", b"\ndata: b\r\n\r\n"]) == messages("a\nb")


@given(
    st.lists(
        st.sampled_from([b"data: a", b"data", b":", b"\r", b"\n", b"\r\n", b"event: e", b"\xef\xbb\xbf", b"id: 1"]),
        max_size=12,
    )
)
def test_cuts_never_matter(pieces: list[bytes]) -> None:
    assert decode(pieces) == decode([b"".join(pieces)])


@pytest.mark.parametrize("stream", [b"data: " + b"x" * 200, b"data: xxxxxxxx\n" * 20])
def test_what_is_too_large_breaks_the_stream(stream: bytes) -> None:
    with pytest.raises(BrokenStreamError, match="100 bytes"):
        SseDecoder(max_event_bytes=100).feed(stream)
