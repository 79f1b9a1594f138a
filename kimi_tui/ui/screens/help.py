"""The help screen: what can be done here, then everywhere else; generated from the registry of actions."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Set
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from kimi_tui.core.actions import ACTIONS, Action, Need, Scope, key_label
from kimi_tui.ui.keyboard import Keyboard

KEY_CELLS, COMMAND_CELLS = 14, 22
"""Widths of the columns before the help."""
MAX_CELLS = 118
"""Width of the panel in a wide terminal; its sheet says the same."""
BESIDE_CELLS = 6
"""What edge, padding and scroll bar take."""
NARROW_CELLS = 84
"""Below that the help of an action stands on a line of its own."""
NOTES = (
    "In the composer, // sends a literal slash, Tab completes a command or goes on to the conversation and the panes.",
    "[keymap] in the config gives an action other keys, by its command's name.",
    "kimi-tui --help lists the commands without a screen.",
)
"""What is no action."""


def help_content(scope: Scope, offered: Set[Need], keyboard: Keyboard, width: int) -> Content:
    """List every action with its keys, its slash command and what it does.

    Args:
        scope: Where the focus is: its actions stand first.
        offered: What there is to work on; what cannot be done now is dimmed and says what is missing.
        keyboard: The keys.
        width: Cells per line.
    """
    places = sorted(Scope, key=lambda place: (place is not scope, place is not Scope.SCREEN))
    parts: list[Content | tuple[str, str]] = []
    for place in places:
        actions = [action for action in ACTIONS if action.scope is place]
        if actions:
            here = " (you are here)" if place is scope and place is not Scope.SCREEN else ""
            parts.append((f"{place.value.capitalize()}{here}\n", "bold $primary"))
            for action in actions:
                parts += _lines(action, action.missing(offered), keyboard, width)
            parts.append(("\n", ""))
    parts += [(f"{note}\n", "$text-muted") for note in NOTES]
    return Content.assemble(*parts)


def _lines(action: Action, missing: Need | None, keyboard: Keyboard, width: int) -> Iterator[tuple[str, str]]:
    """The keys, the command and the words of one action, each in its column; wrapped lines keep theirs."""
    labels = [key_label(key) for key in keyboard.table.keys[action.id]]
    commands = [action.usage, *(f"/{alias}" for alias in action.aliases)] if action.is_command else []
    style = "bold" if missing is None else "$text-muted"
    words = action.help if missing is None else f"{action.help} (now there is no {missing.value})"
    if width < NARROW_CELLS:
        yield "  " + "  ".join(part for part in (", ".join(labels), ", ".join(commands)) if part) + "\n", style
        yield from (_muted(f"      {line}\n", missing) for line in textwrap.wrap(words, max(width - 6, 10)))
        return
    more = ", ".join([*labels[1:], *commands[1:]])
    first, *others = textwrap.wrap(f"{words}{f' Also {more}.' if more else ''}", width - 3 - KEY_CELLS - COMMAND_CELLS)
    yield f"  {''.join(labels[:1]):<{KEY_CELLS}}{''.join(commands[:1]):<{COMMAND_CELLS}} ", style
    indent = " " * (3 + KEY_CELLS + COMMAND_CELLS)
    yield from (_muted(f"{line}\n", missing) for line in [first, *(indent + other for other in others)])


def _muted(line: str, missing: Need | None) -> tuple[str, str]:
    return line, "$text-muted" if missing else ""


class HelpScreen(ModalScreen[None]):
    """What can be done, on top of the conversation."""

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,f1,q", "dismiss", "Close")]

    def __init__(self, scope: Scope, offered: frozenset[Need], keyboard: Keyboard) -> None:
        """Show what can be done at a place, with what there is to work on."""
        super().__init__()
        self._scope, self._offered, self._keyboard = scope, offered, keyboard

    def compose(self) -> ComposeResult:
        """One scrolling text."""
        with VerticalScroll(id="help-panel"):
            yield Static(self._content(), id="help-text", markup=False)

    def on_mount(self) -> None:
        """Say what it is and how it goes away."""
        panel = self.query_one("#help-panel")
        panel.border_title = "Help"
        panel.border_subtitle = "Escape closes"
        panel.focus()

    def _content(self) -> Content:
        width = min(self.app.size.width, MAX_CELLS) - BESIDE_CELLS
        return help_content(self._scope, self._offered, self._keyboard, width)

    def on_resize(self) -> None:
        """Write the text for another width."""
        self.query_one("#help-text", Static).update(self._content())
