"""The HTTP client against a real socket on loopback: every way an endpoint can answer, fail or fall silent."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import struct
import threading
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import pytest

from kimi_tui import __version__
from kimi_tui.adapters.endpoint.connection_failures import translate
from kimi_tui.adapters.endpoint.http_client import GATHERED_BYTES, SENT_BYTES, EndpointClient, check_base_url
from kimi_tui.core import errors
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from kimi_tui.core.wire.recording import Answered, Data, Record, RecordingHead, RequestSent, encode_records
from kimi_tui.core.wire.tape import Tape

KEY = "sk-secret-0123456789"
MODEL = "moonshotai/Kimi-K2.5"
Handler = Callable[[bytes, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(handler: Handler, **options: Any) -> AsyncIterator[EndpointClient]:
    """A server that reads one request a connection and lets the handler answer, and a client of it."""
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0] or 0)
            await handler(head + await reader.readexactly(size), reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = EndpointClient(DEEPINFRA, f"http://127.0.0.1:{port}/v1/inference", KEY, **options)
    try:
        yield client
    finally:
        await client.aclose()
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def answer(status: int = 200, body: bytes = b"", *headers: str, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status} X", f"content-length: {size}", "connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def saying(raw: bytes) -> Handler:
    async def handler(_request: bytes, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()

    return handler


async def read(client: EndpointClient, body: bytes = b"{}", model: str = MODEL) -> bytes:
    async with client.send(body, model) as response:
        return b"".join([chunk async for chunk in response.chunks()])


async def failure(client: EndpointClient, body: bytes = b"{}") -> errors.CompletionError:
    with pytest.raises(errors.CompletionError) as caught:
        await read(client, body)
    trace = "".join(traceback.format_exception(caught.value))
    assert KEY not in trace + caught.value.summary + caught.value.hint
    assert caught.value.__context__ is None
    return caught.value


async def test_requests_that_begin_together_share_one_pool() -> None:
    both, left = asyncio.Barrier(2), asyncio.Semaphore(0)

    async def handler(_request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await both.wait()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nyes")
        assert await reader.read() == b""  # the connection is kept until the client is closed
        left.release()

    async with serving(handler) as client, asyncio.timeout(10):
        assert set(await asyncio.gather(read(client), read(client))) == {b"yes"}
        await client.aclose()
        for _ in range(2):
            await left.acquire()


async def test_the_request_is_the_documented_one() -> None:
    seen: list[bytes] = []

    async def handler(request: bytes, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(request)
        writer.write(
            answer(200, b"data: x\n\n", "content-type: text/event-stream; charset=latin-1", "x-request-id: r1")
        )

    body = '{"input":"羊"}'.encode()
    async with (
        serving(handler, headers={"X-Team": "a"}) as client,
        client.send(body, MODEL) as response,
    ):
        assert (response.is_event_stream, response.request_id) == (True, "r1")
        assert [chunk async for chunk in response.chunks()] == [b"data: x\n\n"]
    head, _, sent = seen[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /v1/inference/moonshotai/Kimi-K2.5 HTTP/1.1"
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    assert headers["authorization"] == f"bearer {KEY}"
    assert (headers["content-type"], headers["user-agent"], headers["x-team"]) == (
        "application/json",
        f"kimi-tui/{__version__}",
        "a",
    )
    assert sent == body


async def test_tokens_that_came_together_are_handed_on_together() -> None:
    events = [b'data: {"token":{"text":"%d"}}\n\n' % number for number in range(2_000)]
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(event), event) for event in events)
    head = b"HTTP/1.1 200 X\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    async with serving(saying(head + chunked + b"0\r\n\r\n")) as client, client.send(b"{}", MODEL) as response:
        pieces = [piece async for piece in response.chunks()]
    assert b"".join(pieces) == b"".join(events)
    assert len(pieces) < 40
    assert max(map(len, pieces)) < 2 * GATHERED_BYTES


async def test_an_unstreamed_reply_says_so() -> None:
    async with (
        serving(saying(answer(200, b"{}", "content-type: application/json"))) as client,
        client.send(b"{}", MODEL) as response,
    ):
        assert (response.is_event_stream, response.request_id) == (False, None)


async def test_compressed_bodies_are_decoded() -> None:
    raw = answer(200, gzip.compress(b"data: x\n\n"), "content-encoding: gzip")
    async with serving(saying(raw)) as client:
        assert await read(client) == b"data: x\n\n"


@pytest.mark.parametrize("coding", ["gzip", "gzip, gzip"])
async def test_bad_compression_breaks_the_stream(coding: str) -> None:
    async with serving(saying(answer(200, b"no gzip at all", f"content-encoding: {coding}"))) as client:
        assert type(await failure(client)) is errors.BrokenStreamError


BODIES = [
    (b'{"detail":{"error":"some words"}}', "some words"),
    (b'{"detail":"some words"}', "some words"),
    (b'{"detail":[{"loc":["body","top_p"],"msg":"some words","type":"value_error"}]}', "top_p: some words"),
    (b'{"error":{"message":"some words","code":7}}', "some words"),
    (b'{"error":"some words"}', "some words"),
    (b"<html><head><title>some words</title></head></html>", "some words"),
    (b"<html>", "HTTP"),
    (b"some words", "some words"),
    (b"", "HTTP"),
    (b"[" * 50_000, "HTTP"),
    (b'{"error":' * 400 + b'"x"' + b"}" * 400, "HTTP"),
    (b'{"error":"\\ud83d"}', "\ufffd"),
    (b"\xff\xfe\x00", "HTTP"),
]
STATUSES = [
    (401, errors.AuthenticationError, False),
    (402, errors.PaymentRequiredError, False),
    (403, errors.PermissionDeniedError, False),
    (404, errors.ModelNotFoundError, False),
    (408, errors.TimedOutError, True),
    (422, errors.RejectedRequestError, False),
    (429, errors.RateLimitedError, True),
    (500, errors.ServerFaultError, True),
    (503, errors.ServerFaultError, True),
]


@pytest.mark.parametrize(("status", "kind", "retryable"), STATUSES)
async def test_every_status_with_every_body(status: int, kind: type[errors.CompletionError], retryable: bool) -> None:
    at = 0

    async def handler(_request: bytes, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(status, BODIES[at][0], "x-request-id: r9"))

    async with serving(handler) as client:
        for at, (_, words) in enumerate(BODIES):  # noqa: B007 - the handler reads it
            error = await failure(client)
            assert type(error) is kind
            assert (error.status, error.retryable, error.request_id) == (status, retryable, "r9")
            assert words in error.summary
            assert error.hint
            error.summary.encode()


@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7.0), ("nan", None), ("-3", None), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)]
)
async def test_retry_after(value: str, seconds: float | None) -> None:
    async with serving(saying(answer(429, b"{}", f"retry-after: {value}"))) as client:
        assert (await failure(client)).retry_after_s == seconds


async def test_a_server_that_repeats_the_key_does_not_get_it_shown() -> None:
    async with serving(saying(answer(401, json.dumps({"error": f"bad key {KEY}"}).encode()))) as client:
        assert "bad key [key]" in (await failure(client)).summary


def on_tape() -> Tape:
    return Tape(RecordingHead("deepinfra", "deepinfra", thinking=True), lambda: 0.0)


async def taped(client: EndpointClient, body: bytes = b"{}") -> list[Record]:
    tape = on_tape()
    with suppress(errors.CompletionError):
        async with client.send(body, MODEL, tape) as response:
            async for _ in response.chunks():
                pass
    return tape.records[1:]


SECRETS = [KEY, json.dumps(KEY)[1:-1], "team-secret-7d1", "proxy%2Fpass", "proxy/pass"]


@pytest.mark.parametrize("status", [200, 401, 302])
async def test_no_secret_reaches_a_tape_however_it_is_repeated(status: int) -> None:
    """By the body that is sent, by headers, in one piece or in several that come at different times."""
    pieces = [b"data: " + word.encode()[:place] for word in SECRETS for place in (5,)]
    rests = [word.encode()[5:] + b"\n\n" for word in SECRETS]

    async def handler(_request: bytes, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = [f"HTTP/1.1 {status} X", "connection: close", "content-type: text/event-stream", f"x-request-id: r{KEY}"]
        head += [f"location: https://me:{KEY}@host/{KEY}", f"set-cookie: who={KEY}", "x-account: me@example.org"]
        writer.write("\r\n".join([*head, "", ""]).encode())
        for piece, rest in zip(pieces, rests, strict=True):
            for half in (piece, rest):
                writer.write(half)
                await writer.drain()
                await asyncio.sleep(0.005)

    async with serving(handler, headers={"X-Team": "team-secret-7d1"}) as client:
        client._secrets.append("proxy/pass")  # as opening notes a proxy's password
        records = await taped(client, json.dumps({"input": f"my keys: {SECRETS}"}).encode())
    data = encode_records(records)
    assert not [word for word in (*SECRETS, "who=", "me@example.org", "127.0.0.1") if word.encode() in data]
    assert data.count(b"[key]") >= 2 * len(SECRETS)
    if status == 200:
        said = b"".join(record.piece for record in records if isinstance(record, Data))
        assert said == b"data: [key]\n\n" * len(SECRETS)


async def test_a_tape_hears_every_byte_that_is_handed_on() -> None:
    body = b"data: \xff \xe2\x80 x\r\n\r\n: ping\n"
    async with serving(saying(answer(200, body, "content-type: text/event-stream"))) as client:
        sent, answered, *pieces = await taped(client, b'{"input":"x"}')
    assert sent == RequestSent(0.0, MODEL, b'{"input":"x"}')
    assert answered == Answered(0.0, 200, {"content-type": "text/event-stream"})
    assert b"".join(piece.piece for piece in pieces if isinstance(piece, Data)) == body


async def test_a_tape_hears_what_a_reader_that_leaves_has_taken_and_no_more() -> None:
    tape, halves = on_tape(), (b"data: 1\n\n", b"data: 2\n\n")

    async def handler(_request: bytes, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 X\r\nconnection: close\r\n\r\n" + halves[0])
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(halves[1])

    async with serving(handler) as client, client.send(b"{}", MODEL, tape) as response:
        async for piece in response.chunks():
            assert piece == halves[0]
            await asyncio.sleep(0.1)
            break
    assert [record.piece for record in tape.records if isinstance(record, Data)] == [halves[0]]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_told_and_not_followed(status: int) -> None:
    asked: list[bytes] = []

    async def other(request: bytes, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(request)
        writer.write(answer(200, b"data: x\n\n"))

    async with serving(other) as elsewhere:
        target = DEEPINFRA.address(elsewhere._base_url, MODEL)
        async with serving(saying(answer(status, b"Moved", f"location: {target}"))) as client:
            error = await failure(client)
    assert asked == []
    assert error.summary.startswith(f"The endpoint redirects (HTTP {status}: to http://127.0.0.1:")
    assert error.quote == f"“to {target}”"
    assert "not followed" in error.hint
    assert not error.retryable


async def test_where_a_redirect_leads_is_text_without_password_or_key() -> None:
    location = f"https://me:hush@h/{KEY}?x=\u202ey"
    async with serving(saying(answer(302, b"", f"location: {location}"))) as client:
        error = await failure(client)
    words = error.summary + error.quote
    assert "to https://…@h/[key]?x=" in words
    assert "hush" not in words
    assert "\u202e" not in words


async def test_a_date_to_come_back_at_is_read_by_the_endpoint_s_clock() -> None:
    headers = ("date: Wed, 21 Oct 2099 07:28:00 GMT", "retry-after: Wed, 21 Oct 2099 07:28:09 GMT")
    async with serving(saying(answer(429, b"{}", *headers))) as client:
        assert (await failure(client)).retry_after_s == 9.0


@pytest.mark.parametrize("date", ["date: yesterday", "date: ", "x-date: none"])
async def test_without_the_endpoint_s_clock_ours_has_to_do(date: str) -> None:
    async with serving(saying(answer(429, b"{}", date, "retry-after: Wed, 21 Oct 2015 07:28:00 GMT"))) as client:
        assert (await failure(client)).retry_after_s == 0.0


async def test_an_ipv6_address_is_an_address() -> None:
    seen: list[bytes] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer(200, b"data: x\n\n"))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(connected, "::1", 0)
    port = server.sockets[0].getsockname()[1]
    client = EndpointClient(DEEPINFRA, f"http://[::1]:{port}/v1", KEY)
    assert await read(client) == b"data: x\n\n"
    await client.aclose()
    server.close()
    assert f"host: [::1]:{port}\r\n".encode() in seen[0].lower()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (socket.EAI_AGAIN, "The endpoint's name cannot be looked up just now."),
        (socket.EAI_NONAME, "The endpoint's name is not known: api.nowhere.example."),
        (socket.EAI_FAIL, "The endpoint's name is not known: api.nowhere.example."),
    ],
)
async def test_a_name_that_is_not_found(monkeypatch: pytest.MonkeyPatch, number: int, words: str) -> None:
    def lookup(*_: object, **__: object) -> None:
        raise socket.gaierror(number, "no words of the system's")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    client = EndpointClient(DEEPINFRA, "https://api.nowhere.example/v1", KEY)
    error = await failure(client)
    await client.aclose()
    assert (error.summary, error.retryable) == (words, True)


async def test_a_name_in_letters_of_another_alphabet_is_shown_as_it_is_looked_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lookup(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    client = EndpointClient(DEEPINFRA, "https://xn--80ak6aa92e.example/v1", KEY)
    error = await failure(client)
    await client.aclose()
    assert error.summary == "The endpoint's name is not known: xn--80ak6aa92e.example."


async def test_a_name_that_nobody_looks_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    is_over = threading.Event()

    def lookup(*_: object, **__: object) -> None:
        is_over.wait(20)
        raise socket.gaierror(socket.EAI_AGAIN, "at last")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    client = EndpointClient(DEEPINFRA, "https://api.nowhere.example/v1", KEY, connect_timeout_s=0.1)
    try:
        error = await failure(client)
    finally:
        is_over.set()
    await client.aclose()
    assert (type(error), error.retryable) == (errors.TimedOutError, True)


async def test_a_refused_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    client = EndpointClient(DEEPINFRA, f"http://127.0.0.1:{port}", KEY)
    error = await failure(client)
    await client.aclose()
    assert (type(error), error.retryable) == (errors.ConnectionFailedError, True)
    assert error.summary == "The endpoint cannot be reached: Connection refused."


def resetting(before: bytes) -> Handler:
    async def handler(_request: bytes, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(before)
        await writer.drain()
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return handler


@pytest.mark.parametrize("before", [b"", answer(200, b"data: x\n\n", length=999)], ids=["at once", "amid the body"])
async def test_a_reset_connection(before: bytes) -> None:
    async with serving(resetting(before)) as client:
        error = await failure(client)
    assert (type(error), error.retryable) == (errors.ConnectionFailedError, False)
    assert before or "without an answer" in error.summary


@pytest.mark.parametrize(
    "raw",
    [
        answer(200, b"data: x\n\n", length=999),
        b"HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n9\r\ndata: x\n\n\r\n",
        b"HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"nothing like HTTP\r\n\r\n",
        b"",
    ],
    ids=["short of its length", "without last chunk", "bad chunk", "garbage", "nothing"],
)
async def test_a_truncated_answer(raw: bytes) -> None:
    async with serving(saying(raw)) as client:
        assert type(await failure(client)) is errors.ConnectionFailedError


async def test_a_body_that_ends_with_the_connection_is_whole() -> None:
    async with serving(saying(b"HTTP/1.1 200 X\r\nconnection: close\r\n\r\ndata: x\n\n")) as client:
        assert await read(client) == b"data: x\n\n"


async def test_one_pool_of_connections_serves_every_model() -> None:
    paths: list[list[bytes]] = []

    async def handler(request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        paths.append([])
        while True:
            paths[-1].append(request.split(b" ")[1])
            writer.write(b"HTTP/1.1 200 X\r\ncontent-length: 1\r\n\r\nx")
            request = await reader.readuntil(b"\r\n\r\n") + await reader.readexactly(2)

    async with serving(handler) as client:
        assert [await read(client, model=model) for model in ("a/one", "b/two")] == [b"x", b"x"]
    assert paths == [[b"/v1/inference/a/one", b"/v1/inference/b/two"]]


async def test_an_error_whose_body_stalls_is_told_by_its_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kimi_tui.adapters.endpoint.http_client.ERROR_BODY_TIMEOUT_S", 0.05)

    async def handler(_request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(402, b"some words", length=999))
        await reader.read()

    async with serving(handler) as client:
        error = await failure(client)
    assert (type(error), "some words" in error.summary) == (errors.PaymentRequiredError, True)


async def test_leaving_early_closes_the_connection() -> None:
    gone = asyncio.Event()

    async def handler(_request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(200, b"data: x\n\n", length=999))
        await reader.read()
        gone.set()

    async with serving(handler) as client:
        async with client.send(b"{}", MODEL) as response:
            pieces = response.chunks()
            assert await anext(pieces) == b"data: x\n\n"
        async with asyncio.timeout(5):
            await gone.wait()


async def test_a_fault_in_the_callers_block_stays_its_own() -> None:
    async with serving(saying(answer(200, b"x"))) as client:
        with pytest.raises(ValueError, match="mine"):
            async with client.send(b"{}", MODEL):
                raise ValueError("mine")


@pytest.mark.parametrize("key", [f"{KEY}\nX-Evil: 1", f"{KEY}\0", f"{KEY}\r\n", f"{KEY} 羊"])
async def test_a_key_that_no_header_can_carry_is_not_shown(key: str) -> None:
    client = EndpointClient(DEEPINFRA, "http://127.0.0.1:1", key)
    error = await failure(client)
    await client.aclose()
    assert (type(error), error.retryable) == (errors.ConnectionFailedError, False)


@pytest.mark.parametrize("proxy", ["nonsense", f"ftp://user:{KEY}@127.0.0.1", f"socks9://{KEY}", "http://127.0.0.1:1"])
async def test_a_proxy_that_cannot_be_used(proxy: str) -> None:
    client = EndpointClient(DEEPINFRA, "http://127.0.0.1:1", KEY, proxy=proxy)
    assert type(await failure(client)) is errors.ConnectionFailedError
    await client.aclose()


async def test_what_stays_on_this_machine_goes_through_no_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NO_PROXY")
    for name in ("HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with serving(saying(answer(200, b"x"))) as client:
        assert await read(client) == b"x"


async def test_a_header_of_the_settings_stands_in_place_of_ours() -> None:
    seen: list[bytes] = []

    async def handler(request: bytes, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(request.lower())
        writer.write(answer(200, b"x"))

    async with serving(handler, headers={"authorization": "Token abc", "ACCEPT": "*/*"}) as client:
        await read(client)
    lines = [line for line in seen[0].split(b"\r\n") if line.startswith((b"authorization", b"accept:"))]
    assert sorted(lines) == [b"accept: */*", b"authorization: token abc"]


async def test_secrets_are_taken_out_of_the_endpoints_words() -> None:
    client = EndpointClient(DEEPINFRA, "https://h", KEY, headers={"X-Team": "blue", "X-Api-Key": "hush-hush-hush"})
    assert client.without_secrets(f"a {KEY} blue hush-hush-hush") == "a [key] blue [key]"
    longer = EndpointClient(DEEPINFRA, "https://h", "sk-abcdefgh", headers={"X-Api-Key": "sk-abcdefgh-123456"})
    assert longer.without_secrets("no sk-abcdefgh-123456") == "no [key]"
    assert EndpointClient(DEEPINFRA, "https://h", None).without_secrets("a b") == "a b"
    assert EndpointClient(DEEPINFRA, "https://h", "no").without_secrets("unknown") == "unknown"  # a word, and no secret


def test_what_is_not_connected_for_no_known_reason_is_tried_again() -> None:
    error = translate(httpx.ConnectError("[Errno -2] Name or service not known"))
    assert (type(error), error.retryable) == (errors.ConnectionFailedError, True)


async def test_a_large_piece_is_handed_on_in_small_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kimi_tui.adapters.endpoint.http_client.MAX_PIECE_BYTES", 1000)
    body = gzip.compress(b"x" * 3500)
    async with (
        serving(saying(answer(200, body, "content-encoding: gzip"))) as client,
        client.send(b"{}", MODEL) as response,
    ):
        assert [len(chunk) async for chunk in response.chunks()] == [1000, 1000, 1000, 500]


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://api.deepinfra.com/v1/inference", "https://api.deepinfra.com/v1/inference/moonshotai/Kimi-K2.5"),
        ("https://api.deepinfra.com/v1/inference/", "https://api.deepinfra.com/v1/inference/moonshotai/Kimi-K2.5"),
        ("http://localhost:8000", "http://localhost:8000/moonshotai/Kimi-K2.5"),
        ("http://127.9.9.9/a", "http://127.9.9.9/a/moonshotai/Kimi-K2.5"),
        ("http://[::1]:8000", "http://[::1]:8000/moonshotai/Kimi-K2.5"),
    ],
)
def test_the_address_of_a_model(base: str, url: str) -> None:
    check_base_url(base, "KEY")
    assert DEEPINFRA.address(base, MODEL) == url


def test_a_models_name_cannot_change_the_address() -> None:
    assert DEEPINFRA.address("https://h/v1", "a?b#c d") == "https://h/v1/a%3Fb%23c%20d"


@pytest.mark.parametrize(
    "base",
    [
        "http://example.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://192.168.0.1",
        "ftp://127.0.0.1",
        "api.deepinfra.com",
        "https://",
        "https://h:port",
        "https://[::1",
        "https://h/?a=b",
        "https://h/#a",
        "",
    ],
)
def test_addresses_that_are_refused(base: str) -> None:
    with pytest.raises(errors.UsageError):
        check_base_url(base, "KEY")


def test_a_password_in_the_address_is_not_repeated() -> None:
    with pytest.raises(errors.UsageError) as caught:
        check_base_url(f"https://user:{KEY}@host/v1", "TINY_KEY")
    assert KEY not in str(caught.value)
    assert caught.value.hint == "The key goes into TINY_KEY."


async def test_a_large_body_is_sent_in_pieces_and_arrives_whole() -> None:
    body, arrived = b"01234567" * SENT_BYTES, list[bytes]()

    async def handler(request: bytes, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.append(request)
        await saying(answer(200, b"{}"))(request, _reader, writer)

    async with serving(handler) as client:
        assert await read(client, body) == b"{}"
    head, _, rest = arrived[0].partition(b"\r\n\r\n")
    assert rest == body
    assert b"transfer-encoding" not in head.lower()


class PieceSizes(httpx.AsyncBaseTransport):
    """Notes the sizes of the pieces in which a request comes."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        self.sizes += [len(piece) async for piece in request.stream]
        return httpx.Response(200)


async def test_no_piece_of_a_body_is_large() -> None:
    network = PieceSizes()
    client = EndpointClient(DEEPINFRA, "http://127.0.0.1:1/v1", KEY, transport=network)
    await read(client, b"x" * (3 * SENT_BYTES + 1))
    await client.aclose()
    assert network.sizes == [SENT_BYTES] * 3 + [1]
