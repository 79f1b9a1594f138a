"""The journal beside a session's file: what its replies say while they grow, for whoever comes after a dead process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kimi_tui.adapters.files import make_private_dir, read_file, sync
from kimi_tui.adapters.store.session_places import JOURNAL, beside, discard, is_there, set_aside
from kimi_tui.core.errors import StorageError
from kimi_tui.core.ports import RunningTurn
from kimi_tui.core.session.journal import (
    GrowthLog,
    JournalHead,
    Record,
    TurnResult,
    TurnStart,
    encode_record,
    read_journal,
)
from kimi_tui.core.session.session import Session
from kimi_tui.core.session.tree import SentContext
from kimi_tui.core.wire.turn_events import RepliesPlaced, TurnEnded, TurnEvent

if TYPE_CHECKING:  # the names of types only
    from kimi_tui.adapters.store.session_files import SessionFiles
    from kimi_tui.adapters.store.session_index import Mark

log = logging.getLogger("kimi_tui")

FLUSH_S = 0.2
"""How long what has come may wait before it is written, in seconds."""
RETRY_S = 0.5
"""Time until what could not be written is tried again, in seconds, where nothing comes meanwhile."""
SYNC_S = 1.0
"""Shortest time between two waits for the disk itself, in seconds: only a machine that dies needs them."""


class SessionJournals:
    """Hears every turn and writes it down; a journal goes as soon as its session holds all that it says."""

    def __init__(self, store: SessionFiles) -> None:
        self._path_of = store.path_of
        self._running: dict[Path, int] = {}  # how many turns write to the journal of a session; 0 = it has to stay
        self._shared = set[Path]()  # those of which others' journals hold more: they stay too
        self._guard = threading.Lock()
        store.save_listeners.append(self._note_save)

    async def __call__(self, turn: RunningTurn) -> None:
        events, batch = turn.listen(), list[TurnEvent]()
        while turn.question is None:
            if not (batch := await events.drain()):
                return  # it never had a place in the session
        session = turn.open_session.value
        writer = _Writer(turn, session, await asyncio.to_thread(self._begin, session))
        placed = list[Record]()
        while not isinstance(ended := batch[-1], TurnEnded):
            placed += [TurnResult(it.reply_id, it.replies) for it in batch if isinstance(it, RepliesPlaced)]
            is_written = await self._write(writer, placed)
            await events.pause(FLUSH_S)
            with contextlib.suppress(TimeoutError):
                batch = await asyncio.wait_for(events.drain(), None if is_written else RETRY_S)
        is_saved = turn.open_session.save_error is None
        if not is_saved:
            await self._write(writer, [TurnResult(turn.reply.id, ended.replies)])
        await asyncio.to_thread(self._end, writer.path, is_saved=is_saved)

    async def _write(self, writer: _Writer, more: Sequence[Record]) -> bool:
        """Write what has come; all of it anew, where the session lies elsewhere by now."""
        before, session = writer.path, writer.turn.open_session.value
        if self._path_of(session) != before:
            writer.move_to(await asyncio.to_thread(self._begin, session))
        is_written = await writer.write(*more)
        if writer.path != before:
            await asyncio.to_thread(self._end, before, is_saved=is_written)
        return is_written

    def _begin(self, session: Session) -> Path:
        """Take the journal of a session, whatever is left of others there."""
        path = self._path_of(session)
        with self._guard:
            if path not in self._running:
                with contextlib.suppress(OSError, StorageError):
                    self._share_or_make_room(path)
            self._running[path] = self._running.get(path, 0) + 1
        return path

    def _share_or_make_room(self, path: Path) -> None:
        """What could not be recovered yet, since it could not be written, is gone on with; all else makes room."""
        if not is_there(beside(path, JOURNAL)):
            return
        left = read_journal(read_file(beside(path, JOURNAL)))
        if left.turns and left.head is not None and left.head.host == socket.gethostname():
            self._shared.add(path)
        else:
            set_aside(path)

    def _end(self, path: Path, *, is_saved: bool) -> None:
        with self._guard:
            self._running[path] -= 1
            if is_saved:
                self._remove_idle(path)

    def _note_save(self, session: Session, path: Path, mark: Mark) -> None:
        """A session that could not be saved when its turn ended has been now."""
        with self._guard:
            self._remove_idle(path)

    def _remove_idle(self, path: Path) -> None:
        if self._running.get(path) == 0 and path not in self._shared:
            del self._running[path]
            discard(beside(path, JOURNAL))


class _Writer:
    """Writes down one turn."""

    def __init__(self, turn: RunningTurn, session: Session, path: Path) -> None:
        """`session` is what it was when the turn began."""
        self.path, self.turn = path, turn
        self._session = session
        self._growth: GrowthLog | None = None  # None = nothing is written yet
        self._sync: asyncio.Task[None] | None = None
        self._sync_due_s = 0.0

    def move_to(self, path: Path) -> None:
        self.path, self._growth = path, None

    async def write(self, *more: Record) -> bool:
        """Write what has come; False = it cannot be written now, and is written with what is next."""
        is_first, reply = self._growth is None, self.turn.reply
        self._growth = self._growth or GrowthLog(reply)
        growth = self._growth.look(self.turn.open_request)
        records = [*([growth] if growth is not None else ()), *more]
        if not records:
            return True
        try:
            await asyncio.to_thread(self._append, records, is_first=is_first)
        except (OSError, StorageError) as error:
            log.warning("%s: the journal cannot be written, %s", reply.id, type(error).__name__)
            self._growth = None  # all of it is written again
            return False
        self._sync_now_and_then()
        return True

    def _append(self, records: Sequence[Record], *, is_first: bool) -> None:
        begins = self._beginning() if is_first else ()
        data = b"".join(map(encode_record, (*begins, *records)))
        if is_first:
            make_private_dir(self.path.parent)
        flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | (os.O_CREAT if is_first else 0)
        descriptor = os.open(beside(self.path, JOURNAL), flags, 0o600)
        try:
            end = os.fstat(descriptor).st_size
            if os.write(descriptor, data) < len(data):
                os.ftruncate(descriptor, end)
                raise OSError("the disk is full")
        finally:
            os.close(descriptor)

    def _beginning(self) -> tuple[Record, Record]:
        turn, context = self.turn, SentContext.of(self._session)
        assert turn.question is not None
        head = JournalHead(self.path.name, socket.gethostname(), os.getpid(), turn.open_session.value)
        reply = turn.reply
        return head, TurnStart(reply.beginning, turn.question, reply.is_thinking, context, turn.head_before)

    def _sync_now_and_then(self) -> None:
        """Nothing waits for it: what is written meanwhile is as safe from the death of this process."""
        loop = asyncio.get_running_loop()
        if loop.time() >= self._sync_due_s and (self._sync is None or self._sync.done()):
            self._sync_due_s = loop.time() + SYNC_S
            self._sync = loop.create_task(asyncio.to_thread(sync, beside(self.path, JOURNAL)))
