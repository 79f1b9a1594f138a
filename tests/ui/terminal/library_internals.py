"""What of the library is private and used all the same, with the reason for each."""

from __future__ import annotations

from typing import NamedTuple


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
    Internal("textual._ansi_sequences:ANSI_SEQUENCES_KEYS", None, "adds keys that it does not know", "textual_internals"),
    Internal("textual._xterm_parser:XTermParser", "debug", "makes keys of bytes", "terminal_input"),
    Internal("textual._xterm_parser:XTermParser.feed", "self, data", "makes keys of bytes", "terminal_input"),
    Internal("textual._xterm_parser:XTermParser.tick", "self", "lets go of a lone Escape", "terminal_input"),
    Internal("textual._xterm_parser:XTermParser.terminal_size", None, "is not divided by 0", "terminal_input"),
    Internal("textual._xterm_parser:XTermParser.terminal_pixel_size", None, "is not divided", "terminal_input"),
    Internal("textual._xterm_parser:BRACKETED_PASTE_START", None, "where a paste begins", "terminal_input"),
    Internal("textual._xterm_parser:BRACKETED_PASTE_END", None, "where a paste ends", "terminal_input"),
    # the terminal
    Internal(_WRITER + "run", "self", "goes on when the terminal is gone", "textual_internals"),
    Internal(_WRITER + "_queue", None, "what is to be written", "textual_internals"),
    Internal(_WRITER + "_file", None, "where it is written", "textual_internals"),
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
    Internal(_APP + "_return_code", None, "the status after an error", "textual_internals"),
    Internal(_APP + "_exception", None, "where tests look for an error", "textual_internals"),
    Internal(_APP + "_exception_event", None, "tells tests of an error", "textual_internals"),
    Internal(_PUMP + "_close_messages_no_wait", "self", "ends after an error", "textual_internals"),
    Internal(_SCREEN + "_screen_resized", "self, size", "is laid out for the size that the terminal has", "textual_internals"),
    Internal(_COMPOSITOR + "render_partial_update", "self", "draws what changed", "textual_internals"),
    Internal(_COMPOSITOR + "visible_widgets", None, "which widgets there are, from front to back", "textual_internals"),
    Internal(_COMPOSITOR + "_visible_widgets", None, "asks only those for lines that are seen", "textual_internals"),
    Internal(_COMPOSITOR + "_dirty_regions", None, "what changed", "textual_internals"),
    Internal(_COMPOSITOR + "cuts", None, "where all of them begin and end", "textual_internals"),
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
