"""What is said of a reply that somebody had a hand in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from kimi_tui.core.prompt.documents import render_markdown, render_text
from kimi_tui.core.session.endings import marks, own_words, thinking_end
from kimi_tui.core.session.reply_edits import NUDGE, edited_answer, edited_thinking, thinking_longer
from kimi_tui.core.session.session import Message, MessageState, RequestRecord, Role, Session
from kimi_tui.core.session.written import Begun
from kimi_tui.core.wire.answer_forms import form_of

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
REPLY = Message(
    "m2", Role.ASSISTANT, "Roast it.", "m1", NOW, "Two ways.", MessageState.COMPLETE, "stop", thinking=True
)  # fmt: skip
UNTHOUGHT = replace(REPLY, reasoning=None)
GONE_ON = (RequestRecord(), RequestRecord("continue"))


@pytest.mark.parametrize(
    ("reply", "mark"),
    [
        (REPLY, ""),
        (replace(REPLY, requests=GONE_ON), "continued"),
        (replace(REPLY, requests=(*GONE_ON, RequestRecord("continue"))), "continued 2 times"),
        (replace(REPLY, requests=(RequestRecord("think"), RequestRecord("answer"))), ""),
        (replace(REPLY, thinking_end="user"), ""),  # the think block's line says so
        (replace(UNTHOUGHT, thinking_end="user"), "answered at once"),
        (replace(UNTHOUGHT, thinking_end="budget", requests=GONE_ON), "ended by its budget · continued"),
    ],
)
def test_every_hand_in_it_is_told_in_the_conversation_and_in_documents(reply: Message, mark: str) -> None:
    assert marks(reply) == mark
    session = Session("s", NOW, NOW, "m", "Lamb?").with_message(replace(reply, parent=None))
    assert (f"\n[{mark}]" in render_markdown(session)) is bool(mark)
    assert mark in render_text(session)
    if reply.thinking_end:
        assert thinking_end(reply) in render_text(session)
        assert render_markdown(session).count(thinking_end(reply)) == 1


@pytest.mark.parametrize(("nudge", "said"), [(NUDGE, "thought longer"), ("Hm,", "thought longer with your words")])
def test_a_plain_nudge_is_not_the_users_words(nudge: str, said: str) -> None:
    longer = thinking_longer(REPLY, nudge, "m3", NOW)
    assert own_words(longer) == said
    assert own_words(replace(longer, reasoning=f"{longer.reasoning} and so on.", content="Grill it.")) == said


def test_what_was_edited_is_not_taken_from_another_reply() -> None:
    assert thinking_end(edited_thinking(REPLY, "One way.", "m3", NOW)) == ""
    assert thinking_end(edited_answer(REPLY, "Grill it.", "m3", NOW)) == ""
    assert thinking_end(replace(REPLY, begun=Begun(9, 0, "m1"))) == "taken from another reply"


def test_an_edited_reply_is_held_to_the_form_that_was_asked_for() -> None:
    form = {"type": "json_object"}
    asked: dict[str, Any] = {"sent": {"response_format": form}}
    reply = replace(REPLY, **asked)
    assert form_of(edited_answer(reply, "{}", "m3", NOW)) == form
    assert form_of(edited_thinking(reply, "One way.", "m3", NOW)) == form
    again = replace(REPLY, requests=(RequestRecord(), RequestRecord("continue", **asked)))
    assert form_of(edited_answer(again, "{}", "m3", NOW)) == form
