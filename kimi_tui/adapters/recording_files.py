"""Recordings as files: written while their turns run, beside the event loop, and read."""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from kimi_tui import __version__
from kimi_tui.adapters.files import as_storage_error, make_private_dir, read_file
from kimi_tui.core.errors import StorageError
from kimi_tui.core.faults import reason_of
from kimi_tui.core.ports import Clock, RunningTurn
from kimi_tui.core.session.session_toml import iso_stamp
from kimi_tui.core.wire.recording import Recording, RecordingHead, begun_of, encode_records, read_recording
from kimi_tui.core.wire.tape import Tape

log = logging.getLogger("kimi_tui")

ENDING = ".jsonl"
FLUSH_S = 0.2
"""How long what has come may wait before it is written, in seconds."""
MAX_READ_BYTES = 128 * 1024 * 1024
"""Most bytes of a recording that is read; what one may hold takes less, however it is spelled."""
HELD_TURNS = 8
"""So many turns, of all sessions, can still be written to a file: the last ones."""
KEPT_FILES = 100
"""So many recordings are kept of those that the setting asks for: the oldest goes."""
MAX_NAME_CHARS = 60
_IN_NAMES = re.compile("[^A-Za-z0-9-]+")
_OWN_NAME = re.compile(r"\d{4}-\d\d-\d\dT.*\.jsonl")
"""What is called otherwise was put there by somebody, and stays."""


def load_recording(path: Path) -> Recording:
    """Raises StorageError where it cannot be read, or is none."""
    with as_storage_error("read", path):
        data = read_file(path, is_pipe_allowed=True, max_bytes=MAX_READ_BYTES)
    return read_recording(data, str(path))


