"""The hints: in every state they say what the key does then."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.widgets import Static

from kimi_tui.core.settings.actions import Need, Scope
from kimi_tui.core.settings.keymap import KeyTable
from kimi_tui.core.text.cells import cells_of
from kimi_tui.ui.commands.situation import hints
from tests.fakes.scripted_client import DONE, Script, end, streaming, think_end, token
from tests.ui.program import Program, program, talk

TALK = talk(("Lamb?", "Roast it."), ("More?", "Braise it."))


def held() -> tuple[Script, asyncio.Event]:
    gate = asyncio.Event()
    return streaming(token("hm"), think_end(), token("Stew"), gate, token(" it."), end(), DONE), gate


def footer(running: Program) -> str:
    return str(running.screen.composer.border_subtitle)


async def test_enter_is_said_to_queue_where_it_queues(tmp_path: Path) -> None:
    script, gate = held()
    async with program(tmp_path, script, streaming(think_end(), token("ok"), end(), DONE), session=TALK) as running:
        assert "Enter send" in footer(running)
        await running.type("Stew?<enter>")
        await running.shows("Stew")
        assert "Enter queue" in footer(running)
        await running.type("later")
        assert "Enter queue" in footer(running)
        await running.type("<enter>")
        await running.shows("Queued: later  (Up in the empty composer takes it back)")
        gate.set()
        await running.idle()
        await running.until(lambda: "Enter send" in footer(running))


async def test_enter_is_said_to_run_a_command(tmp_path: Path) -> None:
    script, gate = held()
    async with program(tmp_path, script, session=TALK) as running:
        await running.type("/top")
        assert "Enter run" in footer(running)
        await running.type("<home>/")
        assert "Enter send" in footer(running)  # a literal slash
        await running.type("<ctrl+a><delete>Stew?<enter>")
        await running.shows("Stew")
        await running.type("/top")
        assert "Enter run" in footer(running)
        gate.set()
        await running.idle()


async def test_an_edited_question_cannot_be_sent_while_a_reply_runs(tmp_path: Path) -> None:
    script, gate = held()
    async with program(tmp_path, script, session=TALK) as running:
        await running.type("Stew?<enter>")
        await running.shows("Stew")
        await running.type("/edit<enter>")
        await running.until(lambda: running.screen.drafts.edited is not None)
        assert "Enter" not in footer(running)
        assert "Escape cancel" in footer(running)
        await running.type("<escape>")
        assert "Escape stop" in footer(running)
        await running.type("/t")
        assert "Escape close" in footer(running)
        await running.type("<escape>")
        assert "Escape stop" in footer(running)
        await running.type("<backspace><backspace>")
        gate.set()
        await running.idle()
        await running.until(lambda: "Enter send" in footer(running))


async def test_what_is_left_out_is_said_to_be_taken_in(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("<shift+tab>")
        assert "x leave out" in footer(running)
        await running.type("x")
        assert "x take in" in footer(running)


@pytest.mark.parametrize("width", [20, 39, 60, 114])
@pytest.mark.parametrize("scope", Scope)
def test_no_line_of_hints_is_longer_than_its_room(scope: Scope, width: int) -> None:
    every = set(Need)
    for offered in (set(), every):
        assert len(hints(scope, offered, KeyTable.of({}), width)) <= max(width, 28)


def test_room_for_hints_is_measured_in_cells() -> None:
    line = hints(Scope.SETTINGS, set(), KeyTable.of({}), 22, instead="Enter 羊肉羊肉 · x 羊肉 · Escape 羊")
    assert line.startswith("Enter 羊肉羊肉")
    assert cells_of(line) <= 22


async def test_the_first_words_name_the_keys_that_there_are(tmp_path: Path) -> None:
    config = {"keymap": {"help": ["f10"], "palette": [], "send": ["f11"], "copy-or-quit": ["alt+q"]}}
    async with program(tmp_path, config=config) as running:
        await running.shows("Type a message and press F11. F10 shows the keys.")
        await running.type("<alt+q>")
        await running.shows("Alt+Q once more quits")


def pane_footer(running: Program) -> str:
    """The line of hints below a pane that covers the conversation."""
    feet = running.screen.query(".side-foot").results(Static)
    return next(str(foot.render()) for foot in feet if foot.region)


async def test_where_there_is_no_session_nothing_is_offered_that_needs_one(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK, size=(70, 20)) as running:
        await running.type("<f2>")
        await running.shows("Lamb?")
        await running.until(lambda: "Enter open" in pane_footer(running))
        assert "u undo" not in pane_footer(running)
        await running.type("/zzz")
        await running.until(lambda: pane_footer(running).startswith("Escape clears"))
        await running.type("<escape><escape><f2>d")
        await running.shows("No session yet.")
        await running.until(lambda: "u undo" in pane_footer(running))
        for word in ("open", "rename", "duplicate", "delete"):
            assert word not in pane_footer(running)
        await running.type("u")
        await running.until(lambda: "Enter open" in pane_footer(running))
        assert "u undo" not in pane_footer(running)


async def test_a_row_of_the_settings_offers_what_it_can(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK, size=(70, 20)) as running:
        await running.type("<f4><end>")
        await running.until(lambda: "Del reset" not in pane_footer(running))
        assert pane_footer(running).startswith("Escape back · ")


async def test_an_edit_that_is_kept_or_left_leaves_no_hint_behind(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        for end in ("!<alt+k>", "<escape>"):
            before = footer(running)
            await running.type("<shift+tab>e")
            await running.shows("Edit the answer")
            assert "Alt+K keep" in footer(running)
            await running.type(end)
            await running.until(lambda: running.screen.drafts.edited is None)
            await running.pilot.pause()
            assert footer(running) == before
