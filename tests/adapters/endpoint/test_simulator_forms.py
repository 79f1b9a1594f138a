"""Replies in a form that was asked for."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_tui.adapters.endpoint.simulator.patterns import matching
from kimi_tui.adapters.endpoint.simulator.reply_forms import MAX_VALUES, NO_MATCH, instance
from kimi_tui.adapters.endpoint.simulator.simulated_answer import SimulatedReply, respond
from kimi_tui.adapters.endpoint.simulator.tour import Break
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from tests.adapters.simulated import body_of, plan_of, prompt_of, understood

PATTERNS = [
    "yes|no",
    "(yes|no)",
    r"\d{4}-\d{2}-\d{2}",
    r"[A-Z][a-z]+ [A-Z][a-z]+",
    r"^[\w.+-]+@[\w-]+\.[a-z]{2,}$",
    r"(?:red|green|blue)(, (?:red|green|blue)){2}",
    r"(?P<hour>[01]\d):[0-5]\d",
    r"[^,;]+",
    r"a*b?c+d{0}e{2,}f{,3}",
    r"\$\d+\.\d{2}\t\\",
    r"[]x-]+[\]\\]",
    r"\{\"a\": (true|null)\}",
    r"a{,}b{x}",
    "",
    "x{300}",
    "中文+",
    ".*?x++",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_are_matched(pattern: str) -> None:
    for seed in range(30):
        text = matching(pattern, random.Random(seed))
        assert text is not None
        assert re.fullmatch(pattern, text)


@pytest.mark.parametrize(
    "pattern",
    ["(", "[a", r"(?=x)x", r"(a)\1", "a{2", r"\p{L}", "(?i)a", "((((a{99}){99}){99}){99})", "((){9999}){9999}b", "x{9999}"],
)  # fmt: skip
def test_what_cannot_be_matched_is_given_up(pattern: str) -> None:
    text = matching(pattern, random.Random(1))
    assert text is None or re.fullmatch(pattern, text)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab1()[]{}|?*+.,-^$\\dwsn:P<>", max_size=14), st.integers(0, 9))
def test_any_pattern_is_matched_or_given_up(pattern: str, seed: int) -> None:
    text = matching(pattern, random.Random(seed))
    assert text is None or re.fullmatch(pattern, text)


def make(schema: Mapping[str, object]) -> object:
    return instance(schema, random.Random(1))


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"const": [1]}, [1]),
        ({"enum": ["only"]}, "only"),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({"type": ["null", "boolean"]}, True),
        ({"type": "integer", "minimum": 3}, 3),
        ({"type": "integer", "exclusiveMinimum": 3}, 4),
        ({"type": "integer", "maximum": -3}, -3),
        ({"type": "integer", "exclusiveMaximum": 0}, -1),
        ({"type": "integer", "minimum": 5, "multipleOf": 4}, 8),
        ({"type": "integer", "minimum": 2.5}, 3),
        ({"type": "number", "minimum": 0, "exclusiveMaximum": 0.2}, 0.1),
        ({"type": "number", "maximum": 1}, 0.5),
        ({"type": "string", "format": "date"}, "2026-11-23"),
        ({"type": "string", "pattern": "^ab{2}$"}, "abb"),
        ({"type": "string", "maxLength": 0}, ""),
        ({"type": "array", "maxItems": 0}, []),
        ({"type": "array", "items": {"const": 1}, "minItems": 3}, [1, 1, 1]),
        ({"prefixItems": [{"const": 1}, {"const": 2}], "type": "array", "items": False}, [1, 2]),
        ({"properties": {"a": {"const": 1}}, "required": ["a"]}, {"a": 1}),
        ({"anyOf": [{"const": 1}, {"const": 2}]}, 1),
        ({"allOf": [{"properties": {"a": {"const": 1}}}, {"properties": {"b": {"const": 2}}}]}, {"a": 1, "b": 2}),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"const": 1}}}, 1),
        ({"$ref": "#/definitions/a~1b", "definitions": {"a/b": {"const": 1}}}, 1),
        ({"$ref": "#"}, "lamb"),
        ({"$ref": "#/nowhere"}, "lamb"),
    ],
)
def test_instances_keep_to_their_schema(schema: dict[str, object], expected: object) -> None:
    made = make(schema)
    if expected == "lamb":
        assert made is None or isinstance(made, str)
    else:
        assert made == expected
        assert type(made) is type(expected)


def test_long_strings_and_short_ones() -> None:
    text = make({"type": "string", "minLength": 50, "maxLength": 52})
    assert isinstance(text, str)
    assert 50 <= len(text) <= 52


def test_recursive_and_endless_schemas_end() -> None:
    tree = {"$ref": "#/$defs/t", "$defs": {"t": {"type": "object", "properties": {"next": {"$ref": "#/$defs/t"}}}}}
    assert json.dumps(make(tree)).count("next") < 10
    wide: dict[str, object] = {"type": "array", "items": {"$ref": "#"}, "minItems": 20}
    assert json.dumps(make(wide)).count("null") < MAX_VALUES * 20


@pytest.mark.parametrize("thinking", [True, False])
@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_is_the_form_and_nothing_else(thinking: bool, stream: bool) -> None:
    prompt = prompt_of("Say “yes”.", thinking=thinking, system="S")
    schema = {"type": "object", "properties": {"dish": {"type": "string"}, "minutes": {"type": "integer"}}}
    formats: list[tuple[dict[str, object], object]] = [
        ({"type": "json_object"}, dict),
        ({"type": "json_schema", "json_schema": {"name": "dish", "schema": schema}}, dict),
        ({"type": "regex", "regex": "(lamb|stew) for [2-8]"}, str),
    ]
    for response_format, kind in formats:
        result = understood(plan_of(prompt, response_format=response_format, stream=stream), prompt)
        content = result.replies[0].content
        if kind is str:
            assert re.fullmatch(str(response_format["regex"]), content)
        else:
            assert isinstance(json.loads(content), dict)
        assert (result.replies[0].reasoning is None) is not thinking
    text = plan_of(prompt, response_format={"type": "text"})
    assert "You wrote" in "".join(text.replies[0])
    unknown = plan_of(prompt, response_format={"type": "regex", "regex": "(?=a)b"})
    assert "".join(unknown.replies[0]).endswith(NO_MATCH)


SCHEMA = {"type": "object", "properties": {f"part{place}": {"type": "integer"} for place in range(9)}}
FORM = {"type": "json_schema", "json_schema": {"name": "lamb", "schema": SCHEMA}}


def test_a_thinking_that_stops_at_its_mark_is_answered_in_the_form() -> None:
    prompt = prompt_of("How long?")
    thought = plan_of(prompt, stop=["<|im_end|>", "</think>"])
    assert (thought.thinks, thought.finish_reason, "</think>" in thought.replies[0]) == (True, "stop", False)
    answer = plan_of(f"{prompt}{''.join(thought.replies[0])}</think>", response_format=FORM)
    assert json.loads("".join(answer.replies[0]))["part3"] == 12


def test_an_answer_in_a_form_is_gone_on_with_by_another_process() -> None:
    spices = {"type": "array", "minItems": 6, "items": {"type": "string"}}
    form = {"type": "json_schema", "json_schema": {"name": "lamb", "schema": {"properties": {"spices": spices}}}}
    prompt = f"{prompt_of('How long?')}Hm.</think>"
    whole = "".join(numbered(prompt, 7, response_format=form).replies[0])
    for place in range(1, len(whole)):
        rest = numbered(prompt + whole[:place], 0, response_format=form)
        assert len(json.loads(whole[:place] + "".join(rest.replies[0]))["spices"]) == 6


def numbered(prompt: str, number: int, **fields: object) -> SimulatedReply:
    plan = respond(body_of(prompt, **fields), DEEPINFRA, number)
    assert isinstance(plan, SimulatedReply)
    return plan


def test_an_answer_in_a_form_breaks_off_once_when_that_is_asked_for() -> None:
    prompt = prompt_of("cut")
    assert plan_of(prompt, stop=["</think>"]).breaks is None
    assert plan_of(f"{prompt}Hm.</think>", response_format=FORM).breaks is Break.CUT
    assert plan_of(f"{prompt}Hm.</think>{{", response_format=FORM).breaks is None
