"""`/sweep` as it is typed: values by the field's type, all looked at before anything is sent."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.errors import FieldError, UsageError
from kimi_tui.core.settings.sweep import parse_sweep
from kimi_tui.core.wire.deepinfra import DEEPINFRA


@pytest.mark.parametrize(
    ("text", "field", "values"),
    [
        ("temperature 0 0.5 1.0", "temperature", (0, 0.5, 1.0)),
        ("  temperature   .5\t1 ", "temperature", (0.5, 1)),
        ("seed 1 null", "seed", (1, None)),
        ('seed 1 ""', "seed", (1, None)),
        ("seed 1 ''", "seed", (1, None)),
        ('user me \'my self\' "you \\"too\\""', "user", ("me", "my self", 'you "too"')),
        ('user null "null"', "user", (None, "null")),
        ('stop ["a", "b c"] []', "stop", (["a", "b c"], [])),
        (
            'response_format {"type": "json_object"} null',
            "response_format",
            ({"type": "json_object"}, None),
        ),
        ("stream true false", "stream", (True, False)),
        ("temperature '0.5' \"1\"", "temperature", (0.5, 1)),
    ],
)
def test_what_is_read(text: str, field: str, values: tuple[object, ...]) -> None:
    sweep = parse_sweep(text, DEEPINFRA)
    assert (sweep.field, sweep.values) == (field, values)
    assert [type(value) for value in sweep.values] == [type(value) for value in values]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("temperature", "found 0 values, allowed 2 to 8"),
        ("temperature 1", "found 1 value, allowed 2 to 8"),
        (f"seed {' '.join(map(str, range(9)))}", "found 9 values"),
        ("temperature 1 1.0", "stands there twice"),
        ("user 'a b", "is not closed"),
        ('user "a b', "is not closed"),
        ("input a b", "input is no field to sweep"),
    ],
)
def test_how_many(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        parse_sweep(text, DEEPINFRA)


@pytest.mark.parametrize(
    "text",
    ["temprature 0 1", "temperature 0 hot", "temperature 0 999", "stop [a] []", "max_new_tokens 1 1.5"],
)
def test_what_set_refuses_is_refused(text: str) -> None:
    with pytest.raises(FieldError):
        parse_sweep(text, DEEPINFRA)


def test_a_field_that_the_endpoint_does_not_have() -> None:
    fields = {name: spec for name, spec in DEEPINFRA.fields.items() if name != "seed"}
    with pytest.raises(UsageError, match="no field seed"):
        parse_sweep("seed 1 2", replace(DEEPINFRA, fields=fields))


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=2, max_size=8, unique=True))
def test_every_text_is_read_again_from_its_quotes(texts: list[str]) -> None:
    typed = " ".join(json.dumps(text, ensure_ascii=False) for text in texts)
    assert parse_sweep(f"user {typed}", DEEPINFRA).values == tuple(texts)


@given(st.text())
def test_whatever_is_typed_is_read_or_refused(text: str) -> None:
    for name in ("stop", "user", "seed"):
        try:
            found = parse_sweep(f"{name} {text}", DEEPINFRA)
        except (FieldError, UsageError):
            continue
        assert 2 <= len(found.values) <= 8
