"""Lists of messages as other programs write them: what is taken, and where what is refused stands."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kimi_tui.core.errors import UsageError
from kimi_tui.core.session.session import Role
from kimi_tui.core.session.session_json import decode
from kimi_tui.core.wire.message_list import ListedMessage, is_message_list, read_message_list

QUESTION = {"role": "user", "content": "Which soup?"}


def read(*items: object) -> tuple[ListedMessage, ...]:
    return read_message_list(list(items)).messages


def reply(**more: object) -> ListedMessage:
    return read({"role": "assistant", **more})[0]


def test_roles_by_every_name() -> None:
    roles = ["system", "developer", "user", "assistant"]
    found = [message.role for message in read(*({"role": role, "content": role} for role in roles))]
    assert found == [Role.SYSTEM, Role.SYSTEM, Role.USER, Role.ASSISTANT]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (" Soup\r\n", " Soup\r\n"),
        (None, ""),
        ([], ""),
        ([{"type": "text", "text": "So"}, {"type": "input_text", "text": "up"}, "!", {"text": "?"}], "Soup!?"),
    ],
)
def test_content_in_every_form(content: object, text: str) -> None:
    for role in ("system", "user", "assistant"):
        assert [message.content for message in read({"role": role, "content": content})] == [text]


@pytest.mark.parametrize("key", ["reasoning", "reasoning_content", "thinking"])
def test_reasoning_under_every_name(key: str) -> None:
    assert reply(content="Leek.", **{key: "winter"}) == ListedMessage(Role.ASSISTANT, "Leek.", "winter")
    assert reply(content="Leek.", **{key: None}).reasoning is None
    assert reply(content="Leek.", **{key: ""}).reasoning is None
    assert reply(**{key: "winter"}) == ListedMessage(Role.ASSISTANT, "", "winter")


@pytest.mark.parametrize(
    ("content", "reasoning", "answer", "is_thought_out"),
    [
        ("<think>winter</think>\n\nLeek.", "winter", "\n\nLeek.", False),
        (" \n<think>winter</think>Leek. <think>?</think>", "winter", "Leek. <think>?</think>", False),
        ("<think></think>Leek.", None, "Leek.", False),
        ("<think>winter</think>", "winter", "", True),
        ("<think>winter", "winter", "", False),
        ("Leek. <think>no</think>", None, "Leek. <think>no</think>", False),
        (
            [{"type": "text", "text": "<think>winter"}, {"type": "text", "text": "</think>Leek."}],
            "winter",
            "Leek.",
            False,
        ),
    ],
)
def test_a_leading_think_block_of_a_reply_is_its_reasoning(
    content: object, reasoning: str | None, answer: str, is_thought_out: bool
) -> None:
    assert reply(content=content) == ListedMessage(Role.ASSISTANT, answer, reasoning, is_thought_out)


def test_a_user_may_write_about_think_blocks() -> None:
    text = "<think>is what?</think>"
    assert read({"role": "user", "content": text}) == (ListedMessage(Role.USER, text),)


def test_reasoning_that_is_said_twice_is_taken_once() -> None:
    found = reply(content="<think>\nwinter\n</think>Leek.", reasoning="winter", reasoning_content="winter")
    assert found == ListedMessage(Role.ASSISTANT, "Leek.", "winter")


def test_around_and_beside_the_messages_what_is_not_taken_is_named_once() -> None:
    request = {
        "model": "some-model",
        "stop": None,
        "messages": [{**QUESTION, "name": "Ada", "id": None}, {**QUESTION, "name": "Bob", "id": 7}],
        "temperature": 0.3,
    }
    found = read_message_list(request)
    assert len(found.messages) == 2
    assert found.not_taken == ("model", "temperature", "messages[0].name", "messages[1].id")
    assert found.words_for_rest == "not taken: model, temperature, messages[0].name, messages[1].id"
    assert read_message_list([QUESTION]).words_for_rest == ""


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "list of messages"),
        ({"messages": "x"}, "list of messages"),
        ("x", "list of messages"),
        ([1], r"messages\[0\]: found 1"),
        ([{"role": "x", "content": ""}], r'messages\[0\]\.role: found "x", allowed .*developer'),
        ([{"role": [], "content": ""}], r"messages\[0\]\.role"),
        ([{"content": ""}], "role: found nothing"),
        ([QUESTION, {"role": "tool", "content": "4"}], r'messages\[1\]\.role: found "tool"'),
        ([{"role": "user"}], r"messages\[0\]\.content: found nothing"),
        ([{"role": "user", "content": 4}], r"messages\[0\]\.content: found 4"),
        ([{"role": "user", "content": ["a", 4]}], r"messages\[0\]\.content\[1\]: found 4"),
        ([{"role": "user", "content": [{"type": "text"}]}], r"content\[0\]\.text: found null"),
        (
            [{"role": "user", "content": [{"type": "image_url"}]}],
            r'messages\[0\]\.content\[0\]\.type: found "image_url"',
        ),
        ([QUESTION, {"role": "assistant", "content": None, "tool_calls": [{}]}], r"messages\[1\]\.tool_calls"),
        ([{"role": "user", "content": "x", "images": ["…"]}], r"messages\[0\]\.images"),
        ([{"role": "assistant", "content": "", "reasoning": 1}], r"messages\[0\]\.reasoning: found 1"),
        ([{"role": "user", "content": "", "reasoning": "x"}], r"messages\[0\]\.reasoning: only the assistant"),
        ([{"role": "assistant", "content": "", "reasoning": "x", "thinking": "y"}], "reasoning and thinking say"),
        ([{"role": "assistant", "content": "<think>x</think>", "reasoning": "y"}], "think block"),
        ([{"messages": [QUESTION]}, {"messages": [QUESTION]}], r"messages\[0\]: is a conversation of its own"),
    ],
)
def test_what_cannot_be_taken_is_named(data: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read_message_list(data)


def test_what_is_empty_is_no_loss() -> None:
    assert reply(content="x", tool_calls=[], refusal=None, audio={}) == ListedMessage(Role.ASSISTANT, "x")


def test_json_lines_hold_a_message_each() -> None:
    items = [QUESTION, {"role": "assistant", "content": "Leek\u2028soup"}]
    for line_end in ("\n", "\r\n", "\n\n"):
        text = line_end.join(json.dumps(item, ensure_ascii=False) for item in items)
        for whole in (text, text + line_end):
            assert read_message_list(decode(whole)) == read_message_list(items)
    assert read_message_list(decode(json.dumps(QUESTION) + "\n")) == read_message_list([QUESTION])
    assert decode(json.dumps({"messages": items}, indent=1)) == {"messages": items}


def test_a_session_is_none() -> None:
    assert is_message_list([])
    assert is_message_list({"messages": [], "model": "m"})
    assert is_message_list(QUESTION)
    for session in ({"format": "f", "messages": []}, {"version": 1, "messages": []}, {}, {"title": "x"}, "x", 4):
        assert not is_message_list(session)
