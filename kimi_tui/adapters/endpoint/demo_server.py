"""The simulator over HTTP on this machine, for other programs: an endpoint of a dialect, streamed and not.

What a client sends is bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

import h11

from kimi_tui.adapters.clock import SystemClock
from kimi_tui.adapters.endpoint.recorded_client import CUTS, Pace
from kimi_tui.adapters.endpoint.simulator.simulated_answer import SimulatedReply, respond
from kimi_tui.adapters.endpoint.simulator.simulated_bytes import document, encode, played
from kimi_tui.adapters.endpoint.simulator.simulated_request import Refusal
from kimi_tui.adapters.endpoint.simulator.tour import Break
from kimi_tui.core.ports import Clock
from kimi_tui.core.wire.dialect import Dialect, Twin
from kimi_tui.core.wire.recording import Exchange

HOST = "127.0.0.1"
MAX_HEAD_BYTES = 64 * 1024
"""Most bytes of a request's line and headers."""
MAX_BODY_BYTES = 64 * 1024 * 1024
READ_BYTES = 64 * 1024
LINGER_S = 1.0
"""How long what a client still sends is read after its request was refused, in seconds."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What answers in the simulator's place."""

    exchanges: Sequence[Exchange]
    """The first request gets what the first of these got, and so on; behind the last one the first comes again."""
    clock: Clock


