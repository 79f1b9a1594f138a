"""The simulator over HTTP on this machine, for other programs: the native endpoint, streamed and not.

HTTP/1.1 as far as clients of that endpoint need it: bodies with a length or in chunks, `Expect: 100-continue`,
connections that stay open. What a client sends is bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from kimi_tui.adapters.simulator.answer import Plan, respond
from kimi_tui.adapters.simulator.frames import document, encode, event_stream
from kimi_tui.adapters.simulator.pace import paced
from kimi_tui.adapters.simulator.request import Refusal
from kimi_tui.adapters.simulator.tour import Break

HOST = "127.0.0.1"
MAX_HEAD_BYTES = 64 * 1024
"""Most bytes of a request's line and headers, and of the line before a chunk."""
MAX_BODY_BYTES = 64 * 1024 * 1024
"""Most bytes of a request's body."""
ABOUT = (
    "This is kimi-tui's offline simulator. It speaks the native text generation endpoint:\n"
    "POST /v1/inference/moonshotai/Kimi-K2.5, or without /v1/inference, with any bearer token or none.\n"
)
MODEL_PATH = re.compile(r".*/inference/.+|/(?!v\d+/|chat/)[^/]+/[^/]+")
"""Where a reply is asked for: at the endpoint's path, or right below the address that is announced."""


async def serve(*, port: int, rate: float, announce: Callable[[str], None]) -> None:
    """Serve on 127.0.0.1 until cancelled; then every connection is closed.

    Args:
        port: Port to listen on; 0 = any free one.
        rate: Tokens a second of streamed replies; 0 = at once. Unstreamed replies always come at once.
        announce: Is told the address, such as http://127.0.0.1:8080, once it can be reached.

    Raises:
        OSError: The port is taken.
    """
    numbers = itertools.count()
    connections = set[asyncio.Task[None]]()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        connections.add(task)
        # A cancelled handler would be reported as an error of the event loop: it ends here in silence.
        with contextlib.suppress(asyncio.CancelledError):
            await _Connection(reader, writer, rate, numbers).run()
        connections.discard(task)
        writer.close()

    server = await asyncio.start_server(talk, HOST, port, limit=MAX_HEAD_BYTES)
    try:
        announce(f"http://{HOST}:{server.sockets[0].getsockname()[1]}")
        await server.serve_forever()
    finally:
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class _Head:
    """The beginning of a request."""

    method: str
    path: str
    is_old: bool
    """Whether it is HTTP/1.0, which knows neither chunks nor connections that stay open."""
    headers: Mapping[str, str]

    def holds(self, name: str, token: str) -> bool:
        """Whether a header lists a token."""
        return token in {part.strip().lower() for part in self.headers.get(name, "").split(",")}


