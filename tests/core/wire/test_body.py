"""The request body: its bytes, its order, and what can never get into it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_tui.core.text.growing_text import GrowingText
from kimi_tui.core.text.json_strings import escaped
from kimi_tui.core.text.surrogates import replace_lone
from kimi_tui.core.text.text_pieces import PIECE_CHARS
from kimi_tui.core.wire.body import build_body
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from kimi_tui.core.wire.fields import SETTABLE


def test_the_body_is_compact_json_in_the_tables_order() -> None:
    fields = {"stream": True, "stop": ["é"], "temperature": 1.0}
    body = build_body(DEEPINFRA, "m", "a\n\u2028\ud800", fields, {"mirostat": 2})
    assert body == '{"input":"a\\n\u2028\ufffd","temperature":1.0,"stop":["é"],"stream":true,"mirostat":2}'.encode()


def test_every_field_keeps_the_schemas_order() -> None:
    body = build_body(DEEPINFRA, "m", "x", dict.fromkeys(reversed(SETTABLE), 1), {})
    assert list(json.loads(body)) == ["input", *SETTABLE]


def test_nothing_takes_the_prompts_place() -> None:
    body = build_body(
        DEEPINFRA, "m", "mine", {"input": "other", "top_k": 1}, {"input": "third", "top_k": -1, "grammar": "g"}
    )
    assert json.loads(body) == {"input": "mine", "top_k": 1, "grammar": "g"}


def test_numbers_are_written_exactly() -> None:
    body = build_body(DEEPINFRA, "m", "", {"seed": 18446744073709551999, "temperature": 0.1, "top_p": 1}, {})
    assert body == b'{"input":"","temperature":0.1,"top_p":1,"seed":18446744073709551999}'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("-inf")]])
def test_what_json_has_no_word_for_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        build_body(DEEPINFRA, "m", "", {}, {"odd": value})


@settings(max_examples=500, deadline=None)
@given(st.text(st.characters()))
def test_any_text_arrives_as_it_was(text: str) -> None:
    assert json.loads(build_body(DEEPINFRA, "m", text, {"user": text}, {})) == {
        "input": replace_lone(text),
        "user": replace_lone(text),
    }


def test_a_long_prompt_is_written_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = list[int]()

    def noted(text: str) -> str:
        lengths.append(len(text))
        return escaped(text)

    monkeypatch.setattr("kimi_tui.core.wire.body.escaped", noted)
    prompt = GrowingText('"\\ é\n😀' * PIECE_CHARS)
    prompt.append("end")
    assert json.loads(build_body(DEEPINFRA, "m", prompt, {}, {})) == {"input": str(prompt)}
    assert max(lengths) <= PIECE_CHARS
