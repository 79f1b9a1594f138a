"""A terminal of 45 columns, as a phone has it: everything can be done, and no hint is longer than its line."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.widgets import Static

from kimi_tui.core.settings.actions import ACTIONS, Need, Scope
from kimi_tui.core.settings.keymap import KeyTable
from kimi_tui.ui.commands import situation
from kimi_tui.ui.widgets.bars import Bar
from tests.fakes.scripted_client import DONE, end, streaming, think_end, token
from tests.ui.program import Program, program, talk

SIZES = [(45, 14), (45, 20), (45, 30)]
TALK = talk(
    ("Name two ways to cook lamb, and what to drink with it.", "Roast it.\n\n```sh\nls\n```\n\n```sh\npwd\n```"),
    ("More?", "Braise it."),
)
STATES = {
    "the composer": ("", ["Message Kimi", "Enter send", "F1 help"]),
    "a command": ("/th", ["▸ /think [on|off]", "Lets the model think first", "at once (on, off; alone it switches)."]),
    "a command that is none": ("/nonsense<enter>", ["There is no command /nonsense", "Enter run"]),
    "a chosen message": ("<shift+tab>", ["Escape back", "Space fold", "F1 help"]),
    "what cannot be done": ("<shift+tab><left>", ["There is no earlier alternative here."]),
    "an answer that is edited": ("<shift+tab>e", ["Edit the answer: Enter goes on from", "Escape cancel"]),
    "a question that is edited": ("<shift+tab><up>e", ["Edit: sent, it becomes an alternative", "Escape cancel"]),
    "an argument": ("<f6>", ["Rename the session (Escape cancels)", "Escape cancel"]),
    "the selection": ("<shift+tab>v", ["arrows extend · y copies · Escape ends"]),
    "code blocks": ("<shift+tab><up><up>Y", ["Which code block?", "1 to 2", "a digit takes it, Escape cancels"]),
    "the search": ("<ctrl+f>lamb", ["1/1 · Enter next · Up back", "Escape closes"]),
    "hits": ("<ctrl+f>lamb<enter>", ["1/1 · Enter next · Up back"]),
    "the sessions": ("<f2>", ["[Sessions F2]", "/ filter", "Name two ways", "Escape back", "Enter open"]),
    "a title": ("<f2>r", ["Enter saves", "Escape leaves"]),
    "the filter": ("<f2>/", ["Enter open", "Up Down move"]),
    "the reasoning": ("<f3>", ["[Reasoning F3]", "Settings F4", "Prompt F5", "The user asks.", "Escape back"]),
    "the settings": ("<f4>", ["[Settings F4]", "thinking", "preset", "Escape back"]),
    "a text of the settings": ("<f4><down><down><down><enter>", ["Ctrl+O take", "Escape leave"]),
    "the prompt": ("<f5>", ["[Prompt F5]", "to send, of 256k", "y copy"]),
    "the palette": ("<ctrl+p>sett", ["Settings  (F4, /settings)", "Shows or hides the settings."]),
    "the themes": ("<f9>", ["high-contrast", "Enter keeps, Escape leaves"]),
    "the help": ("<f1>", ["Type to search", "Escape closes", "In the composer (you are here)"]),
}
"""Keys that lead somewhere, and what has to be readable there."""


def hint_lines(running: Program) -> list[str]:
    """Every line of hints in view."""
    screen = running.screen
    sides = [str(foot.render()) for foot in screen.query(".side-foot").results(Static) if foot.region]
    return [*sides, str(screen.composer.border_subtitle)]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", STATES)
async def test_what_is_needed_is_readable(tmp_path: Path, name: str, size: tuple[int, int]) -> None:
    keys, readable = STATES[name]
    async with program(tmp_path, session=TALK, size=size) as running:
        await running.type(keys)
        for text in readable:
            await running.shows(text)
        assert "needs 45 columns" not in running.text
        for line in hint_lines(running):
            assert len(line) <= size[0] - 6
            assert "…" not in line


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_a_turn_can_be_followed_queued_and_stopped(tmp_path: Path, size: tuple[int, int]) -> None:
    gate = asyncio.Event()
    script = streaming(token("hm"), think_end(), token("Stew"), gate, token(" it."), end(), DONE)
    async with program(tmp_path, script, session=TALK, size=size) as running:
        await running.type("Stew?<enter>")
        await running.shows("Escape stop · Enter queue · F1 help")
        await running.type("and a side dish that goes with it<enter>")
        await running.shows("Queued: and a side dish")
        await running.shows("takes it back)")
        await running.type("<escape>")
        await running.shows("(stopped)")
        await running.shows("○ stopped")


@pytest.mark.parametrize("title", ["Lamb", "Name two ways to cook lamb, and what to drink with it."])
async def test_the_bar_above_says_first_what_is_open(tmp_path: Path, title: str) -> None:
    async with program(tmp_path, session=talk((title, "Roast it.")), size=(45, 20)) as running:
        first = running.text.partition("\n")[0]
        assert first.split("…")[0].strip()[:4] == title[:4]
        assert "thinking" in first
        assert len(first.partition("thinking")[0].strip()) >= min(len(title), 20)
        await running.pilot.resize_terminal(120, 40)
        await running.shows("kimi-tui  " + title[:20])
        await running.shows("Kimi-K2.5 · thinking · test")


def test_why_something_cannot_be_done_fits_the_line() -> None:
    room = 45 - 2
    for action in ACTIONS:
        why = situation.refusal(action, set()).partition(": ")[2]
        assert len(why) <= room


@pytest.mark.parametrize("scope", Scope)
def test_at_least_two_hints_of_a_place_stand_beside_the_help(scope: Scope) -> None:
    every = set(Need)
    line = situation.hints(scope, every, KeyTable.of({}), 45 - 6)
    assert len(line) <= 45 - 6
    own = [action for action in ACTIONS if action.scope is scope and action.hint]
    assert line.count(" · ") >= min(len(own), 1)
    assert line.endswith("F1 help")


async def test_the_status_line_is_whole(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK, size=(45, 20)) as running:
        bar = running.screen.query_one("#status-bar", Bar)
        assert "…" not in running.text.rstrip().rpartition("\n")[2]
        assert bar.region.width == 45
