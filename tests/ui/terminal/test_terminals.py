"""The real program in terminals that can do less: few colours, none, no UTF-8."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.terminal import Terminal, kimi_tui

SGR = re.compile(rb"\x1b\[([0-9;:]*)m")


def tour(terminal: Terminal, cursor: str = "▸") -> None:
    """Walk through marks, panes and lists, and leave."""
    terminal.until("Message Kimi")
    terminal.send("markdown\r")
    terminal.until("for more.")
    terminal.send("\x1b[Z")  # the message cursor
    terminal.until("Space fold")
    terminal.send("\x06")
    terminal.until("Find")
    terminal.send("lamb")
    terminal.until("1/")
    terminal.send("\x1b\x1b\x1bOS")
    terminal.until(f"{cursor} thinking")
    terminal.send("\x1bOS")
    terminal.until_gone(f"{cursor} thinking")
    terminal.send("\x10them")
    terminal.until("Switches the colours")
    terminal.send("\x1b[B")
    terminal.until("Switches the colours")
    terminal.send("\x1b")
    terminal.until_gone("Switches the colours")
    terminal.send("\x11")
    assert terminal.end() == 0


def parameters(terminal: Terminal) -> set[int]:
    """Every first number of what sets colours and attributes."""
    found: set[int] = set()
    for match in SGR.findall(terminal.raw):
        numbers = [int(number or 0) for number in match.split(b";")]
        while numbers:
            first = numbers.pop(0)
            found.add(first)
            if first in {38, 48}:
                kind = numbers.pop(0)
                found.add(first * 10 + kind)
                del numbers[: {5: 1, 2: 3}[kind]]
    return found


COLOURS = {*range(30, 50), *range(90, 108), 382, 385, 482, 485}


@pytest.mark.parametrize("theme", ["kimi-dark", "kimi-light"])
def test_no_color_means_none(env: dict[str, str], theme: str) -> None:
    with kimi_tui(["--demo", "--theme", theme], {**env, "NO_COLOR": "1"}) as terminal:
        tour(terminal)
        assert parameters(terminal) & COLOURS == set()
        assert parameters(terminal) >= {1, 4, 7}  # bold, underlined, reversed: marks are seen all the same


@pytest.mark.parametrize(
    ("settings", "allowed"),
    [
        ({"COLORTERM": "truecolor"}, {38, 48, 382, 482}),
        ({"COLORTERM": ""}, {38, 48, 385, 485}),
        ({"COLORTERM": "", "TERM": "xterm"}, {*range(30, 38), *range(90, 98), *range(40, 48), 107}),
        ({"COLORTERM": "", "TERM": "linux"}, {*range(30, 38), *range(90, 98), *range(40, 48)}),
        ({"COLORTERM": "", "TERM": "dumb"}, set[int]()),
    ],
    ids=["24-bit", "256", "16", "console", "dumb"],
)
def test_only_the_terminals_own_colours_are_written(
    env: dict[str, str], settings: dict[str, str], allowed: set[int]
) -> None:
    with kimi_tui(["--demo", "--theme", "kimi-light"], {**env, **settings}) as terminal:
        tour(terminal)
        found = parameters(terminal) & COLOURS
        assert found <= allowed
        assert bool(found) is bool(allowed)


@pytest.mark.parametrize(
    "locale",
    [
        {"LC_ALL": "C"},
        {"LANG": "C"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "en_US.ISO-8859-1", "PYTHONUTF8": "0"},
    ],
    ids=["C", "LANG", "strict", "latin"],
)
def test_where_the_locale_is_not_utf_8_only_ascii_is_drawn(env: dict[str, str], locale: dict[str, str]) -> None:
    with kimi_tui(["--demo"], {**env, **locale}) as terminal:
        terminal.until("Message Kimi ~")
        terminal.send("cjk é\r")
        terminal.until("o ready |")
        assert "??" in terminal.text
        assert "> Thought for" in terminal.text
        terminal.send("\x1bOS")
        terminal.until("> thinking")
        terminal.send("\x11")
        assert terminal.end() == 0
        assert terminal.raw.isascii()
        assert "+--" in terminal.raw.decode()


def test_a_broken_theme_in_the_defaults_place_is_told_and_another_is_shown(tmp_path: Path, env: dict[str, str]) -> None:
    (tmp_path / "themes").mkdir()
    (tmp_path / "themes" / "kimi-dark.toml").write_text('[colors]\nprimry = "#000000"\n')
    with kimi_tui(["--demo"], env) as terminal:
        terminal.until("colors.primry")
        terminal.until("Message Kimi")
        assert terminal.text.count("colors.primry") == 1
        terminal.send("\x11")
        assert terminal.end() == 0
