"""A recording of a turn: what was sent and what came, byte for byte, with its times; a line of JSON each.

    {"format": "kimi-tui/recording", "version": 1, "written_by": …, "created": …, "dialect": …, "template": …, …}
    {"type": "request", "at": 0.0, "model": …, "step": {"kind": "reply"}, "body": {…}}
    {"type": "answer", "at": 0.31, "status": 200, "headers": {"content-type": "text/event-stream"}}
    {"type": "data", "at": 0.42, "text": "data: {…}"}               or "base64" in the place of "text"
    {"type": "end", "at": 9.4, "cause": "itself"}                   with "error" where the connection failed
    {"type": "cut"}                                                  what came behind was too much to be kept

`at` is in seconds: of a request since the first one of the turn, of all else since its request was sent. Nothing but
the body says what was sent: no address, no key, no headers. A line that cannot be read, or of a type that is not known,
costs what it says and nothing else, so that what a killed program leaves can be read.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from kimi_tui.core.errors import CompletionError, StorageError
from kimi_tui.core.session.message_codec import decode_message, encode_message
from kimi_tui.core.session.session import Message, RequestKind, Role
from kimi_tui.core.text.json_values import as_text, as_whole
from kimi_tui.core.text.surrogates import replace_lone
from kimi_tui.core.wire.plans import NO_LIMITS, Cause, Limits, RequestStep

FORMAT = "kimi-tui/recording"
VERSION = 1
"""Rises only when a reader of the old one would misread."""
DECIMALS = 4
"""Of times in seconds."""
LONGEST_S = 1e6
KEPT_HEADERS = ("content-type", "retry-after", "date", "location", "x-request-id")
"""The headers of an answer that say something about it; the others stay out."""
REPLY_STEP = RequestStep()
KINDS: Mapping[str, type[CompletionError]] = {kind.kind: kind for kind in CompletionError.__subclasses__()}


@dataclass(frozen=True, slots=True)
class RecordingHead:
    dialect: str
    template: str
    thinking: bool
    """Whether the turn began with its think block open."""
    neutralise: bool = True
    created: str = ""
    """UTC, as in `2026-11-23T08:15:00Z`; "" = not known."""
    written_by: str = ""
    begun: Message | None = None
    """The reply as it began; see `begun_of`. None = with nothing, or not known."""
    fields: Mapping[str, object] = field(default_factory=dict)
    """What the turn's requests say, where their steps say nothing else; a webhook's address aside."""


def begun_of(beginning: Message) -> Message | None:
    """What a recording keeps of a reply that begins: not what its requests said, nor where it stands."""
    if not beginning.content and not beginning.reasoning and beginning.raw_input is None:
        return None
    requests = tuple(replace(request, sent=None) for request in beginning.requests)
    return replace(
        beginning, parent=None, created=None, sent=None, system=None, left_out=(), extra={}, requests=requests
    )


@dataclass(frozen=True, slots=True)
class RequestSent:
    at_s: float
    """Since the first request of the turn."""
    model: str
    body: bytes
    """JSON."""
    step: RequestStep = REPLY_STEP
    """What it was for, `thinking_s` and `can_be_cut` of its limits aside."""
    attempt: int = 1
    """From 2 on it is the request before, sent again."""


@dataclass(frozen=True, slots=True)
class Answered:
    at_s: float
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """Those of `KEPT_HEADERS` that came, by their names in lower case."""

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_event_stream(self) -> bool:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower() == "text/event-stream"


@dataclass(frozen=True, slots=True)
class Data:
    at_s: float
    piece: bytes


@dataclass(frozen=True, slots=True)
class FailureNote:
    """A failure of the connection, in our own words."""

    kind: str
    summary: str
    hint: str = ""
    retryable: bool = False

    @classmethod
    def of(cls, error: CompletionError) -> FailureNote:
        return cls(error.kind, error.summary, error.hint, error.retryable)

    def error(self) -> CompletionError:
        return KINDS.get(self.kind, CompletionError)(self.summary, self.hint, retryable=self.retryable)


@dataclass(frozen=True, slots=True)
class Ended:
    at_s: float
    cause: Cause
    failure: FailureNote | None = None
    """None = what came says all about it."""


@dataclass(frozen=True, slots=True)
class CutOff:
    """What came behind it was too much to be kept."""


Record = RecordingHead | RequestSent | Answered | Data | Ended | CutOff


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what came back."""

    sent: RequestSent
    answer: Answered | None = None
    """None = none came."""
    pieces: tuple[Data, ...] = ()
    end: Ended | None = None
    """None = the recording ends before."""


