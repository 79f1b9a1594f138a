"""What the requests of alternatives differ in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.prompt.documents import render_markdown, render_text
from kimi_tui.core.session.differing_fields import differing_fields, setting_words
from kimi_tui.core.session.session import Message, Role, Session

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
VALUES = st.one_of(st.none(), st.integers(-3, 3), st.sampled_from([0.0, 0.5, 1.0]), st.text(max_size=2))
SENT = st.dictionaries(
    st.sampled_from(["m2", "m3", "m4"]),
    st.none() | st.dictionaries(st.sampled_from(["seed", "top_p", "stop"]), VALUES, max_size=3),
)


def labels(**sent: Mapping[str, object] | None) -> dict[str, str]:
    return {id_: setting_words(fields) for id_, fields in differing_fields(sent).items()}


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"a": {"temperature": 0}, "b": {"temperature": 0.5}}, {"a": "temperature 0", "b": "temperature 0.5"}),
        ({"a": {"temperature": 1}, "b": {"temperature": 1.0}}, {}),
        ({"a": {"seed": 7}, "b": {}}, {"a": "seed 7", "b": "no seed"}),
        ({"a": {"seed": 7}, "b": None}, {}),
        ({"a": {"seed": 7}}, {}),
        ({}, {}),
        ({"a": {"prompt_cache_key": "x", "top_p": 1}, "b": {"prompt_cache_key": "y", "top_p": 1}}, {}),
        (
            {"a": {"num_responses": 2, "stream": False}, "b": {"stream": True}},
            {"a": "num_responses 2", "b": "no num_responses"},
        ),
        ({"a": {"stream": False}, "b": {"stream": True}}, {"a": "stream false", "b": "stream true"}),
        ({"a": {"response_format": {"type": "text"}}, "b": {"response_format": '{"type": "text"}'}}, {}),
        ({"a": {"seed": 2**70}, "b": {"seed": str(2**70)}}, {}),
        ({"a": {"seed": None}, "b": {}}, {}),
        ({"a": {"user": "x\ny\x1b"}, "b": {"user": "z"}}, {"a": "user x y␛", "b": "user z"}),
    ],
)
def test_what_is_told(sent: dict[str, Mapping[str, object] | None], told: dict[str, str]) -> None:
    assert labels(**sent) == told


def test_several_fields_are_told_in_their_order_and_long_values_cut() -> None:
    sent: dict[str, Mapping[str, object] | None] = {
        "a": {"top_p": 0.9, "stop": ["x" * 60]},
        "b": {"top_p": 1, "stop": []},
    }
    assert labels(**sent)["b"] == "top_p 1 · stop []"
    assert len(labels(**sent)["a"]) == len("top_p 0.9 · stop ") + 40


def test_what_was_tried_out_stands_first() -> None:
    sent: dict[str, Mapping[str, object] | None] = {
        "a": {"top_p": 0.9, "seed": 1},
        "b": {"top_p": 1, "seed": 2},
        "c": {"top_p": 1, "seed": 3},
    }
    assert labels(**sent) == {"a": "seed 1 · top_p 0.9", "b": "seed 2 · top_p 1", "c": "seed 3 · top_p 1"}


@given(SENT)
def test_a_field_is_told_of_all_or_of_none_and_only_where_two_differ(sent: dict[str, dict[str, object] | None]) -> None:
    found = differing_fields(sent)
    known = {id_: fields for id_, fields in sent.items() if fields is not None}
    assert set(found) in ({*known}, set())
    told = {tuple(fields) for fields in found.values()}
    assert len(told) <= 1
    for name in {name for fields in known.values() for name in fields}:
        values = [fields.get(name) for fields in known.values()]
        assert (name in next(iter(told), ())) == any(value != values[0] for value in values)


def test_a_reply_is_labelled_in_documents_too() -> None:
    question = Message("m1", Role.USER, "Lamb?")
    replies = [
        Message(f"m{n + 2}", Role.ASSISTANT, "Roast it.", "m1", sent={"temperature": value})
        for n, value in enumerate((0, 0.5))
    ]
    session = Session("s", NOW, NOW, "m", "Lamb?", messages=(question, *replies), head="m3")
    assert "\n## Kimi · temperature 0.5\n" in render_markdown(session)
    assert "\nKimi · temperature 0.5:\n" in render_text(session)
    alone = replace(session, messages=(question, replies[1]))
    assert "\n## Kimi\n" in render_markdown(alone)
    assert "\nKimi:\n" in render_text(alone)
