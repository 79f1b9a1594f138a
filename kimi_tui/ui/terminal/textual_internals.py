"""What the library calls private and we use all the same; and what we put in its place.

Another version may move any of these without a word. The tests hold each one by name and shape, with the reason for it,
so the library's upper bound in pyproject.toml is the newest version that they have passed with.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from functools import wraps
from typing import Any, cast

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._cells import cell_width_to_column_index
from textual._compositor import ChopsUpdate, Compositor
from textual._wrap import compute_wrap_offsets
from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.app import App
from textual.drivers._writer_thread import WriterThread
from textual.geometry import Region, Size
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import Worker

__all__ = [
    "BRACKETED_PASTE_END",
    "BRACKETED_PASTE_START",
    "XTermParser",
    "cell_width_to_column_index",
    "compute_wrap_offsets",
    "fail",
    "patch_library",
    "seen_widgets",
    "tell_fault",
]


MORE_SEQUENCES = {
    "\x1b\r": "alt+enter",
    "\x1b[27;2;13~": "shift+enter",
    "\x1b[27;3;13~": "alt+enter",
    "\x1b[27;5;13~": "ctrl+enter",
}
"""Keys that the parser does not know: ESC CR, and xterm's modifyOtherKeys forms.

Source: XTerm control sequences, "modifyOtherKeys".
"""


def patch_library() -> None:
    """Put ours in the place of what has no other way in; once, before anything is drawn."""
    _register_key_sequences()
    _outlive_terminal()
    _come_to_rest()
    _ask_for_what_is_seen()
    # Workers belong to screens and panes as well: the application would hear of the faults of its own alone.
    Worker.StateChanged.bubble = True


def fail(app: App[Any], error: Exception) -> None:
    """End the program because of an error, of which nothing is printed."""
    app._return_code = 1
    if app._exception is None:  # tests look here
        app._exception = error
        app._exception_event.set()
    app._close_messages_no_wait()


def tell_fault(app: App[Any], error: Exception) -> None:
    """Let a fault in a thread of the library's end the program as any other does."""
    app._handle_exception(error)


def _register_key_sequences() -> None:
    table = cast("dict[str, Any]", ANSI_SEQUENCES_KEYS)
    for sequence, name in MORE_SEQUENCES.items():
        table[sequence] = (_Named(name),)


class _Named(str):
    """A key name that looks like a member of the library's enum."""

    __slots__ = ()

    @property
    def value(self) -> str:
        return str(self)


def _outlive_terminal() -> None:
    """Let drawing go nowhere when the terminal is gone.

    The library's writing thread would end, and whoever draws wait for it forever, before everything is kept.
    """

    @wraps(WriterThread.run)
    def run(writer: WriterThread) -> None:
        while (text := writer._queue.get()) is not None:
            with contextlib.suppress(OSError):
                writer._file.write(text)
                if writer._queue.empty():
                    writer._file.flush()
        with contextlib.suppress(OSError):
            writer._file.flush()

    setattr(WriterThread, "run", run)  # noqa: B010 - the type checker allows no other way


def _come_to_rest() -> None:
    """Lay a screen out for the size that the terminal has, whatever size an event on its way says.

    A layout sends the screen an event of the size it was made for. The library makes a layout of that again: once two
    sizes are on their way together, as where a terminal does not know its size at first, each would cause the other
    for ever.
    """
    resized = Screen._screen_resized

    @wraps(resized)
    def resized_as_it_is(screen: Screen[object], size: Size) -> None:
        del size
        resized(screen, screen.app.size)

    setattr(Screen, "_screen_resized", resized_as_it_is)  # noqa: B010 - the type checker allows no other way


def _ask_for_what_is_seen() -> None:
    """Where some of the screen changed, ask only those widgets for their lines that show there.

    The library asks every widget between the first row that changed and the last one, also those behind others.
    """
    drawn = Compositor.render_partial_update

    @wraps(drawn)
    def drawn_from_seen(compositor: Compositor) -> ChopsUpdate | None:
        _ = compositor.cuts  # made of all widgets, and kept
        widgets = compositor.visible_widgets
        seen = compositor._visible_widgets = seen_widgets(widgets, compositor._dirty_regions)
        try:
            return drawn(compositor)
        finally:
            if compositor._visible_widgets is seen:
                compositor._visible_widgets = widgets

    setattr(Compositor, "render_partial_update", drawn_from_seen)  # noqa: B010 - the type checker allows no other way


def seen_widgets(
    widgets: Mapping[Widget, tuple[Region, Region]], changed: Iterable[Region]
) -> dict[Widget, tuple[Region, Region]]:
    """The widgets that show in what changed; all come from front to back, each with its region and its clip region."""
    seen, left = dict[Widget, tuple[Region, Region]](), list(changed)
    for widget, (region, clip) in widgets.items():
        shown = region.intersection(clip)
        if any(shown.overlaps(part) for part in left):
            seen[widget] = region, clip
            left = [part for part in left if not shown.contains_region(part)]
    return seen
