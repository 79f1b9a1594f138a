"""The table of request fields: what is let through and what is refused, value by value."""

from __future__ import annotations

from typing import Any

import pytest

from kimi_tui.core.errors import FieldError
from kimi_tui.core.text.quoting import SHOWN_CHARS
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from kimi_tui.core.wire.fields import SETTABLE

FIELDS = DEEPINFRA.fields
NAN, INF, HUGE = float("nan"), float("inf"), 10**400
SCHEMA = {"type": "json_schema", "json_schema": {"name": "dish", "schema": {"type": "object"}}}

GOOD: dict[str, list[Any]] = {
    "max_new_tokens": [1, 16384, 1_000_000],
    "temperature": [0, 0.0, 0.6, 1, 100],
    "top_p": [0.0001, 0.5, 1, 1.0],
    "min_p": [0, 0.1, 1],
    "top_k": [0, 50, 999],
    "repetition_penalty": [0.01, 1, 5],
    "stop": [[], ["a"], ["x"] * 16, ["\n", " "], ["<|im_end|>", "[EOS]"]],
    "num_responses": [1, 4],
    "response_format": [
        {"type": "text"},
        {"type": "json_object"},
        SCHEMA,
        {"type": "regex", "regex": "a+"},
        {"type": "regex", "regex": ""},
        {"type": "text", "more": [None, 1]},
        {**SCHEMA, "strict": True},
    ],
    "presence_penalty": [-2, 0, 2],
    "frequency_penalty": [-2.0, 0.5, 2.0],
    "user": ["", "u-1", "é"],
    "seed": [0, -9223372036854776000, 18446744073709551999, 2**64],
    "prompt_cache_key": ["k"],
    "webhook": ["http://h", "https://example.org:8443/a?b=c#d", "https://" + "h" * 2075],
    "stream": [True, False],
}
BAD: dict[str, list[Any]] = {
    "max_new_tokens": [0, -1, 1_000_001, 1.5, 512.0, True, "512", None, [], NAN, INF, HUGE],
    "temperature": [-0.001, 100.001, NAN, INF, -INF, HUGE, -HUGE, True, "1", None, [1], {}],
    "top_p": [0, 0.0, -0.1, 1.0001, NAN, False, "0.5", None, HUGE],
    "min_p": [-0.1, 1.1, NAN, True, None],
    "top_k": [-1, 1000, 1.0, True, "40", None, HUGE],
    "repetition_penalty": [0, 0.009, 5.01, NAN, True, None],
    "stop": ["a", ["x"] * 17, [""], [1], [None], {"a": 1}, None, ["\udc00"]],
    "num_responses": [0, 5, 1.0, True, None],
    "response_format": [
        None, 1, [], {}, {"type": "xml"}, {"type": 1}, {"type": ["text"]}, {"type": "json_schema"}, {"type": "regex"},
        {"type": "json_schema", "json_schema": {"name": "a"}}, {"type": "json_schema", "json_schema": {"schema": {}}},
        {"type": "json_schema", "json_schema": {"name": 1, "schema": {}}}, {"type": "regex", "regex": 1},
        {"type": "text", "x": {1}}, "not json", "[" * 100_000, {"type": "text", "x": NAN}, {"type": "text", "x": "\ud800"},
    ],
    "presence_penalty": [-2.01, 2.01, NAN, True, "0"],
    "frequency_penalty": [-3, 3, INF, False],
    "user": [1, None, True, "\ud83d"],
    "seed": ["5", str(2**64), -9223372036854776001, 18446744073709552000, 1.0, True, "x", NAN, HUGE, "--5"],
    "prompt_cache_key": [1, None],
    "webhook": [
        "", "x", "ftp://h", "http://", "https://", "http:///path", "https://a b", "https://h\n", " https://h", 1, None,
        "https://" + "h" * 2076, "https://[::1", "javascript:alert(1)", "//h", "http://h:99999999",
    ],
    "stream": [0, 1, "true", None],
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in GOOD.items() for value in values])
def test_what_the_schema_allows_passes_unchanged(name: str, value: object) -> None:
    assert FIELDS[name].check(value) == value
    assert type(FIELDS[name].check(value)) is type(value)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_what_it_does_not_allow_is_refused_with_the_range(name: str, value: object) -> None:
    with pytest.raises(FieldError) as caught:
        FIELDS[name].check(value)
    assert caught.value.field == name
    assert caught.value.allowed == FIELDS[name].allowed
    assert len(caught.value.found) <= 62
    assert caught.value.found.isprintable()


