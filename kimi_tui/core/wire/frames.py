"""What the JSON inside the event stream, or of an unstreamed reply, means.

Source: API reference, "Streaming Schema" and "Output Schema". Every field may be missing or null; unknown ones are
ignored; an error may come in a stream whose status said success.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from kimi_tui.core.errors import BrokenStreamError, CompletionError
from kimi_tui.core.prompt.template import THINK_TEXTS
from kimi_tui.core.session.session import NO_USAGE, Usage
from kimi_tui.core.wire.endpoint_errors import error_in_stream, error_message
from kimi_tui.core.wire.sse import SseEvent

DONE = "[DONE]"
"""Data of the event that may end a stream."""
OUR_EVENTS = frozenset({"message", "error"})
"""Types of events that are always meant for us; "message" is one that the stream does not name."""
OUR_KEYS = ("token", "details", "generated_text", "results", "inference_status", "error", "error_type", "error_message")
"""What an event under any other name has to hold to be meant for us: a piece of a reply, its end, or an error."""
MAX_COST_USD = 1e9
"""What costs more is no cost; NaN is none either."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One piece of a reply, or its end."""

    text: str = ""
    """Text of the token, may hold a lone surrogate; "" = none."""
    tokens: int = 0
    """How many tokens it is: 1 or 0."""
    finish_reason: str | None = None
    """Why the reply ended; None = it goes on, or nothing was said."""
    results: tuple[str, ...] = ()
    """Whole generated texts."""
    usage: Usage = NO_USAGE
    """What was used, where it is said."""
    request_id: str | None = None
    """The endpoint's name for the request."""
    is_queued: bool = False
    """Accepted for a webhook."""
    is_done: bool = False
    """Nothing follows."""
    error: CompletionError | None = None
    """What went wrong."""


DONE_FRAME = Frame(is_done=True)
"""The end of a stream, said in a word of its own."""
EMPTY_FRAME = Frame()
"""What an event says that is not meant for us."""


def decode_event(event: SseEvent) -> tuple[Frame, ...]:
    """Read one event of the stream; one without data says nothing, nor does one with a name of its own.

    Such a name is a sign of life, or another server's news, unless the data holds a reply or an error. Some servers
    leave out the blank lines between events: then each line of the data is a document, and all of it is none.

    Raises:
        BrokenStreamError: Its data is neither JSON objects nor an error's words.
    """
    data = event.data.strip()
    if not data and event.type != "error":
        return ()
    frames = _documents(event)
    if frames is not None:
        return frames
    if event.type not in OUR_EVENTS:
        return ()
    if event.type == "error":
        return (Frame(error=error_in_stream({}, data)),)
    raise BrokenStreamError("The endpoint sent something that is no reply.", "Try again, or check --base-url.")


def decode_unfinished(event: SseEvent) -> tuple[Frame, ...]:
    """Read the event that a stream's end left unfinished: what is whole of its data, its last line aside if need be."""
    before, _, _ = event.data.rpartition("\n")
    frames = _documents(event)
    return (_documents(replace(event, data=before)) or ()) if frames is None else frames


def _documents(event: SseEvent) -> tuple[Frame, ...] | None:
    """Read data that is one document, or a document a line; None = it is neither."""
    if (frame := _document(event.data, event.type)) is not None:
        return (frame,)
    lines = [line for line in event.data.split("\n") if line.strip()]
    frames = [_document(line, event.type) for line in lines] if len(lines) > 1 else []
    read = tuple(frame for frame in frames if frame is not None)
    return read if read and len(read) == len(frames) else None


def _document(data: str, event_type: str) -> Frame | None:
    """Read one JSON object, or the word that ends the stream; None = it is neither."""
    if data.strip() == DONE:
        return DONE_FRAME
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    if event_type not in OUR_EVENTS and not any(map(document.get, OUR_KEYS)):
        return EMPTY_FRAME
    return _frame(document, is_error=event_type == "error")


