"""The library's command palette as a screen above the conversation."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.command import CommandInput, CommandList, CommandPalette, SearchIcon
from textual.containers import Horizontal, Vertical
from textual.widgets import LoadingIndicator

from kimi_tui.ui.screens.above import Above
from kimi_tui.ui.widgets.editing import EditLine
from kimi_tui.ui.widgets.options import Options


class Commands(CommandList, Options, can_focus=False):
    DEFAULT_CSS = "Commands { min-width: 12; }"  # options cannot be laid out in no cell


class CommandLine(CommandInput, EditLine):
    """The library finds its line by the name of the first class."""


class PaletteScreen(CommandPalette, Above[None]):
    def compose(self) -> ComposeResult:
        """As the library does it, around a list of our own."""
        with Vertical(id="--container"):
            with Horizontal(id="--input"):
                yield SearchIcon()
                yield CommandLine(placeholder="Search for commands…", select_on_focus=False)
            with Vertical(id="--results"):
                yield Commands()
                yield LoadingIndicator()

    def cancel(self) -> None:
        self._action_escape()
