"""Events of a stream, or the one document of an unstreamed reply, as frames: what holds for every dialect."""

from __future__ import annotations

import json

from kimi_tui.core.errors import TRY_AGAIN, BrokenStreamError
from kimi_tui.core.wire.dialect import Dialect, Frame
from kimi_tui.core.wire.endpoint_errors import error_in_stream
from kimi_tui.core.wire.sse import SseEvent

OUR_EVENTS = frozenset({"message", "error"})
"""Types of events that are always meant for us; "message" is one that the stream does not name."""
DONE_FRAME = Frame(is_done=True)
"""The end of a stream, said in a word of its own."""
EMPTY_FRAME = Frame()
"""What an event says that is not meant for us."""
_DECODER = json.JSONDecoder()


def decode_event(event: SseEvent, dialect: Dialect) -> tuple[Frame, ...]:
    """Read one event of the stream; one without data says nothing, nor does one with a name of its own.

    Such a name is a sign of life, or another server's news, unless the data holds a reply or an error. Some servers
    leave out the blank lines between events: then each line of the data is a document, and all of it is none. Raises
    BrokenStreamError where the data is neither JSON objects nor an error's words.
    """
    if (frames := _documents(event.data, event.type, dialect)) is not None:
        return frames
    data = event.data.strip()
    if event.type == "error":
        return (Frame(error=error_in_stream({}, data, dialect.error_keys)),)
    if not data or event.type not in OUR_EVENTS:
        return ()
    raise BrokenStreamError("The endpoint sent something that is no reply.", "Try again, or check --base-url.")


def decode_unfinished(event: SseEvent, dialect: Dialect) -> tuple[Frame, ...]:
    """Read the event that a stream's end left unfinished: what is whole of its data, its last line aside if need be."""
    before, _, _ = event.data.rpartition("\n")
    frames = _documents(event.data, event.type, dialect)
    return (_documents(before, event.type, dialect) or ()) if frames is None else frames


def _documents(data: str, event_type: str, dialect: Dialect) -> tuple[Frame, ...] | None:
    """Read data that is one document, or a document a line; None = it is neither."""
    if (frame := _document(data, event_type, dialect)) is not None:
        return (frame,)
    lines = [line for line in data.split("\n") if line.strip()]
    frames = [_document(line, event_type, dialect) for line in lines] if len(lines) > 1 else []
    read = tuple(frame for frame in frames if frame is not None)
    return read if read and len(read) == len(frames) else None


def _document(data: str, event_type: str, dialect: Dialect) -> Frame | None:
    """Read one JSON object, or the word that ends the stream; None = it is neither."""
    document = _parsed(data)
    if not isinstance(document, dict):
        return DONE_FRAME if data.strip() == dialect.end_word else None
    if event_type not in OUR_EVENTS and not any(map(document.get, dialect.reply_keys)):
        return EMPTY_FRAME
    return dialect.read_document(document, event_type)


def decode_document(body: bytes, dialect: Dialect) -> Frame:
    """Raises BrokenStreamError where it is no JSON object, or holds no reply."""
    document = _parsed(body)
    if not isinstance(document, dict):
        raise BrokenStreamError(
            "The endpoint answered with something that is no reply.", "Check --base-url and --model."
        )
    frame = dialect.read_document(document, "message")
    if frame.error is None and not frame.is_queued and not frame.results:
        raise BrokenStreamError("The endpoint answered without a reply.", TRY_AGAIN)
    return frame


def _parsed(data: str | bytes) -> object:
    try:
        if isinstance(data, str) and data.startswith("{"):
            document, end = _DECODER.raw_decode(data)
            if end == len(data):  # as nearly always: to look for blanks around it takes as long as half of that
                return document
        return json.loads(data)
    except (ValueError, RecursionError):
        return None
