"""The simulator over HTTP on this machine, for other programs: the native endpoint, streamed and not."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable

from kimi_tui.adapters.simulator.answer import Refusal, respond
from kimi_tui.adapters.simulator.frames import document, event_stream
from kimi_tui.adapters.simulator.pace import paced

HOST = "127.0.0.1"
MAX_HEADER_BYTES = 64 * 1024
MAX_BODY_BYTES = 64 * 1024 * 1024
REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 404: "Not Found",
           405: "Method Not Allowed", 413: "Content Too Large", 422: "Unprocessable Content", 429: "Too Many Requests",
           500: "Internal Server Error"}  # fmt: skip


async def serve(*, port: int, rate: float, announce: Callable[[str], None]) -> None:
    """Serve until cancelled.

    Args:
        port: Port on 127.0.0.1; 0 = any free one.
        rate: Tokens a second of streamed replies; 0 = at once. Unstreamed replies always come at once.
        announce: Is told the address once it can be reached.

    Raises:
        OSError: The port is taken.
    """

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            while await _serve_one(reader, writer, rate):
                pass
        writer.close()

    server = await asyncio.start_server(talk, HOST, port, limit=MAX_HEADER_BYTES)
    announce(f"http://{HOST}:{server.sockets[0].getsockname()[1]}")
    async with server:
        await server.serve_forever()


async def _serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rate: float) -> bool:
    """Answer one request; False when the connection is to be closed."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = await _body(reader, headers)
    if body is None:
        await _plain(writer, 413, {"detail": "the body is too large"})
        return False
    await _answer(writer, method, path, headers, body, rate)
    return headers.get("connection", "").lower() != "close"


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes | None:
    """The request's body; None = it is too large."""
    if "chunked" not in headers.get("transfer-encoding", "").lower():
        size = int(headers.get("content-length", "0"))
        return await reader.readexactly(size) if 0 <= size <= MAX_BODY_BYTES else None
    body = b""
    while size := int((await reader.readline()).partition(b";")[0], 16):
        if len(body) + size > MAX_BODY_BYTES:
            return None
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


async def _answer(  # noqa: PLR0917 - one request in its parts
    writer: asyncio.StreamWriter, method: str, path: str, headers: dict[str, str], body: bytes, rate: float
) -> None:
    if method == "GET" and path == "/":
        await _plain(writer, 200, {"about": "kimi-tui's offline simulator: POST /v1/inference/MODEL"})
    elif "/inference/" not in path:
        await _plain(writer, 404, {"detail": "there is only /v1/inference/MODEL"})
    elif method != "POST":
        await _plain(writer, 405, {"detail": "POST is needed"})
    elif not headers.get("authorization", "").lower().startswith("bearer "):
        await _plain(writer, 401, {"detail": {"error": "a bearer token is needed; any will do"}})
    else:
        await _reply(writer, body, rate)


async def _reply(writer: asyncio.StreamWriter, body: bytes, rate: float) -> None:
    plan = respond(body)
    if isinstance(plan, Refusal):
        await _plain(writer, plan.status, dict(plan.document))
        return
    if not plan.is_streamed:
        await _plain(writer, 200, json.loads(document(plan)))
        return
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    async for piece in paced(event_stream(plan), rate, asyncio.sleep):
        writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        await writer.drain()
    if plan.breaks == "cut":
        raise ConnectionError("the reply is to be cut here")
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def _plain(writer: asyncio.StreamWriter, status: int, content: dict[str, object]) -> None:
    data = json.dumps(content, ensure_ascii=False).encode("utf-8")
    head = (
        f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    writer.write(head.encode() + data)
    await writer.drain()
