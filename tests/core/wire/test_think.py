"""Reasoning and answer told apart, wherever the text was cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.prompt.open_turn import PromptEnd
from kimi_tui.core.prompt.template import DEFAULT_TEMPLATE, ThinkMarks
from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.wire.think import ThinkSplitter
from tests.core.cuts import check_every_cut


def split(pieces: list[str], prompt_end: PromptEnd) -> tuple[str, str]:
    splitter = ThinkSplitter(prompt_end, DEFAULT_TEMPLATE.think)
    segments = [segment for piece in pieces for segment in splitter.feed(piece)] + splitter.close()
    assert all(segment.text for segment in segments)
    reasoning, answer = ("".join(s.text for s in segments if s.part is part) for part in ReplyPart)
    return reasoning, answer


CASES = [
    ("hm</think>yes", ("hm", "yes")),
    ("<think>hm</think>yes", ("hm", "yes")),
    (" \n<think>\nhm</think>\n\nyes", ("\nhm", "\n\nyes")),
    (" \nhm</think>yes", (" \nhm", "yes")),
    ("never closed", ("never closed", "")),
    ("half </thin", ("half </thin", "")),
    ("<thi", ("<thi", "")),
    ("  ", ("  ", "")),
    ("", ("", "")),
    ("a<think>b</think>c</think>d<think>e", ("a<think>b", "c</think>d<think>e")),
    ("<think><think>a</think>b", ("<think>a", "b")),
    ("</think>", ("", "")),
    ("</think></think>x", ("", "</think>x")),
    ("a</</think>b", ("a</", "b")),
    ("羊</think>👍", ("羊", "👍")),
]


@pytest.mark.parametrize(("text", "parts"), CASES)
def test_inside_at_every_cut(text: str, parts: tuple[str, str]) -> None:
    check_every_cut(text, lambda pieces: split(pieces, PromptEnd.THINKING), parts)


@pytest.mark.parametrize(("text", "_parts"), CASES)
def test_what_goes_on_with_an_answer_is_all_answer(text: str, _parts: object) -> None:
    check_every_cut(text, lambda pieces: split(pieces, PromptEnd.ANSWER), ("", text))


@pytest.mark.parametrize(("text", "parts"), CASES)
def test_what_goes_on_with_reasoning_has_no_second_beginning(text: str, parts: tuple[str, str]) -> None:
    whole = text.partition("</think>")[::2] if text.lstrip().startswith("<think>") else parts
    check_every_cut(text, lambda pieces: split(pieces, PromptEnd.REASONING), whole)


@pytest.mark.parametrize(("text", "parts"), CASES)
def test_in_instant_mode_a_leading_block_is_reasoning_and_nothing_else(text: str, parts: tuple[str, str]) -> None:
    opens = text.lstrip().startswith("<think>")
    check_every_cut(text, lambda pieces: split(pieces, PromptEnd.THOUGHT), parts if opens else ("", text))


def test_the_marks_are_those_of_the_template() -> None:
    splitter = ThinkSplitter(PromptEnd.THINKING, ThinkMarks("[THINK]", "[/THINK]"))
    segments = [each for piece in ("[THI", "NK]</think>", "hm[/", "THINK]yes") for each in splitter.feed(piece)]
    assert [(each.part, each.text) for each in segments + splitter.close()] == [
        (ReplyPart.REASONING, "</think>"), (ReplyPart.REASONING, "hm"), (ReplyPart.ANSWER, "yes"),
    ]  # fmt: skip


PIECES = st.lists(st.sampled_from(["<think>", "</think>", "<", "/", "think>", "a", " ", "\n"]), max_size=10)


@given(PIECES, st.sampled_from(PromptEnd))
def test_cuts_never_matter(pieces: list[str], prompt_end: PromptEnd) -> None:
    assert split(pieces, prompt_end) == split(["".join(pieces)], prompt_end)


@given(PIECES, st.sampled_from(PromptEnd))
def test_only_markers_go(pieces: list[str], prompt_end: PromptEnd) -> None:
    text, (reasoning, answer) = "".join(pieces), split(pieces, prompt_end)
    rest = text.lstrip().removeprefix("<think>") if text.lstrip().startswith("<think>") else text
    assert "".join((reasoning, answer)) in {
        text,
        rest,
        rest.replace("</think>", "", 1),
        text.replace("</think>", "", 1),
    }


@pytest.mark.parametrize(
    "whole", ["hm </think>yes", "<think>hm</think>yes", " \n<think> hm", "a</thin</think>b", "<thi", "a <think> b"]
)
def test_what_was_cut_inside_a_mark_and_gone_on_with_is_split_as_the_whole(whole: str) -> None:
    marks = DEFAULT_TEMPLATE.think

    def read(splitter: ThinkSplitter, text: str, before: tuple[str, str] = ("", "")) -> tuple[str, str]:
        segments = [*splitter.feed(text), *splitter.close()]
        reasoning, answer = ("".join(s.text for s in segments if s.part is part) for part in ReplyPart)
        return before[0][: len(before[0]) - splitter.retracted] + reasoning, before[1] + answer

    expected = read(ThinkSplitter(PromptEnd.THINKING, marks), whole)
    for place in range(len(whole) + 1):
        first = ThinkSplitter(PromptEnd.THINKING, marks)
        before = read(first, whole[:place])
        end = PromptEnd.ANSWER if first.is_in_answer else PromptEnd.REASONING if before[0] else PromptEnd.THINKING
        begun = "" if first.is_in_answer else before[0]
        assert read(ThinkSplitter(end, marks, begun), whole[place:], before) == expected
        assert read(ThinkSplitter(end, marks, begun), "", before) == before
