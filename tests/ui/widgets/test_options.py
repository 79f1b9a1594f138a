"""Lists of options: keys and clicks in the moments in which there are options and no lines of them, or other ones."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from textual import events
from textual.app import App
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.widgets import OptionList

from kimi_tui.ui.screens.palette_screen import Commands, PaletteScreen

PAGES = ("page_up", "page_down")


class Held(Provider):
    """Finds what there is when it may."""

    may_find = asyncio.Event()
    names: Sequence[str] = ()

    async def discover(self) -> Hits:
        await self.may_find.wait()
        for name in self.names:
            yield DiscoveryHit(name, lambda: None)

    async def search(self, query: str) -> Hits:
        for name in self.names:
            if query in name:
                yield Hit(1, name, lambda: None)


class Host(App[None]):
    COMMANDS = {Held}  # noqa: RUF012 - the library's own name and form


@pytest.fixture(autouse=True)
def nothing_found_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Held, "may_find", asyncio.Event())
    monkeypatch.setattr(Held, "names", [f"command {number}" for number in range(30)])


@pytest.mark.parametrize("action", PAGES)
async def test_a_page_key_may_come_when_the_palette_has_found_something_and_not_drawn_it(action: str) -> None:
    async with Host().run_test() as pilot:
        palette = PaletteScreen()
        pilot.app.push_screen(palette)
        await pilot.pause()
        options = palette.query_one(OptionList)
        await palette.run_action(f"command_list('{action}')")
        Held.may_find.set()
        while not options.option_count:
            await asyncio.sleep(0)
        assert not options.size
        await palette.run_action(f"command_list('{action}')")
        assert options.highlighted == 0
        await pilot.pause()
        await pilot.press("pagedown")
        assert options.highlighted


@pytest.mark.parametrize("action", PAGES)
async def test_a_page_key_may_come_where_there_is_no_room_for_a_line(action: str) -> None:
    Held.may_find.set()
    async with Host().run_test(size=(4, 2)) as pilot:
        palette = PaletteScreen()
        pilot.app.push_screen(palette)
        await pilot.pause()
        options = palette.query_one(OptionList)
        while not options.option_count:
            await pilot.pause()
        await palette.run_action(f"command_list('{action}')")
        assert options.option_count == 30


async def test_a_click_may_come_on_an_option_that_is_not_there_any_more() -> None:
    Held.may_find.set()
    async with Host().run_test() as pilot:
        palette = PaletteScreen()
        pilot.app.push_screen(palette)
        await pilot.pause()
        options = palette.query_one(Commands)
        while not options.size:
            await pilot.pause()
        click = events.Click(options, 3, 6, 0, 0, 1, False, False, False)
        click.style = palette.get_style_at(options.region.x + 3, options.region.y + 6)
        assert click.style.meta["option"]
        options.clear_options()
        options.post_message(click)
        await pilot.pause()
        assert pilot.app.screen is palette
