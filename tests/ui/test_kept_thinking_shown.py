"""Earlier thinking kept in the prompt, on the screen: set by command and in the pane, its cost seen before it is sent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kimi_tui.core.prompt.context_meter import context_of
from kimi_tui.core.session.session import Usage
from kimi_tui.core.session.written import Begun
from tests.core.prompt.test_conversation import reply, session_of, user
from tests.fakes.scripted_client import DONE, end, streaming, think_end, token
from tests.ui.program import program

TALK = session_of(
    user("m1", "a" * 40),
    reply("m2", "b" * 400, "m1", usage=Usage(20, 200), reasoning="r" * 400),
    user("m3", "c" * 40, "m2"),
    reply("m4", "d" * 40, "m3", usage=Usage(140, 20), reasoning="s" * 40),
)


def test_the_context_meter_counts_what_is_kept() -> None:
    assert context_of(TALK, 1000).tokens == 150
    assert context_of(TALK, 1000, 1).tokens == 160
    assert context_of(TALK, 1000, "all").tokens == 160 + 100
    counted = (*TALK.messages[:3], replace(TALK.messages[3], kept_thinking=1))
    assert context_of(replace(TALK, messages=counted), 1000, 1).tokens == 160 - 100
    assert context_of(replace(TALK, messages=TALK.messages[:3]), 1000, 1).tokens == 220 + 10 + 8


async def test_its_cost_is_seen_before_it_is_sent(tmp_path: Path) -> None:
    script = streaming(token("hm"), think_end(), token("Sure."), end(), DONE)
    async with program(tmp_path, script, session=TALK, size=(120, 40)) as running:
        await running.type("/kept-thinking 1<enter>")
        await running.shows("The thinking of the last turn is sent along (now ~10 tok)")
        assert running.screen.chat.session.settings["kept_thinking"] == 1
        await running.type("More?<f5>")
        await running.shows("~10 of it kept thinking")
        await running.shows(", ~10 of it thinking")
        await running.type("<f5><enter>")
        await running.shows("Sure.")
        await running.idle()
        assert f"<think>{'s' * 40}</think>{'d' * 40}<|im_end|>" in running.client.bodies[0]["input"]
        assert "r" * 400 not in running.client.bodies[0]["input"]
        await running.type("/kept-thinking none<enter>")
        await running.shows("The thinking of no earlier turn is sent along, in this session.")
        assert "kept_thinking" not in running.screen.chat.session.settings
        await running.type("/kept-thinking many<enter>")
        await running.shows("found 'many', allowed none")


async def test_it_is_set_in_the_settings_pane(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK, size=(120, 40)) as running:
        await running.type("<f4><down><enter>")
        await running.type("<backspace><backspace><backspace><backspace>two<enter>")
        await running.shows("Allowed: none, a whole number")
        await running.type("<backspace><backspace><backspace>2<enter>")
        await running.shows("last 2 turns")
        assert running.screen.chat.session.settings["kept_thinking"] == 2


def test_thinking_that_was_taken_over_is_no_part_of_what_follows() -> None:
    """It was part of the input, so that the tokens that came are the answer's alone."""
    taken = replace(TALK.messages[1], content="e" * 40, usage=Usage(130, 10), begun=Begun(400, 0, "m2"))
    session = replace(TALK, messages=(TALK.messages[0], taken), head=taken.id)
    assert taken.took_thinking
    assert context_of(session, 1000).tokens == pytest.approx(130 + 10 - 100, abs=8)  # its 400 characters are estimated