class _BadRequestError(Exception):
    """What came is no request that can be answered."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class _Connection:
    """Answers the requests of one connection, one after another."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rate: float, numbers: itertools.count[int]
    ) -> None:
        self._reader, self._writer, self._rate, self._numbers = reader, writer, rate, numbers

    async def run(self) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            try:
                while await self._serve_one():
                    pass
            except _BadRequestError as error:
                await self._send(error.status, {"detail": {"error": error.message}}, stays=False)

    async def _serve_one(self) -> bool:
        """Answer one request; False when the connection is to be closed."""
        head = await self._read_head()
        body = await self._read_body(head)
        stays = not head.is_old and not head.holds("connection", "close")
        refusal = _refused(head)
        if refusal is not None:
            await self._send(refusal.status, refusal.document, stays=stays)
            return stays
        if head.method in {"GET", "HEAD"}:
            text = ABOUT.encode()
            await self._send_bytes(200, "text/plain; charset=utf-8", text, stays=stays, is_shown=head.method == "GET")
            return stays
        plan = respond(body, next(self._numbers))
        if isinstance(plan, Refusal):
            await self._send(plan.status, plan.document, stays=stays)
        elif not plan.is_streamed:
            await self._send(200, document(plan), stays=stays)
        else:
            return await self._stream(plan, stays=stays, is_chunked=not head.is_old)
        return stays

    async def _read_head(self) -> _Head:
        try:
            text = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lstrip("\r\n")
        except asyncio.LimitOverrunError:
            raise _BadRequestError(431, "the headers are too large") from None
        first, *lines = text.split("\r\n")
        parts = first.split(" ")
        if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
            raise _BadRequestError(400, "this is no HTTP/1.1")
        pairs = (line.partition(":") for line in lines if line)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        return _Head(parts[0], parts[1].partition("?")[0], parts[2] == "HTTP/1.0", headers)

    async def _read_body(self, head: _Head) -> bytes:
        if head.holds("expect", "100-continue"):
            self._writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if head.holds("transfer-encoding", "chunked"):
            return b"".join([piece async for piece in self._read_chunks()])
        size = _size(head.headers.get("content-length", "0"), 10)
        return await self._reader.readexactly(size)

    async def _read_chunks(self) -> AsyncIterator[bytes]:
        total_bytes = 0
        while size := _size((await self._read_line()).partition(";")[0], 16):
            total_bytes += size
            if total_bytes > MAX_BODY_BYTES:
                raise _BadRequestError(413, "the body is too large")
            yield await self._reader.readexactly(size)
            await self._read_line()
        while await self._read_line():
            pass

    async def _read_line(self) -> str:
        try:
            return (await self._reader.readuntil(b"\r\n")).decode("latin-1").strip()
        except asyncio.LimitOverrunError:
            raise _BadRequestError(400, "a line is too long") from None

    async def _stream(self, plan: Plan, *, stays: bool, is_chunked: bool) -> bool:
        headers = ["Content-Type: text/event-stream", "Cache-Control: no-cache"]
        headers.append("Transfer-Encoding: chunked" if is_chunked else "Connection: close")
        self._write_head(200, headers)
        pieces = paced(event_stream(plan), self._rate / plan.slowness, asyncio.sleep, time.monotonic)
        async with contextlib.aclosing(pieces):
            async for piece in pieces:
                self._writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece)
                await self._writer.drain()
        if plan.breaks is Break.CUT:
            return False
        self._writer.write(b"0\r\n\r\n" if is_chunked else b"")
        await self._writer.drain()
        return stays

    async def _send(self, status: int, content: Mapping[str, object], *, stays: bool) -> None:
        await self._send_bytes(status, "application/json", encode(content), stays=stays)

    async def _send_bytes(self, status: int, kind: str, data: bytes, *, stays: bool, is_shown: bool = True) -> None:
        headers = [f"Content-Type: {kind}", f"Content-Length: {len(data)}"]
        self._write_head(status, headers if stays else [*headers, "Connection: close"])
        self._writer.write(data if is_shown else b"")
        await self._writer.drain()

    def _write_head(self, status: int, headers: list[str]) -> None:
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *headers]
        self._writer.write("".join(f"{line}\r\n" for line in [*lines, ""]).encode())


def _refused(head: _Head) -> Refusal | None:
    """What is wrong with a request before its body is looked at; None = nothing."""
    if head.path == "/":
        return None if head.method in {"GET", "HEAD"} else Refusal(405, {"detail": {"error": "only GET here"}})
    if not MODEL_PATH.fullmatch(head.path):
        return Refusal(404, {"detail": {"error": "there is only /v1/inference/MODEL"}})
    if head.method != "POST":
        return Refusal(405, {"detail": {"error": "only POST here"}})
    return None


def _size(text: str, base: int) -> int:
    """Read the length of a body or of a chunk."""
    text = text.strip()
    try:
        size = int(text, base) if text.isascii() and text.isalnum() else -1
    except ValueError:
        size = -1
    if size < 0:
        raise _BadRequestError(400, "the length of the body is no number")
    if size > MAX_BODY_BYTES:
        raise _BadRequestError(413, "the body is too large")
    return size
