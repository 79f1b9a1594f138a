"""What a turn sends and gets, gathered as records while it runs: the client tells the bytes, the engine the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from kimi_tui.core.errors import CompletionError
from kimi_tui.core.text.json_strings import escaped
from kimi_tui.core.text.quoting import without_password
from kimi_tui.core.text.redaction import Redactor
from kimi_tui.core.wire.plans import Cause, RequestStep
from kimi_tui.core.wire.recording import (
    DECIMALS,
    KEPT_HEADERS,
    Answered,
    CutOff,
    Data,
    Ended,
    FailureNote,
    Record,
    RecordingHead,
    RequestSent,
)

MAX_TAPE_BYTES = 16 * 1024 * 1024
"""Most bytes of bodies and answers that are kept; what comes behind is not."""
RECORD_BYTES = 200
"""What a record takes beside its bytes, about."""


class Tape:
    def __init__(self, head: RecordingHead, now_s: Callable[[], float], max_bytes: int = MAX_TAPE_BYTES) -> None:
        """`now_s` is a steady clock, in seconds."""
        self.records: list[Record] = [head]
        self._now_s, self._room = now_s, max_bytes
        self._begun_s: float | None = None
        self._sent_s = 0.0
        self._step, self._attempt = RequestStep(), 1
        self._is_open = False
        # A webhook's address is as good as a password: of it only the host is kept.
        webhook = head.fields.get("webhook")
        self._redactor = Redactor([webhook], _host_alone(webhook)) if isinstance(webhook, str) else Redactor([])

    # -- the engine's side

    def begin(self, step: RequestStep, attempt: int) -> None:
        """Say what the next request is for."""
        self._step, self._attempt = step, attempt

    def end(self, cause: Cause, error: CompletionError | None = None) -> None:
        """The request has ended; `error` = what failed on the way, where the bytes do not say it themselves."""
        self._keep_data(self._redactor.close())
        if self._is_open or cause is Cause.STOPPED:
            failure = None if error is None else FailureNote.of(error)
            self.records.append(Ended(self._since_s(self._sent_s), cause, failure))
        self._is_open = False

    # -- the client's side

    def sent(self, body: bytes, model: str) -> None:
        self._sent_s = self._now_s()
        self._begun_s = self._sent_s if self._begun_s is None else self._begun_s
        at_s = round(self._sent_s - self._begun_s, DECIMALS)
        body = self._redactor.whole(body)
        self._is_open = self._keep(RequestSent(at_s, model, body, self._step, self._attempt), len(body))

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        kept = {name: without_password(headers[name]) for name in KEPT_HEADERS if name in headers}
        self._keep(Answered(self._since_s(self._sent_s), status, kept), 0)

    def data(self, piece: bytes) -> None:
        self._keep_data(self._redactor.feed(piece))

    def _keep_data(self, piece: bytes) -> None:
        if piece:
            self._keep(Data(self._since_s(self._sent_s), piece), len(piece))

    def _keep(self, record: Record, size_bytes: int) -> bool:
        """Whether there was room."""
        if self._room < 0:
            return False
        self._room -= size_bytes + RECORD_BYTES
        self.records.append(record if self._room >= 0 else CutOff())
        return self._room >= 0

    def _since_s(self, start_s: float) -> float:
        return round(max(self._now_s() - start_s, 0.0), DECIMALS)


def _host_alone(address: str) -> bytes:
    """As it stands inside a string of JSON."""
    parts = urlsplit(address)
    return escaped(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…").encode()
