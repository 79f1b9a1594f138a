"""What the library calls private and we use all the same, with the reason for each; and what we put in its place.

Another version may move any of these without a word. The tests hold each one by name and shape, so the library's upper
bound in pyproject.toml is the newest version that they have passed with.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from functools import wraps
from typing import Any, NamedTuple, cast

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
    "INTERNALS",
    "XTermParser",
    "cell_width_to_column_index",
    "compute_wrap_offsets",
    "fail",
    "patch_library",
    "seen_widgets",
    "tell_fault",
]


class Internal(NamedTuple):
    place: str
    """Where it stands: module, colon, name; an attribute with its class before it."""
    parameters: str | None
    """The names of what it takes, where it is called; None = it is a value."""
    purpose: str
    user: str


_APP, _SCREEN, _PUMP = "textual.app:App.", "textual.screen:Screen.", "textual.message_pump:MessagePump."
_COMPOSITOR = "textual._compositor:Compositor."
_DRIVER, _WRITER = "textual.drivers.linux_driver:LinuxDriver.", "textual.drivers._writer_thread:WriterThread."
_WRAP_PARAMETERS = "text, width, tab_size, fold, precomputed_tab_sections"
_AREA, _WRAPPED = "textual.widgets:TextArea.", "textual.widgets.text_area:WrappedDocument."

INTERNALS = (
    # keys
    Internal("textual._ansi_sequences:ANSI_SEQUENCES_KEYS", None, "adds keys that it does not know", __name__),
    Internal("textual._xterm_parser:XTermParser", "debug", "makes keys of bytes", "terminal_input"),
    Internal("textual._xterm_parser:XTermParser.feed", "self, data", "makes keys of bytes", "terminal_input"),
    Internal("textual._xterm_parser:XTermParser.tick", "self", "lets go of a lone Escape", "terminal_input"),
    Internal("textual._xterm_parser:XTermParser.terminal_size", None, "is not divided by 0", "terminal_input"),
    Internal("textual._xterm_parser:XTermParser.terminal_pixel_size", None, "is not divided", "terminal_input"),
    Internal("textual._xterm_parser:BRACKETED_PASTE_START", None, "where a paste begins", "terminal_input"),
    Internal("textual._xterm_parser:BRACKETED_PASTE_END", None, "where a paste ends", "terminal_input"),
    # the terminal
    Internal(_WRITER + "run", "self", "goes on when the terminal is gone", __name__),
    Internal(_WRITER + "_queue", None, "what is to be written", __name__),
    Internal(_WRITER + "_file", None, "where it is written", __name__),
    Internal(_DRIVER + "__init__", "self, app, debug, mouse, size", "is our driver's base", "driver"),
    Internal(_DRIVER + "write", "self, data", "writes less, and nothing while another has the terminal", "driver"),
    Internal(_DRIVER + "run_input_thread", "self", "reads large pastes at once, and foreign bytes", "driver"),
    Internal(_DRIVER + "_run_input_thread", "self", "ends the program by a fault of ours", "driver"),
    Internal(_DRIVER + "start_application_mode", "self", "keeps the modes the terminal had at first", "driver"),
    Internal(_DRIVER + "stop_application_mode", "self", "leaves another program's terminal alone", "driver"),
    Internal(_DRIVER + "suspend_application_mode", "self", "lets another program have it", "driver"),
    Internal(_DRIVER + "resume_application_mode", "self", "takes it again after a stop", "driver"),
    Internal(_DRIVER + "disable_input", "self", "keeps keys that are for another program", "driver"),
    Internal(_DRIVER + "close", "self", "ends the thread that writes", "driver"),
    Internal(_DRIVER + "attrs_before", None, "the modes that are given back", "driver"),
    Internal(_DRIVER + "exit_event", None, "ends the thread that reads", "driver"),
    Internal(_DRIVER + "fileno", None, "where keys come from", "driver"),
    Internal(_DRIVER + "_file", None, "draws on standard output", "driver"),
    Internal(_DRIVER + "_key_thread", None, "ends before another program has the terminal", "driver"),
    Internal(_DRIVER + "_writer_thread", None, "tells whether the terminal was taken", "driver"),
    Internal("textual.driver:Driver._app", None, "draws all again after a stop", "driver"),
    Internal("textual.driver:Driver._auto_restart", None, "tells who sees to stopping", "driver"),
    Internal("textual.driver:Driver._debug", None, "goes on to the parser", "driver"),
    Internal("textual._ansi_sequences:SYNC_START", None, "leaves out an update without a change", "screen_diff"),
    Internal("textual._ansi_sequences:SYNC_END", None, "likewise", "screen_diff"),
    Internal("textual.app:App._display", "self, screen, renderable", "writes a drawing at once", "screen_diff"),
    # the application
    Internal(_APP + "_build_driver", "self, headless, inline, mouse, size", "makes our driver", "kimi_app"),
    Internal(_APP + "_handle_exception", "self, error", "would print texts and key", "kimi_app"),
    Internal(_APP + "_return_code", None, "the status after an error", __name__),
    Internal(_APP + "_exception", None, "where tests look for an error", __name__),
    Internal(_APP + "_exception_event", None, "tells tests of an error", __name__),
    Internal(_PUMP + "_close_messages_no_wait", "self", "ends after an error", __name__),
    Internal(_SCREEN + "_screen_resized", "self, size", "is laid out for the size that the terminal has", __name__),
    Internal(_COMPOSITOR + "render_partial_update", "self", "draws what changed", __name__),
    Internal(_COMPOSITOR + "visible_widgets", None, "which widgets there are, from front to back", __name__),
    Internal(_COMPOSITOR + "_visible_widgets", None, "asks only those for lines that are seen", __name__),
    Internal(_COMPOSITOR + "_dirty_regions", None, "what changed", __name__),
    Internal(_COMPOSITOR + "cuts", None, "where all of them begin and end", __name__),
    Internal(_PUMP + "_on_message", "self, message", "drops keys for a screen that has been left", "above"),
    Internal("textual.command:CommandPalette._action_escape", "self", "leaves without a command", "palette_screen"),
    # texts of any size
    Internal("textual._cells:cell_width_to_column_index", "line, cell_width, tab_width", "finds a click", "long_text"),
    Internal("textual._wrap:compute_wrap_offsets", _WRAP_PARAMETERS, "wraps short lines", "wrapping"),
    Internal("textual.widgets.text_area:Document._lines", None, "joins parts without copies", "long_text"),
    Internal(_WRAPPED + "_width", None, "the width of rows", "long_text"),
    Internal(_WRAPPED + "_tab_width", None, "the width of tabs", "long_text"),
    Internal(_WRAPPED + "_wrap_offsets", None, "where rows begin in each line", "long_text"),
    Internal(_WRAPPED + "_offset_to_line_info", None, "is looked up and not listed", "long_text"),
    Internal(_AREA + "_set_document", "self, text, language", "makes documents of our own", "long_text"),
    Internal(_AREA + "_render_line", "self, y", "draws a row of a long line alone", "long_text"),
    Internal(_AREA + "_theme", None, "draws it in the styles of the others", "long_text"),
    Internal(_AREA + "_draw_cursor", None, "draws the cursor there", "long_text"),
    Internal(_AREA + "_build_highlight_map", "self", "forgets the rows of another text", "long_text"),
    Internal(_AREA + "_rewrap_and_refresh_virtual_size", "self", "wraps another text", "long_text"),
    Internal(_AREA + "_undo_batch", "self, edits", "undoes edits one by one", "long_text"),
    Internal(_AREA + "_redo_batch", "self, edits", "does them again one by one", "long_text"),
    Internal(_AREA + "_yield_character_locations", "self, start", "looks for brackets nearby only", "long_text"),
    Internal(_AREA + "_yield_character_locations_reverse", "self, start", "likewise", "long_text"),
    Internal(_AREA + "_replace_via_keyboard", "self, insert, start, end", "types joiners of characters", "editing"),
)  # fmt: skip

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