@dataclass(frozen=True, slots=True)
class Recording:
    head: RecordingHead
    exchanges: tuple[Exchange, ...]
    """At least one."""
    is_stopped_between: bool = False
    """Whether the user stopped the turn when no request was on its way."""
    is_cut_off: bool = False
    unread: int = 0
    """How many lines could not be read; a last one that broke off is none."""

    @property
    def steps(self) -> tuple[RequestStep, ...]:
        """What the turn did, one request after the other."""
        return tuple(exchange.sent.step for exchange in self.exchanges if exchange.sent.attempt == 1)

    @property
    def most_attempts(self) -> int:
        return max(exchange.sent.attempt for exchange in self.exchanges)


# -- writing


def encode_records(records: Iterable[Record]) -> bytes:
    return b"".join(map(encode_record, records))


def encode_record(record: Record) -> bytes:
    """One line, with its end."""
    if not isinstance(record, RequestSent):
        return _line(_plain(record)) + b"\n"
    again = {} if record.attempt == 1 else {"attempt": record.attempt}
    start = _line({"type": "request", "at": record.at_s, "model": record.model, **again, "step": _step(record.step)})
    is_whole = record.body[:1] == b"{" and b"\n" not in record.body
    body = record.body if is_whole else _line(record.body.decode("utf-8", "replace"))
    return start[:-1] + b',"body":' + body + b"}\n"


def _line(plain: object) -> bytes:
    return replace_lone(json.dumps(plain, ensure_ascii=False, separators=(",", ":"))).encode()


def _plain(record: RecordingHead | Answered | Data | Ended | CutOff) -> dict[str, object]:
    match record:
        case RecordingHead():
            return {
                "format": FORMAT,
                "version": VERSION,
                "written_by": record.written_by,
                "created": record.created,
                "dialect": record.dialect,
                "template": record.template,
                "thinking": record.thinking,
                "neutralise": record.neutralise,
                "fields": {name: value for name, value in record.fields.items() if name != "webhook"},
                **({} if record.begun is None else {"begun": encode_message(record.begun)}),
            }
        case Answered():
            return {"type": "answer", "at": record.at_s, "status": record.status, "headers": dict(record.headers)}
        case Data():
            return {"type": "data", "at": record.at_s, **_piece(record.piece)}
        case Ended():
            error = {} if record.failure is None else {"error": _failure(record.failure)}
            return {"type": "end", "at": record.at_s, "cause": str(record.cause), **error}
        case CutOff():
            return {"type": "cut"}


def _step(step: RequestStep) -> dict[str, object]:
    plain: dict[str, object] = {"kind": step.kind}
    if step.ends_thinking:
        plain |= {"ends_thinking": step.ends_thinking, "cuts_back": step.cuts_back}
    if step.only_thinks:
        plain["only_thinks"] = True
    if step.fields:
        plain["fields"] = dict(step.fields)
    if step.limits.thinking_tokens is not None:
        plain["thinking_tokens"] = step.limits.thinking_tokens
    return plain


def _piece(piece: bytes) -> dict[str, object]:
    try:
        return {"text": piece.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(piece).decode()}


def _failure(failure: FailureNote) -> dict[str, object]:
    return {name: value for name, value in asdict(failure).items() if value or name in {"kind", "summary"}}


# -- reading


def read_recording(data: bytes, name: str) -> Recording:
    """Read what can be read; `name` is what errors call it.

    Raises StorageError where it is no recording, a newer version's, or holds no request.
    """
    *lines, torn = data.split(b"\n")
    head, *rest = [*filter(None, lines), torn]
    found, records, unread = _read_head(head, name), list[Record](), 0
    for place, line in enumerate(rest, 1):
        try:
            records += _read_record(line)
        except (ValueError, TypeError, KeyError, RecursionError):
            unread += place < len(rest)
    recording = _gathered(found, records, unread)
    if not recording.exchanges:
        raise StorageError(f"{name} holds no request: there is nothing to replay.")
    return recording


def _gathered(head: RecordingHead, records: Sequence[Record], unread: int) -> Recording:
    """What stands behind the end of a request, or before the first one, is none's."""
    requests = list[tuple[RequestSent, list[Record]]]()
    is_open = is_stopped_between = False
    for record in records:
        if isinstance(record, RequestSent):
            requests.append((record, []))
            is_open = True
        elif is_open:
            requests[-1][1].append(record)
            is_open = not isinstance(record, Ended)
        elif isinstance(record, Ended):
            is_stopped_between = record.cause is Cause.STOPPED
    exchanges = tuple(_exchange(sent, came) for sent, came in requests)
    return Recording(head, exchanges, is_stopped_between, CutOff() in records, unread)


