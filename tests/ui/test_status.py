"""What the status line says of the context window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kimi_tui.core.errors import AuthenticationError
from kimi_tui.core.prompt.context_meter import context_of
from kimi_tui.core.session.session import Message, MessageState, Role, Session, Timing, Usage
from kimi_tui.core.session.written import CONTENT, REASONING, Begun, whole
from kimi_tui.ui.app import bar_display
from kimi_tui.ui.state.entries import message_entry
from kimi_tui.ui.state.figures import Figures
from kimi_tui.ui.state.status_line import context_words, last_figures
from tests.core.prompt.test_conversation import reply, session_of, user
from tests.fakes.scripted_client import Script
from tests.ui.program import program

TALK = session_of(
    user("m1", "a" * 40),
    reply("m2", "b" * 400, "m1", usage=Usage(20, 100)),
    user("m3", "c" * 40, "m2"),
    reply("m4", "d" * 40, "m3", usage=Usage(140, 10)),
)


def without(*names: str, seen_by: str = "") -> Session:
    """Leave messages out; one reply was asked for when that was so already."""
    left_out = {seen_by: names}
    messages = (replace(m, excluded=m.id in names, left_out=left_out.get(m.id, ())) for m in TALK.messages)
    return replace(TALK, messages=tuple(messages))


def test_the_last_count_is_what_the_window_holds() -> None:
    assert context_words(context_of(TALK, 1000)).startswith("150/1.0k")


def test_reasoning_that_is_not_sent_again_takes_no_room() -> None:
    messages = (*TALK.messages[:3], replace(TALK.messages[3], reasoning="r" * 360))
    assert context_words(context_of(replace(TALK, messages=messages), 1000)).startswith("~141/1.0k")


@pytest.mark.parametrize(
    ("session", "least", "most"),
    [
        (without("m4"), 120, 140),  # what stands before it was counted with the reply before
        (without("m2"), 30, 60),  # nothing counted is left
        (without("m2", seen_by="m4"), 150, 150),
    ],
)
def test_a_message_left_out_since_the_count_frees_room(session: Session, least: int, most: int) -> None:
    assert least <= context_of(session, 1000).tokens <= most


def test_a_message_taken_in_again_since_the_count_needs_room() -> None:
    messages = (replace(m, left_out=("m2",) if m.id == "m4" else ()) for m in TALK.messages)
    found = context_of(replace(TALK, messages=tuple(messages)), 1000)
    assert not found.is_counted
    assert found.tokens >= 120


def test_what_nobody_counted_is_estimated_by_what_was_told_before() -> None:
    """An endpoint that counts three bytes to a token, and one that counts six."""
    more = user("m5", "a" * 600, "m4")
    for told, tokens in ((3, 200), (6, 100)):
        turns = [
            replace(
                it, content="b" * 3000, usage=None if it.usage is None else Usage(it.usage.input_tokens, 3000 // told)
            )
            for it in TALK.messages
        ]
        counted = replace(TALK, messages=tuple(turns), head="m4")
        before = context_of(counted, 10_000).tokens
        grown = context_of(replace(counted, messages=(*turns, more), head="m5"), 10_000)
        assert grown.tokens - before == pytest.approx(tokens, rel=0.15)


async def test_a_turn_that_failed_without_a_reply_is_told_with_no_figures_of_another(tmp_path: Path) -> None:
    async with program(tmp_path, Script([], refuse=AuthenticationError("No.")), session=TALK) as running:
        await running.shows("○ ready")
        assert "10 out" in running.text
        await running.type("More?<enter>")
        await running.shows("○ failed")
        assert "10 out" not in running.text


async def test_asking_again_in_vain_is_told_though_the_old_reply_is_shown(tmp_path: Path) -> None:
    async with program(tmp_path, Script([], refuse=AuthenticationError("No.")), session=TALK) as running:
        await running.type("/regenerate<enter>")
        await running.shows("○ failed")
        await running.type("/delete<enter>")
        await running.shows("○ ready")


def test_tokens_that_nobody_counted_are_estimated_and_marked() -> None:
    stopped = Message(
        "m2", Role.ASSISTANT, "b" * 80, "m1", reasoning="r" * 200, state=MessageState.CANCELLED,
        timing=Timing(0.5, 2.0, 2.5),
    )  # fmt: skip
    figures = last_figures(session_of(user("m1", "a"), stopped))
    expected = Figures("stopped", 35.0, 0.5, output_tokens=70, is_estimated=True, is_session_estimated=True)
    assert figures == expected
    left, _ = figures.variants("○", "")[0]
    assert left == "○ stopped · ~35 tok/s · first token 0.5 s · ~70 out"
    assert message_entry(stopped).thought_label == "Thought for 2.0 s · ~50 tok"


def test_thinking_that_its_prompt_held_already_counts_as_input() -> None:
    """360 characters of thinking were sent along; of the 20 tokens that came, half are thinking."""
    longer = reply(
        "m4", "d" * 40, "m3", reasoning="r" * 360 + "s" * 40, begun=Begun(360, None, "m5"), usage=Usage(230, 20)
    )
    assert context_of(replace(TALK, messages=(*TALK.messages[:3], longer)), 1000).tokens == 230 + 20 - 90 - 10


def test_what_one_request_brought_for_other_replies_takes_no_room() -> None:
    first = reply("m4", "d" * 40, "m3", request_id="r", usage=Usage(140, 40))
    other = reply("m5", "e" * 120, "m3", request_id="r")
    session = replace(TALK, messages=(*TALK.messages[:3], first, other), head="m4")
    assert context_of(session, 1000).tokens == 140 + 10
    assert context_of(replace(TALK, messages=(*TALK.messages[:3], first)), 1000).tokens == 140 + 40


def test_undoing_makes_the_session_no_dearer() -> None:
    reply_ = replace(TALK.messages[3], timing=Timing(0.5, None, 2.0), usage=Usage(140, 10, 0.25))
    session = replace(TALK, messages=(*TALK.messages[:3], reply_, replace(reply_, id="m5")))
    assert last_figures(session).session_usd == 0.25


@pytest.mark.parametrize(
    ("more", "is_estimated"),
    [
        ({"state": MessageState.FAILED, "timing": Timing(total_s=1.0)}, False),  # it was refused
        ({"state": MessageState.CANCELLED, "begun": Begun(0, 1, "m2")}, False),  # no request was sent for it
        ({"state": MessageState.CANCELLED, "timing": Timing(0.5, None, 2.0)}, True),
    ],
)
def test_the_sums_mark_tells_of_requests_that_ran(more: dict[str, Any], is_estimated: bool) -> None:
    session = replace(TALK, messages=(*TALK.messages, reply("m5", "x", "m3", **more)), head="m4")
    assert last_figures(session).is_session_estimated is is_estimated


def test_what_was_thought_longer_is_told_with_its_own_seconds_and_tokens() -> None:
    longer = reply(
        "m4", "d" * 40, "m3", reasoning="r" * 360 + "s" * 40, begun=Begun(360, None, "m5"), usage=Usage(230, 20),
        thinking_tokens=225, timing=Timing(0.5, 0.3, 1.0),
    )  # fmt: skip
    assert message_entry(longer).thought_label == "Thought for 0.3 s · 10 tok"


def test_a_json_answer_is_laid_out_unless_some_of_it_is_the_users() -> None:
    form = {"response_format": {"type": "json_object"}}
    answer = reply("m4", '{"a":1,"b":2}', "m3", sent=form, reasoning="hm", written=whole(REASONING, "hm"))
    assert "\n" in str(message_entry(answer).text)
    theirs = replace(answer, written=whole(CONTENT, answer.content))
    assert message_entry(theirs).text == answer.content


async def test_a_remark_stands_its_time_whatever_the_figures_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bar_display, "REMARK_S", 0.2)
    async with program(tmp_path, session=TALK) as running:
        running.screen.remark("Mind this.")
        running.screen.bars.refresh()
        await running.pilot.pause(0)
        assert "Mind this." in running.text
        await running.shows("○ ready")
        assert "Mind this." not in running.text
