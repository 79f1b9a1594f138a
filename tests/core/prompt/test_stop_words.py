"""Replies that were asked to stop at a word: what is told of them, and that they can be gone on with."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from kimi_tui.core.prompt.documents import render_markdown, render_text
from kimi_tui.core.prompt.stop_words import stop_words, stopped_at
from kimi_tui.core.session.session import Message, MessageState, RequestRecord, Role, Session
from kimi_tui.core.wire.reply_plans import refusal_to_continue, refusal_to_go_on

NOW = datetime(2026, 1, 1, tzinfo=UTC)
USUAL = ["<|im_end|>", "[EOS]"]


def reply(*words: str, content: str = "Roast it.", **keys: Any) -> Message:
    sent = {"stop": [*USUAL, *words]}
    whole = Message("m2", Role.ASSISTANT, content, "m1", state=MessageState.COMPLETE, finish_reason="stop", sent=sent)
    return replace(whole, **keys)


def test_what_stops_every_turn_is_no_word() -> None:
    assert stop_words(reply()) == stop_words(reply("</think>", "<|other|>")) == ()
    assert stop_words(reply("###", "a<|b|>")) == ("###", "a<|b|>")
    assert stop_words(reply(sent=None)) == stop_words(reply(sent={"stop": "odd"})) == ()


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (reply(), ""),
        (reply("###"), "it may have stopped at “###”"),
        (reply("###", content="Roast it.###"), "stopped at “###”"),
        (reply("a", "b", "\n\n"), "it may have stopped at “a”, “b” or “↵↵”"),
        (reply("\x1b[2J"), "it may have stopped at “␛[2J”"),
        (reply("x" * 30), f"it may have stopped at “{'x' * 19}…”"),
        (reply("###", finish_reason="length"), ""),
        (reply("###", state=MessageState.CANCELLED), ""),
        (reply("###", content="", reasoning="hm ###"), "stopped at “###”"),
    ],
)
def test_what_is_said(message: Message, said: str) -> None:
    assert stopped_at(message) == said


def test_it_can_be_gone_on_with_and_then_it_is_whole() -> None:
    stopped = reply("###")
    assert refusal_to_continue(stopped)
    assert not refusal_to_go_on(stopped)
    assert refusal_to_go_on(reply())
    more = RequestRecord("continue", MessageState.COMPLETE, sent={"stop": USUAL})
    assert refusal_to_go_on(replace(stopped, requests=(RequestRecord(), more)))


def test_exports_say_so() -> None:
    session = Session("s", NOW, NOW, "m", messages=(Message("m1", Role.USER, "Lamb?"), reply("###")), head="m2")
    assert render_markdown(session).endswith("[it may have stopped at “###”]\n")
    assert render_text(session).endswith("[it may have stopped at “###”]\n")