def test_the_table_has_the_references_fields_in_its_order() -> None:
    assert list(FIELDS) == [
        "max_new_tokens", "temperature", "top_p", "min_p", "top_k", "repetition_penalty", "stop", "num_responses",
        "response_format", "presence_penalty", "frequency_penalty", "user", "seed", "prompt_cache_key", "webhook", "stream",
    ]  # fmt: skip
    assert set(GOOD) == set(BAD) == set(FIELDS)


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("temperature", "a number in [0, 100]"),
        ("top_p", "a number in (0, 1]"),
        ("top_k", "a whole number in [0, 1000)"),
        ("repetition_penalty", "a number in [0.01, 5]"),
        ("seed", "a whole number in [-2^63, 2^64)"),
        ("stop", "at most 16 non-empty strings"),
        ("stream", "true or false"),
    ],
)
def test_ranges_in_words(name: str, allowed: str) -> None:
    assert FIELDS[name].allowed == allowed


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("temperature", "0.5", 0.5),
        ("temperature", "1", 1),
        ("stream", "false", False),
        ("stop", '["a", "b"]', ["a", "b"]),
        ("stop", "[]", []),
        ("stop", "", None),
        ("stop", "null", None),
        ("prompt_cache_key", "", None),
        ("user", "12", "12"),
        ("user", "null", None),
        ("webhook", "https://h/x", "https://h/x"),
        ("response_format", '{"type": "json_object"}', {"type": "json_object"}),
        ("seed", "18446744073709551615", 18446744073709551615),
    ],
)
def test_values_as_they_are_typed(name: str, text: str, value: object) -> None:
    assert DEEPINFRA.parse_text(name, text) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("temperature", "warm"), ("temperature", "NaN"), ("temperature", "Infinity"), ("temperature", "1e999"),
        ("temperature", "true"), ("stream", "1"), ("stream", "True"), ("stop", "a"), ("input", "x"), ("top_k", "1.0"),
        ("response_format", "[" * 100_000), ("max_new_tokens", "1" * 5000),
        ("seed", '"5"'), ("seed", f'"{2**64}"'), ("response_format", '"{\\"type\\":\\"text\\"}"'),
    ],
)  # fmt: skip
def test_wrong_values_as_they_are_typed(name: str, text: str) -> None:
    with pytest.raises(FieldError) as caught:
        DEEPINFRA.parse_text(name, text)
    assert caught.value.field == name


def test_what_was_found_is_short_and_safe() -> None:
    for value in ("\x1b]52;c;x\x07\u202e", "x" * 10_000_000, ["\x9b" * 99], [HUGE], object()):
        with pytest.raises(FieldError) as caught:
            FIELDS["temperature"].check(value)
        assert len(caught.value.found) <= SHOWN_CHARS
        assert caught.value.found.isprintable()


def test_a_response_format_may_be_its_json_as_files_keep_it() -> None:
    assert FIELDS["response_format"].check_stored('{"type": "json_object"}') == {"type": "json_object"}
    for text in ("x", "[" * 100_000, '"{}"'):
        with pytest.raises(FieldError):
            FIELDS["response_format"].check_stored(text)


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("temprature", "temperature"),
        ("temp", "temperature"),
        ("Top", "top_p or top_k"),
        ("max_tokens", "max_new_tokens"),
        ("penalty", "repetition_penalty or presence_penalty or frequency_penalty"),
        ("xyz", ", ".join(SETTABLE)),
        ("", ", ".join(SETTABLE)),
    ],
)
def test_an_unknown_field_names_its_neighbours(name: str, allowed: str) -> None:
    with pytest.raises(FieldError) as caught:
        DEEPINFRA.parse_text(name, "1")
    assert (caught.value.found, caught.value.allowed) == ("an unknown field", allowed)
    assert "input" not in SETTABLE


def test_a_seed_may_be_stored_as_its_digits() -> None:
    assert FIELDS["seed"].check_stored("18446744073709551615") == 18446744073709551615
    assert FIELDS["seed"].check_stored(str(2**63)) == 2**63
    for text in ("5", str(2**63 - 1), str(-(2**63)), "x"):
        with pytest.raises(FieldError):
            FIELDS["seed"].check_stored(text)


def test_a_value_as_typed_is_asked_for_as_typed() -> None:
    with pytest.raises(FieldError, match=r'stop: found "a", allowed a JSON list such as \["a"\]'):
        DEEPINFRA.parse_text("stop", "a")
    with pytest.raises(FieldError, match='seed: found "seed=4", allowed a blank before the value, such as seed 4'):
        DEEPINFRA.parse_text("seed=4", "")


def test_every_field_has_one_line_of_help() -> None:
    assert all(spec.help and "\n" not in spec.help for spec in FIELDS.values())
