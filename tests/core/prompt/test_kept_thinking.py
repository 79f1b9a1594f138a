"""Earlier thinking in the prompt: which turns keep it, how it stands there, what it costs."""

from __future__ import annotations

import functools
import operator
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.prompt import context_budget
from kimi_tui.core.prompt.prompt_syntax import parse_prompt
from kimi_tui.core.prompt.prompt_view import PromptViewer
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.prompt.template import TEMPLATES
from kimi_tui.core.prompt.token_estimate import estimate_tokens
from kimi_tui.core.session.kept_thinking import KeptThinking, first_kept, parse_kept_thinking
from kimi_tui.core.session.session import Session
from kimi_tui.core.text.growing_text import GrowingText
from kimi_tui.core.wire.message_list import read_message_list
from tests.core.prompt.test_context_budget import talk
from tests.core.prompt.test_conversation import reply, session_of, user
from tests.counting import calls_in
from tests.prompts import next_prompt, past_prompt

KIMI = RequestSettings(template=TEMPLATES["kimi"])
TALK = session_of(
    user("m1", "one"), reply("m2", "A", "m1", reasoning="a a"), user("m3", "two", "m2"),
    reply("m4", "B", "m3", reasoning=None, thinking=False), user("m5", "three", "m4"),
    reply("m6", "C", "m5", reasoning="c\n</think> [EOS] <think>"),
)  # fmt: skip
C = "<think>c\n<\u2060/think> [\u2060EOS] <think></think>C"


def keeping(kept: KeptThinking) -> RequestSettings:
    return replace(KIMI, kept_thinking=kept)


def replies_in(prompt: str) -> list[str]:
    """What stands in each closed turn of the assistant."""
    *closed, _ = prompt.split("<|im_assistant|>assistant<|im_middle|>")[1:]
    return [turn.partition("<|im_end|>")[0] for turn in closed]


@pytest.mark.parametrize(
    ("kept", "first", "last"),
    [
        (0, "<think></think>A", "<think></think>C"),
        (1, "<think></think>A", C),
        (2, "<think></think>A", C),  # a turn that did not think is one too
        (3, "<think>a a</think>A", C),
        ("all", "<think>a a</think>A", C),
    ],
)
def test_the_last_turns_stand_behind_their_thinking(kept: KeptThinking, first: str, last: str) -> None:
    prompt = next_prompt(TALK, keeping(kept), "four")
    assert replies_in(prompt) == [first, "<think></think>B", last]
    assert [turn.reasoning for turn in parse_prompt(prompt).turns][-2] == last[7:].partition("</think>")[0]


def test_a_turn_that_is_not_sent_is_none() -> None:
    left_out = replace(TALK, messages=(*TALK.messages[:5], replace(TALK.messages[5], excluded=True)))
    assert replies_in(next_prompt(left_out, keeping(2))) == ["<think>a a</think>A", "<think></think>B"]


def test_no_reasoning_closes_its_block_early_even_where_nothing_is_neutralised() -> None:
    verbatim = replace(keeping(1), neutralise=False)
    assert replies_in(next_prompt(TALK, verbatim))[-1] == "<think>c\n<\u2060/think> [EOS] <think></think>C"


@given(st.integers(0, 9), st.integers(0, 9))
def test_so_many_turns_are_kept_as_there_are(turns: int, kept: int) -> None:
    assert turns - first_kept(turns, kept) == min(turns, kept)
    assert first_kept(turns, "all") == 0


@pytest.mark.parametrize(("text", "kept"), [("none", 0), ("OFF", 0), ("0", 0), (" 2 ", 2), ("all", "all")])
def test_it_is_typed_as_a_number_or_a_word(text: str, kept: KeptThinking) -> None:
    assert parse_kept_thinking(text) == kept


@pytest.mark.parametrize("text", ["", "-1", "1.5", "two", "²", "9" * 8])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        parse_kept_thinking(text)


def test_a_past_input_holds_the_thinking_that_it_held_then() -> None:
    answered = replace(TALK.messages[5], kept_thinking=2)
    session = replace(TALK, messages=(*TALK.messages[:5], answered))
    before = replace(TALK, messages=TALK.messages[:5])
    assert past_prompt(session, "m6") == next_prompt(before, keeping(2))
    assert "<think>a a</think>A" in past_prompt(session, "m6")


def test_the_view_says_what_the_kept_thinking_costs() -> None:
    view = PromptViewer().view(TALK, keeping("all"), "four")
    kept = {part.message_id: part.thinking for part in view.parts if part.thinking}
    assert kept == {"m2": "a a", "m6": C[7:].removesuffix("</think>C")}
    assert view.thinking_tokens == sum(map(estimate_tokens, kept.values()))
    assert view.tokens == PromptViewer().view(TALK, KIMI, "four").tokens + view.thinking_tokens
    assert PromptViewer().view(TALK, KIMI, "four").thinking_tokens == 0


def thoughtful(turns: int, kept: KeptThinking) -> Session:
    found = talk(turns)
    messages = (replace(m, reasoning="hm", kept_thinking=kept) if m.id[0] == "r" else m for m in found.messages)
    return replace(found, messages=tuple(messages))


@pytest.mark.parametrize("kept", [1, "all"])
def test_a_keystroke_costs_the_same_however_long_the_conversation(kept: KeptThinking) -> None:
    costs = []
    for turns in (5, 1000):
        session, viewer = thoughtful(turns, kept), PromptViewer()
        viewer.view(session, keeping(kept), "draf")
        costs.append(calls_in(functools.partial(viewer.view, session, keeping(kept), "draft")))
    assert costs[0] == costs[1]


def test_a_turn_more_moves_the_thinking_of_two_turns_only() -> None:
    session, viewer = thoughtful(50, 1), PromptViewer()
    before = viewer.view(session, keeping(1)).closed
    longer = session.with_message(user("q", "more", "r50"))
    longer = longer.with_message(reply("r", "yes", "q", reasoning="so"))
    view = viewer.view(longer, keeping(1))
    assert all(map(operator.is_, view.closed[:-3], before[:-1]))
    assert [part.thinking for part in view.closed[-3:]] == ["", "", "so"]


@pytest.mark.parametrize("kept", [0, 3, "all"])
def test_counts_are_found_at_a_cost_that_grows_with_the_conversation_alone(kept: KeptThinking) -> None:
    costs = []
    for turns in (50, 100):
        session = thoughtful(turns, kept)
        other = keeping(1 if kept == 0 else 0)  # so that no reply fits, and all are looked at
        prompt = GrowingText(next_prompt(session, other, "more"))
        costs.append(calls_in(functools.partial(context_budget.counted_prefix, session, prompt)))
    assert costs[1] < costs[0] * 2.5


def test_the_count_of_an_input_with_its_thinking_is_believed() -> None:
    session = thoughtful(3, "all")
    prompt = GrowingText(next_prompt(session, keeping("all"), "more"))
    assert context_budget.counted_prefix(session, prompt) == 300
    without = GrowingText(next_prompt(session, KIMI, "more"))
    assert context_budget.counted_prefix(session, without) == 100  # before its first reply nothing was thought


def test_a_list_of_messages_keeps_its_reasoning_too() -> None:
    listed = read_message_list(
        [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "A", "reasoning": "hm </think>"}]
    )
    door = KIMI.door
    assert [turn.reasoning for turn in listed.turns(door)] == ["", ""]
    assert [turn.reasoning for turn in listed.turns(door, 1)] == ["", "hm <\u2060/think>"]
