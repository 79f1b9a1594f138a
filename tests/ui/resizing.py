"""Another size of the terminal, waited for: on a busy machine the library's own pause ends before the layout."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot

TRIES = 500


async def resize(pilot: Pilot[Any], width: int, height: int) -> None:
    """Resize the terminal and wait until the screen has that size, in cells."""
    await pilot.resize_terminal(width, height)
    for _ in range(TRIES):
        if tuple(pilot.app.screen.size) == (width, height):
            await pilot.pause()
            return
        await pilot.pause(0.01)
    raise AssertionError(f"the screen is still {pilot.app.screen.size}")
