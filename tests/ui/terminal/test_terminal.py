"""What a terminal can show: read off its environment, and every line fitted to it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import Color as RichColor
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.color import Color
from textual.geometry import Size

from kimi_tui.core.settings.theme_palette import TEXT_CONTRAST, contrast
from kimi_tui.ui.app.chat_screen import ChatScreen
from kimi_tui.ui.terminal.encoding import screen_encoding
from kimi_tui.ui.terminal.terminal_abilities import Terminal, describe_terminal, terminal_filters
from kimi_tui.ui.text.colours import PALETTE_OF_16, AttributeFilter, FewColoursFilter, colourless
from kimi_tui.ui.text.glyphs import ASCII_FALLBACKS, GlyphFilter
from tests.ui.program import program

UI = Path(__file__).parents[3] / "kimi_tui" / "ui"
GROUND = Color.parse("#000000")
colours = st.tuples(*[st.integers(0, 255)] * 3).map(lambda rgb: RichColor.from_rgb(*rgb))


@pytest.mark.parametrize(
    ("environ", "encoding", "expected"),
    [
        ({"LANG": "C.UTF-8"}, "utf-8", "utf-8"),
        ({"LANG": "en_GB.utf8"}, "UTF-8", "utf-8"),
        ({"LANG": "de_DE.UTF-8@euro"}, "utf-8", "utf-8"),
        ({}, "utf-8", "utf-8"),
        ({"LC_CTYPE": "C.UTF-8"}, "utf-8", "utf-8"),
        ({"LC_CTYPE": "UTF-8", "LANG": ""}, "utf-8", "utf-8"),
        ({"LANG": "en_US"}, "utf-8", "utf-8"),
        ({"LC_ALL": "C"}, "utf-8", "ascii"),
        ({"LC_ALL": "POSIX", "LANG": "en_GB.UTF-8"}, "utf-8", "ascii"),
        ({"LC_ALL": "C.UTF-8", "LANG": "C"}, "utf-8", "utf-8"),
        ({"LANG": "C"}, "utf-8", "ascii"),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, "utf-8", "ascii"),
        ({"LANG": "C", "LC_CTYPE": "en_GB.UTF-8"}, "utf-8", "utf-8"),
        ({"LC_ALL": "en_US.ISO-8859-1"}, "utf-8", "ascii"),
        ({"LC_ALL": "en_US.ISO-8859-1"}, "iso8859-1", "iso8859-1"),
        ({"LC_ALL": "C"}, "ANSI_X3.4-1968", "ascii"),
        ({"LANG": "C.UTF-8"}, "no such", "ascii"),
        ({"LANG": "C.UTF-8"}, "", "ascii"),
    ],
)
def test_which_characters_are_shown(environ: dict[str, str], encoding: str, expected: str) -> None:
    assert screen_encoding(environ, encoding) == expected


def test_a_terminal_is_described_by_its_environment() -> None:
    utf8 = {"LANG": "C.UTF-8"}
    assert describe_terminal(utf8 | {"TERM": "xterm", "NO_COLOR": ""}, "utf-8") == Terminal()
    assert describe_terminal(utf8 | {"TERM": "linux"}, "utf-8") == Terminal(has_bright_backgrounds=False)
    assert describe_terminal(utf8 | {"NO_COLOR": "1"}, "utf-8") == Terminal(is_colourless=True)


@pytest.mark.parametrize(
    ("terminal", "color_system", "kinds"),
    [
        (Terminal(), "truecolor", []),
        (Terminal(), "256", [FewColoursFilter]),
        (Terminal(), "standard", [FewColoursFilter]),
        (Terminal(), None, [AttributeFilter]),
        (Terminal(is_colourless=True), "truecolor", [AttributeFilter]),
        (Terminal("ascii", is_colourless=True), "256", [AttributeFilter, GlyphFilter]),
    ],
)
def test_only_what_is_needed_is_filtered(terminal: Terminal, color_system: str | None, kinds: list[type]) -> None:
    assert [type(line_filter) for line_filter in terminal_filters(terminal, color_system, lambda: True)] == kinds


# -- characters


def test_fallbacks_are_ascii_and_as_wide() -> None:
    wrong = {
        char: plain for char, plain in ASCII_FALLBACKS.items() if not plain.isascii() or cell_len(char) != len(plain)
    }
    assert wrong == {}


def test_every_glyph_in_the_code_of_the_screen_has_a_fallback() -> None:
    """Letters of other scripts aside, which are never drawn by the program itself."""
    used = {char for path in UI.rglob("*.py") for char in path.read_text("utf-8") if not char.isascii()}
    cjk = {char for char in used if cell_len(char) == 2 or "\u3000" <= char <= "\u30ff"}
    shown = used - cjk - set("’”‘“％℃￥＄") - {"\u200d", "\ufe0f"}
    assert {char for char in shown if char not in ASCII_FALLBACKS} == set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("▸ Thought for 12.4 s · 840 tok", "> Thought for 12.4 s | 840 tok"),
        ("◂ 2/3 ▸", "< 2/3 >"),
        (" ↓ new ", " v new "),
        ("╭─ Message Kimi …", "+- Message Kimi ~"),
        ("café, naïve", "cafe, naive"),
        ("10²", "10?"),
        ("中文 ok", "???? ok"),
        ("e\u0301", "e"),
        ("🔎 Search", ">  Search"),
        ("👩‍💻!", "??!"),
        ("\ue000", "?"),
    ],
)
def test_what_is_drawn_in_ascii(text: str, expected: str) -> None:
    assert GlyphFilter("ascii").fit(text) == expected


def test_what_the_encoding_has_is_kept() -> None:
    assert GlyphFilter("iso8859-1").fit("café · ▸ 中") == "café · > ??"


@given(st.text())
def test_any_text_becomes_ascii_of_the_same_width(text: str) -> None:
    plain = GlyphFilter("ascii").fit(text)
    assert plain.isascii()
    if text.isprintable():
        assert cell_len(plain) == cell_len(text)


def test_lines_of_ascii_are_left_alone() -> None:
    line = [Segment("plain", Style(bold=True)), Segment(" text")]
    assert GlyphFilter("ascii").apply(line, GROUND) is line
    assert GlyphFilter("ascii").apply([Segment("│", line[0].style)], GROUND) == [Segment("|", line[0].style)]


# -- colours


def test_the_16_colours_are_those_that_rich_finds_again() -> None:
    assert [RichColor.from_rgb(*rgb).downgrade(ColorSystem.STANDARD).number for rgb in PALETTE_OF_16] == [*range(16)]


@pytest.mark.parametrize("is_16", [True, False])
@pytest.mark.parametrize("reverse", [True, False])
@given(text=colours, ground=colours)
def test_text_that_could_be_read_still_can(text: RichColor, ground: RichColor, is_16: bool, reverse: bool) -> None:
    few = FewColoursFilter(is_16=is_16)
    style = Style(color=text, bgcolor=ground, reverse=reverse, bold=True)
    drawn = few.fit(style, "text")
    assert drawn.color is not None
    assert drawn.bgcolor is not None
    assert drawn.bold
    assert not drawn.reverse
    if contrast(text.get_truecolor().hex, ground.get_truecolor().hex) >= TEXT_CONTRAST:
        system = ColorSystem.STANDARD if is_16 else ColorSystem.EIGHT_BIT
        shades = [color.get_truecolor().hex for color in (drawn.color, drawn.bgcolor)]
        assert contrast(*shades) >= TEXT_CONTRAST
        assert drawn.color.downgrade(system) != drawn.bgcolor.downgrade(system)
    assert few.fit(drawn, "text") == drawn


def test_edges_may_be_fainter_and_hidden_ones_stay_hidden() -> None:
    few = FewColoursFilter(is_16=True)
    edge = Style(color="#646b7d", bgcolor="#14161b")
    assert few.fit(edge, "──").color == RichColor.from_rgb(85, 85, 85)
    assert few.fit(edge, "text").color == RichColor.from_rgb(170, 170, 170)
    hidden = few.fit(Style(color="#14161b", bgcolor="#14161b"), "▔▔")
    assert hidden.color == hidden.bgcolor


def test_hues_are_kept_among_16() -> None:
    few = FewColoursFilter(is_16=True)
    numbers = {}
    for name, colour in {"error": "#f09a9a", "warning": "#dcb577", "success": "#9cc58a", "grey": "#959cad"}.items():
        color = few.fit(Style(color=colour, bgcolor="#14161b"), "x").color
        assert color is not None
        numbers[name] = color.downgrade(ColorSystem.STANDARD).number
    assert numbers == {"error": 9, "warning": 11, "success": 10, "grey": 7}


def test_a_background_alone_is_fitted_too() -> None:
    few = FewColoursFilter(is_16=True)
    assert few.fit(Style(bgcolor="#14161b"), "  ") == Style(bgcolor="#000000")
    assert few.fit(Style(bold=True), "x") == Style(bold=True)
    assert few.apply([Segment("x")], GROUND) == [Segment("x")]


def test_without_colours_blocks_are_reversed_and_all_else_is_kept() -> None:
    plain = Style(color="#d8dae0", bgcolor="#14161b", bold=True, italic=True, meta={"offset": (1, 2)})
    drawn = colourless(plain, True)
    assert (drawn.color, drawn.bgcolor, drawn.reverse) == (None, None, False)
    assert (drawn.bold, drawn.italic, drawn.meta) == (True, True, {"offset": (1, 2)})
    block = Style(color="#14161b", bgcolor="#8fb0e8")
    assert colourless(block, True).reverse
    assert not colourless(block + Style(reverse=True), True).reverse
    assert not colourless(Style(color="#2a2c33", bgcolor="#fbfaf8"), False).reverse
    assert colourless(Style(color="#fbfaf8", bgcolor="#2f5aa8"), False).reverse
    assert AttributeFilter(lambda: True).apply([Segment("x"), Segment("y", block)], GROUND)[1].style == Style(
        reverse=True
    )


# -- sizes


async def test_two_sizes_at_once_do_not_cause_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event of a size that is past, as a layout posts it, is for the size that holds now."""
    sizes: list[Size] = []
    arrange = ChatScreen.on_resize

    def on_resize(screen: ChatScreen) -> None:
        sizes.append(screen.size)
        assert len(sizes) < 30, (
            "the layout never comes to rest: does the library call `Screen._screen_resized` no more?"
        )
        arrange(screen)

    monkeypatch.setattr(ChatScreen, "on_resize", on_resize)
    async with program(tmp_path, size=(100, 30)) as running:
        for size in (Size(80, 25), Size(80, 24), Size(90, 30)) * 2:
            running.screen.post_message(events.Resize(size, size))
            running.screen.call_later(lambda: None)  # between two of them there is something else
        for _ in range(20):
            await asyncio.sleep(0.01)
        assert running.screen.size == Size(100, 30)
