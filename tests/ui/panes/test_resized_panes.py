"""Panes opened, closed and used right before and right behind a resize, whose effect comes later than the key's."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from textual import events
from textual.geometry import Size

from kimi_tui.core.settings.actions import Scope
from tests.fakes.scripted_client import streaming
from tests.ui.program import Program, program, talk
from tests.ui.resizing import resize

TALK = talk(("Lamb?", "Roast it."), ("More?", "Braise it."))
SIZES = ((120, 40), (80, 24), (60, 20), (40, 12), (20, 5))
"""One of each class: two panes, one, one in the place of the conversation, and too small for anything."""
ACTIONS = (
    *("sessions", "reasoning", "settings", "prompt", "show-reasoning", "show-request", "filter-sessions"),
    *("open-session", "rename-session", "reset-field", "unset-field", "wider", "narrower", "copy-prompt", "find"),
)
PANES = ("sessions", "reasoning", "settings", "prompt")


def begin_resize(running: Program, size: tuple[int, int]) -> None:
    """Tell of another size, as the terminal does: nobody has dealt with it yet."""
    running.app.post_message(events.Resize(Size(*size), Size(*size)))


async def still_works(running: Program) -> None:
    """In a large terminal what has the focus can be seen, and the composer is one Escape or two away."""
    assert running.app.crash is None
    await resize(running.pilot, *SIZES[0])
    await running.until(lambda: not running.screen.panes.is_giving_keys and running.screen.focused is not None)
    await running.pilot.pause()
    focused = running.screen.focused
    assert focused is not None
    assert all(node.display for node in focused.ancestors_with_self)
    for _ in range(3):
        await running.type("<escape>")
    await running.until(lambda: running.scope is Scope.COMPOSER)
    running.screen.composer.draft = ""
    await running.type("t")
    assert running.screen.composer.draft == "t"
    running.screen.composer.draft = ""


@pytest.mark.parametrize("pane", PANES)
@pytest.mark.parametrize("small", [(40, 12), (20, 5)])
async def test_a_pane_opened_right_behind_a_resize_is_there_when_there_is_room_again(
    tmp_path: Path, pane: str, small: tuple[int, int]
) -> None:
    async with program(tmp_path, session=TALK) as running:
        await resize(running.pilot, *small)
        running.screen.dispatcher.choose(pane)
        await running.pilot.pause()
        assert running.app.crash is None
        await resize(running.pilot, 120, 40)
        await running.until(lambda: running.scope is Scope[pane.upper()])
        await still_works(running)


@pytest.mark.parametrize(
    "size", [size if size[0] == 40 else pytest.param(size, marks=pytest.mark.slow) for size in SIZES], ids=str
)
@pytest.mark.parametrize("order", ["before", "between", "after"])
async def test_every_action_of_a_pane_may_meet_a_resize(tmp_path: Path, size: tuple[int, int], order: str) -> None:
    async with program(tmp_path, session=TALK) as running:
        for action in ACTIONS:
            for other in PANES[:: 1 if action in PANES else 3]:
                if order == "before":
                    begin_resize(running, size)
                running.screen.dispatcher.choose(other)
                if order == "between":
                    begin_resize(running, size)
                    await asyncio.sleep(0)
                running.screen.dispatcher.choose(action)
                if order == "after":
                    begin_resize(running, size)
                await running.pilot.pause()
                assert running.app.crash is None, (other, action)
            await still_works(running)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
async def test_any_order_of_resizes_and_actions_leaves_a_program_that_can_be_used(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    replies = [streaming(asyncio.Event()) for _ in range(20)]
    async with program(tmp_path, *replies, session=TALK, size=chance.choice(SIZES)) as running:
        for _ in range(60):
            if chance.random() < 0.4:
                begin_resize(running, chance.choice(SIZES))
            elif chance.random() < 0.6:
                running.screen.dispatcher.choose(chance.choice(ACTIONS))
            else:
                name = chance.choice(["f2", "f3", "f4", "f5", "enter", "escape", "down", "slash"])
                running.app.post_message(events.Key(name, None))
            if chance.random() < 0.3:
                await asyncio.sleep(0)
            if chance.random() < 0.1:
                await running.pilot.pause()
        await running.pilot.pause()
        await still_works(running)
