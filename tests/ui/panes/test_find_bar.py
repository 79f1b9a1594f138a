"""The search line: its words."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult
from textual.widgets import Static

from kimi_tui.ui.panes.find_bar import FindBar
from kimi_tui.ui.transcript.transcript_widget import Transcript


class Host(App[None]):
    def compose(self) -> ComposeResult:
        transcript = Transcript()
        yield transcript
        yield FindBar(transcript, lambda: None)


@pytest.mark.parametrize(
    ("count", "current", "is_reading", "words"),
    [
        (0, 0, True, "searching …"),
        (0, 0, False, "not found"),
        (12, 0, True, "12… found · Enter shows"),
        (12, 0, False, "12 found · Enter shows"),
        (12, 3, True, "3/12… · Enter next · Up back"),
        (12, 3, False, "3/12 · Enter next · Up back"),
    ],
)
async def test_it_says_how_often_a_text_was_found_so_far(
    count: int, current: int, is_reading: bool, words: str
) -> None:
    async with Host().run_test() as pilot:
        bar = pilot.app.query_one(FindBar)
        bar.open("lamb")
        bar.show_count(count, current, is_reading=is_reading)
        assert str(bar.query_one(Static).render()) == words