def decode_document(body: bytes) -> Frame:
    """Read an unstreamed reply.

    Raises:
        BrokenStreamError: It is no JSON object, or holds no reply.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise BrokenStreamError(
            "The endpoint answered with something that is no reply.", "Check --base-url and --model."
        )
    frame = _frame(document, is_error=False)
    if frame.error is None and not frame.is_queued and not frame.results:
        raise BrokenStreamError("The endpoint answered without a reply.", "Try again.")
    return frame


def _frame(document: Mapping[str, object], *, is_error: bool) -> Frame:
    token, details = document.get("token"), document.get("details")
    if not is_error and isinstance(token, dict) and _only_token(document):
        return Frame(*_token(token))
    has_reply = isinstance(token, dict) or any(document.get(key) is not None for key in ("results", "generated_text"))
    if is_error or not has_reply:
        words = error_message(document)
        if is_error or words is not None:
            return Frame(error=error_in_stream(document, words or ""), request_id=_text(document.get("request_id")))
    elif (words := _error_beside(document)) is not None:
        return Frame(error=error_in_stream(document, words), request_id=_text(document.get("request_id")))
    text, tokens = _token(token)
    status, results = document.get("inference_status"), _results(document)
    state = status.get("status") if isinstance(status, dict) else None
    if state == "failed":
        request_id = _text(document.get("request_id"))
        return Frame(
            error=error_in_stream({}, "the inference failed"), usage=_usage(document, status), request_id=request_id
        )
    return Frame(
        text=text,
        tokens=tokens,
        finish_reason=_text(details.get("finish_reason")) if isinstance(details, dict) else None,
        results=results,
        usage=_usage(document, status),
        request_id=_text(document.get("request_id")),
        is_queued=state in {"queued", "running"} and not results,
    )


def _only_token(document: Mapping[str, object]) -> bool:
    """Whether there is nothing beside the token, as in nearly every frame: these take a short way."""
    for key, value in document.items():  # noqa: SIM110 - a generator takes three times as long
        if value and key != "token":
            return False
    return True


def _error_beside(document: Mapping[str, object]) -> str | None:
    """An error that stands beside the fields of a reply."""
    keys = ("error", "error_type", "error_message")
    return error_message({key: document[key] for key in keys if document.get(key)})


def _token(token: object) -> tuple[str, int]:
    if not isinstance(token, dict):
        return "", 0
    text = token.get("text")
    if not isinstance(text, str) or not text:
        return "", 0
    # Special tokens are no text, but for the think markers, which split the reply.
    if token.get("special") is True and text.strip() not in THINK_TEXTS:
        return "", 0
    return text, 1


def _results(document: Mapping[str, object]) -> tuple[str, ...]:
    results = document.get("results")
    if isinstance(results, list):
        texts = (item.get("generated_text") for item in results if isinstance(item, dict))
        return tuple(text for text in texts if isinstance(text, str))
    text = document.get("generated_text")
    return (text,) if isinstance(text, str) and text else ()


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _count(*values: object) -> int | None:
    return next((v for v in values if isinstance(v, int) and not isinstance(v, bool) and 0 <= v < 2**53), None)


def _usage(document: Mapping[str, object], status: object) -> Usage:
    inner: Mapping[str, object] = status if isinstance(status, dict) else {}
    read = (
        _count(document.get("num_input_tokens"), inner.get("tokens_input")),
        _count(document.get("num_output_tokens"), document.get("num_tokens"), inner.get("tokens_generated")),
        _cost(document.get("estimated_cost"), inner.get("cost")),
    )
    # Nearly every frame says nothing here: they share one value.
    return NO_USAGE if read == (None, None, None) else Usage(*read)


def _cost(*values: object) -> float | None:
    numbers = (v for v in values if isinstance(v, int | float) and not isinstance(v, bool))
    return next((float(n) for n in numbers if 0 <= n < MAX_COST_USD), None)
