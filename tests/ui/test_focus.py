"""The focus is always on something that can be seen."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events

from kimi_tui.core.settings.actions import Scope
from tests.ui.program import Program, program, talk
from tests.ui.resizing import resize

TALK = talk(("Lamb?", "Roast it."), ("More?", "Braise it."))
SMALL, NARROW, WIDE = (60, 20), (80, 24), (120, 40)


async def has_keys(running: Program, scope: Scope) -> None:
    """Wait until the focus is there; it can be seen."""
    await running.until(lambda: running.scope is scope)
    await running.pilot.pause()
    focused = running.screen.focused
    assert running.scope is scope
    assert focused is not None
    assert focused.region.area > 0
    assert all(node.display for node in focused.ancestors_with_self)


@pytest.mark.parametrize("size", [SMALL, NARROW, WIDE], ids=["small", "narrow", "wide"])
@pytest.mark.parametrize("keys", ["<f3><f5><f5>", "<f4><f3><f3>"])
async def test_closing_a_pane_brings_up_none_that_was_hidden_behind_it(
    tmp_path: Path, keys: str, size: tuple[int, int]
) -> None:
    async with program(tmp_path, session=TALK, size=size) as running:
        await running.type(keys)
        await has_keys(running, Scope.COMPOSER)
        assert not running.side("prompt").display
        await running.type("typed")
        await running.shows("typed")


async def test_escape_shows_the_conversation_whatever_was_open_before(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK, size=SMALL) as running:
        await running.type("<f2>")
        await has_keys(running, Scope.SESSIONS)
        await running.type("<f4>")
        await has_keys(running, Scope.SETTINGS)
        await running.type("<escape>")
        await has_keys(running, Scope.COMPOSER)
        await running.shows("Braise it.")


async def test_a_pane_beside_another_stays_when_that_is_closed(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK, size=WIDE) as running:
        await running.type("<f2><f3><f5><f5>")
        await has_keys(running, Scope.COMPOSER)
        assert running.side("sessions").display
        assert not running.side("prompt").display


async def test_panes_do_not_cover_what_is_being_typed_when_the_terminal_shrinks(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK, size=WIDE) as running:
        await running.type("<f2><f3><escape>half")
        await has_keys(running, Scope.COMPOSER)
        await resize(running.pilot, *SMALL)
        await has_keys(running, Scope.COMPOSER)
        await running.type(" a thought")
        await running.shows("half a thought")
        await resize(running.pilot, *WIDE)
        await running.shows("[Reasoning F3]")
        await running.shows("[Sessions F2]")


async def test_the_pane_with_the_keys_is_the_one_that_is_left_when_the_terminal_shrinks(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK, size=WIDE) as running:
        await running.type("<f3><f2>")
        await has_keys(running, Scope.SESSIONS)
        for size in (NARROW, SMALL, (40, 12), SMALL):
            await resize(running.pilot, *size)
            if size != (40, 12):
                await has_keys(running, Scope.SESSIONS)
        await running.type("<escape>")
        await has_keys(running, Scope.COMPOSER)


async def test_panes_of_the_settings_do_not_cover_the_composer_at_the_start(tmp_path: Path) -> None:
    config = {"ui": {"panes": ["sessions", "prompt"]}}
    async with program(tmp_path, session=TALK, config=config, size=SMALL) as running:
        await has_keys(running, Scope.COMPOSER)
        await running.shows("Braise it.")
        await running.type("<f2>")
        await has_keys(running, Scope.SESSIONS)


@pytest.mark.parametrize("key", ["f6", "f8", "f12"])
async def test_an_argument_is_typed_where_it_can_be_seen(tmp_path: Path, key: str) -> None:
    async with program(tmp_path, session=TALK, size=SMALL) as running:
        await running.type("<f4>")
        await has_keys(running, Scope.SETTINGS)
        await running.type(f"<{key}>")
        await has_keys(running, Scope.COMPOSER)
        await running.shows("(Escape cancels)")


async def test_a_search_can_be_seen_with_what_it_searches(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK, size=SMALL) as running:
        await running.type("<f3>")
        await has_keys(running, Scope.REASONING)
        await running.type("<ctrl+f>asks")
        await has_keys(running, Scope.SCREEN)
        await running.shows("1/1")
        await running.shows("The user asks.")
        await running.type("<escape>")
        await has_keys(running, Scope.REASONING)
        await running.type("<f4>")
        await has_keys(running, Scope.SETTINGS)
        await running.type("<ctrl+f>Braise")
        await has_keys(running, Scope.SCREEN)
        await running.shows("Braise it.")


PANES = {"f2": Scope.SESSIONS, "f3": Scope.REASONING, "f4": Scope.SETTINGS, "f5": Scope.PROMPT}


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
@pytest.mark.parametrize("key", PANES)
async def test_the_key_of_a_pane_in_view_hides_it_wherever_the_focus_is(
    tmp_path: Path, key: str, size: tuple[int, int]
) -> None:
    async with program(tmp_path, session=TALK, size=size) as running:
        await running.type(f"<{key}>")
        await has_keys(running, PANES[key])
        side = running.side(PANES[key].name.lower())
        for away in ("<escape>", "<tab>", "<escape><shift+tab>", "<escape>half", "<ctrl+f>"):
            await running.type(away)
            await running.until(lambda: running.scope is not PANES[key] or away == "<tab>")  # noqa: B023 - awaited here
            await running.type(f"<{key}>")
            await has_keys(running, Scope.COMPOSER)
            assert side.region.area == 0, away
            await running.type(f"<{key}>")
            await has_keys(running, PANES[key])


async def test_a_pane_that_was_open_at_the_start_is_hidden_by_its_key(tmp_path: Path) -> None:
    config = {"ui": {"panes": ["sessions", "prompt"]}}
    async with program(tmp_path, session=TALK, config=config, size=WIDE) as running:
        await running.shows("[Prompt F5]")
        await running.type("<f5>")
        await has_keys(running, Scope.COMPOSER)
        assert "[Prompt F5]" not in running.text
        assert "[Sessions F2]" in running.text


@pytest.mark.parametrize("key", PANES)
async def test_tab_reaches_a_pane_that_is_open(tmp_path: Path, key: str) -> None:
    async with program(tmp_path, session=TALK, size=WIDE) as running:
        await running.type(f"<{key}>")
        await has_keys(running, PANES[key])
        await running.type("<escape>")
        await has_keys(running, Scope.COMPOSER)
        for _ in range(4):
            await running.type("<tab>")
            if running.scope is PANES[key]:
                return
        raise AssertionError("Tab does not go there")


@pytest.mark.parametrize(("keys", "size"), [("<shift+tab><up>", WIDE), ("<f2>", SMALL), ("<f3>", WIDE)])
async def test_what_is_pasted_where_nothing_takes_text_goes_into_the_composer(
    tmp_path: Path, keys: str, size: tuple[int, int]
) -> None:
    async with program(tmp_path, session=TALK, size=size) as running:
        await running.type(f"half {keys}")
        running.app.post_message(events.Paste("a thought"))
        await running.until(lambda: running.screen.composer.draft == "half a thought")
        await has_keys(running, Scope.COMPOSER)
        await running.shows("half a thought")
