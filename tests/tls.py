"""Real TLS servers on loopback, each in threads of its own; see `certificates/README.md`."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

CERTIFICATES = Path(__file__).parent / "certificates"
AUTHORITY = CERTIFICATES / "authority.pem"
OK = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


@dataclass
class Server:
    port: int
    received: list[bytes] = field(default_factory=list)
    """What came through, decrypted: a request each."""

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"


def server_context(certificate: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / f"{certificate}.pem", CERTIFICATES / "test-only-key.pem")
    return context


def read_request(connection: socket.socket) -> bytes:
    """A head and, as far as its length says, a body; b"" = the other side has gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (piece := connection.recv(65536)):
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0] or 0)
    while len(body) < length and (piece := connection.recv(65536)):
        body += piece
    return head + b"\r\n\r\n" + body


@contextmanager
def listening(handle: Callable[[socket.socket, Server], None], host: str = "127.0.0.1") -> Iterator[Server]:
    """Handle each connection in a thread."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        running = Server(listener.getsockname()[1])
        open_ones: list[socket.socket] = []

        def serve_one(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                handle(connection, running)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    connection.settimeout(20)
                    open_ones.append(connection)
                    threading.Thread(target=serve_one, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield running
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            for connection in open_ones:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            thread.join(10)


@contextmanager
def tls_server(
    certificate: str = "here",
    answer: bytes = OK,
    prepare: Callable[[ssl.SSLContext], object] = lambda _: None,
    host: str = "127.0.0.1",
) -> Iterator[Server]:
    """A server with that certificate, which gives the same answer to every request."""
    context = server_context(certificate)
    prepare(context)

    def handle(connection: socket.socket, running: Server) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            request = read_request(secured)
            running.received.append(request)
            secured.sendall(answer)

    with listening(handle, host) as running:
        yield running


def tunnel(connection: socket.socket, target: tuple[str, int]) -> None:
    """Pass bytes on, both ways, until one side ends."""
    with socket.create_connection(target) as onward:

        def copy(source: socket.socket, sink: socket.socket) -> None:
            with contextlib.suppress(OSError):
                while piece := source.recv(65536):
                    sink.sendall(piece)
            with contextlib.suppress(OSError):
                sink.shutdown(socket.SHUT_WR)

        back = threading.Thread(target=copy, args=(onward, connection), daemon=True)
        back.start()
        copy(connection, onward)
        back.join(10)
