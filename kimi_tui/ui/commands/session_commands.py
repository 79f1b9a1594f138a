"""Commands on the session as a whole: its name, and which one is on screen."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote

from kimi_tui.core.errors import StorageError, UsageError
from kimi_tui.core.ports import SessionStore
from kimi_tui.core.session.listing import Unreadable
from kimi_tui.core.session.session import Session
from kimi_tui.ui.commands.current_session import CurrentSession
from kimi_tui.ui.commands.dispatcher import Rows
from kimi_tui.ui.state.callbacks import Say
from kimi_tui.ui.state.open_chats import OpenChats


@dataclass(eq=False)
class SessionCommands:
    session_store: SessionStore
    open_chats: OpenChats
    current: CurrentSession
    say: Say

    def rows(self) -> Rows:
        return {
            "rename": self._rename,
            "new": self.current.show_new,
            "resume": self._resume,
            "import": self._import,
            "export": self._export,
            "save-as": self._save_as,
        }

    @property
    def _session(self) -> Session:
        return self.open_chats.current.session

    def _rename(self, argument: str) -> None:
        title = " ".join(argument.split())
        if not title:
            raise UsageError("/rename needs a title.", "For example: /rename Cooking lamb")
        self.current.change(replace(self._session, title=title))

    async def _resume(self, argument: str) -> None:
        """The session that the text names; "" = the latest other one."""
        name, passed_over = argument.strip(), list[Unreadable]()
        if name:
            path = await asyncio.to_thread(self.session_store.find, name, passed_over.append)
        else:
            listing = await asyncio.to_thread(self.session_store.list)
            others = (summary.path for summary in listing.summaries if summary.id != self._session.id)
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
        path = _path(argument, "export", "lamb.md")
        await asyncio.to_thread(self.session_store.export, self._session, path)
        self.say(f"Exported to {path}.")

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


def _path(argument: str, command: str, example: str) -> Path:
    name = argument.strip()
    if not name:
        raise UsageError(f"/{command} needs a file name.", f"For example: /{command} {example}")
    return Path(name).expanduser()