@dataclass(eq=False)
class _File:
    """A recording that is being written."""

    path: Path
    descriptor: int
    written: int = 0
    """How many records stand in it."""

    @classmethod
    def create(cls, path: Path) -> _File:
        """A file that is there stays; raises OSError."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
        return cls(path, os.open(path, flags, 0o600))

    def write(self, tape: Tape) -> None:
        """Raises OSError."""
        end = len(tape.records)
        data = memoryview(encode_records(tape.records[self.written : end]))
        while data:
            data = data[os.write(self.descriptor, data) :]
        self.written = end

    def close(self) -> None:
        os.close(self.descriptor)


@dataclass(eq=False)
class _Recorded:
    tape: Tape
    files: list[_File] = field(default_factory=list)
    is_over: bool = False


class Recordings:
    """Gives every turn a tape and keeps the last ones; writes those that somebody wants to a file."""

    def __init__(self, dialect: str, clock: Clock, folder: Path | None = None) -> None:
        """`folder` = where every turn is recorded by itself; None = none is."""
        self._dialect, self._clock, self._folder = dialect, clock, folder
        self.tell: Callable[[str], object] = lambda _: None
        """Is told what could not be written, in words."""
        self.has_failed = False
        """Whether there was such a thing."""
        self._begun: dict[RunningTurn, _Recorded] = {}
        """Several may begin before the first of them is listened to."""
        self._held: dict[tuple[str, str], _Recorded] = {}
        """By the ids of session and reply; the one that began last stands last."""
        self._next: dict[str, list[_File]] = {}
        self._lock = asyncio.Lock()

    # -- the engine's side

    def tape_for(self, turn: RunningTurn) -> Tape:
        beginning, id_ = turn.reply.beginning, turn.open_session.value.id
        head = RecordingHead(
            self._dialect,
            beginning.template or "",
            thinking=beginning.thinking is not False,
            neutralise=beginning.neutralise,
            created=iso_stamp(self._clock.now()),
            written_by=__version__,
            begun=begun_of(beginning),
            fields=turn.request.fields,
        )
        recorded = _Recorded(Tape(head, self._clock.monotonic), self._next.pop(id_, []))
        self._begun[turn] = recorded
        self._held.pop((id_, turn.reply.id), None)
        self._held[id_, turn.reply.id] = recorded
        while len(self._held) > HELD_TURNS:
            del self._held[next(iter(self._held))]
        return recorded.tape

    async def __call__(self, turn: RunningTurn) -> None:
        """A listener: writes a turn's recording down while it runs."""
        recorded, events = self._begun.pop(turn), turn.listen()
        try:
            if self._folder is not None:
                await self._begin_own(recorded, turn, self._folder)
            while await events.drain():
                await events.pause(FLUSH_S)
                await self._write(recorded)
        finally:
            recorded.is_over = True
            await self._write(recorded)

    async def _begin_own(self, recorded: _Recorded, turn: RunningTurn, folder: Path) -> None:
        name = f"{iso_stamp(self._clock.now())}-{turn.open_session.value.id}-{turn.reply.id}"
        try:
            async with self._lock:  # those that begin together would make room by the same old files
                recorded.files.append(await asyncio.to_thread(_create_own, folder, name))
        except (OSError, StorageError) as error:
            self._tell_failure(folder, error)

    # -- who wants a file

    async def save_next(self, session_id: str, path: Path) -> None:
        """Record the next turn of a session, the first of several, into a new file. Raises StorageError."""
        file = await asyncio.to_thread(_create, path)
        self._next.setdefault(session_id, []).append(file)

    async def save_last(self, session_id: str, path: Path, reply_id: str | None = None) -> bool | None:
        """Write the turn of a reply into a new file, as it comes where it runs; whether it does.

        Where the reply's turn is not held, it is the last one of its session. None = there was none since the program
        started. Raises StorageError.
        """
        of_session = (held for (id_, _), held in reversed(self._held.items()) if id_ == session_id)
        recorded = self._held.get((session_id, reply_id or "")) or next(of_session, None)
        if recorded is None:
            return None
        file = await asyncio.to_thread(_create, path)
        recorded.files.append(file)
        with as_storage_error("written", path):
            await self._write(recorded, raises=recorded.is_over)
        return not recorded.is_over

    async def _write(self, recorded: _Recorded, *, raises: bool = False) -> None:
        """Write what has come, and close the files of a turn that is over."""
        async with self._lock:
            for file in tuple(recorded.files):
                try:
                    await asyncio.to_thread(file.write, recorded.tape)
                except OSError as error:
                    await self._let_go(recorded, file)
                    if raises:
                        raise
                    self._tell_failure(file.path, error)
                else:
                    if recorded.is_over:
                        await self._let_go(recorded, file)

    @staticmethod
    async def _let_go(recorded: _Recorded, file: _File) -> None:
        recorded.files.remove(file)
        with suppress(OSError):
            await asyncio.to_thread(file.close)

    def _tell_failure(self, path: Path, error: OSError | StorageError) -> None:
        self.has_failed = True
        log.warning("a recording cannot be written, %s", type(error).__name__)
        words = error.summary if isinstance(error, StorageError) else f"{path}: {reason_of(error)}."
        self.tell(f"The reply is not recorded, or only its beginning: {words}")


def _create(path: Path) -> _File:
    """Raises StorageError."""
    if os.path.lexists(path):
        raise StorageError(f"{path} is there already.", "Name a new file.")
    with as_storage_error("made", path):
        return _File.create(path)


def _create_own(folder: Path, name: str) -> _File:
    """A new file in the folder, in which the oldest make room. Raises OSError, StorageError."""
    make_private_dir(folder)
    own = sorted(
        (path for path in folder.iterdir() if _OWN_NAME.fullmatch(path.name)), key=lambda path: path.stat().st_mtime_ns
    )
    for path in own[: len(own) + 1 - KEPT_FILES]:
        path.unlink(missing_ok=True)
    stem = _IN_NAMES.sub("-", name)[:MAX_NAME_CHARS].strip("-")
    return _File.create(_free(folder, stem, own))


def _free(folder: Path, stem: str, taken: Sequence[Path]) -> Path:
    names = {path.name for path in taken}
    numbers = (f"{stem}{f'-{number}' if number else ''}{ENDING}" for number in range(len(taken) + 1))
    return folder / next(name for name in numbers if name not in names)
