"""The help screen: what can be done here, then everywhere else, as far as it fits what is typed; from the registry."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Set
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from kimi_tui.core.settings.action_search import rank
from kimi_tui.core.settings.actions import ACTIONS, Action, Need, Scope, key_label
from kimi_tui.core.settings.keymap import KeyTable
from kimi_tui.ui.screens.above import Above
from kimi_tui.ui.widgets.editing import EditLine

KEY_CELLS, COMMAND_CELLS = 14, 22
MAX_CELLS = 118
"""Width of the panel in a wide terminal; its sheet says the same."""
BESIDE_CELLS = 6
"""What edge, padding and scroll bar take."""
NARROW_CELLS = 84
"""Below that the help of an action stands on a line of its own."""
PLACEHOLDER = "Type to search: an action, a key, a word"
SCROLLING = {
    "up": "up", "down": "down", "pageup": "page_up", "pagedown": "page_down",
    "home,ctrl+home": "home", "end,ctrl+end": "end",
}  # fmt: skip
NOTES = (
    "In the composer, // sends a literal slash, Tab completes a command or goes on to the conversation and the panes.",
    "[keymap] in the config gives an action other keys, by its command's name.",
    "kimi-tui --help lists the commands without a screen.",
)
NOTHING_FITS = "Nothing here fits. Fewer letters find more."


def help_content(scope: Scope, offered: Set[Need], keymap: KeyTable, width: int, query: str = "") -> Content:
    """List every action with its keys, its slash command and what it does, in lines of `width` cells.

    The actions of `scope`, where the focus is, stand first. What cannot be done with what is `offered` is dimmed and
    says what is missing. Only actions that fit `query` are listed; "" = all.
    """

    def fits(action: Action) -> bool:
        return not query.strip() or rank(action, query, [key_label(key) for key in keymap.keys[action.id]]) > 0

    places = sorted(Scope, key=lambda place: (place is not scope, place is not Scope.SCREEN))
    parts: list[Content | tuple[str, str]] = []
    for place in places:
        actions = [action for action in ACTIONS if action.scope is place and fits(action)]
        if actions:
            here = " (you are here)" if place is scope and place is not Scope.SCREEN else ""
            parts.append((f"{place.value.capitalize()}{here}\n", "bold $primary"))
            for action in actions:
                parts += _lines(action, action.missing(offered), keymap, width)
            parts.append(("\n", ""))
    if not parts:
        parts = [(f"{NOTHING_FITS}\n", "")]
    if not query.strip():
        parts += [(f"{textwrap.fill(note, width)}\n", "$text-muted") for note in NOTES]
    return Content.assemble(*parts)


def _lines(action: Action, missing: Need | None, keymap: KeyTable, width: int) -> Iterator[tuple[str, str]]:
    """Each in its column; wrapped lines keep theirs."""
    labels = [key_label(key) for key in keymap.keys[action.id]]
    commands = [action.usage, *(f"/{alias}" for alias in action.aliases)] if action.is_command else []
    style, muted = ("bold", "") if missing is None else ("$text-muted", "$text-muted")
    words = action.help if missing is None else f"{action.help} (now there is no {missing.value})"
    if width < NARROW_CELLS:
        yield "  " + "  ".join(part for part in (", ".join(labels), ", ".join(commands)) if part) + "\n", style
        yield from ((f"      {line}\n", muted) for line in textwrap.wrap(words, max(width - 6, 10)))
        return
    more = ", ".join([*labels[1:], *commands[1:]])
    lines = textwrap.wrap(f"{words}{f' Also {more}.' if more else ''}", width - 3 - KEY_CELLS - COMMAND_CELLS)
    command, indent = "".join(commands[:1]), " " * (3 + KEY_CELLS + COMMAND_CELLS)
    yield f"  {''.join(labels[:1]):<{KEY_CELLS}}{command:<{COMMAND_CELLS}} ", style
    beside = lines.pop(0) if len(command) <= COMMAND_CELLS else ""
    yield from ((f"{line}\n", muted) for line in [beside, *(indent + line for line in lines)])


class HelpScreen(Above[None]):
    is_help = True
    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "back"),
        ("f1", "cancel"),
        *(Binding(key, f"scroll('{way}')", priority=True) for key, way in SCROLLING.items()),
    ]

    def __init__(self, scope: Scope, offered: frozenset[Need], keymap: KeyTable) -> None:
        super().__init__()
        self._scope, self._offered, self._keymap = scope, offered, keymap
        self._query = ""

    def compose(self) -> ComposeResult:
        with Vertical(id="help-panel"):
            yield EditLine(placeholder=PLACEHOLDER, id="help-query")
            with VerticalScroll(id="help-scroll", can_focus=False):
                yield Static(self._content(), id="help-text", markup=False)

    def on_mount(self) -> None:
        self.query_one("#help-panel").border_title = "Help"
        self._say_way_out()
        self.query_one(Input).focus()

    def _say_way_out(self) -> None:
        self.query_one("#help-panel").border_subtitle = "Escape clears" if self._query else "Escape closes"

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        self._query = event.value
        self._say_way_out()
        self.query_one("#help-text", Static).update(self._content())
        self.query_one("#help-scroll").scroll_home(animate=False)

    def action_back(self) -> None:
        if self._query:
            self.query_one(Input).value = ""
        else:
            self.cancel()

    def _content(self) -> Content:
        width = max(min(self.app.size.width, MAX_CELLS) - BESIDE_CELLS, 1)
        return help_content(self._scope, self._offered, self._keymap, width, self._query)

    def on_resize(self) -> None:
        self.query_one("#help-text", Static).update(self._content())
