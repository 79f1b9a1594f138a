"""Forms of answers: which reply has which, how JSON is laid out, what is said of one that does not keep it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.session.session import Message, MessageState, RequestRecord, Role
from kimi_tui.core.wire.answer_forms import (
    FormCheck,
    FormFinding,
    feedback,
    form_name,
    form_of,
    indented,
    is_to_be_checked,
    laid_out,
)

OBJECT: dict[str, Any] = {"type": "json_object"}


def reply(sent: dict[str, Any] | None, *requests: dict[str, Any] | None, **more: Any) -> Message:
    records = tuple(RequestRecord(sent=fields) for fields in requests)
    kept: dict[str, Any] = {"state": MessageState.COMPLETE, "finish_reason": "stop", **more}
    return Message("m2", Role.ASSISTANT, "{}", "m1", sent=sent, requests=records, **kept)


@pytest.mark.parametrize(
    ("message", "form"),
    [
        (reply(None), None),
        (reply({}), None),
        (reply({"response_format": {"type": "text"}}), None),
        (reply({"response_format": OBJECT}), OBJECT),
        (reply({"response_format": json.dumps(OBJECT)}), OBJECT),  # as a file holds it
        (reply({}, None, {"response_format": OBJECT}), OBJECT),  # the second of two requests
        (reply({"response_format": OBJECT}, None, None), OBJECT),
        (reply({"response_format": OBJECT}, None, {}), None),
        (reply({"response_format": "nonsense"}), None),
        (Message("m1", Role.USER, "{}", sent={"response_format": OBJECT}), None),
    ],
)
def test_which_form_a_reply_was_asked_in(message: Message, form: object) -> None:
    assert form_of(message) == form


def test_what_was_cut_is_not_checked() -> None:
    sent = {"response_format": OBJECT}
    assert is_to_be_checked(reply(sent))
    assert not is_to_be_checked(reply(sent, finish_reason="length"))
    assert not is_to_be_checked(reply(sent, state=MessageState.INTERRUPTED))
    assert not is_to_be_checked(reply({}))


def test_json_is_laid_out_and_every_token_stays() -> None:
    text = '{"a":[1,2.50,{}],"b c":"x, {y}: \\"z\\"","d":[],"a":1e5}'
    assert (
        indented(text)
        == """{
  "a": [
    1,
    2.50,
    {}
  ],
  "b c": "x, {y}: \\"z\\"",
  "d": [],
  "a": 1e5
}"""
    )
    assert laid_out(text) == f"````json\n{indented(text)}\n````\n"


@pytest.mark.parametrize("text", ["", "Lamb.", "1", '"x"', "[" + "1," * 200_000 + "1]", "{ ````"])
def test_what_is_no_json_is_shown_as_it_came(text: str) -> None:
    assert laid_out(text) == text


@pytest.mark.parametrize("text", ["{", '{"a', "[" * 9999, "[" * 200 + "]" * 200, "{} {}"])
def test_what_is_the_beginning_of_json_is_shown_as_code(text: str) -> None:
    assert laid_out(text) == f"````json\n{text}\n````\n"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(
    value=st.lists(VALUES) | st.dictionaries(st.text(), VALUES),
    indent=st.sampled_from([None, 0, 3]),
    ascii_=st.booleans(),
)
def test_laying_out_changes_blanks_only(value: object, indent: int | None, ascii_: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_)
    laid = indented(text)
    assert laid is not None
    assert json.loads(laid) == value
    assert laid == json.dumps(value, indent=2, ensure_ascii=ascii_)


def test_what_is_wrong_is_said_once_and_bounded() -> None:
    findings = tuple(FormFinding(f"$[{place}]", "is no lamb") for place in range(7))
    assert FormCheck(findings[:1]).words == "$[0]: is no lamb"
    assert FormCheck(findings).words.endswith("$[4]: is no lamb; and 2 more")
    assert FormCheck().words == ""
    assert feedback(OBJECT, FormCheck(findings[:2])) == (
        "Your answer is not what was asked for (a JSON object): 2 errors.\n"
        "- $[0]: is no lamb\n- $[1]: is no lamb\nAnswer again, in that form."
    )


def test_names_of_forms() -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "lamb", "schema": {}}}
    assert [form_name(form) for form in (OBJECT, schema, {"type": "regex", "regex": "a"})] == [
        "a JSON object", "the schema lamb", "the pattern"
    ]  # fmt: skip
