"""What the commands of the chat screen do: one method per action that is more than a key.

The screen hands itself in as a `Desk`; nothing here knows its widgets.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from kimi_tui.core import conversation, fields
from kimi_tui.core.errors import UsageError
from kimi_tui.core.sampling import store_setting
from kimi_tui.core.session import Session
from kimi_tui.engine import OpenSession
from kimi_tui.ui.services import Services


class Desk(Protocol):
    """What a command may use of the screen."""

    services: Services
    """The engine, the store and the settings."""
    open_session: OpenSession
    """The session on screen."""

    def say(self, text: str, severity: str = "info") -> None:
        """Put a notice into the conversation."""

    def change(self, session: Session) -> None:
        """Show a changed session and save it, where it has been saved before."""

    async def open_path(self, path: Path) -> None:
        """Show another session; the reply that runs is stopped and kept."""

    def use_theme(self, name: str) -> None:
        """Switch the colours."""


class Commands:
    """The commands that take an argument, each under its action's own method name."""

    def __init__(self, desk: Desk) -> None:
        """Work on that screen."""
        self._desk = desk

    @property
    def _session(self) -> Session:
        return self._desk.open_session.value

    def do_think(self, argument: str) -> None:
        """Switch between thinking and instant.

        Raises:
            UsageError: The argument is neither on nor off.
        """
        word = argument.strip().lower()
        if word not in {"", "on", "off"}:
            raise UsageError(f"/think takes on or off, not {argument.strip()!r}.")
        thinking = word == "on" if word else not self._desk.services.resolve(self._session).thinking
        self._store("thinking", thinking)

    def do_set(self, argument: str) -> None:
        """Set a request field for this session, or list what is sent.

        Raises:
            FieldError: There is no such field, or the value is outside its range.
        """
        name, _, text = argument.strip().partition(" ")
        if not name:
            self._list_fields()
            return
        value = fields.parse_text(name, text.strip())
        self._desk.change(replace(self._session, settings=store_setting(self._session.settings, name, value)))
        self._desk.say(f"{name} = {value}, for this session." if value is not None else f"{name} is not sent.")

    def _list_fields(self) -> None:
        request = self._desk.services.resolve(self._session)
        sent = [f"{name} = {value}" for name, value in request.fields.items()]
        unset = [name for name in fields.SETTABLE if name not in request.fields]
        self._desk.say("\n".join(["Sent with the next message:", *sent, "", "Not sent: " + ", ".join(unset)]))

    def _store(self, name: str, value: object) -> None:
        self._desk.change(replace(self._session, settings={**self._session.settings, name: value}))

    def do_system(self, argument: str) -> None:
        """Set, show or (with "none") remove the system prompt."""
        if not argument.strip():
            current = self._session.system
            self._desk.say(
                f"System prompt:\n{current}\n\n/system none removes it." if current else "There is no system prompt."
            )
            return
        system = None if argument.strip().lower() == "none" else argument
        self._desk.change(conversation.with_system(self._session, system))
        self._desk.say(
            "The system prompt is set, from the next message on." if system else "The system prompt is removed."
        )

    def do_rename(self, argument: str) -> None:
        """Give the session another title.

        Raises:
            UsageError: There is no title.
        """
        title = " ".join(argument.split())
        if not title:
            raise UsageError("/rename needs a title.", "For example: /rename Cooking lamb")
        self._desk.change(replace(self._session, title=title))

    async def do_resume(self, argument: str) -> None:
        """Open the latest session, or the one that the text names.

        Raises:
            StorageError: None or several fit, or it cannot be opened.
        """
        library = self._desk.services.library
        await self._desk.open_path(await asyncio.to_thread(library.find, argument.strip() or None))

    async def do_import(self, argument: str) -> None:
        """Open a copy of a session file.

        Raises:
            UsageError: There is no file name.
            StorageError: It cannot be read.
        """
        path = await asyncio.to_thread(self._desk.services.library.import_file, _path(argument, "import", "notes.toml"))
        await self._desk.open_path(path)

    async def do_export(self, argument: str) -> None:
        """Write the session to a file.

        Raises:
            UsageError: There is no file name.
            StorageError: It cannot be written, or is there already.
        """
        path = _path(argument, "export", "lamb.md")
        await asyncio.to_thread(self._desk.services.library.export, self._session, path)
        self._desk.say(f"Exported to {path}.")

    def do_theme(self, argument: str) -> None:
        """Switch the colours, or list the themes.

        Raises:
            UsageError: There is no such theme.
            ThemeError: Its file cannot be used.
        """
        names = sorted(self._desk.services.themes)
        name = argument.strip()
        if not name:
            self._desk.say("Themes: " + ", ".join(names))
        elif name not in names:
            raise UsageError(f"There is no theme {name!r}.", "Themes: " + ", ".join(names))
        else:
            self._desk.use_theme(name)


def _path(argument: str, command: str, example: str) -> Path:
    name = argument.strip()
    if not name:
        raise UsageError(f"/{command} needs a file name.", f"For example: /{command} {example}")
    return Path(name).expanduser()
