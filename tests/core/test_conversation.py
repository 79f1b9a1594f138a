"""Branches, alternatives, deletions, and the exact input of coming and past turns."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from kimi_tui.core import budget
from kimi_tui.core.conversation import (
    alternatives,
    branch,
    newest_leaf,
    next_prompt,
    parse_message_list,
    prompt_of,
    question_parent,
    select,
    title_of,
    with_system,
    without,
)  # fmt: skip
from kimi_tui.core.errors import InputTooLargeError, UsageError
from kimi_tui.core.session import Message, MessageState, Role, Session, Usage
from kimi_tui.core.template import TEMPLATES

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
KIMI = TEMPLATES["kimi"]


def user(id_: str, text: str, parent: str | None = None) -> Message:
    return Message(id_, Role.USER, text, parent)


def reply(id_: str, text: str, parent: str, **more: object) -> Message:
    kept = {"template": "kimi", "thinking": True, "state": MessageState.COMPLETE, **more}
    return replace(Message(id_, Role.ASSISTANT, text, parent), **kept)  # type: ignore[arg-type]


def session_of(*messages: Message, head: str | None = None, system: str | None = None) -> Session:
    return Session("s", NOW, NOW, "model", system=system, head=head, messages=messages)


TREE = session_of(
    user("m1", "one"),
    reply("m2", "first", "m1"),
    reply("m3", "second", "m1"),
    user("m4", "two", "m2"),
    reply("m5", "third", "m4"),
    head="m5",
)


def ids(messages: tuple[Message, ...]) -> list[str]:
    return [message.id for message in messages]


def test_the_branch_goes_from_root_to_head() -> None:
    assert ids(branch(TREE)) == ["m1", "m2", "m4", "m5"]
    assert ids(branch(TREE, "m3")) == ["m1", "m3"]
    assert ids(branch(replace(TREE, head=None))) == ["m1", "m2", "m4", "m5"]
    assert branch(session_of()) == ()


def test_alternatives_share_a_parent() -> None:
    assert ids(alternatives(TREE, "m3")) == ["m2", "m3"]
    assert newest_leaf(TREE, "m2") == "m5"
    assert select(TREE, "m3").head == "m3"
    assert select(select(TREE, "m3"), "m2").head == "m5"


def test_a_question_without_a_reply_gets_an_alternative() -> None:
    assert question_parent(TREE) == "m5"
    assert question_parent(session_of(user("m1", "one"))) is None
    assert question_parent(session_of(*TREE.messages, user("m6", "three", "m5"), head="m6")) == "m5"
    assert question_parent(session_of()) is None


def test_deleting_takes_everything_below() -> None:
    rest = without(TREE, "m2")
    assert (ids(rest.messages), rest.head) == (["m1", "m3"], "m3")
    rest = without(TREE, "m4")
    assert (ids(rest.messages), rest.head) == (["m1", "m2", "m3"], "m2")
    assert without(TREE, "m3").head == "m5"
    assert without(TREE, "m1").head is None


def test_the_next_prompt_closes_the_last_reply() -> None:
    assert next_prompt(TREE, template=KIMI, thinking=True) == (
        "<|im_user|>user<|im_middle|>one<|im_end|><|im_assistant|>assistant<|im_middle|><think></think>first<|im_end|>"
        "<|im_user|>user<|im_middle|>two<|im_end|><|im_assistant|>assistant<|im_middle|><think></think>third<|im_end|>"
        "<|im_assistant|>assistant<|im_middle|><think>"
    )


def test_a_draft_stands_where_the_question_will() -> None:
    failed = session_of(user("m1", "one"))
    assert next_prompt(failed, template=KIMI, thinking=False, draft="again") == (
        "<|im_user|>user<|im_middle|>again<|im_end|><|im_assistant|>assistant<|im_middle|><think></think>"
    )


def test_what_is_left_out_is_not_sent() -> None:
    messages = [replace(m, excluded=m.id == "m1") for m in TREE.messages]
    assert "one" not in next_prompt(session_of(*messages, head="m5"), template=KIMI, thinking=True)
    queued = session_of(user("m1", "one"), reply("m2", "", "m1", state=MessageState.QUEUED))
    assert next_prompt(queued, template=KIMI, thinking=True).count("<think>") == 1


def test_an_empty_system_prompt_is_a_block_and_none_is_none() -> None:
    assert next_prompt(session_of(system=""), template=KIMI, thinking=True).startswith(
        "<|im_system|>system<|im_middle|><|im_end|>"
    )
    assert next_prompt(session_of(), template=KIMI, thinking=True) == "<|im_assistant|>assistant<|im_middle|><think>"


@pytest.mark.parametrize("old", [None, "", "Be a chef."])
def test_past_inputs_survive_a_new_system_prompt(old: str | None) -> None:
    before = session_of(*TREE.messages, system=old)
    after = with_system(with_system(before, "Be brief."), None)
    for id_ in ("m2", "m3", "m5"):
        assert prompt_of(after, id_) == prompt_of(before, id_)
    assert prompt_of(before, "m2") == next_prompt(
        session_of(user("m1", "one"), system=old), template=KIMI, thinking=True
    )


def test_markers_are_neutralised_unless_switched_off() -> None:
    session = session_of(user("m1", "<|im_end|>"))
    assert "<\u2060|im_end|>" in next_prompt(session, template=KIMI, thinking=True)
    assert "\u2060" not in next_prompt(session, template=KIMI, thinking=True, neutralise=False)


def test_message_lists() -> None:
    turns = parse_message_list(
        [{"role": "system", "content": "S"}, {"role": "assistant", "content": "A", "reasoning": "R"}]
    )
    assert [(turn.role, turn.text) for turn in turns] == [(Role.SYSTEM, "S"), (Role.ASSISTANT, "A")]
    for wrong, place in (
        ({}, "list"),
        ([1], r"messages\[0\]"),
        ([{"role": "x", "content": ""}], "role"),
        ([{"role": "user"}], "content"),
    ):
        with pytest.raises(UsageError, match=place):
            parse_message_list(wrong)


def test_titles_are_one_short_line() -> None:
    assert title_of("  Cooking\n lamb ") == "Cooking lamb"
    long = title_of("word " * 40)
    assert len(long) <= 60
    assert long.endswith("word…")
    assert len(title_of("x" * 100)) == 60


def test_an_input_is_refused_only_when_it_surely_does_not_fit() -> None:
    empty = session_of()
    budget.check_input(empty, "x" * 600, 100)
    with pytest.raises(InputTooLargeError, match=r"101 tokens.*holds 100"):
        budget.check_input(empty, "x" * 606, 100)
    assert budget.is_doubtful("x" * 500, 100)
    assert not budget.is_doubtful("x" * 400, 100)


def test_the_endpoints_own_count_of_the_beginning_decides_too() -> None:
    session = session_of(user("m1", "one"), reply("m2", "two", "m1", usage=Usage(500, 1, None)))
    prompt = next_prompt(session, template=KIMI, thinking=True, draft="three")
    assert budget.counted_prefix(session, prompt) == 500
    with pytest.raises(InputTooLargeError, match="500"):
        budget.check_input(session, prompt, 499)
    other = next_prompt(session, template=TEMPLATES["deepinfra"], thinking=True)
    assert budget.counted_prefix(session, other) is None
