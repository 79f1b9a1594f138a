"""Messages of TOML files that one pattern reads: as the standard library's parser reads them, or not at all."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.session.file_formats import FORMATS
from kimi_tui.core.session.plain_rows import HEADING, read_row
from kimi_tui.core.session.session import Message, MessageState, Role, Session, Timing, Usage

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
KEYS = ("id", "content", "x-1", "sent", "usage", '"quoted"', "a.b", "")
VALUES = (
    '"text"', '""', '"a\\nb\\u00e4\\\\"', '"\\ud800"', '"\\U0001f600"', '"\\x41"', '"\\u12"', '"\t"', '"\x01"', '"\x7f"', '"open',
    '"a" # said', '"a"b"', '"""one line"""', '"""\ntwo\nlines\\n"""', '"""\nquo"te\n"""', '"""\n\\\n  joined"""', '"""\nopen',
    '"""\n[[messages]]\n"""', "'lit'", "'''\nlit'''", "true", "false", "True", "1", "-1", "+1", "01", "-0", "1_0", "0x1", "9" * 30,
    "1.5", "-0.5", "1e5", "1e-07", "1.", ".5", "1.e5", "00.5", "inf", "nan", "2026-11-23T08:15:00Z", "2026-13-23T08:15:00Z",
    "2026-11-23T08:15:00.5Z", "2026-11-23", "2026-11-23 08:15:00Z", "[]", "[1, [2]]", "[1,", "[\n1\n]", "{}", "{ a = 1, b = [\"c\"] }",
    "{ a = 1, a = 2 }", "[1] # said", "{ a.b = 1 }", "",
)  # fmt: skip
LINES = st.one_of(
    st.builds("{} = {}\n".format, st.sampled_from(KEYS), st.sampled_from(VALUES)),
    st.builds("{} = {}\n".format, st.sampled_from(KEYS), st.builds("{}{}".format, *[st.sampled_from(VALUES)] * 2)),
    st.sampled_from(
        ("\n", " \n", "# said\n", "[messages.usage]\n", "[messages.id]\n", "[[messages.requests]]\n", "[messages.a.b]\n",
         "[other]\n", "x=1\n", "x = 1 \n", " x = 1\n", "x = 1\r\n", "x = 1", "\\", "=")
    ),
)  # fmt: skip


def parsed(text: str) -> dict[str, object]:
    rows: list[dict[str, object]] = tomllib.loads(text)["messages"]
    assert len(rows) == 1
    return rows[0]


def check(text: str) -> None:
    row = read_row(text)
    if row is not None:
        assert repr(row) == repr(parsed(text))  # which tells 1, 1.0 and true apart


@given(st.lists(LINES, max_size=6))
def test_what_is_read_is_what_the_parser_reads(lines: list[str]) -> None:
    check(HEADING + "".join(lines))


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("end", ["\n", "", "\ny = 1\n", "\r\n"])
def test_every_value_is_what_the_parser_reads(value: str, end: str) -> None:
    check(f"{HEADING}x = {value}{end}")


@given(st.text(), st.text())
def test_what_is_written_is_read_by_the_pattern(content: str, reasoning: str) -> None:
    message = Message(
        "m1", Role.ASSISTANT, content, created=NOW, reasoning=reasoning, state=MessageState.COMPLETE, thinking=True,
        sent={"temperature": 1.0, "stop": ["<|im_end|>"], "stream": True}, usage=Usage(1, 2, 0.00003),
        timing=Timing(0.5, 1, 2.25),
    )  # fmt: skip
    text = FORMATS["toml"].encode(Session("s1", NOW, NOW, "m", messages=(message,))).decode()
    row = read_row(text[text.index(HEADING) :])
    assert row is not None
    assert repr(row) == repr(parsed(text))


def test_no_message_gets_what_another_one_holds() -> None:
    first, second = (read_row(HEADING + "x = [{ a = [1] }]\n") for _ in range(2))
    assert first == second
    assert first is not None
    first["x"][0]["a"].append(2)  # type: ignore[index]
    assert second == read_row(HEADING + "x = [{ a = [1] }]\n") == {"x": [{"a": [1]}]}


def test_a_session_of_which_one_message_is_written_otherwise_is_whole() -> None:
    messages = tuple(Message(f"m{n}", Role.USER, f"text {n}", f"m{n - 1}" if n else None) for n in range(3))
    session = Session("s1", NOW, NOW, "m", messages=messages)
    text = FORMATS["toml"].encode(session).decode().replace('content = "text 1"', "content = 'text 1' # by hand")
    plain = FORMATS["toml"].load(text.encode())
    assert plain == tomllib.loads(text)
