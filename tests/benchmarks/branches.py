"""The tree view of a session that forks everywhere: how long keys may have to wait, against what is allowed."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from tests.benchmarks.pauses import ALLOWED_S, longest_pause
from tests.benchmarks.texts import forking
from tests.ui.program import program

MESSAGES, EVERY = 10_000, 5
"""So that it has 2,000 forks, one below the other."""
STEPS = {
    "the view is opened": ("alt+t",),
    "a row up": ("up",),
    "a page up": ("pageup",),
    "to the first": ("home",),
    "the whole is folded": ("down", "left"),
    "the whole is unfolded": ("right",),
    "to the last": ("end",),
    "a letter of a filter": ("slash", "r"),
    "the next letter": ("o",),
    "the filter goes": ("escape",),
    "a branch is named": ("n", "A", "enter"),
    "a branch is pruned": ("d",),
    "that is undone": ("u",),
    "a message is shown": ("enter",),
}


async def branches() -> AsyncIterator[tuple[str, float, float]]:
    """Each step by its keys, in the whole program."""
    with tempfile.TemporaryDirectory() as folder:
        async with program(Path(folder), session=forking(MESSAGES, EVERY)) as running:
            await running.pilot.pause(1.0)
            for what, keys in STEPS.items():
                longest = await longest_pause(running.pilot.press(*keys))
                yield f"longest pause in {MESSAGES:,} messages, {what} : allowed", longest, ALLOWED_S
