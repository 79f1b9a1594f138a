"""A tiny HTTP endpoint on loopback that plays a script, in a thread of its own, and keeps what it received."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

MODEL = "moonshotai/Kimi-K2.5"


@dataclass
class Received:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        value = json.loads(self.body)
        assert isinstance(value, dict)
        return value


@dataclass
class Play:
    """What the endpoint answers to one request."""

    chunks: Sequence[bytes]
    """Pieces of the body, each sent by itself."""
    status: int = 200
    content_type: str = "text/event-stream"
    headers: dict[str, str] = field(default_factory=dict)
    framing: str = "chunked"
    """"chunked", "length" or "close"."""
    is_cut: bool = False
    """Whether the connection is closed before the body's end."""
    holds: bool = False
    """Whether it stays silent after the body until the client goes away."""


class Endpoint:
    """The endpoint; one play a request, the last one again and again."""

    def __init__(self, plays: Sequence[Play]) -> None:
        self._plays = list(plays)
        self.received: list[Received] = []
        self.url = ""
        self.is_holding = threading.Event()
        """Set when a request has been answered as far as it will be."""
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Endpoint:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *exc: object) -> None:
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        tasks: set[asyncio.Task[None]] = set()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                while await self._answer(reader, writer):
                    pass
            except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass
            finally:
                writer.transport.abort()
                tasks.discard(task)

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/inference"
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        play = self._plays[min(len(self.received), len(self._plays) - 1)]
        self.received.append(Received(first.split(" ")[1], headers, body))
        await self._send(play, writer)
        self.is_holding.set()
        if play.holds:
            await reader.read()
        return play.framing != "close" and not play.is_cut and not play.holds

    async def _send(self, play: Play, writer: asyncio.StreamWriter) -> None:
        total = sum(map(len, play.chunks))
        framing = {
            "chunked": "transfer-encoding: chunked\r\n",
            "length": f"content-length: {total}\r\n",
            "close": "connection: close\r\n",
        }[play.framing]
        extra = "".join(f"{name}: {value}\r\n" for name, value in play.headers.items())
        head = f"HTTP/1.1 {play.status} X\r\ncontent-type: {play.content_type}\r\n{framing}{extra}\r\n"
        writer.write(head.encode())
        for chunk in play.chunks:
            writer.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n" if play.framing == "chunked" else chunk)
            await writer.drain()
            await asyncio.sleep(0)
        if play.framing == "chunked" and not play.is_cut and not play.holds:
            writer.write(b"0\r\n\r\n")
        await writer.drain()


@contextmanager
def endpoint(*plays: Play) -> Iterator[Endpoint]:
    """Run an endpoint that plays these."""
    with Endpoint(plays) as running:
        yield running


def sse(*documents: object, end: str = "\n\n") -> list[bytes]:
    """An event a document; a string stands as it is."""
    texts = (d if isinstance(d, str) else json.dumps(d, ensure_ascii=False) for d in documents)
    return [f"data: {text}{end}".encode() for text in texts]


def tokens(*texts: str, finish_reason: str = "stop", end: str = "\n\n", done: bool = True) -> list[bytes]:
    """A streamed reply of these tokens, as the endpoint sends it."""
    frames: list[object] = [
        {
            "token": {"id": place, "text": text, "logprob": -0.1, "special": False},
            "generated_text": None,
            "details": None,
        }
        for place, text in enumerate(texts)
    ]
    frames.append(
        {
            "token": {"id": 0, "text": "", "logprob": 0, "special": True},
            "generated_text": "".join(texts),
            "details": {"finish_reason": finish_reason},
            "num_input_tokens": 11,
            "num_output_tokens": len(texts),
            "estimated_cost": 0.00025,
        }
    )
    return sse(*frames, *(["[DONE]"] if done else []), end=end)


def document(*texts: str, **more: object) -> Play:
    """An unstreamed reply."""
    value = {
        "request_id": "R-1",
        "inference_status": {"status": "succeeded", "runtime_ms": 5, "cost": 0.00025},
        "results": [{"generated_text": text} for text in texts],
        "num_input_tokens": 11,
        "num_tokens": 7,
        **more,
    }
    return Play([json.dumps(value).encode()], content_type="application/json", framing="length")


def recut(chunks: Sequence[bytes], size: int) -> list[bytes]:
    """The same bytes in pieces of another size."""
    whole = b"".join(chunks)
    return [whole[at : at + size] for at in range(0, len(whole), size)]