def _exchange(sent: RequestSent, came: Sequence[Record]) -> Exchange:
    answers = [record for record in came if isinstance(record, Answered)]
    pieces = tuple(record for record in came if isinstance(record, Data))
    end = came[-1] if came and isinstance(came[-1], Ended) else None
    return Exchange(sent, answers[-1] if answers else None, pieces, end)


def _read_head(line: bytes, name: str) -> RecordingHead:
    plain = _document(line)
    if plain is None or plain.get("format") != FORMAT:
        raise StorageError(f"{name} is no recording.", "`kimi-tui ask --record FILE` and /record FILE make one.")
    version = plain.get("version")
    if isinstance(version, int) and version > VERSION:
        raise StorageError(
            f"{name} was recorded by a newer kimi-tui (version {version} of the form; this one reads {VERSION}).",
            "A newer kimi-tui replays it.",
        )
    fields = plain.get("fields")
    return RecordingHead(
        str(plain.get("dialect", "")),
        str(plain.get("template", "")),
        thinking=plain.get("thinking") is not False,
        neutralise=plain.get("neutralise") is not False,
        created=str(plain.get("created", "")),
        written_by=str(plain.get("written_by", "")),
        begun=_read_begun(plain["begun"]) if "begun" in plain else None,
        fields=fields if isinstance(fields, dict) else {},
    )


def _read_begun(plain: object) -> Message | None:
    try:
        message = decode_message(plain)
    except (ValueError, TypeError, KeyError, RecursionError, StorageError):
        return None
    return message if message.role is Role.ASSISTANT else None


def _document(line: bytes) -> dict[str, object] | None:
    try:
        plain = json.loads(line.decode())
    except (ValueError, RecursionError):
        return None
    return plain if isinstance(plain, dict) else None


def _read_record(line: bytes) -> list[Record]:
    """[] = of a type that is not known; raises ValueError, TypeError, KeyError or RecursionError where it is none."""
    plain = _document(line)
    if plain is None:
        raise ValueError("an object is needed")
    decode = DECODERS.get(str(plain.get("type")))
    return [] if decode is None else [decode(plain)]


def _read_request(plain: Mapping[str, object]) -> RequestSent:
    body, step = plain["body"], _read_step(plain.get("step"))
    if not isinstance(body, str):
        body = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return RequestSent(_time(plain), as_text(plain["model"]), body.encode(), step, _count(plain, "attempt"))


def _read_step(plain: object) -> RequestStep:
    if not isinstance(plain, dict):
        return RequestStep()
    fields, most = plain.get("fields"), plain.get("thinking_tokens")
    return RequestStep(
        as_text(plain.get("kind", RequestKind.REPLY)),
        as_text(plain.get("ends_thinking", "")),
        cuts_back=plain.get("cuts_back") is True,
        only_thinks=plain.get("only_thinks") is True,
        fields=fields if isinstance(fields, dict) else {},
        limits=NO_LIMITS if most is None else Limits(thinking_tokens=_count(plain, "thinking_tokens")),
    )


def _read_answer(plain: Mapping[str, object]) -> Answered:
    headers, status = plain.get("headers"), plain["status"]
    if not isinstance(status, int) or not 100 <= status <= 599:
        raise ValueError("a status is needed")
    pairs = headers.items() if isinstance(headers, dict) else ()
    return Answered(_time(plain), status, {name: as_text(value) for name, value in pairs if name in KEPT_HEADERS})


def _read_data(plain: Mapping[str, object]) -> Data:
    if "text" in plain:
        return Data(_time(plain), as_text(plain["text"]).encode())
    return Data(_time(plain), base64.b64decode(as_text(plain["base64"]), validate=True))


def _read_end(plain: Mapping[str, object]) -> Ended:
    error = plain.get("error")
    failure = None
    if isinstance(error, dict):
        kind, summary, hint = (as_text(error.get(key, "")) for key in ("kind", "summary", "hint"))
        failure = FailureNote(kind, summary, hint, error.get("retryable") is True)
    return Ended(_time(plain), Cause(as_text(plain["cause"])), failure)


DECODERS: Mapping[str, Callable[[Mapping[str, object]], Record]] = {
    "request": _read_request,
    "answer": _read_answer,
    "data": _read_data,
    "end": _read_end,
    "cut": lambda _: CutOff(),
}
"""By a record's type."""


def _time(plain: Mapping[str, object]) -> float:
    at_s = plain["at"]
    if not isinstance(at_s, int | float) or isinstance(at_s, bool) or not math.isfinite(at_s):
        raise TypeError("a time is needed")
    return min(max(float(at_s), 0.0), LONGEST_S)


def _count(plain: Mapping[str, object], key: str) -> int:
    count = as_whole(plain.get(key, 1))
    if count < 1:
        raise ValueError("a count is needed")
    return count
