"""What the status line says of the context window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kimi_tui.core.errors import AuthenticationError
from kimi_tui.core.session.session import Message, MessageState, Role, Session, Timing, Usage
from kimi_tui.ui.app import bar_display
from kimi_tui.ui.state.entries import message_entry
from kimi_tui.ui.state.figures import Figures
from kimi_tui.ui.state.status_line import context_of, last_figures
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
    assert context_of(TALK, 1000).words().startswith("150/1.0k")


def test_reasoning_that_is_not_sent_again_takes_no_room() -> None:
    messages = (*TALK.messages[:3], replace(TALK.messages[3], reasoning="r" * 360))
    assert context_of(replace(TALK, messages=messages), 1000).words().startswith("~141/1.0k")


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
    assert message_entry(stopped, timestamps=False).thought_label == "Thought for 2.0 s · ~50 tok"


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
