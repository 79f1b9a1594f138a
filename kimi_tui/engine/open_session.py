"""A session that is open: its present value, and the store it is saved to.

Turns, commands and settings change the same session while it is open; each change is a function from value to value,
so none works on a stale one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import replace

from kimi_tui.core.errors import KimiError, SessionReadOnlyError
from kimi_tui.core.ports import Conflict, FileChange, Lost, Reloaded, SessionSaver
from kimi_tui.core.session.codec import read_only_reason
from kimi_tui.core.session.session import Session
from kimi_tui.core.session.tree import CONFLICT, copied

Look = Callable[[Session], Awaitable[Reloaded | Lost | None]]
"""The store's way of looking whether others changed a session's file."""


class OpenSession:
    def __init__(self, session: Session, store: SessionSaver | None, *, read_only: str = "", way_out: str = "") -> None:
        """Without a store nothing is ever saved.

        `read_only` = why nothing can be changed, in words for the screen, "" = it can; `way_out` = what to do then.
        """
        self._store = store
        self.told: Callable[[FileChange], object] = lambda _: None
        """Is called when others changed its file, and it is another one now or lies elsewhere."""
        self._saving = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._taken_ids: set[str] = set()
        self._growing: set[str] = set()
        self.shown_reply: str | None = None
        """Id of the one that is shown of the replies to a question that grow or grew last; None = any may be."""
        self.begin_anew(session, read_only=read_only, way_out=way_out)

    def begin_anew(self, session: Session, *, read_only: str = "", way_out: str = "") -> None:
        """Go on with what has been opened in its place: what could only be read was copied, or has been let go."""
        self._value = self._begun = session
        self.read_only, self._way_out = read_only, way_out
        self._saved: Session | None = None
        self.save_error: KimiError | None = None
        """Why the last save failed; None = it did not, or nothing has been saved yet."""
        self._last_look: Reloaded | Lost | None = None

    @property
    def value(self) -> Session:
        return self._value

    @property
    def is_saved(self) -> bool:
        """Whether any value of it has been saved since it was opened."""
        return self._saved is not None

    @property
    def is_changed(self) -> bool:
        """Whether it is another one now than what the store holds, or than it was opened with."""
        return self._value is not (self._saved or self._begun)

    def refuse_if_read_only(self) -> None:
        """Raises SessionReadOnlyError where nothing of it can be changed."""
        if self.read_only:
            raise SessionReadOnlyError(f"read-only: {self.read_only}", self._way_out)

    def note_free(self, reason: str, way_out: str) -> None:
        """Nobody holds it any more: say so from now on; it can be changed when it has been opened again."""
        self.read_only, self._way_out = reason, way_out

    def update(self, change: Callable[[Session], Session]) -> Session:
        """Raises SessionReadOnlyError where nothing of it can be changed."""
        self.refuse_if_read_only()
        self._value = change(self._value)
        return self._value

    def take_ids(self, count: int) -> tuple[str, ...]:
        """Take the ids of messages to come: no other gets them before they are given back."""
        ids = self._value.next_message_ids(count, self._taken_ids)
        self._taken_ids.update(ids)
        return ids

    def begin_turn(self, reply_id: str) -> None:
        """Say that a reply grows on what is here: what others made of the file is not taken meanwhile."""
        self._growing.add(reply_id)

    def end_turn(self, reply_id: str) -> None:
        self._growing.discard(reply_id)

    def reserve_ids(self, ids: Iterable[str]) -> None:
        """Let no message to come get these: what had them was deleted, and may be brought back."""
        self._taken_ids.update(ids)

    def give_back_ids(self, ids: Iterable[str]) -> None:
        """Say that the messages of those ids stand in the session now, or never will."""
        self._taken_ids.difference_update(ids)

    async def save(self) -> None:
        """Save the present value. Saves never overlap; one that had to wait finds its value saved already.

        Where others have changed the file, it goes on as a copy, which `told` is told. Raises StorageError where it
        could not be written; the last whole file is in place.
        """
        if self._store is None or self.read_only:
            return
        await self._carry_through(self._write(self._store))

    async def save_elsewhere(self, save: Callable[[Session], Awaitable[Session]]) -> None:
        """Save the present value with `save`, which gives it with its new path: it is saved there from now on.

        What `save` raises is raised; it goes on being saved where it was then.
        """
        await self._carry_through(self._move(save))

    async def _carry_through(self, work: Coroutine[None, None, None]) -> None:
        """A save that has begun is carried through, even when whoever waits for it is cancelled."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.shield(task)

    async def _move(self, save: Callable[[Session], Awaitable[Session]]) -> None:
        async with self._saving:
            value = self._value
            moved = await save(value)
            self._value = moved if self._value is value else replace(self._value, path=moved.path)
            self._saved, self.save_error = moved, None

    async def _write(self, store: SessionSaver) -> None:
        async with self._saving:
            if self._value is not self._saved:
                await self._write_now(store)

    async def _write_now(self, store: SessionSaver) -> None:
        value = self._value
        try:
            change = await store.save(value)
        except KimiError as error:
            self.save_error = error
            raise
        self._saved, self.save_error = value, None
        if isinstance(change, Conflict):
            self._go_on_as(change)
        if change is not None:
            self.told(change)

    def _go_on_as(self, conflict: Conflict) -> None:
        """Become the copy that was saved; what was changed here while it was saved is still to be saved there."""
        copy, is_saved = conflict.copy.session, self._value is self._saved
        changed = replace(copied(self._value, copy.id, copy.prompt_cache_key, CONFLICT), path=copy.path)
        self._value, self._saved = copy if is_saved else changed, copy

    async def take_changes(self, look: Look) -> None:
        """Take what others made of the file, where nothing was changed here; else saving finds that out.

        `look` is the store's. What is here and in no file any more is saved again; StorageError where that fails.
        """
        if self._store is None or self._saving.locked():
            return
        async with self._saving:
            value = self._value
            if self.is_changed or self._growing:
                return
            known, change = self._last_look, await look(value)
            self._last_look = change
            if change is None or self._value is not value or self._growing:
                return
            if isinstance(change, Reloaded):
                change.accept()
                self._value = self._saved = change.session
                if (reason := read_only_reason(change.session)) or value.newer_version:
                    self.read_only, self._way_out = reason, ""
            elif not self.read_only:
                await self._write_now(self._store)
                return
            if change != known:
                self.told(change)

    async def save_at_the_end(self, look: Look) -> None:
        """Save what is in no file, whether it was changed here or others made it so. Raises StorageError."""
        if self.is_changed:
            await self.save()
        for _ in range(2):  # the first look leaves time to whoever is saving it
            await self.take_changes(look)
