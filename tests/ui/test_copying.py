"""Copying on screen: every place says where the text is, as far as anybody knows, and quitting loses none."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.widgets import Input

from kimi_tui.core.text.copied import TO_TERMINAL, Delivery
from tests.clipboards import HandClipboard
from tests.terminal import kimi_tui
from tests.ui.program import Program, program, talk

TALK = talk(("Lamb?", "Roast it.\n\n```sh\nls\n```"), ("More?", "Braise it.\n\n```sh\nls\n```"))
PLACES = {
    "The message": "<shift+tab>y",
    "The code block": "<shift+tab>Y",
    "The reasoning": "<shift+tab>t",
    "The prompt": "/copy-prompt<enter>",
    "The request": "/copy-body<enter>",
    "The curl command": "/copy-curl<enter>",
    "The Python script": "/copy-python<enter>",
    "The selection": "<shift+tab>v<shift+right>y",
}
"""Every kind of thing that can be copied, and keys that copy it."""
DELIVERIES = {
    Delivery("xclip"): "is copied",
    TO_TERMINAL: "is sent to the terminal",
    Delivery(is_in_tmux=True): "is in tmux's buffer",
    Delivery(failed="xsel"): "xsel failed",
}
"""Where it may go, and what is said then."""


class FakeClipboard:
    """A clipboard that answers when it is told to."""

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery
        self.texts: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def put(self, text: str) -> Delivery | None:
        self.texts.append(text)
        await self.gate.wait()
        return self.delivery


async def test_what_is_selected_with_the_mouse_goes_before_its_message(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.pilot.mouse_down("#transcript", offset=(4, 1))
        await running.pilot.hover("#transcript", offset=(8, 1))
        await running.pilot.mouse_up("#transcript", offset=(8, 1))
        selected = running.screen.get_selected_text()
        assert selected
        await running.type("y")
        assert running.app.clipboard == selected
        assert not running.screen.get_selected_text()
        await running.type("y")
        assert len(running.app.clipboard) > len(selected)


@pytest.mark.parametrize("delivery", DELIVERIES, ids=str)
@pytest.mark.parametrize("what", PLACES)
async def test_what_is_said_of_a_copy_is_true(tmp_path: Path, what: str, delivery: Delivery) -> None:
    clipboard = FakeClipboard(delivery)
    async with program(tmp_path, session=TALK, clipboard=clipboard, size=(80, 24)) as running:
        await running.type(PLACES[what])
        await running.shows(DELIVERIES[delivery])
        assert what in status_line(running)
        assert ("is copied" in running.text) is bool(delivery.tool)
        assert clipboard.texts == [running.app.clipboard]


def status_line(running: Program) -> str:
    return running.text.rstrip().rpartition("\n")[2]


async def test_nothing_is_said_before_it_is_known_and_typing_goes_on(tmp_path: Path) -> None:
    clipboard = FakeClipboard(Delivery("xclip"))
    clipboard.gate.clear()
    async with program(tmp_path, session=TALK, clipboard=clipboard) as running:
        await running.type("<shift+tab>y<escape>typed meanwhile")
        assert running.screen.composer.draft == "typed meanwhile"
        assert "The message is" not in running.text
        clipboard.gate.set()
        await running.shows("The message is copied: 24 characters.")


async def test_what_the_editors_cut_is_in_the_clipboard_too(tmp_path: Path) -> None:
    clipboard = FakeClipboard(Delivery("xclip"))
    async with program(tmp_path, session=TALK, clipboard=clipboard) as running:
        await running.type("lamb<shift+home><ctrl+x>")
        await running.until(lambda: clipboard.texts == ["lamb"])
        await running.type("<ctrl+f>stew")
        field = running.app.focused
        assert isinstance(field, Input)
        field.select_all()
        field.action_cut()
        await running.until(lambda: clipboard.texts == ["lamb", "stew"])


async def test_half_a_character_is_no_reason_to_fail(tmp_path: Path) -> None:
    clipboard = FakeClipboard(Delivery("xclip"))
    async with program(tmp_path, session=TALK, clipboard=clipboard) as running:
        running.screen.copy("\ud83d", "The selection")
        await running.shows("The selection is copied: 1 character.")
        assert clipboard.texts == ["\ufffd"]


def test_a_program_on_the_path_gets_what_is_copied_even_where_one_leaves_at_once(tmp_path: Path) -> None:
    hand = HandClipboard(tmp_path, "xclip")
    env = {**hand.environ, "HOME": str(tmp_path)}
    with kimi_tui(["--demo", "--data-dir", str(tmp_path / "data")], env) as terminal:
        terminal.until("Type a message")
        terminal.send("/copy-prompt\r\x11")
        assert terminal.end() == 0
        assert hand.taken("xclip").startswith(b"<|im_assistant|>")
        assert "Traceback" not in terminal.text
        assert "Exception" not in terminal.text