async def serve(
    dialect: Dialect, *, port: int, rate: float, announce: Callable[[str], None], recorded: Recorded | None = None
) -> None:
    """Serve on 127.0.0.1 until cancelled; then every connection is closed.

    Port 0 = any free one. `rate` is tokens a second of streamed replies, 0 = at once; unstreamed ones always come at
    once, and `recorded` has a pace of its own. `announce` is told the address, such as http://127.0.0.1:8080, once it
    can be reached.

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
            await _Connection(reader, writer, dialect, rate, numbers, recorded).run()
        connections.discard(task)
        writer.close()

    server = await asyncio.start_server(talk, HOST, port)
    try:
        announce(f"http://{HOST}:{server.sockets[0].getsockname()[1]}")
        await server.serve_forever()
    finally:
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


def _server_side() -> h11.Connection:
    return h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD_BYTES)


@dataclass(eq=False)
class _Connection:
    """Answers the requests of one connection, one after another; h11 knows HTTP/1.1."""

    _reader: asyncio.StreamReader
    _writer: asyncio.StreamWriter
    _dialect: Dialect
    _rate: float
    _numbers: itertools.count[int]
    _recorded: Recorded | None
    _http: h11.Connection = field(default_factory=_server_side)

    async def run(self) -> None:
        with contextlib.suppress(ConnectionError, h11.LocalProtocolError):
            try:
                while await self._serve_one():
                    self._http.start_next_cycle()
            except h11.RemoteProtocolError as error:
                await self._send_error(error.error_status_hint, str(error))

    async def _serve_one(self) -> bool:
        """Answer one request; False when the connection is to be closed."""
        request = await self._next_event()
        if not isinstance(request, h11.Request):
            return False
        body = await self._read_body(request)
        if body is None:
            return False
        method, path = request.method.decode("ascii"), request.target.decode("ascii").partition("?")[0]
        refusal = _refused(method, path, self._dialect.twin)
        if refusal is not None:
            await self._send_document(refusal.status, refusal.document)
        elif method in {"GET", "HEAD"}:
            about = self._dialect.twin.about
            words = f"This is kimi-tui's offline simulator. It speaks {about}, with any bearer token or none.\n"
            await self._send(200, "text/plain; charset=utf-8", words.encode(), is_shown=method == "GET")
        elif self._recorded is not None:
            exchanges = self._recorded.exchanges
            await self._repeat(exchanges[next(self._numbers) % len(exchanges)], self._recorded.clock)
        else:
            await self._reply(respond(body, self._dialect, next(self._numbers)))
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    async def _next_event(self) -> h11.Event:
        while not isinstance(event := self._http.next_event(), h11.Event):
            if self._http.they_are_waiting_for_100_continue:
                await self._write(h11.InformationalResponse(status_code=100, headers=[], reason="Continue"))
            self._http.receive_data(await self._reader.read(READ_BYTES))
        return event

    async def _read_body(self, request: h11.Request) -> bytes | None:
        """Read to the request's end; None where the client has left before."""
        announced = next((int(value) for name, value in request.headers if name == b"content-length"), 0)
        body = bytearray()
        while announced <= MAX_BODY_BYTES and len(body) <= MAX_BODY_BYTES:
            event = await self._next_event()
            if isinstance(event, h11.EndOfMessage):
                return bytes(body)
            if not isinstance(event, h11.Data):
                return None
            body += event.data
        raise h11.RemoteProtocolError("the body is too large", error_status_hint=413)

    async def _reply(self, plan: SimulatedReply | Refusal) -> None:
        if isinstance(plan, Refusal):
            await self._send_document(plan.status, plan.document)
        elif plan.is_streamed:
            await self._stream(plan)
        else:
            await self._send_document(200, document(plan, self._dialect))

    async def _stream(self, plan: SimulatedReply) -> None:
        """Send the reply at its pace; one that is to be cut ends without the message's end."""
        headers = [("Content-Type", "text/event-stream"), ("Cache-Control", "no-cache")]
        await self._write(h11.Response(status_code=200, headers=headers, reason="OK"))
        async with contextlib.aclosing(played(plan, self._dialect, self._rate, SystemClock())) as pieces:
            async for piece in pieces:
                await self._write(h11.Data(data=piece))
        if plan.breaks is not Break.CUT:
            await self._write(h11.EndOfMessage())

    async def _repeat(self, exchange: Exchange, clock: Clock) -> None:
        """Answer as a recording says; where it broke off, or the user ended it, the connection is closed."""
        pace, answer, end = Pace(clock, clock.monotonic()), exchange.answer, exchange.end
        if answer is not None:
            await pace.until(answer.at_s)
            headers = [(name, _printable(value)) for name, value in answer.headers.items() if name != "date"]
            await self._write(h11.Response(status_code=answer.status, headers=headers))
            for data in exchange.pieces:
                await pace.until(data.at_s)
                await self._write(h11.Data(data=data.piece))
        if end is not None:
            await pace.until(end.at_s)
        is_refused = answer is not None and not answer.is_success
        if is_refused or (answer and end and end.failure is None and end.cause not in CUTS):
            await self._write(h11.EndOfMessage())

    async def _send_error(self, status: int, message: str) -> None:
        if self._http.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            await self._send_document(status, self._dialect.twin.write_error(message), ("Connection", "close"))
            # Closing with bytes unread would reset the connection, and the answer with it (RFC 9112, 9.6).
            self._writer.write_eof()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LINGER_S):
                    while await self._reader.read(READ_BYTES):
                        pass

    async def _send_document(self, status: int, content: Mapping[str, object], *headers: tuple[str, str]) -> None:
        await self._send(status, "application/json", encode(content), *headers)

    async def _send(self, status: int, kind: str, data: bytes, *more: tuple[str, str], is_shown: bool = True) -> None:
        headers = [("Content-Type", kind), ("Content-Length", str(len(data))), *more]
        await self._write(h11.Response(status_code=status, headers=headers, reason=HTTPStatus(status).phrase))
        if is_shown:
            await self._write(h11.Data(data=data))
        await self._write(h11.EndOfMessage())

    async def _write(self, event: h11.Event) -> None:
        self._writer.write(self._http.send(event) or b"")
        await self._writer.drain()


def _printable(value: str) -> str:
    """What a header can carry of a text."""
    return "".join(char if " " <= char <= "~" else "?" for char in value)


def _refused(method: str, path: str, twin: Twin) -> Refusal | None:
    """What is wrong with a request, whatever its body; None = nothing."""
    if path == "/":
        return None if method in {"GET", "HEAD"} else Refusal(405, twin.write_error("only GET here"))
    if not twin.path.fullmatch(path):
        return Refusal(404, twin.write_error(f"there is only {twin.shown_path}"))
    if method != "POST":
        return Refusal(405, twin.write_error("only POST here"))
    return None
