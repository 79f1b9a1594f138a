"""Every way a server can fail, through the whole of `ask --save`: a plain message, what came is kept, the key nowhere."""

from __future__ import annotations

import asyncio
import gzip
import json
import queue
import socket
import struct
import threading
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.core.session.session import Session
from kimi_tui.core.text.visible import visible
from tests.cli.calls import KEY, Result, call
from tests.cli.loopback import sse, tokens

Step = bytes | str | float
"""Bytes to send; "reset" or "close" the connection; "hold" it until the client goes; a pause in seconds."""
Play = Callable[[], AsyncIterator[Step]]
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
CHUNKED = HEAD.replace(b"connection: close", b"transfer-encoding: chunked")
GZIP = HEAD.replace(b"connection: close", b"content-encoding: gzip\r\nconnection: close")
WHOLE = b"".join(tokens("hm", "</think>", "half", " done"))
HALF = b"".join(tokens("hm", "</think>", "half")[:3])


def play(*steps: Step) -> Play:
    async def run() -> AsyncIterator[Step]:
        for step in steps:
            yield step

    return run


async def _act(step: Step, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    match step:
        case bytes():
            writer.write(step)
            await writer.drain()
        case float():
            await asyncio.sleep(step)
        case "hold":
            await reader.read()
        case "reset":
            await asyncio.sleep(0.02)  # what was sent before has to arrive before
            raw = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


@contextmanager
def server(played: Play) -> Iterator[str]:
    """Serve that to every connection, in a thread of its own."""
    started: queue.Queue[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = queue.Queue()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]))
            async for step in played():
                await _act(step, reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def serve() -> None:
        stop = asyncio.Event()
        running = await asyncio.start_server(connected, "127.0.0.1", 0)
        started.put((running.sockets[0].getsockname()[1], asyncio.get_running_loop(), stop))
        await stop.wait()
        running.close()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    port, loop, stop = started.get(timeout=10)
    try:
        yield f"http://127.0.0.1:{port}/v1/inference"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture(autouse=True)
def _places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPINFRA_TOKEN", KEY)
    monkeypatch.setenv("KIMI_TUI_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr("kimi_tui.adapters.endpoint.http_client.ERROR_BODY_TIMEOUT_S", 0.2)
    monkeypatch.setattr("kimi_tui.engine.request_run.LINGER_S", 0.1)
    configure(tmp_path)
    monkeypatch.setenv("KIMI_TUI_CONFIG", str(tmp_path / "config.toml"))


def configure(folder: Path, patience_s: float = 60) -> None:
    (folder / "config.toml").write_text(f"[api]\nretries = 0\nread_timeout = {patience_s}\n")


def ask(url: str, folder: Path, *options: str) -> tuple[Result, Session]:
    """Ask, see that nothing shows the key, and return what was said and what was saved."""
    result = call("ask", "x", "--save", "--json", "--base-url", url, *options)
    store = SessionFiles(folder / "data" / "sessions", folder / "data" / "trash")
    (summary,) = store.list().summaries
    files = [path.read_bytes() for path in (folder / "data").rglob("*") if path.is_file()]
    for text in (result.out.encode(), result.err.encode(), *files):
        assert KEY.encode() not in text
    assert "Traceback" not in result.err
    return result, store.read_only(Path(summary.path))


def check(folder: Path, played: Play, *, state: str, kind: str, content: str = "", words: str = "") -> None:
    if kind == "timeout":
        configure(folder, 1.0)
    with server(played) as url:
        result, session = ask(url, folder)
    found = result.json
    assert (result.status, found["state"], found["error"]["kind"], found["content"]) == (1, state, kind, content)
    assert words in found["error"]["summary"]
    assert found["error"]["summary"].endswith(".")
    assert found["error"]["hint"]
    assert visible(found["error"]["summary"]) in result.err
    assert [m.content for m in session.messages] == (["x", content] if content else ["x"])
    if content:
        assert (session.messages[-1].state, session.messages[-1].reasoning) == (state, "hm")


def dripping(data: bytes) -> Play:
    async def run() -> AsyncIterator[Step]:
        yield HEAD
        for place in range(len(data)):
            yield data[place : place + 1]

    return run


def endless(piece: bytes, before: bytes = HEAD, pause_s: float = 0.02) -> Play:
    async def run() -> AsyncIterator[Step]:
        yield before
        while True:
            yield piece
            yield pause_s

    return run


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def squeezed(data: bytes) -> bytes:
    """The beginning of a compressed body."""
    squeezer = zlib.compressobj(wbits=31)
    return squeezer.compress(data) + squeezer.flush(zlib.Z_SYNC_FLUSH)


BEFORE_ANY_TEXT: dict[str, tuple[Play, str, str]] = {
    "reset before the head": (play("reset"), "failed", "connection"),
    "reset after the head": (play(HEAD, "reset"), "failed", "connection"),
    "closed before the head": (play(), "failed", "connection"),
    "closed after the head": (play(HEAD), "interrupted", "stream"),
    "closed inside the head": (play(HEAD[:30]), "failed", "connection"),
    "garbage for a head": (play(b"\x00\xff\x1b[2J nothing like HTTP\r\n\r\n"), "failed", "connection"),
    "an endless head": (endless(b"x-more: " + b"y" * 4000 + b"\r\n", HEAD[:-2], 0.0), "failed", "connection"),
    "silence before the head": (play("hold"), "failed", "timeout"),
    "silence after the head": (play(HEAD, "hold"), "failed", "timeout"),
    "comments and nothing else": (endless(b": keep-alive\n\n"), "failed", "timeout"),
    "empty events and nothing else": (endless(b"data: {}\n\n"), "failed", "timeout"),
    "garbage in the stream": (play(HEAD, b"data: \x00\xff\x1b]52;c;eA==\x07\n\n"), "interrupted", "stream"),
    "a page": (play(HEAD.replace(b"event-stream", b"html"), b"<html>hello</html>"), "interrupted", "stream"),
    "JSON that is no reply": (play(HEAD, b'{"hello": 1}'), "interrupted", "stream"),
    "JSON that is no object": (play(HEAD.replace(b"text/event-stream", b"application/json"), b"[1]"), "interrupted", "stream"),
    "nothing at all, and well": (play(b"HTTP/1.1 204 X\r\n\r\n"), "interrupted", "stream"),
    "a line without end": (play(HEAD, *[b"data: " + b"x" * (1 << 20)] * 34), "interrupted", "stream"),
    "a bomb without lines": (play(GZIP, gzip.compress(bytes(200 << 20), 9)), "interrupted", "stream"),
    "a bomb of comments": (play(GZIP, gzip.compress(b":\n" * (20 << 20), 9), "hold"), "failed", "timeout"),
    "no compression at all": (play(GZIP, b"data: x\n\n"), "interrupted", "stream"),
    "compressed twice": (play(GZIP.replace(b"gzip", b"gzip, gzip"), b"x"), "interrupted", "stream"),
}  # fmt: skip


@pytest.mark.parametrize("name", BEFORE_ANY_TEXT)
def test_what_fails_before_any_text_leaves_the_question(tmp_path: Path, name: str) -> None:
    played, state, kind = BEFORE_ANY_TEXT[name]
    check(tmp_path, played, state=state, kind=kind)


AMID_THE_TEXT: dict[str, tuple[Play, str]] = {
    "reset": (play(HEAD, HALF, "reset"), "connection"),
    "just ends": (play(HEAD, HALF), "stream"),
    "silence": (play(HEAD, HALF, "hold"), "timeout"),
    "comments": (endless(b": keep-alive\n\n", HEAD + HALF), "timeout"),
    "no last chunk": (play(CHUNKED, chunk(HALF)), "connection"),
    "cut amid a chunk": (play(CHUNKED, chunk(HALF), b"ff\r\ndata"), "connection"),
    "a bad chunk": (play(CHUNKED, chunk(HALF), b"zz\r\n"), "connection"),
    "short of its length": (play(HEAD.replace(b"connection: close", b"content-length: 99999"), HALF), "connection"),
    "cut amid an event": (play(HEAD, HALF, b'data: {"token": {"te'), "stream"),
    "garbage": (play(HEAD, HALF, b"data: {]\n\n"), "stream"),
    "a line without end": (play(HEAD, HALF, *[b"data: " + b"x" * (1 << 20)] * 34), "stream"),
    "compression that breaks": (play(GZIP, squeezed(HALF), 0.1, b"\xff" * 30), "stream"),
}


@pytest.mark.parametrize("name", AMID_THE_TEXT)
def test_what_fails_amid_the_text_keeps_it(tmp_path: Path, name: str) -> None:
    played, kind = AMID_THE_TEXT[name]
    check(tmp_path, played, state="interrupted", kind=kind, content="half")


def test_events_of_other_names_are_signs_of_life(tmp_path: Path) -> None:
    ping = b"event: ping\ndata: x\n\n"
    with server(play(HEAD, ping, HALF, ping, WHOLE)) as url:
        result, _ = ask(url, tmp_path)
    assert (result.status, result.json["state"], result.err.count("\n")) == (0, "complete", 1)


WORDS = "no room today"
IN_STREAM: dict[str, bytes] = {
    "error_type": sse({"error_type": "overloaded", "error_message": WORDS})[0],
    "detail.error": sse({"detail": {"error": WORDS}})[0],
    "detail": sse({"detail": WORDS})[0],
    "detail list": sse({"detail": [{"loc": ["body", "top_p"], "msg": WORDS, "type": "value_error"}]})[0],
    "error.message": sse({"error": {"message": WORDS, "code": 429}})[0],
    "error": sse({"error": WORDS})[0],
    "message": sse({"message": WORDS})[0],
    "beside a token": sse({"token": {"id": 1, "text": "", "special": False}, "error": WORDS})[0],
    "an event": b"event: error\n" + sse({"message": WORDS})[0],
    "an event of plain words": b"event: error\ndata: " + WORDS.encode() + b"\n\n",
    "an event of a string": b"event: error\n" + sse(json.dumps(WORDS))[0],
    "with the key": sse({"error": f"{WORDS}: {KEY}", "request_id": f"r {KEY}"})[0],
}


@pytest.mark.parametrize("name", IN_STREAM)
@pytest.mark.parametrize("text", [b"", HALF], ids=["at once", "amid the text"])
def test_an_error_inside_the_stream(tmp_path: Path, name: str, text: bytes) -> None:
    played = play(HEAD, text, IN_STREAM[name], WHOLE)
    with server(played) as url:
        result, session = ask(url, tmp_path)
    found = result.json
    content = "half" if text else ""
    assert (result.status, found["state"], found["content"]) == (1, "failed", content)
    assert found["error"]["kind"] == "server"
    assert WORDS in found["error"]["summary"]
    assert WORDS in result.err
    assert [m.content for m in session.messages] == (["x", content] if content else ["x"])


KINDS = {
    401: "authentication", 402: "payment", 403: "permission", 404: "model", 408: "timeout", 429: "rate-limit",
}  # fmt: skip
STATUSES = [300, 301, 302, 303, 304, 307, 308, 399, *range(400, 432), 451, 499, *range(500, 512), 520, 529, 599]


def test_every_status_is_a_plain_failure(tmp_path: Path) -> None:
    statuses = iter(STATUSES)

    async def refuse() -> AsyncIterator[Step]:
        status = next(statuses)
        body = b"" if status == 304 else json.dumps({"error": f"{WORDS} {KEY}"}).encode()
        yield (
            f"HTTP/1.1 {status} X\r\nlocation: https://example.com/\r\ncontent-length: {len(body)}\r\n\r\n".encode()
            + body
        )

    with server(refuse) as url:
        for status in STATUSES:
            result = call("ask", "x", "--json", "--base-url", url)
            error = result.json["error"]
            expected = KINDS.get(status) or ("server" if status >= 500 else "rejected")
            assert (result.status, error["status"], error["kind"]) == (1, status, expected)
            assert f"HTTP {status}" in error["summary"]
            assert error["summary"] in result.err
            assert error["hint"]
            assert KEY not in result.out + result.err
            assert status == 304 or (WORDS if status >= 400 else "to https://example.com/") in error["summary"]


@pytest.mark.parametrize(
    "steps",
    [(b"no", "hold"), (b"<html><title>Bad\x1b[2J gateway</title>", "reset"), ("hold",)],
    ids=["stalls", "reset", "nothing"],
)
def test_an_error_is_told_by_its_status_where_its_body_does_not_come(tmp_path: Path, steps: tuple[Step, ...]) -> None:
    head = b"HTTP/1.1 502 X\r\ncontent-length: 9999\r\n\r\n"
    check(tmp_path, play(head, *steps), state="failed", kind="server", words="HTTP 502")


def test_a_slow_error_body_is_not_waited_for(tmp_path: Path) -> None:
    played = endless(b"x", b"HTTP/1.1 503 X\r\ncontent-length: 99999\r\n\r\n", 0.01)
    check(tmp_path, played, state="failed", kind="server", words="HTTP 503")


def test_a_huge_error_body_is_not_read(tmp_path: Path) -> None:
    played = endless(b"x" * 65536, b"HTTP/1.1 500 X\r\ncontent-length: 99999999999\r\n\r\n", 0.0)
    check(tmp_path, played, state="failed", kind="server", words="HTTP 500")


def test_nobody_listens(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    result, session = ask(f"http://127.0.0.1:{port}/v1", tmp_path)
    assert (result.status, result.json["error"]["kind"]) == (1, "connection")
    assert "cannot be reached" in result.err
    assert [m.content for m in session.messages] == ["x"]


GOOD: dict[str, Play] = {
    "byte by byte": dripping(WHOLE),
    "tokens between pauses": play(HEAD, *[p for t in tokens("hm", "</think>", "half", " done") for p in (t, 0.2)]),
    "comments between tokens": play(HEAD, b": hello\n\n", HALF, *[b": ping\n\n"] * 50, WHOLE.removeprefix(HALF)),
    "hints before it": play(b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n", HEAD, WHOLE),
    "a reset behind the end": play(HEAD, WHOLE, "reset"),
    "silence behind the end": play(HEAD, b"".join(tokens("hm", "</think>", "half", " done", done=False)), "hold"),
    "compressed": play(GZIP, gzip.compress(WHOLE)),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_what_looks_odd_and_is_well(tmp_path: Path, name: str) -> None:
    with server(GOOD[name]) as url:
        result, session = ask(url, tmp_path)
    assert (result.status, result.json["content"]) == (0, "half done")
    assert session.messages[-1].state == "complete"


def test_fifty_megabytes_arrive_whole(tmp_path: Path) -> None:
    piece = "羊 b\r\n" * 1000
    pieces = tokens("hm", "</think>", *[piece] * 6500)
    del pieces[-2:]  # the last frame would repeat it all
    last = sse({"details": {"finish_reason": "stop"}, "num_output_tokens": 6502}, "[DONE]")
    with server(play(HEAD, *pieces, *last)) as url:
        result = call("ask", "x", "--base-url", url)
    assert (result.status, len(result.out.encode())) == (0, 6500 * len(piece.encode()))
    assert result.out == piece * 6500


def test_a_reply_without_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kimi_tui.core.wire.reply.MAX_TEXT_CHARS", 10_000)
    token: dict[str, Any] = {"token": {"id": 1, "text": "x" * 1000, "special": False}}
    with server(endless(sse(token)[0], HEAD + HALF, 0.0)) as url:
        result, session = ask(url, tmp_path)
    found = result.json
    assert (result.status, found["state"], found["error"]["kind"]) == (1, "interrupted", "stream")
    assert found["content"] == "half" + "x" * 9000
    assert session.messages[-1].content == found["content"]
