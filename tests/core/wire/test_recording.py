"""Recordings as files: every byte comes back, and what is torn, garbled, foreign or newer is told kindly or passed over."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_tui.core.errors import ConnectionFailedError, StorageError
from kimi_tui.core.wire.plans import Cause, Limits, RequestStep
from kimi_tui.core.wire.recording import (
    KEPT_HEADERS,
    Answered,
    CutOff,
    Data,
    Ended,
    FailureNote,
    Record,
    RecordingHead,
    RequestSent,
    encode_record,
    encode_records,
    read_recording,
)
from kimi_tui.core.wire.tape import Tape

HEAD = RecordingHead("deepinfra", "deepinfra", True, created="2026-11-23T08:15:00Z", written_by="1")
SENT = RequestSent(0.0, "m/x", b'{"input":"hi","stream":true}')
WHOLE: tuple[Record, ...] = (
    HEAD,
    SENT,
    Answered(0.3, 200, {"content-type": "text/event-stream"}),
    Data(0.4, "data: “é”\u2028\r\n".encode()),
    Data(0.5, b"\xff\x00half: \xe2\x80"),
    Ended(0.6, Cause.ITSELF),
)

times = st.floats(0, 1e5).map(lambda at_s: round(at_s, 4))
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
steps = st.builds(
    RequestStep,
    st.sampled_from(["reply", "answer", "continue"]),
    fields=st.dictionaries(texts, st.integers(), max_size=2),
    limits=st.builds(Limits, st.none() | st.integers(1, 9)),
)
bodies = st.dictionaries(texts, texts | st.integers() | st.none(), max_size=4).map(
    lambda body: json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
)
failures = st.builds(FailureNote, texts, texts, texts, st.booleans())
exchanges = st.tuples(
    st.builds(RequestSent, times, texts, bodies, steps, st.integers(1, 4)),
    st.builds(Answered, times, st.integers(100, 599), st.dictionaries(st.sampled_from(KEPT_HEADERS), texts)),
    st.lists(st.builds(Data, times, st.binary(max_size=40)), max_size=4),
    st.builds(Ended, times, st.sampled_from(Cause), st.none() | failures),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(exchanges, min_size=1, max_size=3))
def test_whatever_was_recorded_comes_back(
    told: list[tuple[RequestSent, Answered, list[Data], Ended]],
) -> None:
    records: list[Record] = [HEAD]
    for sent, answer, pieces, end in told:
        records += [sent, answer, *pieces, end]
    lines = list(map(encode_record, records))
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 and json.loads(line) for line in lines)
    recording = read_recording(b"".join(lines), "FILE")
    assert (recording.head, recording.unread) == (HEAD, 0)
    read = [(one.sent, one.answer, list(one.pieces), one.end) for one in recording.exchanges]
    assert read == told


def test_it_can_be_read_by_eye() -> None:
    lines = [json.loads(line) for line in encode_records(WHOLE).splitlines()]
    assert [line.get("type") for line in lines] == [None, "request", "answer", "data", "data", "end"]
    assert lines[1]["body"] == {"input": "hi", "stream": True}
    assert lines[3]["text"] == "data: “é”\u2028\r\n"
    assert "base64" in lines[4]


def test_what_a_killed_program_leaves_can_be_read_wherever_it_was_killed() -> None:
    data = encode_records(WHOLE)
    first = data.index(b"\n", data.index(b"body"))
    for end in range(first, len(data) + 1):
        recording = read_recording(data[:end], "FILE")
        assert recording.unread == 0
        whole = read_recording(data, "FILE").exchanges[0]
        found = recording.exchanges[0]
        assert found.pieces == whole.pieces[: len(found.pieces)]
        assert found.end in {None, whole.end}
    with pytest.raises(StorageError, match="no request"):
        read_recording(data[: first - 1], "FILE")


@given(st.lists(st.binary(max_size=40)), st.integers(1, 6))
def test_garbage_between_the_lines_costs_itself_alone(garbage: list[bytes], place: int) -> None:
    lines = list(map(encode_record, WHOLE))
    junk = [line.replace(b"\n", b"") + b"\n" for line in garbage]
    recording = read_recording(b"".join([*lines[:place], *junk, *lines[place:]]), "FILE")
    assert recording.exchanges == read_recording(encode_records(WHOLE), "FILE").exchanges


@pytest.mark.parametrize(
    "line",
    [
        '{"type":"data","at":NaN,"text":"x"}',
        '{"type":"data","at":"1","text":"x"}',
        '{"type":"data","at":1,"base64":"?"}',
        '{"type":"data","at":1,"text":"\\ud800"}',
        '{"type":"data","at":1}',
        '{"type":"answer","at":1,"status":99}',
        '{"type":"end","at":1,"cause":"boredom"}',
        '{"type":"request","at":1,"model":"m"}',
        '{"type":"request","at":1,"model":"m","body":{"x":NaN}}',
        "[" * 10_000,
        "7",
    ],
)
def test_a_line_that_is_no_record_is_counted(line: str) -> None:
    recording = read_recording(encode_records(WHOLE) + line.encode() + b"\n", "FILE")
    assert (recording.unread, len(recording.exchanges)) == (1, 1)


def test_a_record_of_a_type_that_is_not_known_is_passed_over() -> None:
    recording = read_recording(encode_records(WHOLE) + b'{"type":"weather","at":1}\n', "FILE")
    assert (recording.unread, len(recording.exchanges)) == (0, 1)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is no recording"),
        (b"data: {}\n\n", "is no recording"),
        (b'format = "kimi-tui/session"\n', "is no recording"),
        (b"\xff\xfe\x00", "is no recording"),
        (b"[" * 100_000, "is no recording"),
        (encode_record(HEAD), "holds no request"),
        (encode_record(HEAD).replace(b'"version":1', b'"version":2') + encode_record(SENT), "newer kimi-tui"),
    ],
)
def test_what_cannot_be_replayed_is_told(data: bytes, words: str) -> None:
    with pytest.raises(StorageError, match=words) as caught:
        read_recording(data, "FILE")
    assert caught.value.summary.startswith("FILE ")


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        self.now_s += 0.25
        return self.now_s


def test_a_tape_keeps_times_from_each_request_on() -> None:
    tape = Tape(HEAD, Clock())
    for attempt in (1, 2):
        tape.begin(RequestStep("answer"), attempt)
        tape.sent(SENT.body, "m/x")
        tape.answered(503, {"content-type": "text/html", "set-cookie": "who=me", "location": "https://a:b@host/"})
        tape.data(b"")
        tape.data(b"busy")
        tape.end(Cause.FAILED, ConnectionFailedError("It broke.", "Try again.", retryable=True))
        tape.end(Cause.FAILED)
    tape.end(Cause.STOPPED)
    recording = read_recording(encode_records(tape.records), "FILE")
    first, second = recording.exchanges
    assert [first.sent.at_s, second.sent.at_s] == [0.0, 1.0]
    assert first.answer == Answered(0.25, 503, {"content-type": "text/html", "location": "https://…@host/"})
    assert first.pieces == (Data(0.5, b"busy"),)
    assert first.end == Ended(0.75, Cause.FAILED, FailureNote("connection", "It broke.", "Try again.", True))
    assert (recording.steps, recording.most_attempts) == ((RequestStep("answer"),), 2)
    assert recording.is_stopped_between


@pytest.mark.parametrize("rest", ["", "/", "/hooks/T1/secret", "?token=secret", "#secret"])
@pytest.mark.parametrize("user", ["", "me:secret@"])
def test_of_a_webhook_a_tape_keeps_the_host_alone(user: str, rest: str) -> None:
    address, said = f"https://{user}host:99{rest}", 'I say "webhook":"https://a/b".'
    tape = Tape(replace(HEAD, fields={"webhook": address}), Clock())
    document = {"input": said, "webhook": address, "stream": False}
    tape.sent(json.dumps(document, separators=(",", ":")).encode(), "m/x")
    answer = json.dumps({"detail": [{"loc": ["webhook"], "input": address}]}).encode()
    for start in range(0, len(answer), 7):
        tape.data(answer[start : start + 7])
    tape.end(Cause.ITSELF)
    (exchange,) = read_recording(encode_records(tape.records), "FILE").exchanges
    assert json.loads(exchange.sent.body) == {**document, "webhook": "https://host:99/…"}
    came = json.loads(b"".join(data.piece for data in exchange.pieces))
    assert came == {"detail": [{"loc": ["webhook"], "input": "https://host:99/…"}]}


@pytest.mark.parametrize("room", [0, 500, 700, 2000])
def test_a_tape_takes_no_more_than_it_may(room: int) -> None:
    tape = Tape(HEAD, Clock(), max_bytes=room)
    tape.sent(SENT.body, "m/x")
    for _ in range(1000):
        tape.data(b"x" * 10)
    tape.end(Cause.ITSELF)
    assert len(encode_records(tape.records)) < room + 1000
    assert sum(isinstance(record, CutOff) for record in tape.records) == 1
    assert isinstance(tape.records[-1], Ended) == any(isinstance(record, RequestSent) for record in tape.records)


def test_a_failure_comes_back_as_the_error_that_it_was() -> None:
    error = ConnectionFailedError("It broke.", "Try again.", retryable=True)
    again = FailureNote.of(error).error()
    assert (again.kind, again.summary, again.hint, again.retryable) == (
        "connection", "It broke.", "Try again.", True,
    )  # fmt: skip
    assert not replace(FailureNote.of(error), retryable=False).error().retryable
