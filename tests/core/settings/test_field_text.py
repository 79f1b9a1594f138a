"""Request fields as texts that a person edits, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.errors import FieldError
from kimi_tui.core.settings.field_text import (
    escaped,
    field_named_in,
    format_parts,
    format_type,
    number_text,
    parse_stop_lines,
    parse_stop_words,
    regex_doubt,
    regex_format,
    schema_format,
    short_text,
    stop_lines,
    unescaped,
)
from kimi_tui.core.text.visible import visible
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from kimi_tui.core.wire.fields import SETTABLE

STOP = DEEPINFRA.fields["stop"]

TEXT = st.text(st.characters(codec="utf-8"))


@given(TEXT)
def test_an_escaped_text_is_one_visible_line_and_comes_back(text: str) -> None:
    line = escaped(text)
    assert unescaped(line) == text
    assert "\n" not in line
    assert visible(line) == line


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), max_size=16))
def test_stop_strings_come_back_from_their_lines(stops: list[str]) -> None:
    assert parse_stop_lines(STOP, stop_lines(stops)) == stops


@pytest.mark.parametrize(
    ("text", "stops"),
    [("", []), ("a\n\nb\n", ["a", "b"]), ("  a ", ["  a "]), (r"\n\nUser:", ["\n\nUser:"]), (r"a\\n", ["a\\n"])],
)
def test_stop_lines(text: str, stops: list[str]) -> None:
    assert parse_stop_lines(STOP, text) == stops


@pytest.mark.parametrize(
    ("text", "found"),
    [("a\nb\\q", r"in line 2: \q is no escape"), ("a\\", "in line 1"), ("x\n" * 17, "17 strings"),
     (r"\ud800", r"ud800"), (r"\U00110000", "is no escape")],
)  # fmt: skip
def test_wrong_stop_lines_say_where(text: str, found: str) -> None:
    with pytest.raises(FieldError) as error:
        parse_stop_lines(STOP, text)
    assert found in error.value.found


def test_a_schema_is_made_and_keeps_what_else_the_old_form_had() -> None:
    old = {"type": "json_schema", "json_schema": {"name": "a", "schema": {}, "strict": True}, "more": 1}
    assert schema_format(" b ", '{"type": "object"}', old) == {
        "type": "json_schema", "more": 1, "json_schema": {"name": "b", "schema": {"type": "object"}, "strict": True},
    }  # fmt: skip
    assert schema_format("b", "{}", {"type": "regex", "regex": "x"}) == {
        "type": "json_schema", "json_schema": {"name": "b", "schema": {}},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a", '{\n"b" 1}', "line 2, column 5: expecting ':' delimiter"),
        ("a", " ", "no schema"),
        ("a", "[1]", "JSON that is no object: [1]"),
        ("", "{}", "a schema without a name"),
        ("a", "[" * 100_000, "nested too deep"),
        ("a", '{"a": NaN}', "NaN"),
    ],
)
def test_a_wrong_schema_says_where(name: str, text: str, found: str) -> None:
    with pytest.raises(FieldError) as error:
        schema_format(name, text)
    assert found in error.value.found


def test_a_pattern() -> None:
    assert regex_format("(yes|no)") == {"type": "regex", "regex": "(yes|no)"}
    with pytest.raises(FieldError, match="no pattern"):
        regex_format("")
    assert regex_doubt("(yes|no)") == ""
    assert "at character 1" in regex_doubt("(yes")


def test_the_parts_of_a_form() -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"ä": 1}}}
    assert format_parts(schema) == ("a", '{\n  "ä": 1\n}', "")
    assert format_parts({"type": "regex", "regex": "x"}) == ("", "", "x")
    assert format_parts(None) == ("", "", "")
    assert (format_type(schema), format_type(None)) == ("json_schema", "")


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("temperature", 0.5, "0.5"),
        ("stream", True, "true"),
        ("user", "a\nb\x1b", "a\\nb\\u001b"),
        ("stop", ["\nA", "b c"], '\\nA "b c"'),
        ("response_format", {"type": "regex", "regex": "a\nb"}, "regex a b"),
        ("response_format", {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}}, "json_schema n"),
        ("response_format", {"type": "text"}, "text"),
        ("extra", {"a": [1]}, '{"a": [1]}'),
    ],
)
def test_a_value_on_one_line(name: str, value: object, text: str) -> None:
    assert short_text(name, value) == text


@pytest.mark.parametrize(
    ("typed", "text"),
    [(".5", "0.5"), ("-.5", "-0.5"), (" .25e1", " 0.25e1"), (".", "."), ("-", "-"), ("1.5", "1.5"), ("..5", "..5")],
)
def test_a_number_that_begins_with_its_point_gets_a_zero(typed: str, text: str) -> None:
    assert number_text(typed) == text


@pytest.mark.parametrize("name", SETTABLE)
def test_a_message_about_a_field_names_it(name: str) -> None:
    error = FieldError(name, "a value", "another")
    assert field_named_in(f"{error.summary}\nNothing was sent; your text is in the composer.") == name
    assert field_named_in(f"{name} = 3, for this session.") == name
    assert field_named_in(f"{name} is not sent. Allowed: a string.") == name
    assert field_named_in(f"/c/config.toml:3: sampling.{name}: found a value, allowed another") == name


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("The reply ended inside its thinking. Raise max_new_tokens, or ask with /think off.", "max_new_tokens"),
        ("The endpoint refused the request (HTTP 422: temperature must be at most 2).", "temperature"),
        ("A reply is running; stop it first.", ""),
        ("The stream broke off. Ask for another reply.", ""),
        ("Send it again, user.", ""),
        ("Sent with the next message:\ntemperature = 1.0\ntop_p = 0.95", ""),
        ("Exported to /home/top_p-notes.md.", ""),
        ("", ""),
    ],
)
def test_a_message_names_one_field_or_none(message: str, name: str) -> None:
    assert field_named_in(message) == name


@given(st.lists(st.text(min_size=1).filter(lambda word: '"' not in word), max_size=16))
def test_stop_words_are_read_as_they_are_shown(words: list[str]) -> None:
    assert parse_stop_words(short_text("stop", words)) == words


def test_stop_words_have_quotes_and_escapes() -> None:
    assert parse_stop_words('### "the end" \\n\\n a\\u0020b \\u0022q\n"open') == [
        "###",
        "the end",
        "\n\n",
        "a b",
        '"q',
        '"open',
    ]
    assert parse_stop_words(' "" ') == ['""']
    with pytest.raises(FieldError, match="is no escape"):
        parse_stop_words("\\x")
