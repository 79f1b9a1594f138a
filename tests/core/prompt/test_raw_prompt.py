"""An input that the user wrote whole: where it ends, what it asks, what a reply to it begins with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.prompt.neutralise import TextDoor
from kimi_tui.core.prompt.open_turn import OpenTurn, PromptEnd
from kimi_tui.core.prompt.prompt_syntax import Prompt, PromptTurn, write_prompt
from kimi_tui.core.prompt.raw_prompt import RawInput, raw_continuation, raw_input_of
from kimi_tui.core.prompt.template import DEFAULT_TEMPLATE, TEMPLATES
from kimi_tui.core.session.request_starts import TextSoFar
from kimi_tui.core.session.session import Message, Role
from kimi_tui.core.session.written import CONTENT, REASONING, Begun, WrittenRange

OPEN = "<|im_assistant|>assistant<|im_middle|>"
BLANK = Message("m2", Role.ASSISTANT, "", "m1", template="deepinfra", thinking=True)
THINK = DEFAULT_TEMPLATE.think
foreign_texts = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("<|im_end>[EOS]think/\u2060"))


def raw(text: str) -> RawInput:
    return RawInput.of(text, DEFAULT_TEMPLATE)


@pytest.mark.parametrize(
    ("text", "end", "reasoning", "answer"),
    [
        (f"{OPEN}<think>", PromptEnd.THINKING, "", ""),
        (f"{OPEN}<think>hm <think> so", PromptEnd.REASONING, "hm <think> so", ""),
        (f"{OPEN}\n<think>\n", PromptEnd.REASONING, "\n", ""),
        (f"{OPEN}<think></think>", PromptEnd.THOUGHT, "", ""),
        (f"{OPEN}<think></think>\n", PromptEnd.ANSWER, "", "\n"),
        (f"{OPEN}<think>hm</think>", PromptEnd.ANSWER, "hm", ""),
        (f"{OPEN}<think>hm</think>It </think> is", PromptEnd.ANSWER, "hm", "It </think> is"),
        (OPEN, PromptEnd.THOUGHT, "", ""),
        (f"{OPEN}\n", PromptEnd.THOUGHT, "", ""),
        (f"{OPEN}It is", PromptEnd.ANSWER, "", "It is"),
        (f"{OPEN}<think>hm[EOS]", PromptEnd.REASONING, "hm[EOS]", ""),
        (f"{OPEN}It[EOS]is", PromptEnd.ANSWER, "", "It[EOS]is"),
        (f"{OPEN}It<|im_end|>", PromptEnd.THOUGHT, "", ""),
        (f"{OPEN}<think>a<|im_user|>user<|im_middle|>b", PromptEnd.REASONING, "a<|im_user|>user<|im_middle|>b", ""),
        ("Once upon a time", PromptEnd.ANSWER, "", "Once upon a time"),
        ("<think>hm", PromptEnd.REASONING, "hm", ""),
        ("### Assistant:\n<think>", PromptEnd.THINKING, "", ""),
        ("Kimi: <think>a</think>b", PromptEnd.ANSWER, "a", "b"),
        (f"{OPEN}It <think> is", PromptEnd.ANSWER, "", "It <think> is"),
        ("<|start_header_id|>assistant<|end_header_id|>\n\n<think>a", PromptEnd.REASONING, "a", ""),
        ("<|im_user|>user<|im_middle|>What <|im_e", PromptEnd.ANSWER, "", "What <|im_e"),
    ],
)
def test_where_it_ends(text: str, end: PromptEnd, reasoning: str, answer: str) -> None:
    assert raw(text).tail == (end, reasoning, answer)


@pytest.mark.parametrize(
    ("tail", "reasoning", "content", "begun", "thinking"),
    [
        ("<think>", None, "", None, True),
        ("<think>hm", "hm", "", Begun(2), True),
        ("<think>hm</think>", "hm", "", Begun(2, 0), True),
        ("<think>hm</think>It", "hm", "It", Begun(2, 2), True),
        ("<think></think>", None, "", None, False),
        ("It", None, "It", Begun(0, 2), False),
        ("", None, "", None, False),
    ],
)
def test_a_reply_begins_with_what_its_open_turn_says(
    tail: str, reasoning: str | None, content: str, begun: Begun | None, *, thinking: bool
) -> None:
    reply = raw(OPEN + tail).put_on(BLANK)
    assert (reply.reasoning, reply.content, reply.begun, reply.thinking) == (reasoning, content, begun, thinking)
    assert reply.raw_input == OPEN + tail
    spans = [(it.field, it.start, it.end) for it in reply.written]
    texts = ((REASONING, reasoning), (CONTENT, content))
    assert spans == [(field, 0, len(text)) for field, text in texts if text]


@pytest.mark.parametrize(
    "text", ["<think>hm", "Once upon", "<|im_user|>user<|im_middle|>What is", f"{OPEN}a<|im_end|>b"]
)
def test_what_is_no_turn_of_the_assistant_s_is_not_the_beginning_of_a_reply(text: str) -> None:
    reply = raw(text).put_on(BLANK)
    assert (reply.reasoning, reply.content, reply.begun, reply.written) == (None, "", None, ())
    assert reply.thinking is text.startswith("<think>")


@given(foreign_texts, foreign_texts, st.booleans(), st.sampled_from(sorted(TEMPLATES)))
def test_the_question_of_a_written_prompt_is_what_was_asked(
    first: str, question: str, neutralise: bool, name: str
) -> None:
    template = TEMPLATES[name]
    door = TextDoor(template)
    turns = (PromptTurn(Role.SYSTEM, door.foreign(first)), PromptTurn(Role.USER, door.foreign(question)))
    prompt = write_prompt(Prompt(turns, OpenTurn(), template))
    expected = question if neutralise else str(door.foreign(question))
    assert RawInput.of(prompt, template).question(neutralise=neutralise) == expected


@pytest.mark.parametrize(
    "text",
    [
        f"<|im_user|>ChatMessageRole.USER<|im_middle|>a<|im_end|>b{OPEN}",
        f"<|im_user|>ChatMessageRole.USER<|im_middle|>a[EOS]<|im_end|>{OPEN}<think>",
        f"{OPEN}<think></think>a<|im_end|>{OPEN}<think>",
        "<|im_user|>ChatMessageRole.USER<|im_middle|>a<|im_end|>",
        OPEN,
        "a",
    ],
)
def test_what_asks_nothing_that_can_be_read_has_no_question(text: str) -> None:
    assert raw(text).question(neutralise=True) is None


def test_an_open_turn_without_a_think_mark_still_has_a_question() -> None:
    user = "<|im_user|>ChatMessageRole.USER<|im_middle|>a<|im_end|>"
    assert raw(f"{user}{OPEN}It is").question(neutralise=True) == "a"


@pytest.mark.parametrize(
    ("tail", "so_far", "expected"),
    [
        ("<think>hm", TextSoFar("hm so", "", is_thinking=True), " so"),
        ("<think>hm", TextSoFar("hm so", "", is_thinking=False), " so</think>"),
        ("<think>hm", TextSoFar("hm", "yes", is_thinking=False), "</think>yes"),
        ("<think>hm</think>It", TextSoFar("hm", "It is", is_thinking=False), " is"),
        ("<think>", TextSoFar("a", "b", is_thinking=False), "a</think>b"),
        ("<think></think>", TextSoFar("", "b", is_thinking=False), "b"),
        ("It", TextSoFar("", "It [EOS] <|im_end|>", is_thinking=False), " [EOS] <|im_end|>"),
        ("<think>", TextSoFar("", "", is_thinking=True), ""),
    ],
)
def test_what_goes_on_is_what_came_as_it_came(tail: str, so_far: TextSoFar, expected: str) -> None:
    assert raw_continuation(raw(OPEN + tail).put_on(BLANK), so_far, THINK) == expected


def test_a_block_that_the_model_opened_itself_is_opened_again() -> None:
    reply = Message("m2", Role.ASSISTANT, "b", reasoning="a", thinking=True, reopened=True, raw_input=OPEN)
    assert raw_continuation(reply, TextSoFar("a", "b", is_thinking=False), THINK) == "<think>a</think>b"
    assert raw_continuation(reply, TextSoFar("a", "", is_thinking=True), THINK) == "<think>a"


def test_a_title_has_no_markers() -> None:
    assert raw("<|im_user|>user<|im_middle|>Lamb\n?[EOS]").title == "Raw input: userLamb ?"
    assert raw("[BOS]").title == "Raw input"


def test_a_lone_surrogate_is_replaced() -> None:
    assert raw("a\ud800").text == "a\ufffd"


def test_it_is_known_of_a_reply() -> None:
    assert raw_input_of(BLANK) is None
    reply = raw("<think>a").put_on(BLANK)
    assert raw_input_of(reply) == raw("<think>a")
    assert WrittenRange(REASONING, 0, 1) not in reply.written
