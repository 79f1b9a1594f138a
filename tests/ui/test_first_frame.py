"""The frame that stands while the library is imported, beside the one that follows it."""

from __future__ import annotations

from pathlib import Path

import pyte
import pytest
from textual import events

from kimi_tui.adapters.config.paths import shipped
from kimi_tui.adapters.config.theme_files import load_theme
from kimi_tui.ui.state.first_frame import PLACEHOLDER, EarlyEcho, first_frame
from kimi_tui.ui.terminal.terminal_input import typed_events
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
        ("a\xa0\u3000", ["a", "no_break_space", "ideographic_space"]),
        ("a\x06b\nc", ["a", "ctrl+f", "b", "enter", "c"]),
        ("\x1bOQ\x1b[A", ["f2", "up"]),
    ],
)
def test_line_feeds_typed_before_are_the_enter_key(text: str, found: list[str]) -> None:
    events_of = list(typed_events(text))
    assert [event.text if isinstance(event, events.Paste) else event.key for event in events_of] == found  # type: ignore[attr-defined]


# -- what is typed while it stands there


def echoed(*typed: bytes, columns: int = 80) -> tuple[str, EarlyEcho]:
    """What the composer's line shows, and the echo."""
    echo = EarlyEcho(columns, 24)
    frame = first_frame(columns, 24, None) + "".join(echo.feed(data) for data in typed)
    line = drawn(columns, 24, frame).display[21]
    assert (line[:2], line[-1]) == ("│ ", "│")
    return line[2:-1].rstrip(), echo


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        (b"", PLACEHOLDER),
        (b"hello", "hello"),
        ("Bärenklau Ж".encode(), "Bärenklau Ж"),
        (b"helo\x7flo", "hello"),
        (b"a\x7f\x08", PLACEHOLDER),
        (b"\x7fa", "a"),
    ],
)
@pytest.mark.parametrize("is_split", [False, True])
def test_letters_are_shown_where_they_will_be(typed: bytes, shown: str, is_split: bool) -> None:
    parts = [typed[place : place + 1] for place in range(len(typed))] if is_split else [typed]
    line, echo = echoed(*parts)
    assert line == shown
    assert not echo.is_over


@pytest.mark.parametrize(
    "key",
    [*(char.encode() for char in "\r\n\t\x03\x13羊\u0301👍\u202e\u00ad\u0085"), b"\x1b[A", b"\x1b[200~paste", b"\xff"],
)
def test_what_only_the_program_can_show_ends_it(key: bytes) -> None:
    line, echo = echoed(b"ab", key, b"c")
    assert line == "ab"
    assert echo.is_over
    assert echo.feed(b"d") == ""


def test_a_line_that_is_full_ends_it() -> None:
    line, echo = echoed(b"x" * 100, columns=60)
    assert set(line) == {"x"}
    assert len(line) < 56
    assert echo.is_over


def test_where_there_is_no_frame_nothing_is_shown() -> None:
    assert EarlyEcho(40, 24).feed(b"a") == ""
    assert EarlyEcho(40, 24).is_over


async def test_the_program_shows_it_in_the_same_cells(tmp_path: Path) -> None:
    early, _ = echoed(b"half a thought")
    async with program(tmp_path, size=(80, 24)) as running:
        await running.shows("Message Kimi")
        await running.type("half a thought")
        assert running.text.split("\n")[21][2:].startswith(early)
