"""Server-sent events: pieces of bytes in, events out.

Source: HTML standard, server-sent events, "Parsing an event stream" and "Interpreting an event stream". UTF-8 whatever
the headers say, one byte-order mark dropped, lines end at CR, LF or CRLF and nowhere else, comments and unknown fields
ignored, an event that the stream's end leaves unfinished discarded.
"""

from __future__ import annotations

from typing import NamedTuple

from kimi_tui.core.errors import TRY_AGAIN, BrokenStreamError

MAX_EVENT_BYTES = 32 * 1024 * 1024
"""Most bytes of one line, and of one event's data. No honest frame comes near."""
BOM = b"\xef\xbb\xbf"
"""The byte-order mark, which may stand once at the beginning."""


class SseEvent(NamedTuple):
    type: str
    """Its type; "message" where the stream names none."""
    data: str
    """Its data lines, joined by line feeds."""
    id: str = ""
    """The last event id in force."""


def encode_event(event: SseEvent) -> bytes:
    """Write an event; its data is one line."""
    name = "" if event.type == "message" else f"event: {event.type}\n"
    return f"{name}data: {event.data}\n\n".encode()


class SseDecoder:
    """Holds back an unfinished line and an unfinished event, together at most twice `max_event_bytes`."""

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        """A line or an event beyond that many bytes breaks the stream."""
        self._max = max_event_bytes
        self._parts: list[bytes] = []
        self._held_bytes = 0
        self._skip_lf = False
        self._at_start = True
        self._type = ""
        self._data: list[str] = []
        self._data_bytes = 0
        self._id = ""

    def feed(self, chunk: bytes) -> list[SseEvent]:
        """Give out the events that it completes; raises BrokenStreamError where a line or an event is too large."""
        if not chunk:
            return []
        if self._skip_lf:
            # The last piece ended with CR: a line feed now belongs to that line end.
            chunk = chunk.removeprefix(b"\n")
            self._skip_lf = False
        if self._at_start and not (chunk := self._without_bom(chunk)):
            return []
        self._skip_lf = chunk.endswith(b"\r")
        lines = chunk.splitlines()
        half = b"" if chunk.endswith((b"\n", b"\r")) else lines.pop() if chunk else b""
        if lines:
            lines[0] = self._take(lines[0])
        events: list[SseEvent] = []
        for line in lines:
            if line:
                self._line(line)
            elif (event := self._dispatch()) is not None:
                events.append(event)
        self._hold(half)
        return events

    def close(self) -> SseEvent | None:
        """End the stream and give out the event that it left unfinished; None = there is none.

        The standard throws that event away; whoever reads its data may know that it is whole.
        """
        if line := self._take(b""):
            self._line(line)
        return self._dispatch()

    def _without_bom(self, chunk: bytes) -> bytes:
        """Drop one byte-order mark, which may come in three pieces; b"" = not enough yet."""
        head = b"".join(self._parts) + chunk
        self._parts, self._held_bytes = [], 0
        if len(head) < len(BOM) and BOM.startswith(head):
            self._hold(head)
            return b""
        self._at_start = False
        return head.removeprefix(BOM)

    def _hold(self, piece: bytes) -> None:
        if piece:
            self._parts.append(piece)
            self._held_bytes += len(piece)
            self._check(self._held_bytes)

    def _take(self, piece: bytes) -> bytes:
        if not self._parts:
            return piece
        line = b"".join((*self._parts, piece))
        self._parts, self._held_bytes = [], 0
        return line

    def _check(self, size_bytes: int) -> None:
        if size_bytes > self._max:
            raise BrokenStreamError(f"The endpoint sent an event of more than {self._max} bytes.", TRY_AGAIN)

    def _line(self, line: bytes) -> None:
        """Interpret one line that is not blank."""
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data_bytes += len(value) + 1
            self._check(self._data_bytes)
            self._data.append(value.decode("utf-8", "replace"))
        elif name == b"event":
            self._type = value.decode("utf-8", "replace")
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode("utf-8", "replace")

    def _dispatch(self) -> SseEvent | None:
        """Give out the event that a blank line ends."""
        data, type_ = self._data, self._type
        self._data, self._data_bytes, self._type = [], 0, ""
        # No data line, no event; an empty one gives an event with empty data.
        return SseEvent(type_ or "message", "\n".join(data), self._id) if data else None
