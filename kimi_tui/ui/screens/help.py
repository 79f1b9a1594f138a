"""The help screen: generated from the registry of actions."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from kimi_tui.core.actions import ACTIONS, Action, Scope, key_label


def help_text() -> Text:
    """List every action with its keys, its slash command and what it does."""
    text = Text()
    for scope in Scope:
        actions = [action for action in ACTIONS if action.scope is scope]
        text.append(f"Keys {scope.value}\n" if scope is not Scope.SCREEN else "Keys and commands\n", "bold")
        for action in actions:
            _append(text, action)
        text.append("\n")
    text.append("In the composer, // sends a literal slash and Tab completes a command.\n")
    text.append("kimi-tui --help lists the commands without a screen.")
    return text


def _append(text: Text, action: Action) -> None:
    keys = " ".join(key_label(key) for key in action.keys[:1])
    command = action.usage if action.is_command else ""
    text.append(f"  {keys:<12}{command:<19}", "bold")
    text.append(f" {action.help}\n")


class HelpScreen(ModalScreen[None]):
    """What can be done, on top of the conversation."""

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,f1,q", "dismiss", "Close")]

    def compose(self) -> ComposeResult:
        """One scrolling text."""
        with VerticalScroll(id="help-panel"):
            yield Static(help_text(), id="help-text")

    def on_mount(self) -> None:
        """Say what it is and how it goes away."""
        panel = self.query_one("#help-panel")
        panel.border_title = "Help"
        panel.border_subtitle = "Escape closes"
        panel.focus()
