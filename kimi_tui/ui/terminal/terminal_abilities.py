"""What the terminal can show: which characters, and how many colours."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from textual.drivers._writer_thread import WriterThread
from textual.filter import LineFilter
from textual.geometry import Size
from textual.screen import Screen

from kimi_tui.ui.terminal.encoding import UTF8, screen_encoding
from kimi_tui.ui.text.colours import AttributeFilter, FewColoursFilter
from kimi_tui.ui.text.glyphs import GlyphFilter


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal as its environment describes it."""

    encoding: str = UTF8
    """Which characters it shows, by Python's name of the encoding."""
    has_bright_backgrounds: bool = True
    """Whether all 16 colours can stand behind text, not just the first 8."""
    is_colourless: bool = False
    """Whether no colour is wanted."""


MODERN = Terminal()
"""What nearly every terminal is."""


def describe_terminal(environ: Mapping[str, str], encoding: str) -> Terminal:
    """Read off what a terminal can do.

    Args:
        environ: The program's environment.
        encoding: What the stream that draws the screen writes.
    """
    return Terminal(
        encoding=screen_encoding(environ, encoding),
        has_bright_backgrounds=not environ.get("TERM", "").startswith("linux"),
        is_colourless=bool(environ.get("NO_COLOR")),
    )


def outlive_terminal() -> None:
    """Let drawing go nowhere when the terminal is gone.

    The library's writing thread would end, and whoever draws wait for it forever, before everything is kept.
    """

    def run(writer: WriterThread) -> None:
        while (text := writer._queue.get()) is not None:
            with contextlib.suppress(OSError):
                writer._file.write(text)
                if writer._queue.empty():
                    writer._file.flush()
        with contextlib.suppress(OSError):
            writer._file.flush()

    setattr(WriterThread, "run", run)  # noqa: B010 - the type checker allows no other way


def come_to_rest() -> None:
    """Lay a screen out for the size that the terminal has, whatever size an event on its way says.

    A layout sends the screen an event of the size it was made for. The library makes a layout of that again: once two
    sizes are on their way together, as where a terminal does not know its size at first, each would cause the other
    for ever.
    """
    resized = Screen._screen_resized

    def resized_as_it_is(screen: Screen[object], size: Size) -> None:
        del size
        resized(screen, screen.app.size)

    setattr(Screen, "_screen_resized", resized_as_it_is)  # noqa: B010 - the type checker allows no other way


def terminal_filters(terminal: Terminal, color_system: str | None, is_dark: Callable[[], bool]) -> Sequence[LineFilter]:
    """The filters that make every line one the terminal can show; they come last.

    Args:
        terminal: The terminal.
        color_system: Its colours as Rich names them; None = it has none.
        is_dark: Asks whether the theme in use is dark.
    """
    filters: list[LineFilter] = []
    if terminal.is_colourless or color_system is None:
        filters.append(AttributeFilter(is_dark))
    elif color_system in {"standard", "256"}:
        is_16 = color_system == "standard"
        filters.append(FewColoursFilter(is_16=is_16, has_bright_backgrounds=terminal.has_bright_backgrounds))
    if terminal.encoding != UTF8:
        filters.append(GlyphFilter(terminal.encoding))
    return filters
