"""What the terminal can show: which characters, and how many colours."""

from __future__ import annotations

import codecs
import contextlib
import select
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from textual.drivers._writer_thread import WriterThread
from textual.filter import LineFilter

from kimi_tui.ui.colours import AttributeFilter, FewColoursFilter
from kimi_tui.ui.glyphs import GlyphFilter

UTF8 = "utf-8"
"""The encoding that has every character, by Python's name."""
NO_LOCALES = ("C", "POSIX")
"""Locales that know ASCII only."""
COERCED = ("C.UTF-8", "C.utf8", "UTF-8")
"""What Python sets LC_CTYPE to where LANG is one of those; Source: PEP 538."""


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


def has_terminal() -> bool:
    """Whether keys come from a terminal."""
    return sys.__stdin__ is not None and not sys.__stdin__.closed and sys.__stdin__.isatty()


def is_terminal_gone() -> bool:
    """Whether the terminal that keys came from was closed."""
    if sys.__stdin__ is None or sys.__stdin__.closed:
        return True
    poll = select.poll()
    poll.register(sys.__stdin__.fileno(), 0)  # a hangup is told whatever is asked for
    return any(found & select.POLLHUP for _, found in poll.poll(0))


def screen_encoding(environ: Mapping[str, str], encoding: str) -> str:
    """Which characters the terminal shows, by Python's name of the encoding.

    Python writes UTF-8 in the locale "C" too; there ASCII is what everybody can read. Where no variable names a
    locale, UTF-8 is taken: such terminals (containers, remote shells) show it nearly always.
    """
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        return "ascii"
    return name if name != UTF8 or _is_utf8(environ) else "ascii"


def _is_utf8(environ: Mapping[str, str]) -> bool:
    lang = environ.get("LANG", "")
    named = environ.get("LC_ALL") or environ.get("LC_CTYPE") or lang
    if not environ.get("LC_ALL") and named in COERCED and lang in NO_LOCALES:
        named = lang
    _, _, charset = named.partition("@")[0].rpartition(".")
    if "." not in named:
        return named not in NO_LOCALES
    return charset.lower().replace("-", "") == "utf8"


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
