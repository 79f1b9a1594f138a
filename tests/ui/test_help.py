"""The help: what it lists, and that typing searches it."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from kimi_tui.core.settings.actions import ACTIONS, Action, Scope
from kimi_tui.core.settings.keymap import KeyTable
from kimi_tui.ui.screens.help import BESIDE_CELLS, HelpScreen, help_content
from tests.ui.program import program, talk

TALK = talk(("Lamb?", "Roast it."))


async def test_typing_lists_what_fits_and_escape_brings_everything_back(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK, size=(80, 60)) as running:
        await running.type("<f1>")
        await running.shows("Type to search")
        await running.shows("Escape closes")
        await running.type("copy")
        await running.shows("Escape clears")
        assert "/copy-code [N]" in running.text
        assert "Stops the running reply" not in running.text
        await running.type("zz")
        await running.shows("Nothing here fits.")
        await running.type("<escape>")
        await running.shows("Stops the running reply")
        await running.type("<escape>")
        assert running.app.screen is running.screen
        assert running.screen.composer.draft == ""


@pytest.mark.parametrize("letters", ["q", "quit", "[/]", "j", "/new", "ctrl+q"])
async def test_letters_are_looked_for_whatever_they_do_elsewhere(tmp_path: Path, letters: str) -> None:
    async with program(tmp_path, session=TALK, size=(80, 24)) as running:
        await running.type("<f1>")
        await running.shows("Type to search")
        await running.pilot.press(*letters)
        await running.pilot.pause()
        assert isinstance(running.app.screen, HelpScreen)
        assert running.app.screen.query_one(Input).value == letters


async def test_arrows_and_pages_scroll_while_one_types(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK, size=(80, 24)) as running:
        await running.type("<f1>")
        await running.shows("Type to search")
        scroll = running.app.screen.query_one("#help-scroll")
        tops = []
        for keys in ("<down><down>", "<pagedown>", "<end>", "<pageup>", "<up>", "<home>"):
            await running.type(keys)
            tops.append(int(scroll.scroll_y))
        assert tops[0] == 2
        assert tops[1] > tops[0]
        assert tops[2] == scroll.max_scroll_y
        assert tops[2] > tops[3] > tops[4] > tops[5] == 0
        await running.type("<end>s")
        assert scroll.scroll_y == 0  # what fits is shown from its beginning


@pytest.mark.parametrize("width", [45, 80, 120])
def test_no_line_is_cut(width: int) -> None:
    room = width - BESIDE_CELLS
    for query in ("", "message"):
        lines = help_content(Scope.COMPOSER, set(), KeyTable.of({}), room, query).plain.splitlines()
        assert max(map(len, lines)) <= room


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.id)
def test_everything_is_found_by_name_and_by_key(action: Action) -> None:
    keymap = KeyTable.of({})
    for query in (action.title, keymap.label(action.id)):
        if query:
            assert action.help.partition(" ")[0] in help_content(Scope.SCREEN, set(), keymap, 200, query).plain
