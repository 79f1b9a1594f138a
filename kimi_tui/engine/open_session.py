"""A session that is open: its present value, and the store it is saved to.

Turns, commands and settings change the same session while it is open; each change is a function from value to value,
so none works on a stale one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import replace

from kimi_tui.core.errors import KimiError
from kimi_tui.core.ports import SessionSaver
from kimi_tui.core.session.session import Session


class OpenSession:
    def __init__(self, session: Session, store: SessionSaver | None) -> None:
        """Without a store nothing is ever saved."""
        self._value = self._begun = session
        self._store = store
        self._saving = asyncio.Lock()
        self._saved: Session | None = None
        self.save_error: KimiError | None = None
        """Why the last save failed; None = it did not, or nothing has been saved yet."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._taken_ids: set[str] = set()

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

    def update(self, change: Callable[[Session], Session]) -> Session:
        self._value = change(self._value)
        return self._value

    def take_ids(self, count: int) -> tuple[str, ...]:
        """Take the ids of messages to come: no other gets them before they are given back."""
        ids = self._value.next_message_ids(count, self._taken_ids)
        self._taken_ids.update(ids)
        return ids

    def give_back_ids(self, ids: Iterable[str]) -> None:
        """Say that the messages of those ids stand in the session now, or never will."""
        self._taken_ids.difference_update(ids)

    async def save(self) -> None:
        """Save the present value. Saves never overlap; one that had to wait finds its value saved already.

        Raises StorageError where it could not be written; the last whole file is in place.
        """
        if self._store is None:
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
            value = self._value
            try:
                if value is not self._saved:
                    await store.save(value)
            except KimiError as error:
                self.save_error = error
                raise
            self._saved, self.save_error = value, None
