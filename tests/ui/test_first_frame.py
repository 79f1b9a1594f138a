"""The frame that stands while the library is imported, beside the one that follows it."""

from __future__ import annotations

from pathlib import Path

import pyte
import pytest
from textual import events

from kimi_tui.adapters.config.paths import shipped
from kimi_tui.adapters.config.theme_files import load_theme
from kimi_tui.ui.keys.typeahead import typed_events
from kimi_tui.ui.state.first_frame import first_frame
from tests.ui.program import program


def drawn(columns: int, rows: int, frame: str) -> pyte.Screen:
    screen = pyte.Screen(columns, rows)
    pyte.Stream(screen).feed(frame)
    return screen


@pytest.mark.parametrize(("columns", "rows"), [(120, 40), (80, 24), (60, 20)])
async def test_nothing_in_it_moves_when_the_real_one_comes(tmp_path: Path, columns: int, rows: int) -> None:
    early = drawn(columns, rows, first_frame(columns, rows, None)).display
    async with program(tmp_path, size=(columns, rows)) as running:
        await running.shows("Message Kimi")
        real = running.text.split("\n")
    for row, line in enumerate(early):
        shown = line.rstrip()
        if shown.startswith("╰"):  # the real one has hints there
            assert real[row][:2] == shown[:2]
            assert real[row][-2:] == shown[-2:]
        else:
            assert real[row].startswith(shown), row


def test_it_has_the_colours_of_the_theme() -> None:
    frame = first_frame(80, 24, load_theme(shipped("themes") / "kimi-light.toml"))
    cell = drawn(80, 24, frame).buffer[0][1]
    assert f"#{cell.bg}" == load_theme(shipped("themes") / "kimi-light.toml").colors["background"]


@pytest.mark.parametrize(("columns", "rows"), [(44, 24), (80, 13), (0, 0)])
def test_a_terminal_that_is_too_small_gets_none(columns: int, rows: int) -> None:
    assert not first_frame(columns, rows, None)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("hi", ["hi"]),
        ("hi\n", ["hi", "enter"]),
        ("\n", ["enter"]),
        ("a\nb", ["a", "enter", "b"]),
        ("a\x06b\nc", ["a", "ctrl+f", "b", "enter", "c"]),
        ("\x1bOQ\x1b[A", ["f2", "up"]),
    ],
)
def test_line_feeds_typed_before_are_the_enter_key(text: str, found: list[str]) -> None:
    events_of = list(typed_events(text))
    assert [event.text if isinstance(event, events.Paste) else event.key for event in events_of] == found  # type: ignore[attr-defined]
