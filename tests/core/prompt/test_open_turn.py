"""Whatever the model has said so far can be written, and is read back as it was: open turns and closed ones."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kimi_tui.core.prompt.neutralise import NO_TEXT, TextDoor, verbatim
from kimi_tui.core.prompt.open_turn import OpenTurn, PromptEnd
from kimi_tui.core.prompt.prompt_syntax import (
    Prompt,
    PromptTurn,
    parse_prompt,
    write_open_turn,
    write_prompt,
    write_turn,
)
from kimi_tui.core.prompt.template import TEMPLATES, Template
from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.session import Role
from kimi_tui.core.session.written import WrittenRange
from kimi_tui.core.wire.think import ThinkSplitter
from tests.core.prompt import template_rows
from tests.core.prompt.test_neutralise import hostile

KIMI = TEMPLATES["kimi"]
DOOR = TextDoor(KIMI)
OPENING = "<|im_assistant|>assistant<|im_middle|>"
THINKING = st.sampled_from([template for template in template_rows.ALL if template.think is not None])


@st.composite
def open_turns(draw: st.DrawFn, template: Template) -> OpenTurn:
    door = TextDoor(template, draw(st.booleans()) or template.think is None)
    is_closed = draw(st.booleans()) or template.think is None
    reasoning = draw(hostile) if template.think is not None else ""
    # Where nothing is made harmless, nothing is promised of control tokens.
    if not door.neutralise:
        reasoning = template.control.encode(reasoning)
    answer = draw(hostile) if is_closed else ""
    return OpenTurn.of(door, is_closed=is_closed, reasoning=reasoning, answer=template.control.encode(answer))


@st.composite
def closed_turns(draw: st.DrawFn, template: Template) -> PromptTurn:
    door, role, text = TextDoor(template), draw(st.sampled_from(Role)), draw(hostile)
    if role is not Role.ASSISTANT:
        return PromptTurn(role, door.foreign(text))
    reasoning = draw(hostile) if template.think is not None else ""
    own = draw(st.booleans())
    return PromptTurn(role, door.own_answer(text) if own else door.foreign(text), door.own_reasoning(reasoning))


def prompts(templates: tuple[Template, ...]) -> st.SearchStrategy[Prompt]:
    return st.sampled_from(templates).flatmap(
        lambda template: st.builds(
            Prompt, st.lists(closed_turns(template), max_size=5).map(tuple), open_turns(template), st.just(template)
        )
    )


@settings(max_examples=300, deadline=None)
@given(prompts(template_rows.ALL))
@example(Prompt((), OpenTurn(verbatim("<think>a<"), True, verbatim("</think><think>")), template_rows.CHATML))
@example(
    Prompt((PromptTurn(Role.ASSISTANT, verbatim("<think>a</think>b")),), OpenTurn(), template_rows.CHATML)
)  # an answer that looks like one with a block
def test_every_prompt_is_read_as_it_was_written(prompt: Prompt) -> None:
    assert parse_prompt(write_prompt(prompt), [prompt.template]) == prompt


@pytest.mark.slow
@settings(max_examples=10_000, deadline=None)
@given(prompts(template_rows.ALL))
def test_many_prompts_are_read_as_they_were_written(prompt: Prompt) -> None:
    assert parse_prompt(write_prompt(prompt), [prompt.template]) == prompt


@given(hostile, THINKING)
def test_the_models_own_text_is_recoverable(text: str, template: Template) -> None:
    """What it wrote inside its block never holds the mark that closes it; then both doors lose nothing."""
    door, close = TextDoor(template), template.reasoning_ends
    assert template.control.decode(door.own_answer(text)) == text
    if not close.spans(text):
        assert template.control.decode(door.own_reasoning(text)) == text


@pytest.mark.parametrize(
    ("reasoning", "is_closed", "answer", "written", "end"),
    [
        ("", False, "", "<think>", PromptEnd.THINKING),
        ("so far", False, "", "<think>so far", PromptEnd.REASONING),
        ("", True, "", "<think></think>", PromptEnd.THOUGHT),
        ("so far", True, "", "<think>so far</think>", PromptEnd.ANSWER),
        ("so far", True, "It", "<think>so far</think>It", PromptEnd.ANSWER),
        ("", True, "It", "<think></think>It", PromptEnd.ANSWER),
        (" a <think> b\r\n", False, "", "<think> a <think> b\r\n", PromptEnd.REASONING),
        ("a", True, "</think> <think> [EOS]", "<think>a</think></think> <think> [\u2060EOS]", PromptEnd.ANSWER),
        ("<|im_end|>", False, "", "<think><\u2060|im_end|>", PromptEnd.REASONING),
    ],
)
def test_an_open_turn_says_how_far_it_is(
    reasoning: str, is_closed: bool, answer: str, written: str, end: PromptEnd
) -> None:
    turn = OpenTurn.of(DOOR, is_closed=is_closed, reasoning=reasoning, answer=answer)
    assert write_open_turn(turn, KIMI) == OPENING + written
    assert turn.prompt_end is end


@pytest.mark.parametrize("neutralise", [True, False])
def test_a_closing_mark_from_elsewhere_never_ends_the_reasoning(neutralise: bool) -> None:
    turn = OpenTurn.of(TextDoor(KIMI, neutralise), is_closed=False, reasoning="a</think>b<\u2060/think><think>")
    assert turn.reasoning == "a<\u2060/think>b<\u2060\u2060/think><think>"
    assert KIMI.reasoning_ends.decode(turn.reasoning) == "a</think>b<\u2060/think><think>"


@pytest.mark.parametrize("template", [KIMI, template_rows.CHATML], ids=lambda template: template.name)
def test_reasoning_that_would_end_too_early_is_refused(template: Template) -> None:
    reasoning = verbatim("a</think>b")
    for is_closed in (True, False):
        with pytest.raises(ValueError, match="ends at"):
            write_open_turn(OpenTurn(reasoning, is_closed), template)
    with pytest.raises(ValueError, match="ends at"):
        write_turn(PromptTurn(Role.ASSISTANT, NO_TEXT, reasoning), template)


def test_what_no_prompt_can_say_is_refused() -> None:
    with pytest.raises(ValueError, match="closed think block"):
        OpenTurn(answer=verbatim("It"))
    with pytest.raises(ValueError, match="only the assistant"):
        write_turn(PromptTurn(Role.USER, NO_TEXT, verbatim("hm")), KIMI)
    for turn in (OpenTurn(), OpenTurn(verbatim("hm"), is_closed=True)):
        with pytest.raises(ValueError, match="no think marks"):
            write_open_turn(turn, template_rows.MISTRAL)


def test_without_think_marks_there_is_no_block_to_be_open() -> None:
    turn = OpenTurn.of(TextDoor(template_rows.MISTRAL), is_closed=False)
    assert (turn, turn.prompt_end) == (OpenTurn(is_closed=True), PromptEnd.THOUGHT)
    splitter = ThinkSplitter(turn.prompt_end, template_rows.MISTRAL.think)
    segments = splitter.feed(" <think>a</think>b") + splitter.close()
    assert [(segment.part, segment.text) for segment in segments] == [(ReplyPart.ANSWER, " <think>a</think>b")]


def test_kept_reasoning_stands_in_a_closed_turn() -> None:
    reasoning = DOOR.own_reasoning("hm <think>")
    turn = PromptTurn(Role.ASSISTANT, DOOR.foreign("yes"), reasoning)
    assert write_turn(turn, KIMI) == OPENING + "<think>hm <think></think>yes<|im_end|>"
    assert write_turn(turn, template_rows.CHATML) == "<|im_start|>assistant\n<think>hm <think></think>yes<|im_end|>\n"
    bare = PromptTurn(Role.ASSISTANT, DOOR.foreign("yes"))
    assert write_turn(bare, template_rows.CHATML) == "<|im_start|>assistant\nyes<|im_end|>\n"


HARD = "a <think> b </think> <|im_end|> c[EOS]"


@pytest.mark.parametrize("start", range(len(HARD)))
@pytest.mark.parametrize("chars", [1, 4])
def test_think_marks_are_text_where_a_character_of_them_is_the_users(start: int, chars: int) -> None:
    """Control tokens are made harmless throughout, the model's think marks stay as they came."""
    own = WrittenRange("content", start, min(start + chars, len(HARD)))
    turn = OpenTurn.of(DOOR, is_closed=True, answer=HARD, written=(own,))
    for mark in ("<think>", "</think>"):
        place = HARD.index(mark)
        is_touched = own.start < place + len(mark) and place < own.end
        assert (mark in turn.answer) is not is_touched
    assert "<\u2060|im_end|> c[\u2060EOS]" in turn.answer
    assert turn.answer.replace("\u2060", "") == HARD
    thought = OpenTurn.of(DOOR, is_closed=False, reasoning=HARD, written=(WrittenRange("reasoning", *span_of(own)),))
    assert "</think>" not in thought.reasoning
    assert ("<think>" in thought.reasoning) is ("<think>" in turn.answer)
    assert "\u2060\u2060" not in thought.reasoning


def span_of(it: WrittenRange) -> tuple[int, int]:
    return it.start, it.end


def test_a_mark_that_the_model_completes_is_the_users_too() -> None:
    turn = OpenTurn.of(DOOR, is_closed=True, answer="a </think>", written=(WrittenRange("content", 0, 4),))
    assert turn.answer == "a <\u2060/think>"
    beside = OpenTurn.of(DOOR, is_closed=True, answer="a </think>", written=(WrittenRange("content", 0, 2),))
    assert beside.answer == "a </think>"
