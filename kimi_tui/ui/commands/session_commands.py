"""Commands on whole sessions: their names, which one is on screen, their files, copies and the trash."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote

from kimi_tui.core.errors import StorageError, UsageError
from kimi_tui.core.ports import SessionStore
from kimi_tui.core.session.listing import UNTITLED, Unreadable
from kimi_tui.core.text.visible import visible_line
from kimi_tui.ui.commands.current_session import CurrentSession
from kimi_tui.ui.commands.dispatcher import Rows
from kimi_tui.ui.state.callbacks import Say
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.open_chats import OpenChats

TITLE_CHARS = 60


@dataclass(eq=False)
class SessionCommands:
    """Those on files work on any session in the folder; as slash commands, on the one on screen."""

    session_store: SessionStore
    open_chats: OpenChats
    current: CurrentSession
    listed: Callable[[], None]  # shows the list of sessions anew
    say: Say
    restore_key: str

    def rows(self) -> Rows:
        return {
            "rename": self._rename,
            "new": self.current.show_new,
            "resume": self._resume,
            "import": self._import,
            "export": self._export,
            "save-as": self._save_as,
            "duplicate": lambda: self.duplicate(self._here()),
            "delete-session": lambda: self.delete(self._here()),
            "restore-session": self.restore,
        }

    async def _rename(self, argument: str) -> None:
        title = " ".join(argument.split())
        if not title:
            raise UsageError("/rename needs a title.", "For example: /rename Cooking lamb")
        await self._give_title(self.open_chats.current, title)

    async def _give_title(self, chat: Chat, title: str) -> None:
        """The list reads files: it is shown anew when the title is in one."""
        await self.current.change_and_save(chat, lambda session: replace(session, title=title))
        self.listed()

    async def _resume(self, argument: str) -> None:
        """The session that the text names; "" = the latest other one."""
        name, passed_over = argument.strip(), list[Unreadable]()
        if name:
            path = await asyncio.to_thread(self.session_store.find, name, passed_over.append)
        else:
            listing = await asyncio.to_thread(self.session_store.list)
            others = (summary.path for summary in listing.summaries if summary.id != self.open_chats.current.session.id)
            found = next(others, None)
            if found is None:
                raise StorageError(listing.words_for_none("There is no other session."), "/new begins a new one.")
            path, passed_over = Path(found), list(listing.unreadable)
        await self.current.open(path)
        for unreadable in passed_over:
            self.say(unreadable.words, "warning", about=unreadable.path)

    async def _import(self, argument: str) -> None:
        source = _path(argument, "import", "notes.toml")
        copy, rest = await asyncio.to_thread(self.session_store.import_file, source)
        await self.current.open(Path(copy.path))
        if rest:
            self.say(rest, "warning")
        self.say(f"This is a copy of {source}; the file stays as it is.")

    async def _export(self, argument: str) -> None:
        path, chat = _path(argument, "export", "lamb.md"), self.open_chats.current
        lacks = " The reply that is being written is not in it." if chat.replies.turn is not None else ""
        await asyncio.to_thread(self.session_store.export, chat.session, path)
        self.say(f"Exported to {path}.{lacks}")

    async def _save_as(self, argument: str) -> None:
        path = _path(argument, "save-as", "lamb.toml")
        before = self.open_chats.current
        had_file = await self.open_chats.has_file(before)
        old = before.path
        await self.current.save_as(path)
        stays = f"\n{old} stays as it was saved last." if had_file else ""
        if old.parent != before.path.parent:
            known = "that one" if had_file else "nothing of it"
            stays += (
                f"\nLists, and -r without a name, know {known}: kimi-tui -r {quote(str(before.path))} opens this one."
            )
        self.say(f"The session lies in {before.path} now, and goes on being saved there.{stays}")

    # -- any session in the folder

    def _here(self) -> Path:
        """Raises UsageError where the session on screen holds nothing yet."""
        chat = self.open_chats.current
        if not chat.session.messages:
            raise UsageError("This session holds nothing yet.")
        return chat.path

    async def _name(self, path: Path) -> str:
        """What a notice calls a session: its title in quotes; a file's name where there is no such session."""
        chat = await self.open_chats.at(path)
        if chat is not None:
            return _quoted(chat.session.title)
        listing = await asyncio.to_thread(self.session_store.list)
        titles = (summary.title for summary in listing.summaries if summary.path == str(path))
        title = next(titles, None)
        return path.name if title is None else _quoted(title)

    async def rename(self, path: Path, title: str) -> None:
        chat = await self.open_chats.at(path)
        if chat is not None:
            await self._give_title(chat, title)
            return
        await asyncio.to_thread(self.session_store.rename, path, title)
        self.listed()

    async def duplicate(self, path: Path) -> None:
        """What is changed here is saved first; raises StorageError where that fails."""
        chat = await self.open_chats.at(path)
        if chat is not None:
            await self.current.save(chat)
        name = await self._name(path)
        await asyncio.to_thread(self.session_store.duplicate, path)
        self.listed()
        self.say(f"Copied {name}; the sessions list the copy first.")

    async def delete(self, path: Path) -> str:
        """Move a session to the trash, and return what it is called; one on screen gives way to a new one.

        Raises UsageError while its reply is running.
        """
        chat = await self.open_chats.at(path)
        if chat is not None:
            chat.open_session.refuse_if_read_only()
            if chat.replies.turn is not None:
                raise UsageError("A reply is running in this session.", "Stop it; then delete.")
            await self.current.save(chat)
            if chat.path != path:  # what is on screen is another file now
                raise StorageError("Nothing was deleted: others had changed the session's file.")
        name = await self._name(path)
        trashed = await asyncio.to_thread(self.session_store.delete, path, is_held_here=chat is not None)
        self.open_chats.trashed.append((trashed, name))
        if chat is not None:  # nothing may write its file again
            if chat is self.open_chats.current:
                await self.current.show_new()
            self.open_chats.forget(chat)
        self.listed()
        self.say(
            f"Moved to the trash: {name}. {self.restore_key} in the sessions pane, or /restore-session, "
            "brings it back.",
            about=f"trash {trashed}",
        )
        return name

    async def restore(self) -> str:
        """Bring the session that was deleted last back, and return what it is called.

        Raises UsageError where none is left that was deleted since the program started.
        """
        if not self.open_chats.trashed:
            raise UsageError(
                "There is no step to undo here: no session was deleted since the program started.",
                "`kimi-tui sessions restore NAME` brings older ones back.",
            )
        trashed, name = self.open_chats.trashed[-1]
        await asyncio.to_thread(self.session_store.restore_path, trashed)
        self.open_chats.trashed.pop()
        self.listed()
        self.say(f"Brought back: {name}.", about=f"trash {trashed}")
        return name


def _path(argument: str, command: str, example: str) -> Path:
    name = argument.strip()
    if not name:
        raise UsageError(f"/{command} needs a file name.", f"For example: /{command} {example}")
    return Path(os.path.expanduser(name))


def _quoted(title: str) -> str:
    shown = visible_line(title[: TITLE_CHARS + 1]).strip()
    return f"“{shown[: TITLE_CHARS - 1].rstrip()}…”" if len(title) > TITLE_CHARS else f"“{shown or UNTITLED}”"
