"""What the terminal can show: which characters, and how many colours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from textual.filter import LineFilter

from kimi_tui.ui.terminal.encoding import UTF8, screen_encoding
from kimi_tui.ui.text.colours import AttributeFilter, FewColoursFilter
from kimi_tui.ui.text.glyphs import GlyphFilter


class Terminal(NamedTuple):
    encoding: str = UTF8
    """Which characters it shows, by Python's name of the encoding."""
    has_bright_backgrounds: bool = True
    """Whether all 16 colours can stand behind text, not just the first 8."""
    is_colourless: bool = False


MODERN = Terminal()


def describe_terminal(environ: Mapping[str, str], encoding: str) -> Terminal:
    """`encoding` is what the stream that draws the screen writes."""
    return Terminal(
        encoding=screen_encoding(environ, encoding),
        has_bright_backgrounds=not environ.get("TERM", "").startswith("linux"),
        is_colourless=bool(environ.get("NO_COLOR")),
    )


def terminal_filters(terminal: Terminal, color_system: str | None, is_dark: Callable[[], bool]) -> Sequence[LineFilter]:
    """What makes every line one the terminal can show; these come last. `color_system` is named as by Rich."""
    filters: list[LineFilter] = []
    if terminal.is_colourless or color_system is None:
        filters.append(AttributeFilter(is_dark))
    elif color_system in {"standard", "256"}:
        is_16 = color_system == "standard"
        filters.append(FewColoursFilter(is_16=is_16, has_bright_backgrounds=terminal.has_bright_backgrounds))
    if terminal.encoding != UTF8:
        filters.append(GlyphFilter(terminal.encoding))
    return filters
