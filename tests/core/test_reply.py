"""Bytes to reply: every shape of the two schemas, errors inside a stream, cuts inside characters and markers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kimi_tui.core.reply import ReplyBuilder, ReplyResult, ReplyText
from kimi_tui.core.session import MessageState, Usage
from tests.core.cuts import check_every_cut
from tests.fakes.scripted_client import DONE, end, frame, think_end, token

PROMPT = "<|im_user|>…<think>"


def build(pieces: list[bytes], *, inside: bool = True, stream: bool = True) -> ReplyResult:
    builder = ReplyBuilder(prompt=PROMPT, inside_reasoning=inside, is_event_stream=stream)
    for piece in pieces:
        builder.feed(piece)
    return builder.close()[1]


def document(**content: Any) -> ReplyResult:
    return build([json.dumps(content).encode()], stream=False)


def test_a_whole_reply_at_every_cut() -> None:
    stream = token("h") + token("m 羊") + think_end() + token("yes") + end() + DONE
    expected = ReplyResult((ReplyText("hm 羊", "yes"),), MessageState.COMPLETE, "stop", Usage(37, 5, 0.001), "r1")
    check_every_cut(stream, build, expected)


def test_halves_of_a_pair_in_two_tokens() -> None:
    stream = (
        rb'data: {"token":{"text":"a\ud83d"}}'
        b"\n\n"
        rb'data: {"token":{"text":"\udc4db\ud800"}}'
        b"\n\n" + end()
    )
    result = build([stream], inside=False)
    assert result.replies == (ReplyText(None, "a👍b\ufffd"),)


def test_special_tokens_are_no_text_but_the_think_markers_are() -> None:
    stream = token("<|im_end|>", special=True) + token("hm") + think_end() + token("yes") + end()
    assert build([stream]).replies == (ReplyText("hm", "yes"),)


def test_nulls_and_missing_fields_are_normal() -> None:
    stream = (
        frame(token=None, details=None)
        + frame(token={"text": None})
        + frame(token={"text": "x"}, unknown=[1])
        + frame(details={"finish_reason": "length"})
    )
    result = build([stream], inside=False)
    assert (result.replies, result.state, result.finish_reason) == (
        (ReplyText(None, "x"),),
        MessageState.COMPLETE,
        "length",
    )


def test_generated_text_stands_in_where_no_token_came() -> None:
    stream = frame(token={"text": ""}, generated_text=PROMPT + "hm</think>yes", details={"finish_reason": "stop"})
    assert build([stream]).replies == (ReplyText("hm", "yes"),)


def test_done_alone_ends_a_reply() -> None:
    assert build([token("x") + DONE]).state is MessageState.COMPLETE


def test_a_stream_that_just_ends_is_interrupted() -> None:
    result = build([token("x")])
    assert (result.state, result.replies) == (MessageState.INTERRUPTED, (ReplyText("x", ""),))
    assert result.error is not None
    assert "before the reply was complete" in result.error.summary


@pytest.mark.parametrize(
    "error",
    [
        {"error_type": "oom", "error_message": "no room"},
        {"error": {"message": "no room"}},
        {"error": "no room"},
        {"detail": {"error": "no room"}},
        {"detail": "no room"},
        {"detail": [{"loc": ["body", "x"], "msg": "no room", "type": "t"}]},
        {"token": {"text": ""}, "error": {"message": "no room"}},
    ],
)
def test_errors_inside_a_stream(error: dict[str, Any]) -> None:
    result = build([token("x") + frame(**error) + token("late") + DONE])
    assert (result.state, result.replies) == (MessageState.FAILED, (ReplyText("x", ""),))
    assert result.error is not None
    assert "no room" in result.error.summary


def test_an_error_event_may_hold_anything() -> None:
    for data in (b"no room", b'"no room"', b'{"message": "no room"}'):
        result = build([b"event: error\ndata: " + data + b"\n\n"])
        assert result.error is not None
        assert (result.state, "no room" in result.error.summary) == (MessageState.FAILED, True)


@pytest.mark.parametrize("data", [b"garbage", b"[1]", b"{", b"[" * 100_000])
def test_garbage_breaks_the_stream_and_keeps_the_text(data: bytes) -> None:
    result = build([token("x") + b"data: " + data + b"\n\n"])
    assert (result.state, result.replies) == (MessageState.INTERRUPTED, (ReplyText("x", ""),))


def test_an_unstreamed_reply() -> None:
    result = document(
        results=[{"generated_text": "hm</think>yes"}, {"generated_text": PROMPT + "no</think>no"}],
        num_tokens=9,
        num_input_tokens=4,
        request_id="r2",
        inference_status={"status": "succeeded", "cost": 0.5, "tokens_generated": 1, "tokens_input": 1},
    )
    assert result.replies == (ReplyText("hm", "yes"), ReplyText("no", "no"))
    assert (result.usage, result.request_id, result.state) == (Usage(4, 9, 0.5), "r2", MessageState.COMPLETE)


def test_a_queued_request() -> None:
    result = document(inference_status={"status": "queued", "cost": None}, request_id="r3", results=[])
    assert (result.state, result.replies, result.request_id, result.error) == (MessageState.QUEUED, (), "r3", None)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"results": []}', b'{"results": [{"x": 1}]}'])
def test_a_document_that_is_no_reply(body: bytes) -> None:
    result = build([body], stream=False)
    assert (result.state, result.replies) == (MessageState.INTERRUPTED, ())
    assert result.error is not None
