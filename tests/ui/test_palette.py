"""The command palette: what it lists, and what it says where nothing fits."""

from __future__ import annotations

from pathlib import Path

import pytest

from kimi_tui.ui.screens.help import HelpScreen
from tests.ui.program import program, talk

TALK = talk(("Lamb?", "Roast it."))


@pytest.mark.parametrize("query", ["paste", "[/]", "[bold", "zz"])
async def test_where_nothing_fits_it_says_so_at_once(tmp_path: Path, query: str) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("<ctrl+p>")
        await running.shows("Thinking or instant")
        await running.pilot.press(*query)
        await running.shows("No action fits.")
        assert "alternative" not in running.text
        await running.type("<enter>")
        await running.until(lambda: isinstance(running.app.screen, HelpScreen))


async def test_what_fits_is_listed_with_its_own_key_and_why_it_cannot_be_done(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK, config={"keymap": {"stop": ["f10"]}}) as running:
        await running.type("<ctrl+p>")
        await running.shows("Thinking or instant")
        await running.pilot.press(*"stop")
        await running.shows("Stop the reply  (F10, /stop)")
        assert "(Now there is no running reply here.)" in running.text


async def test_what_is_found_is_done(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("<ctrl+p>")
        await running.shows("Thinking or instant")
        await running.pilot.press(*"settings")
        await running.shows("Shows or hides the settings.")
        await running.type("<enter>")
        await running.shows("top_p")


async def test_what_takes_a_value_is_begun_in_the_composer_and_typed_alone_it_tells(tmp_path: Path) -> None:
    async with program(tmp_path) as running:
        for name in ("budget", "stop-at", "kept-thinking", "auto-continue", "free-thinking"):
            await running.type(f"<ctrl+p>{name}")
            await running.shows(f"/{name})")
            await running.type("<enter>")
            await running.until(lambda name=name: running.screen.composer.draft == f"/{name} ")  # type: ignore[misc]
            await running.type("<escape><escape>")  # a list of values first
        for name, told in {
            "budget": "Thinking budget:",
            "stop-at": "The next reply stops",
            "auto-continue": "is cut",
        }.items():
            await running.type(f"/{name}<enter>")
            await running.shows(told)
