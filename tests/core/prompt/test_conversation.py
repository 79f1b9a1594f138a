"""Branches, alternatives, deletions, and the exact input of coming and past turns."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_tui.core.prompt import context_budget
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.prompt.template import TEMPLATES
from kimi_tui.core.session.kept_thinking import KeptThinking
from kimi_tui.core.session.session import Message, MessageState, Role, Session, Usage
from kimi_tui.core.session.tree import (
    alternatives,
    branch,
    newest_leaf,
    question_parent,
    select,
    title_of,
    with_system,
    without,
)
from kimi_tui.core.text.growing_text import GrowingText
from tests.counting import calls_in
from tests.prompts import next_prompt, past_prompt

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
KIMI = RequestSettings(template=TEMPLATES["kimi"])


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
    assert next_prompt(TREE, KIMI) == (
        "<|im_user|>user<|im_middle|>one<|im_end|><|im_assistant|>assistant<|im_middle|><think></think>first<|im_end|>"
        "<|im_user|>user<|im_middle|>two<|im_end|><|im_assistant|>assistant<|im_middle|><think></think>third<|im_end|>"
        "<|im_assistant|>assistant<|im_middle|><think>"
    )


def test_a_draft_stands_where_the_question_will() -> None:
    failed = session_of(user("m1", "one"))
    assert next_prompt(failed, replace(KIMI, thinking=False), draft="again") == (
        "<|im_user|>user<|im_middle|>again<|im_end|><|im_assistant|>assistant<|im_middle|><think></think>"
    )


def test_what_is_left_out_is_not_sent() -> None:
    messages = [replace(m, excluded=m.id == "m1") for m in TREE.messages]
    assert "one" not in next_prompt(session_of(*messages, head="m5"), KIMI)
    queued = session_of(user("m1", "one"), reply("m2", "", "m1", state=MessageState.QUEUED))
    assert next_prompt(queued, KIMI).count("<think>") == 1


def test_an_empty_system_prompt_is_a_block_and_none_is_none() -> None:
    assert next_prompt(session_of(system=""), KIMI).startswith("<|im_system|>system<|im_middle|><|im_end|>")
    assert next_prompt(session_of(), KIMI) == "<|im_assistant|>assistant<|im_middle|><think>"


@pytest.mark.parametrize("old", [None, "", "Be a chef."])
def test_past_inputs_survive_a_new_system_prompt(old: str | None) -> None:
    before = session_of(*TREE.messages, system=old)
    after = with_system(with_system(before, "Be brief."), None)
    for id_ in ("m2", "m3", "m5"):
        assert past_prompt(after, id_) == past_prompt(before, id_)
    assert past_prompt(before, "m2") == next_prompt(session_of(user("m1", "one"), system=old), KIMI)


def test_markers_are_neutralised_unless_switched_off() -> None:
    session = session_of(user("m1", "<|im_end|>"))
    assert "<\u2060|im_end|>" in next_prompt(session, KIMI)
    assert "\u2060" not in next_prompt(session, replace(KIMI, neutralise=False))


def test_titles_are_one_short_line() -> None:
    assert title_of("  Cooking\n lamb ") == "Cooking lamb"
    long = title_of("word " * 40)
    assert len(long) <= 60
    assert long.endswith("word…")
    assert len(title_of("x" * 100)) == 60

    assert title_of("w " * 1_000_000) == "w " * 28 + "w…"


def test_an_unknown_id_is_a_key_error() -> None:
    for ask in (branch, alternatives, past_prompt, select, without):
        with pytest.raises(KeyError):
            ask(TREE, "m99")


def test_deleting_without_a_head_and_among_several_first_messages() -> None:
    assert without(replace(TREE, head=None), "m4").head == "m2"
    two = session_of(user("a", "one"), user("b", "other"), reply("c", "first", "a"), head="b")
    assert without(two, "b").head == "c"


def test_a_past_input_holds_what_was_sent_then() -> None:
    session = session_of(
        user("m1", "one <think>"),
        reply("m2", "", "m1", state=MessageState.QUEUED),
        user("m3", "two", "m2"),
        reply("m4", "a", "m3", thinking=False, neutralise=False, left_out=("m1",)),
        reply("m5", "b", "m3", template="deepinfra"),
    )
    assert past_prompt(session, "m4") == (
        "<|im_user|>user<|im_middle|>two<|im_end|><|im_assistant|>assistant<|im_middle|><think></think>"
    )
    assert past_prompt(session, "m5") == (
        "<|im_user|>ChatMessageRole.USER<|im_middle|>one <\u2060think><|im_end|>"
        "<|im_user|>ChatMessageRole.USER<|im_middle|>two<|im_end|><|im_assistant|>assistant<|im_middle|><think>"
    )


def test_leaving_a_message_out_now_changes_no_past_input() -> None:
    later = replace(TREE, messages=tuple(replace(message, excluded=True) for message in TREE.messages))
    assert past_prompt(later, "m5") == past_prompt(TREE, "m5")


class Diary:
    """Talks at random, as the engine would, and notes each input at the moment it is sent."""

    def __init__(self) -> None:
        self.session = session_of()
        self.sent: dict[str, str] = {}

    def act(self, action: str, number: int, text: str) -> None:
        session = self.session
        at = session.messages[number % len(session.messages)] if session.messages else None
        if action == "ask" or at is None:
            question = user(session.next_message_ids(1)[0], text, question_parent(session))
            self.session = session.with_message(question)
            if number % 5:
                self.reply_to(question.id, number, text, draft=session)
        elif action == "system":
            self.session = with_system(session, [None, "", text][number % 3])
        elif action == "exclude":
            changed = (replace(m, excluded=not m.excluded) if m is at else m for m in session.messages)
            self.session = replace(session, messages=tuple(changed))
        elif action == "select":
            self.session = select(session, at.id)
        elif action == "regenerate" and at.role is Role.USER:
            self.reply_to(at.id, number, text)

    def reply_to(self, question: str, number: int, text: str, draft: Session | None = None) -> None:
        template, thinking, neutralise = list(TEMPLATES.values())[number % 2], number % 3 > 0, number % 7 > 0
        at = replace(self.session, head=question)
        kept = KEPT[number % 4]
        request = RequestSettings(template=template, thinking=thinking, neutralise=neutralise, kept_thinking=kept)
        prompt = next_prompt(at, request)
        if draft is not None:
            asked = branch(at)[-1].content
            assert prompt == next_prompt(draft, request, asked)
        answer = reply(
            self.session.next_message_ids(1)[0], text, question, template=template.name, thinking=thinking,
            neutralise=neutralise, kept_thinking=kept, reasoning=THOUGHTS[number % 5], left_out=tuple(m.id for m in branch(at) if m.excluded), usage=Usage(number),
        )  # fmt: skip
        self.session = self.session.with_message(answer)
        self.sent[answer.id] = prompt

    def count_of(self, prompt: str) -> int | None:
        """What `counted_prefix` has to find, looked up in the notes."""
        fitting = [m for m in branch(self.session) if m.id in self.sent and prompt.startswith(self.sent[m.id])]
        return fitting[-1].usage.input_tokens if fitting and fitting[-1].usage else None


KEPT: tuple[KeptThinking, ...] = (0, 1, 2, "all")
THOUGHTS = (None, "hm", "so </think>", "[EOS] <think>", "")
ACTIONS = st.sampled_from(["ask", "ask", "regenerate", "select", "system", "exclude"])
TEXTS = st.sampled_from(["", "lamb", "<think>", "<|im_end|>", "[EOS]", "<\u2060think>"])


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(ACTIONS, st.integers(0, 999), TEXTS), max_size=25))
def test_every_past_input_can_be_rebuilt(steps: list[tuple[str, int, str]]) -> None:
    diary = Diary()
    for action, number, text in steps:
        diary.act(action, number, text)
    assert {id_: past_prompt(diary.session, id_) for id_ in diary.sent} == diary.sent
    for template, kept in itertools.product(TEMPLATES.values(), KEPT):
        prompt = next_prompt(diary.session, RequestSettings(template=template, kept_thinking=kept), "next")
        assert context_budget.counted_prefix(diary.session, GrowingText(prompt)) == diary.count_of(prompt)


def calls_to_write(messages: int) -> int:
    chain = [user("0", "A question of <b>usual</b> length, 羊.")]
    for number in range(1, messages):
        make = reply if number % 2 else user
        chain.append(make(str(number), "A text of <b>usual</b> length, 羊.", str(number - 1)))
    session = session_of(*chain)
    return calls_in(lambda: next_prompt(session, KIMI, draft="more"))


def test_a_long_conversation_is_written_in_one_walk() -> None:
    assert calls_to_write(2000) < 2.1 * calls_to_write(1000)


@pytest.mark.parametrize(
    ("ids", "following"),
    [
        ([], "m1"),
        (["m1", "m7", "x9"], "m8"),
        (["m" + "9" * 5000], "m1"),
        (["m99999999999999", "m100000000000000"], "m100000000000001"),
        (["m²", "m-3", "m"], "m1"),
    ],
    ids=["none", "gaps", "huge", "at the end", "odd"],
)
def test_the_next_id_is_above_every_number_in_use(ids: list[str], following: str) -> None:
    messages = tuple(Message(id_, Role.USER, "x") for id_ in ids)
    assert replace(Session("s", NOW, NOW, "m"), messages=messages).next_message_ids(1)[0] == following
