"""Commands on sessions as files: copies, the trash, and what becomes of those that are open."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from kimi_tui.core.errors import UsageError
from kimi_tui.core.session.session_list import UNTITLED
from kimi_tui.ui.panes.desk import Desk
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.text.safe_text import line_text

TITLE_CHARS = 60
"""Of a longer title a notice says that much."""


class FileCommands:
    """Commands on any session in the folder; as slash commands, on the one on screen."""

    def __init__(self, desk: Desk) -> None:
        """Work on that screen."""
        self._desk = desk
        self._trashed: list[tuple[Path, str]] = []  # where each lies, and its name

    def _here(self) -> Path:
        """The file of the session on screen.

        Raises:
            UsageError: It holds nothing yet.
        """
        if not self._desk.chat.session.messages:
            raise UsageError("This session holds nothing yet.")
        return self._desk.chat.path

    async def _name(self, path: Path) -> str:
        """What a notice calls a session: its title in quotes; a file's name where there is no such session."""
        chat = await self._desk.open_chats.at(path)
        if chat is not None:
            return _quoted(chat.session.title)
        listing = await asyncio.to_thread(self._desk.services.library.list)
        titles = (summary.title for summary in listing.summaries if summary.path == str(path))
        title = next(titles, None)
        return path.name if title is None else _quoted(title)

    # -- slash commands

    async def do_duplicate(self, argument: str) -> None:
        """Make a copy of the session on screen."""
        del argument
        await self.duplicate(self._here())

    async def do_delete_session(self, argument: str) -> None:
        """Move the session on screen to the trash."""
        del argument
        await self.delete(self._here())

    async def do_restore_session(self, argument: str) -> None:
        """Bring the session that was deleted last back."""
        del argument
        await self.restore()

    # -- what the sessions pane asks for as well

    async def rename(self, path: Path, title: str) -> None:
        """Give a session another title."""
        chat = await self._desk.open_chats.at(path)
        if chat is self._desk.chat:
            self._desk.change(replace(chat.session, title=title))
        elif chat is not None:
            chat.open_session.update(lambda value: replace(value, title=title))
            await self._save(chat)
        else:
            await asyncio.to_thread(self._desk.services.library.rename, path, title)
        self._desk.panes.sessions_changed()

    async def _save(self, chat: Chat | None) -> None:
        """Save what is in no file yet of a session that is open here, before anything is done with its file.

        Raises:
            StorageError: It could not be written.
        """
        try:
            if chat is not None and chat.open_session.is_changed:
                await chat.open_session.save()
        finally:
            self._desk.refresh_bars()

    async def duplicate(self, path: Path) -> None:
        """Make a copy of a session."""
        await self._save(await self._desk.open_chats.at(path))
        name = await self._name(path)
        await asyncio.to_thread(self._desk.services.library.duplicate, path)
        self._desk.panes.sessions_changed()
        self._desk.say(f"Copied {name}; the sessions list the copy first.")

    async def delete(self, path: Path) -> str:
        """Move a session to the trash, and return what it is called; one on screen gives way to a new one.

        Raises:
            UsageError: Its reply is still running.
        """
        chat = await self._desk.open_chats.at(path)
        if chat is not None and chat.turn is not None:
            raise UsageError("A reply is running in this session.", "Stop it; then delete.")
        await self._save(chat)
        name = await self._name(path)
        trashed = await asyncio.to_thread(self._desk.services.library.delete, path, is_held_here=chat is not None)
        self._trashed.append((trashed, name))
        if chat is not None:
            await self._leave(chat)
        self._desk.panes.sessions_changed()
        key = self._desk.keyboard.table.label("restore-session")
        self._desk.say(
            f"Moved to the trash: {name}. {key} in the sessions pane, or /restore-session, brings it back.",
            about=f"trash {trashed}",
        )
        self._desk.refresh_hints()
        return name

    async def _leave(self, chat: Chat) -> None:
        """Let go of a chat whose file is gone, so that nothing writes it again."""
        if chat is self._desk.chat:
            await self._desk.show_chat(await self._desk.open_chats.create())
        self._desk.open_chats.forget(chat)

    @property
    def can_restore(self) -> bool:
        """Whether a session was deleted since the program started."""
        return bool(self._trashed)

    async def restore(self) -> str:
        """Bring the session that was deleted last back, and return what it is called.

        Raises:
            UsageError: None was deleted since the program started.
        """
        if not self._trashed:
            raise UsageError(
                "No session was deleted since the program started.",
                "`kimi-tui sessions restore NAME` brings older ones back.",
            )
        trashed, name = self._trashed[-1]
        await asyncio.to_thread(self._desk.services.library.restore_path, trashed)
        self._trashed.pop()
        self._desk.panes.sessions_changed()
        self._desk.say(f"Brought back: {name}.", about=f"trash {trashed}")
        self._desk.refresh_hints()
        return name


def _quoted(title: str) -> str:
    shown = line_text(title[: TITLE_CHARS + 1]).strip()
    return f"“{shown[: TITLE_CHARS - 1].rstrip()}…”" if len(title) > TITLE_CHARS else f"“{shown or UNTITLED}”"
