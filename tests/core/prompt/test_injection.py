"""No text that a user or a model controls becomes a control token of the input: whole sessions, counted from outside."""

from __future__ import annotations

import json
import random
import re
from dataclasses import replace

import pytest

from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.prompt.template import TEMPLATES
from kimi_tui.core.session.codec import decode_session, encode_session
from kimi_tui.core.session.session import Message, Session
from kimi_tui.core.wire.body import build_body
from kimi_tui.core.wire.dialects import DIALECTS
from tests.core.prompt.test_conversation import reply, session_of, user
from tests.core.prompt.test_neutralise import any_text
from tests.prompts import next_prompt, past_prompt

CONTROL = re.compile(r"<\|[A-Za-z0-9_]+\|>|</?think>|\[(?:BOS|EOS|EOT|UNK|PAD)\]")
"""Of the model's vocabulary, written down apart from the program's own table; reserved slots included."""


def hostile_session(chance: random.Random, template: str) -> Session:
    """Every text in it is hostile: what is sent, what is not, and the names of things."""
    messages: list[Message] = []
    for number in range(chance.randrange(1, 6)):
        parent = messages[-1].id if messages else None
        question = user(f"m{2 * number + 1}", any_text(chance), parent)
        answer = reply(
            f"m{2 * number + 2}", any_text(chance), question.id, template=template, reasoning=any_text(chance),
            finish_reason=any_text(chance), model=any_text(chance), request_id=any_text(chance),
        )  # fmt: skip
        messages += [question, answer]
    if chance.random() < 0.5:
        messages.pop()
    system = any_text(chance) if chance.random() < 0.5 else None
    session = replace(session_of(*messages, system=system), title=any_text(chance))
    return decode_session(encode_session(session))  # as it would come from a file


def harmless(session: Session) -> Session:
    """The same tree with a word in the place of every text."""
    messages = tuple(replace(message, content="x", reasoning=message.reasoning and "x") for message in session.messages)
    return replace(session, messages=messages, system=None if session.system is None else "x")


def injected(session: Session, request: RequestSettings, draft: str | None) -> bool:
    """Whether the input of the next or of a past turn has other control tokens than the same turns without texts."""
    plain = harmless(session)
    pairs = [(next_prompt(session, request, draft), next_prompt(plain, request, draft and "x"))]
    pairs += [(past_prompt(session, it.id), past_prompt(plain, it.id)) for it in session.messages[1::2]]
    dialect = next(iter(DIALECTS.values()))
    body = json.loads(build_body(dialect, "m", pairs[0][0], {}, {}))
    assert body["input"] == pairs[0][0]
    return any(CONTROL.findall(text) != CONTROL.findall(expected) for text, expected in pairs)


@pytest.mark.parametrize("count", [1_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_no_text_becomes_a_control_token(count: int) -> None:
    chance, names = random.Random(count), sorted(TEMPLATES)
    found = 0
    for _ in range(count):
        template = chance.choice(names)
        request = RequestSettings(template=TEMPLATES[template], thinking=chance.random() < 0.5)
        draft = any_text(chance) if chance.random() < 0.5 else None
        found += injected(hostile_session(chance, template), request, draft)
    assert found == 0


def test_the_count_sees_an_injection() -> None:
    """Where neutralising is switched off, which is not the default, the same count finds plenty."""
    chance = random.Random(1)
    raw = [RequestSettings(template=TEMPLATES["kimi"], neutralise=False)] * 100
    assert sum(injected(hostile_session(chance, "kimi"), request, None) for request in raw) > 50
