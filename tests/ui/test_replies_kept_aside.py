"""What is said of a reply that goes out of sight, and what brings it back without asking for it again."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.scripted_client import DONE, Script, end, streaming, think_end, token
from tests.ui.program import Program, program, talk

LAMB = talk(("Lamb?", "Roast it."))
LONG = talk(("Lamb?", "Roast it."), ("More?", "Braise it."))


def says(*pieces: str) -> Script:
    return streaming(*[think_end() if piece == "</think>" else token(piece) for piece in pieces], end(), DONE)


def held() -> tuple[Script, asyncio.Event]:
    gate = asyncio.Event()
    return streaming(token("hm"), think_end(), token("Stew"), gate, token(" it."), end(), DONE), gate


def shown(running: Program) -> list[str]:
    return [message.id for message in running.screen.chat.branch]


async def test_a_second_undo_shows_the_reply_again_that_the_first_one_hid(tmp_path: Path) -> None:
    async with program(tmp_path, says(" and salt.")) as running:
        await running.type("/prefill Fire<enter>Lamb?<enter>")
        await running.shows("Fire and salt.")
        await running.idle()
        await running.type("<shift+tab>u")
        await running.shows("which stays: u shows it again.")
        await running.shows("u reply again")
        assert shown(running) == ["m1"]
        session = running.screen.chat.session
        await running.type("u")
        await running.shows("Fire and salt.")
        assert (shown(running), len(running.client.bodies)) == (["m1", "m2"], 1)
        assert "reply again" not in running.text
    (tmp_path / "later").mkdir()
    async with program(tmp_path / "later", session=replace(session, path="")) as running:
        await running.until(lambda: shown(running) == ["m1"])
        await running.type("/undo<enter>")
        await running.shows("Fire and salt.")


async def test_what_was_below_is_told_to_stay_with_the_other_alternative(tmp_path: Path) -> None:
    async with program(tmp_path, says(" yes", "</think>", "Herbs."), session=LONG) as running:
        await running.type("<shift+tab><home><down>w")
        await running.shows("Herbs.")
        await running.idle()
        assert running.text.count("The reply as it was stays, with what is below it") == 1
        assert running.screen.transcript.cursor.chosen == shown(running)[-1] != "m2"


async def test_a_running_reply_is_not_edited_and_what_was_refused_is_forgotten_when_it_ends(tmp_path: Path) -> None:
    script, gate = held()
    async with program(tmp_path, script, session=LAMB) as running:
        await running.type("More?<enter>")
        await running.shows("Stew")
        for command in ("edit-thinking", "think-longer", "another-answer"):
            await running.type(f"/{command}<enter>")
            await running.shows("a reply is running; stop it first.")
            await running.type("<ctrl+u>")
        await running.type("<shift+tab><end>e")
        await running.shows("Edit the message: a reply is running; stop it first.")
        await running.type("<up><up><up>e")
        await running.until(lambda: running.screen.composer.draft == "Lamb?")
        await running.type("<escape>")
        gate.set()
        await running.idle()
        await running.until(lambda: "Another answer: a reply is running" not in running.text)


@pytest.mark.parametrize("command", ["prefill", "seed"])
async def test_blanks_begin_no_reply(tmp_path: Path, command: str) -> None:
    async with program(tmp_path, session=LAMB) as running:
        await running.type(f"/{command}<enter>")
        await running.shows("Nothing was set.")
        await running.type(f"/{command}   <enter>")
        await running.shows(f"/{command} needs a text")
        assert not running.screen.chat.next_reply.words


async def test_a_narrow_prompt_pane_names_the_keys_between_several_requests(tmp_path: Path) -> None:
    async with program(tmp_path, session=LAMB, size=(60, 20)) as running:
        await running.type("<f5>")
        await running.shows("Left earlier")
        assert "Right later" not in running.text
        await running.type("<left>")
        await running.shows("Right later")
        assert "Left earlier" not in running.text
