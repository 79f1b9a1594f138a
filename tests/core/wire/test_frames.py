"""The JSON of both schemas, with everything that servers leave out, add or get wrong."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.errors import (
    QUOTED_CHARS,
    BrokenStreamError,
    ServerFaultError,
)
from kimi_tui.core.session.session import Usage
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from kimi_tui.core.wire.dialect import Frame, Generated
from kimi_tui.core.wire.frames import decode_document, decode_event
from kimi_tui.core.wire.sse import SseEvent
from tests.counting import calls_in
from tests.fakes.scripted_client import end, token
from tests.reading import builder_of


def decode(type_: str = "message", /, **document: Any) -> Frame:
    (frame,) = decode_event(SseEvent(type_, json.dumps(document)), DEEPINFRA)
    return frame


@pytest.mark.parametrize(
    ("document", "frame"),
    [
        ({"token": {"text": "a"}}, Frame("a", 1)),
        ({"token": {"id": None, "text": "a", "logprob": 0, "special": False}, "details": None}, Frame("a", 1, logprob=0.0)),
        ({"token": {"text": "a", "logprob": -0.25}, "num_input_tokens": 3}, Frame("a", 1, usage=Usage(3), logprob=-0.25)),
        ({"token": {"text": "a", "logprob": -math.inf}}, Frame("a", 1, logprob=-math.inf)),
        ({"token": {"text": "a", "logprob": 0.5}}, Frame("a", 1)),
        ({"token": {"text": "a", "logprob": math.nan}}, Frame("a", 1)),
        ({"token": {"text": "a", "logprob": -(10**400)}}, Frame("a", 1)),
        ({"token": {"text": "a", "logprob": False}}, Frame("a", 1)),
        ({"token": {"text": "a", "logprob": "-1"}}, Frame("a", 1)),
        ({"token": {"text": "a"}, "request_id": "r", "num_output_tokens": 3}, Frame("a", 1, usage=Usage(None, 3), request_id="r")),
        ({"token": {"text": "<|im_end|>", "special": True}}, Frame()),
        ({"token": {"text": "</think>", "special": True}}, Frame("</think>", 1)),
        ({"token": {"text": "<think>\n", "special": True}}, Frame("<think>\n", 1)),
        ({"token": {"text": ""}, "details": {"finish_reason": "tool_calls"}}, Frame(finish_reason="tool_calls")),
        ({"token": {"text": 7}}, Frame()),
        ({"token": None, "details": {"finish_reason": None}, "generated_text": None}, Frame()),
        ({"token": "a", "details": "b", "generated_text": 3, "num_input_tokens": "4", "request_id": 5}, Frame()),
        ({"num_input_tokens": True, "num_output_tokens": -1, "estimated_cost": "1"}, Frame()),
        ({"estimated_cost": float("nan"), "num_input_tokens": 10**30}, Frame()),
        ({"num_input_tokens": 1, "num_output_tokens": 2, "estimated_cost": 0.5}, Frame(usage=Usage(1, 2, 0.5))),
        ({"generated_text": "all"}, Frame(results=(Generated("all"),))),
        ({"generated_text": ""}, Frame()),
        ({"inference_status": {"status": "running"}}, Frame(is_queued=True)),
        ({"inference_status": {"status": "running"}, "results": [{"generated_text": "a"}]}, Frame(results=(Generated("a"),))),
        ({}, Frame()),
        ({"unknown": {"error": "x"}}, Frame()),
    ],
)  # fmt: skip
def test_frames(document: dict[str, Any], frame: Frame) -> None:
    assert decode(**document) == frame


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"error_type": "oom", "error_message": "no room"}, "oom: no room"),
        ({"error_type": "oom"}, "oom"),
        ({"error": "no room"}, "no room"),
        ({"error": {"message": "no room", "type": "x"}}, "no room"),
        ({"error": {"code": 7}}, '{"code": 7}'),
        ({"error": 500}, "500"),
        ({"detail": "no room"}, "no room"),
        ({"detail": {"error": "no room"}}, "no room"),
        ({"detail": [{"loc": ["body", "stop", 3], "msg": "no room"}, "and more"]}, "stop.3: no room; and more"),
        ({"message": "no room"}, "no room"),
        ({"error": True, "message": "no room"}, "no room"),
        ({"token": {"text": "a"}, "error": "no room"}, "no room"),
        ({"token": None, "generated_text": None, "detail": "no room"}, "no room"),
        ({"inference_status": {"status": "failed"}}, "failed"),
    ],
)
def test_errors_in_a_stream_that_said_success(document: dict[str, Any], words: str) -> None:
    error = decode(**document, request_id="r").error
    assert isinstance(error, ServerFaultError)
    assert error.summary == f"The endpoint reported an error: {words}" or words == "failed"
    assert words in error.summary


@pytest.mark.parametrize(
    ("document", "hint"),
    [
        ({"detail": [{"loc": ["body", "top_p"], "msg": "too large"}]}, "request fields"),
        ({"error_type": "ValidationError", "error_message": "top_p"}, "request fields"),
        ({"error": {"message": "top_p", "type": "invalid_request_error"}}, "request fields"),
        ({"error": {"message": "no such key", "code": 401}}, "DEEPINFRA_TOKEN"),
        ({"error": {"message": "no funds", "status": 402}}, "funds"),
        ({"error": "busy", "status_code": 429}, "Wait"),
        ({"error": {"message": "top_k", "code": 422}}, "request fields"),
        ({"error": {"message": "down", "code": 503}}, "Try again."),
        ({"error_type": "overloaded", "error_message": "no room"}, "Try again."),
        ({"error": "no room"}, "Try again."),
    ],
)
def test_an_error_that_refuses_the_request_does_not_advise_to_send_it_again(
    document: dict[str, Any], hint: str
) -> None:
    error = decode(**document).error
    assert error is not None
    assert hint in error.hint


@pytest.mark.parametrize("document", [{"error": None}, {"error": ""}, {"error": {}}, {"error": False}, {"detail": []}])
def test_an_empty_error_is_none(document: dict[str, Any]) -> None:
    assert decode(**document) == Frame()
    assert decode(token={"text": "a"}, **document).text == "a"


@pytest.mark.parametrize("data", ["", "no room", '"no room"', "[1]", "{}", '{"token": {"text": "no room"}}'])
def test_an_event_named_error_is_one_whatever_it_holds(data: str) -> None:
    (frame,) = decode_event(SseEvent("error", data), DEEPINFRA)
    assert frame.error is not None


def test_long_deep_and_broken_words_stay_one_short_line() -> None:
    deep: Any = "x"
    for _ in range(450):
        deep = {"error": deep}
    foreign: list[Any] = ["a\nb" * 100_000, deep, [[]] * 100_000, "\ud83d" * 10]
    for words in foreign:
        error = decode(error=words).error
        assert error is not None
        assert len(error.summary) < QUOTED_CHARS + 60
        assert "\n" not in error.summary
        error.summary.encode()


def test_events_without_data_and_the_end() -> None:
    assert decode_event(SseEvent("message", ""), DEEPINFRA) == ()
    assert decode_event(SseEvent("message", " [DONE] "), DEEPINFRA) == (Frame(is_done=True),)


@pytest.mark.parametrize("data", ["x", "[1]", "{", "{}", '{"type": "ping"}', '{"message": "still here"}'])
def test_an_event_of_another_name_says_nothing(data: str) -> None:
    assert all(frame == Frame() for frame in decode_event(SseEvent("ping", data), DEEPINFRA))


def test_a_reply_and_an_error_count_under_any_name() -> None:
    assert decode("token", token={"text": "a"}) == Frame("a", 1)
    assert decode("end", details={"finish_reason": "stop"}) == Frame(finish_reason="stop")
    assert decode("news", error="no room").error is not None


@pytest.mark.parametrize("data", ["x", "[1]", "7", "null", '"a"', "{", "[" * 100_000, '{"a":' + "1" * 5000 + "}"])
def test_garbage_is_the_one_documented_error(data: str) -> None:
    with pytest.raises(BrokenStreamError):
        decode_event(SseEvent("message", data), DEEPINFRA)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["queued", "failed"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["token", "text", "special", "details", "finish_reason", "generated_text", "results", "usage", "error", "detail", "message", "loc", "msg", "status", "inference_status", "cost", "estimated_cost", "num_tokens", "num_input_tokens", "error_type", "error_message"]
        ),
        inner,
        max_size=5,
    ),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
def test_any_json_is_a_frame_or_the_one_documented_error(document: Any) -> None:
    text = json.dumps(document)
    decoders: list[Callable[[], Frame]] = [
        lambda: next(iter(decode_event(SseEvent("message", text), DEEPINFRA)), Frame()),
        lambda: decode_document(text.encode(), DEEPINFRA),
    ]
    for decoder in decoders:
        try:
            frame = decoder()
        except BrokenStreamError:
            continue
        assert frame.tokens in {0, 1}
        assert all(isinstance(result.text, str) for result in frame.results)


def calls_to_read(tokens: int) -> int:
    chunks = [token(f" word{place}") for place in range(tokens)] + [end()]
    builder = builder_of()

    def read() -> None:
        for chunk in chunks:
            builder.feed(chunk)

    calls = calls_in(read)
    assert builder.tokens == tokens
    return calls


def test_a_token_costs_the_same_in_a_long_reply() -> None:
    assert calls_to_read(4000) < 2.1 * calls_to_read(2000)
