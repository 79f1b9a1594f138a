"""Other answers to the thinking of a reply, on the screen: by key, command and palette, seen first, undone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kimi_tui.core.session.session import Session
from tests.fakes.scripted_client import DONE, Script, end, streaming, token
from tests.ui.program import Program, program, talk

TALK = talk(("Lamb?", "Roast it."))
OPEN = "<|im_assistant|>assistant<|im_middle|><think>"


def answer(text: str) -> Script:
    return streaming(token(text), end("stop", 40, 3, 0.0002), DONE)


def texts(session: Session) -> list[tuple[str | None, str]]:
    return [(message.reasoning, message.content) for message in session.messages[1:]]


async def asked(running: Program, way: str) -> None:
    if way == "palette":
        await running.type("<shift+tab>")
        running.screen.action_choose("another-answer")
    else:
        await running.type(way)
    await running.shows("Grill it.")
    await running.idle()


@pytest.mark.parametrize("way", ["<shift+tab>a", "/another-answer<enter>", "palette"])
async def test_it_is_an_alternative_with_the_same_thinking(tmp_path: Path, way: str) -> None:
    async with program(tmp_path, answer("Grill it."), session=TALK) as running:
        await asked(running, way)
        await running.shows("taken from another reply")
        await running.shows("2/2")
        assert texts(running.screen.chat.session) == [("The user asks.", "Roast it."), ("The user asks.", "Grill it.")]
        assert running.client.bodies[0]["input"].endswith(f"{OPEN}The user asks.</think>")
        assert "$0.0008" in running.text  # the thinking is paid once: 0.0006 and 0.0002


async def test_its_input_is_in_the_prompt_pane_while_the_command_is_typed(tmp_path: Path) -> None:
    async with program(tmp_path, answer("Grill it."), session=TALK) as running:
        await running.type("<f5><escape>/another-answer")
        await running.shows("Request of /another-answer")
        running.screen.dispatcher.choose("copy-body")
        await running.until(lambda: bool(running.app.clipboard))
        assert "The user asks." in running.text
        await running.type("<enter>")
        await running.shows("Grill it.")
        assert running.client.bodies[0] == json.loads(running.app.clipboard)


async def test_undone_after_a_restart_the_old_reply_is_shown(tmp_path: Path) -> None:
    async with program(tmp_path, answer("Grill it."), session=TALK) as running:
        await asked(running, "<shift+tab>a")
        session = running.files.load(running.screen.chat.path)
    (tmp_path / "later").mkdir()
    async with program(tmp_path / "later", session=replace(session, path="")) as running:
        await running.type("<shift+tab>u")
        await running.shows("The reply whose thinking that was.")
        assert [message.id for message in running.screen.chat.branch] == ["m1", "m2"]
        assert len(running.screen.chat.session.messages) == 3
        await running.type("u")
        await running.shows("there is no step to undo")


async def test_a_reply_without_thinking_has_none_to_answer(tmp_path: Path) -> None:
    async with program(tmp_path, session=talk(("Lamb?", "Roast it."), reasoning=None)) as running:
        await running.type("/another-answer<enter>")
        await running.shows("there is no reasoning here")
        assert not running.client.bodies
