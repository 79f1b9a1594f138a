"""What is very large: a key in a draft that was pasted, against one in an empty draft; a long list of sessions."""

from __future__ import annotations

import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from textual import events
from textual.app import App, ComposeResult

from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.core.session.session import Session
from kimi_tui.ui.widgets.composer import Composer
from tests.benchmarks.texts import session

SIZE = 1_000_000
"""Characters of a paste."""
SHAPES = {
    "one line": "some words of a file ",
    "one line of wide characters": "漢字かな交じり文、",
    "many lines": "a line of a file\n",
}
KEYS = ("a", "b", "c", "left", "up", "ctrl+j", "backspace")
SESSIONS = 2_000


class Host(App[None]):
    """Nothing but a composer."""

    def compose(self) -> ComposeResult:
        """It alone."""
        yield Composer()


async def _seconds(text: str) -> tuple[float, float]:
    """Seconds that a paste takes, and the keys after it."""
    async with Host().run_test(size=(120, 40)) as pilot:
        composer = pilot.app.query_one(Composer)
        composer.focus()
        await pilot.press(*KEYS)
        before = time.process_time()
        composer.post_message(events.Paste(text))
        await pilot.pause()
        middle = time.process_time()
        await pilot.press(*KEYS)
        return middle - before, time.process_time() - middle


async def pastes() -> AsyncIterator[tuple[str, float, float]]:
    """A paste of 1 MB and the keys after it, against a paste of nothing much."""
    small = await _seconds("word")
    for name, unit in SHAPES.items():
        paste, keys = await _seconds(unit * (SIZE // len(unit)))
        yield f"keys after a paste of 1,000,000 characters, {name} : after one of 4", keys, small[1]
        yield f"the paste itself, {name} : the keys after it", paste, keys


async def lists() -> AsyncIterator[tuple[str, float, float]]:
    """The first rows of a list of sessions that were never listed, against all of them."""
    with tempfile.TemporaryDirectory() as folder:
        files = SessionFiles(Path(folder), Path(folder) / "trash")
        for number in range(SESSIONS):
            files.save_now(_numbered(session(2), number))
        before = time.process_time()
        lists = files.listings()
        next(lists)
        first = time.process_time() - before
        for _ in lists:
            pass
        yield f"first rows of {SESSIONS:,} sessions : all rows", first, time.process_time() - before


def _numbered(value: Session, number: int) -> Session:
    return replace(value, id=f"s{number}", updated=value.updated + timedelta(minutes=number))
