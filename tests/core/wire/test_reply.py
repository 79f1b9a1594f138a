"""Bytes to reply: every shape of the two schemas, errors inside a stream, cuts inside characters and markers."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_tui.core.errors import ConnectionFailedError
from kimi_tui.core.prompt.open_turn import PromptEnd
from kimi_tui.core.prompt.template import DEFAULT_TEMPLATE
from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.session import MessageState, Usage
from kimi_tui.core.text.surrogates import replace_lone
from kimi_tui.core.wire.reply import ReplyBuilder
from kimi_tui.core.wire.think import ThinkSplitter
from tests.core.cuts import check_every_cut
from tests.fakes.scripted_client import DONE, end, frame, think_end, token
from tests.reading import Read, ReplyText, builder_of, read_reply

PROMPT = "<|im_user|>…<think>"


def reading(prompt_end: PromptEnd, *, stream: bool = True) -> ReplyBuilder:
    return builder_of(PROMPT, prompt_end, is_event_stream=stream)


def build(pieces: list[bytes], prompt_end: PromptEnd = PromptEnd.THINKING, *, stream: bool = True) -> Read:
    return read_reply(reading(prompt_end, stream=stream), pieces)


def document(**content: Any) -> Read:
    return build([json.dumps(content).encode()], stream=False)


def test_a_whole_reply_at_every_cut() -> None:
    stream = token("h") + token("m 羊") + think_end() + token("yes") + end() + DONE
    expected = Read((ReplyText("hm 羊", "yes"),), MessageState.COMPLETE, "stop", Usage(37, 5, 0.001), "r1")
    check_every_cut(stream, build, expected)


def test_halves_of_a_pair_in_two_tokens() -> None:
    stream = (
        rb'data: {"token":{"text":"a\ud83d"}}'
        b"\n\n"
        rb'data: {"token":{"text":"\udc4db\ud800"}}'
        b"\n\n" + end()
    )
    result = build([stream], PromptEnd.THOUGHT)
    assert result.replies == (ReplyText(None, "a👍b\ufffd"),)


HALF = rb'data: {"token":{"text":"a\ud83d"}}' + b"\n\n"


@pytest.mark.parametrize(
    ("ending", "content"),
    [(end(), "a\ufffd"), (end("length"), "a"), (b"", "a"), (frame(error_message="no"), "a")],
    ids=["stop", "length", "closed", "error"],
)
@pytest.mark.parametrize("is_inside", [True, False])
def test_half_a_pair_at_the_end_of_a_cut_reply_is_dropped(ending: bytes, content: str, is_inside: bool) -> None:
    result = build([HALF + ending], PromptEnd.THINKING if is_inside else PromptEnd.THOUGHT)
    assert result.replies == (ReplyText(content, "") if is_inside else ReplyText(None, content),)


def test_half_a_pair_at_the_end_of_a_reply_that_is_stopped_is_dropped() -> None:
    builder = reading(PromptEnd.THOUGHT)
    texts = [counted.text for counted in builder.feed(HALF)]
    rest, _ = builder.close(is_cut=True)
    assert (texts, rest) == (["a"], [])


@pytest.mark.parametrize(("reason", "content"), [("stop", "a\ufffd"), ("length", "a")])
def test_half_a_pair_at_the_end_of_a_whole_reply(reason: str, content: str) -> None:
    body = document(generated_text="hm</think>a\ud83d", details={"finish_reason": reason})
    assert body.replies == (ReplyText("hm", content),)


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
    result = build([stream], PromptEnd.THOUGHT)
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


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["", "BOM"])
@pytest.mark.parametrize("is_named_stream", [True, False])
def test_the_first_byte_says_more_than_the_name(mark: bytes, is_named_stream: bool) -> None:
    def replies(pieces: list[bytes]) -> tuple[ReplyText, ...]:
        return build(pieces, stream=is_named_stream).replies

    whole = b" \n" + json.dumps({"results": [{"generated_text": "hm</think>yes"}]}).encode()
    stream = b"\n: ping\n" + token("hm</think>yes") + DONE
    for body in (whole, stream):
        check_every_cut(mark + body, replies, (ReplyText("hm", "yes"),))


def test_an_error_as_json_in_a_streams_name() -> None:
    error = build([b'{"error": "no room"}']).error
    assert error is not None
    assert "no room" in error.summary


def test_what_the_end_says_may_be_spread_over_frames() -> None:
    stream = (
        token("x")
        + frame(details={"finish_reason": "length"})
        + frame(generated_text="x")
        + frame(num_output_tokens=1)
        + DONE
    )
    result = build([stream], PromptEnd.THOUGHT)
    assert (result.state, result.finish_reason, result.usage) == (MessageState.COMPLETE, "length", Usage(None, 1))


@pytest.mark.parametrize("last", [{"generated_text": "x"}, {"details": {"finish_reason": "content_filter"}}])
def test_each_sign_of_a_last_frame_ends_a_reply(last: dict[str, Any]) -> None:
    assert build([token("x") + frame(token={"text": ""}, **last)]).state is MessageState.COMPLETE


@pytest.mark.parametrize("text", ["x", ""])
def test_a_running_count_does_not_end_a_reply(text: str) -> None:
    stream = token("x") + frame(token={"text": text, "special": True}, num_output_tokens=1, estimated_cost=0.1)
    assert build([stream]).state is MessageState.INTERRUPTED


def test_more_text_takes_an_end_back() -> None:
    early = token("x") + frame(details={"finish_reason": "length"})
    result = build([early + token("y")], PromptEnd.THOUGHT)
    assert (result.replies, result.state, result.finish_reason) == (
        (ReplyText(None, "xy"),),
        MessageState.INTERRUPTED,
        None,
    )
    assert build([early + token("y") + end()]).finish_reason == "stop"


def test_text_in_the_last_frame_does_not_take_its_end_back() -> None:
    result = build([token("x") + frame(token={"text": "y"}, details={"finish_reason": "stop"})], PromptEnd.THOUGHT)
    assert (result.replies, result.state) == ((ReplyText(None, "xy"),), MessageState.COMPLETE)


def test_what_fails_after_the_end_does_not_matter() -> None:
    builder = reading(PromptEnd.THOUGHT)
    builder.feed(token("x") + end())
    builder.fail(ConnectionFailedError("lost"))
    result = builder.close()[1]
    assert (result.state, result.error) == (MessageState.COMPLETE, None)


def test_every_token_is_counted_once() -> None:
    builder = reading(PromptEnd.THINKING)
    tokens = [" ", "<thi", "nk>", "a", "</", "think>", "b", "c"]
    counted = [segment for text in tokens for segment in builder.feed(token(text))] + builder.close()[0]
    assert [(c.text, c.tokens) for c in counted] == [("a", 4), ("b", 3), ("c", 1)]
    assert builder.tokens == len(tokens)


def test_a_queued_stream_stays_queued_to_its_end() -> None:
    result = build([frame(inference_status={"status": "queued"}) + DONE])
    assert (result.state, result.replies) == (MessageState.QUEUED, ())


def test_a_document_without_end_breaks_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kimi_tui.core.wire.reply.MAX_DOCUMENT_BYTES", 1000)
    builder = reading(PromptEnd.THINKING, stream=False)
    builder.feed(b"{" + b" " * 2000)
    assert builder.is_over
    error = builder.close()[1].error
    assert error is not None
    assert "larger than 1000 bytes" in error.summary


def test_a_queued_request() -> None:
    result = document(inference_status={"status": "queued", "cost": None}, request_id="r3", results=[])
    assert (result.state, result.replies, result.request_id, result.error) == (MessageState.QUEUED, (), "r3", None)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"results": []}', b'{"results": [{"x": 1}]}'])
def test_a_document_that_is_no_reply(body: bytes) -> None:
    result = build([body], stream=False)
    assert (result.state, result.replies) == (MessageState.INTERRUPTED, ())
    assert result.error is not None


def test_a_stream_without_its_last_blank_line_loses_nothing() -> None:
    stream = token("h") + think_end() + token("yes") + end()
    expected = build([stream])
    assert expected.state is MessageState.COMPLETE
    for line_end in (b"", b"\n", b"\r", b"\r\n"):
        check_every_cut(stream.rstrip(b"\n") + line_end, build, expected)


def test_half_of_the_last_event_is_no_text() -> None:
    last = token("lost").rstrip(b"\n")
    whole = build([token("h")])
    for stop in range(len(last)):
        assert build([token("h") + last[:stop]]).replies == whole.replies


def test_what_arrived_before_the_connection_broke_is_kept() -> None:
    builder = reading(PromptEnd.THOUGHT)
    result = read_reply(builder, [token("a") + token("b").rstrip(b"\n")], ConnectionFailedError("gone"))
    assert (result.replies, result.state) == ((ReplyText(None, "ab"),), MessageState.INTERRUPTED)


@pytest.mark.parametrize("last", [b"\n\n", b"\n", b""])
def test_events_without_blank_lines_between_them_are_several(last: bytes) -> None:
    events = [token("h"), think_end(), token("yes"), end(), DONE]
    stream = b"\n".join(event.rstrip(b"\n") for event in events) + last
    check_every_cut(stream, build, build([b"".join(events)]))


def test_a_document_over_several_data_lines_is_one() -> None:
    stream = b'data: {"token":\ndata: {"text": "a"}}\n\n' + end()
    assert build([stream], PromptEnd.THOUGHT).replies == (ReplyText(None, "a"),)


@pytest.mark.parametrize("text", ["<think>hm</think>\n\nyes", " \n<think>hm</think>\n\nyes"])
def test_a_block_that_opens_a_reply_in_instant_mode_is_reasoning(text: str) -> None:
    understood = (ReplyText("hm", "\n\nyes"),)
    stream = b"".join(map(token, text)) + end()
    check_every_cut(stream, lambda pieces: build(pieces, PromptEnd.THOUGHT).replies, understood)
    whole = json.dumps({"results": [{"generated_text": PROMPT + text}] * 2}).encode()
    assert build([whole], PromptEnd.THOUGHT, stream=False).replies == understood * 2
    assert build([stream], PromptEnd.ANSWER).replies == (ReplyText(None, text),)


def test_an_empty_block_in_instant_mode_is_no_reasoning() -> None:
    assert build([token("<think></think>yes") + end()], PromptEnd.THOUGHT).replies == (ReplyText(None, "yes"),)


TOKENS = st.lists(
    st.sampled_from(["a", " ", "羊", "👍", "\ud83d", "\udc4d", "<think>", "</think>", "</", "think>", "\r", "\u2028"]), max_size=12
)  # fmt: skip


def check_any_reply_at_any_cut(texts: list[str], cut_places: list[int]) -> None:
    stream = b"".join(map(token, texts)) + frame(details={"finish_reason": "stop"})
    places = [0, *sorted(place % len(stream) for place in cut_places), len(stream)]
    result = build([stream[start:stop] for start, stop in itertools.pairwise(places)])
    splitter = ThinkSplitter(PromptEnd.THINKING, DEFAULT_TEMPLATE.think)
    segments = splitter.feed(replace_lone("".join(texts))) + splitter.close()
    reasoning, content = ("".join(s.text for s in segments if s.part is part) for part in ReplyPart)
    is_thought_out = "</think>" in replace_lone("".join(texts)) and not content
    assert result.replies == ((ReplyText(reasoning, content, is_thought_out),) if segments else ())
    assert result.state is MessageState.COMPLETE


@given(TOKENS, st.lists(st.integers(0, 10_000), max_size=6))
def test_any_reply_at_any_cut(texts: list[str], cut_places: list[int]) -> None:
    check_any_reply_at_any_cut(texts, cut_places)


@given(TOKENS, st.sampled_from([PromptEnd.THINKING, PromptEnd.THOUGHT]))
def test_tokens_that_come_at_once_count_as_they_do_one_by_one(texts: list[str], prompt_end: PromptEnd) -> None:
    def counted(pieces: list[bytes]) -> list[tuple[str, int, list[tuple[int, int]]]]:
        builder = reading(prompt_end)
        segments = [segment for piece in pieces for segment in builder.feed(piece)]
        parts = [[each for each in segments if each.part is part] for part in ReplyPart]
        return [
            ("".join(s.text for s in part), sum(s.tokens for s in part), [at for s in part for at in s.borders])
            for part in parts
        ]

    pieces = [token(text) for text in texts]
    assert counted([b"".join(pieces)]) == counted(pieces)


@pytest.mark.slow
@settings(max_examples=20_000, deadline=None)
@given(TOKENS, st.lists(st.integers(0, 10_000), max_size=6))
def test_any_reply_at_any_cut_many_times(texts: list[str], cut_places: list[int]) -> None:
    check_any_reply_at_any_cut(texts, cut_places)
