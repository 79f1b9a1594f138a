from __future__ import annotations

import json
import re
import tomllib
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import tomli_w
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kimi_tui.core.errors import ConversionError, StorageError
from kimi_tui.core.session import session_json
from kimi_tui.core.session.codec import decode_session
from kimi_tui.core.session.file_formats import FORMATS, FileFormat
from kimi_tui.core.session.message_codec import message_or_data
from kimi_tui.core.session.session import Message, MessageState, RequestRecord, Role, Session, Timing, Usage
from kimi_tui.core.session.session_writing import LONG_CHARS
from kimi_tui.core.text.surrogates import replace_lone
from kimi_tui.core.text.text_pieces import PIECE_CHARS

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
HARD = [
    "",
    "a\r\nb",
    "\r",
    "\n",
    "\n\nx",
    'x"""',
    "\\",
    "a\\\nb",
    "'''",
    "\x00\x1b\x7f\x85",
    "\u2028\u2029\ufeff",
    "👍\n羊",
    '"\n"',
]
TEXT = st.one_of(st.sampled_from(HARD), st.text(st.characters(exclude_categories=["Cs"])), st.text("\"\\\n\r\t 'x"))
VALUE = st.recursive(
    st.one_of(st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=6,
)
EXTRA = st.dictionaries(TEXT.map(lambda key: f"x-{key}"), VALUE, max_size=3)


def make_session(text: str, extra: dict[str, object]) -> Session:
    usage, timing = Usage(1, 2, 0.5, extra), Timing(0.1, None, 3, extra)
    messages = (
        Message("m1", Role.USER, text, created=NOW, extra=extra),
        Message(
            "m2", Role.ASSISTANT, text, "m1", NOW, text, MessageState.COMPLETE, "stop", text, text, text, True,
            {"temperature": 1.0, "stop": [text]}, usage, timing,
            (RequestRecord("reply", MessageState.COMPLETE, text, text, usage, timing, True, extra), RequestRecord()), False, ("m1",), False, True, extra,
        ),
    )  # fmt: skip
    return Session("id", NOW, NOW, "m", text, text, (text,), "m2", text, {"a": text, "extra": extra}, messages, extra)


def check(text: str, extra: dict[str, object]) -> None:
    session = make_session(text, extra)
    for form in FORMATS.values():
        assert decode_session(form.load(form.encode(session))) == session


@settings(max_examples=300, deadline=None)
@given(TEXT, EXTRA)
def test_every_text_and_unknown_key_round_trips(text: str, extra: dict[str, object]) -> None:
    check(text, extra)


@pytest.mark.slow
@settings(max_examples=20_000, deadline=None)
@given(TEXT, EXTRA)
def test_every_text_and_unknown_key_round_trips_slow(text: str, extra: dict[str, object]) -> None:
    check(text, extra)


@pytest.mark.parametrize("text", HARD)
def test_hard_texts_round_trip(text: str) -> None:
    check(text, {"x": text})


def test_toml_is_readable() -> None:
    text = FORMATS["toml"].encode(make_session("one\ntwo", {})).decode()
    assert 'content = """\none\ntwo"""' in text
    assert "created = 2026-11-23T08:15:00Z\n" in text
    assert "\n[messages.usage]\ninput_tokens = 1\n" in text
    assert "\nsent = { " in text
    assert text.count("\n[[messages]]\n") == 2
    assert tomllib.loads(text)["created"] == NOW


PIECES = st.sampled_from([
    "[[messages]]\n", "[[messages]]\n", "[[ messages ]]\n", "[messages]\n", "[messages.usage]\n", "[[messages.requests]]\n",
    "[other]\n", "messages = []\n", "id = 1\n", "x = 1\n", 'x = """\n', '"""\n', "x = '" + "''\n", "'" + "''\n", "x = [\n", "]\n",
    "# note\n", "\n", " ", "\r\n",
])  # fmt: skip


@settings(max_examples=1000)
@given(st.lists(PIECES, max_size=12).map("".join))
@example("[[messages]]\nx = 1\n[other]\nx = 1\n[[messages]]\n")
@example('[[messages]]\nx = """\n[[messages]]\n"""\n[[messages]]\n')
def test_toml_read_by_the_message_is_toml_read_whole(text: str) -> None:
    try:
        whole = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        with pytest.raises(StorageError, match=re.escape(str(error))):
            FORMATS["toml"].load(text.encode())
    else:
        assert FORMATS["toml"].load(text.encode()) == whole


MEMBERS = st.sampled_from([
    '"messages": []', '"messages" :\n[ {"id": 1} , {"id": 2}\n]', '"messages": [{"messages": [{"id": 1}]}, [], "x"]', '"messages": 1', '"messages": [',
    '"a": {"messages": [1]}', '"a": [{"messages": [1]}, {"id": 2}]', '"a": "\\"messages\\": ["', '"a": "messages"', "[", "]", "{", "}", ",", "1", "\x0b", '"a": 1',
])  # fmt: skip


@settings(max_examples=1000)
@given(st.lists(MEMBERS, max_size=6), st.booleans())
@example(['"a": 1', '"messages": [{"id": 1}], "messages": [{"id": 2}]'], True)
@example(['"messages": [{"id": 1}, {"id": 2}]', '"a": 1'], True)
def test_json_read_by_the_message_is_json_read_whole(members: list[str], is_object: bool) -> None:
    text = f"{{{', '.join(members)}}}" if is_object else "".join(members)
    seen = list[object]()

    def note(row: object) -> object:
        seen.append(row)
        return [row]

    try:
        whole = json.loads(text)
    except ValueError:
        with pytest.raises(StorageError):
            FORMATS["json"].load(text.encode(), note)
        return
    assert FORMATS["json"].load(text.encode()) == whole
    read = FORMATS["json"].load(text.encode(), note)
    assert read == whole or (isinstance(whole, dict) and read == {**whole, "messages": [[row] for row in seen]})


@pytest.mark.parametrize("form", FORMATS.values(), ids=list(FORMATS))
def test_messages_that_are_read_one_by_one_are_never_there_as_plain_data_together(form: FileFormat) -> None:
    session = make_session("x", {})
    count = len(session.messages)
    found = form.load(form.encode(session), message_or_data)
    assert isinstance(found, dict)
    assert found["messages"] == list(session.messages)
    assert len(found["messages"]) == count
    assert decode_session(found) == session


@pytest.mark.parametrize("form", FORMATS.values(), ids=list(FORMATS))
def test_what_is_wrong_with_a_message_is_told_in_its_place(form: FileFormat) -> None:
    data = form.encode(make_session("x", {})).replace(b"assistant", b"prophet")
    with pytest.raises(StorageError, match=r'messages\[1\]\.role: found "prophet"'):
        decode_session(form.load(data, message_or_data))


def test_a_message_is_read_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    data, lengths, loads = FORMATS["toml"].encode(make_session("word " * 99, {})), [], tomllib.loads

    def noted(text: str) -> object:
        lengths.append(len(text))
        return loads(text)

    monkeypatch.setattr(tomllib, "loads", noted)
    FORMATS["toml"].load(data)
    assert max(lengths) < 0.6 * len(data)


def test_json_times_have_the_same_form() -> None:
    plain = json.loads(FORMATS["json"].encode(make_session("x", {})))
    assert {plain["created"], plain["messages"][0]["created"]} == {"2026-11-23T08:15:00Z"}


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_a_writer_that_wrote_before_writes_the_same(form: FileFormat) -> None:
    write, session = form.make_writer(), make_session("x" * (LONG_CHARS + 1), {})
    assert b"".join(write(session)) == b"".join(write(session)) == form.encode(session)
    changed = replace(session, messages=(replace(session.messages[0], content="new"), session.messages[1]))
    assert b"".join(write(changed)) == form.encode(changed)


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_no_piece_is_large_however_long_a_text_is(form: FileFormat) -> None:
    giant = '12 " \\ \x1b\n' * PIECE_CHARS
    message = Message("m1", Role.ASSISTANT, giant, created=NOW, reasoning=giant + "\r")
    session = Session("id", NOW, NOW, "m", system=giant, messages=(message,))
    pieces = list(form.make_writer()(session))
    assert max(map(len, pieces)) <= 6 * PIECE_CHARS
    assert decode_session(form.load(b"".join(pieces))) == session


@settings(max_examples=1000)
@given(TEXT, st.integers(1, 40))
def test_toml_strings_are_those_of_the_library(text: str, times: int) -> None:
    text *= times  # some are long
    data = FORMATS["toml"].encode(Session("id", NOW, NOW, "m", text))
    is_prose = "\n" in text and "\r" not in text
    assert tomli_w.dumps({"title": text}, multiline_strings=is_prose).encode() in data


@settings(max_examples=1000)
@given(TEXT, EXTRA, st.integers(1, 40))
def test_json_is_that_of_the_library(text: str, extra: dict[str, object], times: int) -> None:
    for session in (make_session(text * times, extra), Session("id", NOW, NOW, "m", text, extra=extra)):
        data = FORMATS["json"].encode(session).decode()
        assert data == json.dumps(json.loads(data), ensure_ascii=False, indent=1) + "\n"


@pytest.mark.parametrize("value", [None, 2**63, {"deep": [None]}])
def test_what_toml_cannot_hold(value: object) -> None:
    message = Message("m1", Role.USER, "", extra={"x": value})
    with pytest.raises(ConversionError, match=r"messages\[0\]\.x"):
        FORMATS["toml"].encode(Session("id", NOW, NOW, "m", messages=(message,)))


@pytest.mark.parametrize("value", [NOW, NOW.date(), NOW.time(), float("nan"), float("inf")])
def test_what_json_cannot_hold(value: object) -> None:
    with pytest.raises(ConversionError, match=r"^settings\.extra\.x|^x"):
        FORMATS["json"].encode(make_session("x", {"x": value}))


def test_half_a_surrogate_pair_is_mended_wherever_it_stands() -> None:
    assert FORMATS["json"].load(rb'{"a": ["\ud800"], "\udc00": "\ud83d\udc4d"}') == {
        "a": ["\ufffd"],
        "\ufffd": "👍",
    }


def test_what_may_be_half_a_pair_begins_with_the_same_characters() -> None:
    assert session_json.HALF_PAIR.startswith(r"\\u[dD](?:")


@settings(max_examples=500)
@given(st.lists(st.sampled_from(["\ud83d", "\udc4d", "\\", "u", "d83d", "x", "\n"]), max_size=8).map("".join))
def test_no_half_of_a_pair_is_missed(text: str) -> None:
    assert FORMATS["json"].load(json.dumps([text]).encode()) == [replace_lone(text)]


@pytest.mark.parametrize("data", [b"\xff", b"{", b"[" * 200_000, b"1" * 5000, b""])
def test_what_is_no_file_of_ours(data: bytes) -> None:
    with pytest.raises(StorageError):
        FORMATS["json"].load(data)


@pytest.mark.parametrize(
    ("text", "words"),
    [('{"role": "user"}\n\n{"role":', "line 3"), ('{"role": "user"', "line 1"), ("nothing\nof\nthe kind", "line 1")],
)
def test_broken_lines_are_counted(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        session_json.decode(text)
