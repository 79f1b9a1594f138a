"""The registry of user actions: what can be done, by which key, under which name.

One list serves the key bindings, the command palette, the help screen and the slash commands. An action's id is also
its slash command where `is_command` says so. This module does not import Textual, so that anything may read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """Where an action's keys apply."""

    SCREEN = "anywhere"
    COMPOSER = "in the composer"
    TRANSCRIPT = "in the conversation"


@dataclass(frozen=True, slots=True)
class Action:
    """Something a user can do."""

    id: str
    """Stable kebab-case name, such as "new"."""
    title: str
    """A few words for the palette and the help."""
    help: str
    """One sentence on what it does."""
    keys: tuple[str, ...] = ()
    """Its keys in Textual's names, the first one shown."""
    scope: Scope = Scope.SCREEN
    """Where the keys apply."""
    aliases: tuple[str, ...] = ()
    """Other slash commands that mean the same."""
    argument: str = ""
    """What its slash command takes, such as "FILE"; "" = nothing."""
    runs_alone: bool = True
    """Whether it does something without its argument."""
    is_command: bool = True
    """Whether `/id` does it."""
    in_palette: bool = True
    """Whether the palette lists it."""

    @property
    def method(self) -> str:
        """Name of the method that does it."""
        return "do_" + self.id.replace("-", "_")

    @property
    def usage(self) -> str:
        """The slash command with its argument."""
        return f"/{self.id} {self.argument}".rstrip()


ACTIONS: tuple[Action, ...] = (
    Action(
        "send",
        "Send",
        "Sends what is in the composer; slash commands act at once.",
        ("enter",),
        Scope.COMPOSER,
        is_command=False,
        in_palette=False,
    ),
    Action(
        "new-line",
        "New line",
        "Begins a new line; Shift+Enter and Alt+Enter too, where the terminal reports them.",
        ("ctrl+j", "shift+enter", "alt+enter"),
        Scope.COMPOSER,
        is_command=False,
        in_palette=False,
    ),
    Action(
        "last-prompt",
        "Last prompt",
        "Brings the last prompt back into the empty composer.",
        ("up",),
        Scope.COMPOSER,
        is_command=False,
    ),
    Action("stop", "Stop the reply", "Stops the running reply; what arrived is kept.", ("escape",)),
    Action(
        "copy-or-quit",
        "Copy, stop or quit",
        "Copies the selection, else stops the reply, else (twice) quits.",
        ("ctrl+c",),
        is_command=False,
        in_palette=False,
    ),
    Action("new", "New session", "Begins a new session; this one is kept.", ("ctrl+n",), aliases=("clear",)),
    Action(
        "think",
        "Thinking or instant",
        "Lets the model think first, or answer at once (on, off; alone it switches).",
        ("ctrl+t",),
        argument="[on|off]",
    ),
    Action(
        "fold",
        "Fold or unfold all reasoning",
        "Opens or closes every think block.",
        ("ctrl+r",),
    ),
    Action(
        "fold-this",
        "Fold or unfold the reasoning in view",
        "Opens or closes the think block nearest to the top of the view.",
        ("space", "enter"),
        Scope.TRANSCRIPT,
        is_command=False,
        in_palette=False,
    ),
    Action("top", "To the beginning", "Shows the beginning of the conversation.", ("ctrl+home",)),
    Action("follow", "Follow the tail", "Shows the end and follows what arrives.", ("ctrl+end",)),
    Action("page-up", "Page up", "Scrolls the conversation one page up.", ("pageup",), is_command=False),
    Action("page-down", "Page down", "Scrolls the conversation one page down.", ("pagedown",), is_command=False),
    Action(
        "set",
        "Set a request field",
        "Sets a request field for this session; alone it lists them.",
        argument="FIELD VALUE",
    ),
    Action("system", "System prompt", "Sets this session's system prompt; alone it shows it.", argument="TEXT"),
    Action("resume", "Resume a session", "Opens the latest session, or the one that TEXT names.", argument="[TEXT]"),
    Action("rename", "Rename the session", "Gives this session another title.", argument="TEXT", runs_alone=False),
    Action(
        "export",
        "Export",
        "Writes the session to a file: .md, .txt, .json or .toml.",
        argument="FILE",
        runs_alone=False,
    ),
    Action("import", "Import", "Opens a copy of a session file.", argument="FILE", runs_alone=False),
    Action("theme", "Theme", "Switches the colours; alone it lists the themes.", argument="[NAME]"),
    Action(
        "palette", "Command palette", "Finds an action by its name.", ("ctrl+p",), is_command=False, in_palette=False
    ),
    Action("help", "Help", "Shows what can be done here.", ("f1",)),
    Action("quit", "Quit", "Leaves; the draft and a running reply are kept.", ("ctrl+q",), aliases=("exit",)),
    Action(
        "quit-when-empty",
        "Quit",
        "Leaves, when the composer is empty.",
        ("ctrl+d",),
        Scope.COMPOSER,
        is_command=False,
        in_palette=False,
    ),
)

BY_ID: dict[str, Action] = {action.id: action for action in ACTIONS}
"""Every action by its id."""

COMMANDS: dict[str, Action] = {
    name: action for action in ACTIONS if action.is_command for name in (action.id, *action.aliases)
}
"""Every slash command, aliases included, by its name without the slash."""

KEY_NAMES = {
    "ctrl": "Ctrl",
    "shift": "Shift",
    "alt": "Alt",
    "enter": "Enter",
    "escape": "Escape",
    "space": "Space",
    "up": "Up",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
}
"""How parts of a key's name are shown."""


def key_label(key: str) -> str:
    """Write a key as people do: "ctrl+home" → "Ctrl+Home"."""
    return "+".join(KEY_NAMES.get(part, part.upper()) for part in key.split("+"))
