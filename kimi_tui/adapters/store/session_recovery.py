"""What dead processes left in a folder of sessions, put where it belongs: journals, and drafts without a session."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from kimi_tui.adapters.files import read_file
from kimi_tui.adapters.store.session_drafts import (
    add_to_draft,
    load_draft,
    load_raw_draft,
    save_draft,
    save_raw_draft,
)
from kimi_tui.adapters.store.session_lock import SessionLock
from kimi_tui.adapters.store.session_places import ASIDE, DRAFT, JOURNAL, LOCK, beside, is_there, remove, set_aside
from kimi_tui.adapters.store.session_reading import changed_at, read_bytes
from kimi_tui.adapters.store.unfinished_moves import settle_conversion, settle_move
from kimi_tui.core.errors import SessionHeldError, StorageError
from kimi_tui.core.faults import reason_of
from kimi_tui.core.ports import RecoveredSession
from kimi_tui.core.session.file_formats import ENDINGS
from kimi_tui.core.session.journal import Journal, JournalHead, read_journal
from kimi_tui.core.session.listing import Listing
from kimi_tui.core.session.recovery import Recovery, recover
from kimi_tui.core.session.session import Session

log = logging.getLogger("kimi_tui")
# Without a log file nothing may reach the terminal.
log.addHandler(logging.NullHandler())

WAIT_S = 10.0
"""How long another process that recovers the same folder is waited for, in seconds."""
LONE_DRAFT = "What was being typed when the program ended came back."


class RecoverableFiles(Protocol):
    """What of a folder of sessions is needed here; see `SessionFiles`, which could not be named without a circle."""

    folder: Path
    trash: Path
    format: str

    def list(self) -> Listing: ...

    def read(self, path: Path) -> Session: ...

    def rewrite(self, path: Path, session: Session) -> None: ...

    def new_session(self, session_id: str, at: datetime) -> Session: ...


def recover_folder(files: RecoverableFiles, names: Sequence[str], moves: Sequence[str] = ()) -> list[RecoveredSession]:
    """Recover what those names stand for; what cannot be recovered is left as it is. Raises nothing.

    `moves` are the locks of moves to the trash and back.
    """
    found = list[RecoveredSession]()
    lock = SessionLock(files.folder / ".recovery", "recovery")
    if not _acquire(lock):
        return found
    try:
        for name in moves:
            with _whatever_is_wrong(name):
                settle_move(files.folder, files.trash, name)
        for name in names:
            with _whatever_is_wrong(name):
                found += _recover(files, name)
    finally:
        lock.release()
    return found


@contextlib.contextmanager
def _whatever_is_wrong(name: str) -> Iterator[None]:
    """Go on: whatever stands in a journal, it must not keep any command from its work."""
    try:
        yield
    except SessionHeldError:  # whoever holds it still writes it
        pass
    except Exception as error:
        log.warning("%s was not recovered: %s", name, type(error).__name__)


def _acquire(lock: SessionLock) -> bool:
    """Take the lock that lets one process at a time recover a folder; False where nothing can be written there."""
    end_s = time.monotonic() + WAIT_S
    while True:
        try:
            lock.acquire()
        except SessionHeldError:
            if time.monotonic() > end_s:
                return False
            time.sleep(0.02)
        except StorageError:
            return False
        else:
            return True


def _recover(files: RecoverableFiles, name: str) -> list[RecoveredSession]:
    """Raises StorageError where it is held, or cannot be read or written."""
    if not is_there(files.folder / name):  # it was part of a move that was put right
        return []
    if name.endswith(LOCK):
        settle_conversion(files.folder, files.read, name)
        return []
    is_journal = name.endswith(JOURNAL)
    stem = name[1 : -len(JOURNAL if is_journal else DRAFT)]
    path = _session_file(files, stem)
    with SessionLock(path, "recovery"):
        renamed = None if is_there(path) else _renamed(files, path)
        with SessionLock(renamed, "recovery") if renamed is not None else contextlib.nullcontext():
            words = recover_held(files, path, renamed) if is_journal else _recover_draft(files, path, renamed)
            return [_found(files, renamed or _session_file(files, stem), words)] if words else []


def _found(files: RecoverableFiles, path: Path, words: str) -> RecoveredSession:
    if not is_there(path):  # nothing of a session could be read of its journal
        return RecoveredSession(path, "", "", f"{path}: {words}")
    session = files.read(path)
    return RecoveredSession(path, session.id, session.title, words)


def _renamed(files: RecoverableFiles, path: Path) -> Path | None:
    """The file of the folder that holds the session which that file held; None = there is none.

    Most files are named after the ids of their sessions, and a journal tells the id.
    """
    ids = {path.stem}
    with contextlib.suppress(OSError):
        head = read_journal(read_file(beside(path, JOURNAL))).head
        ids |= {head.session.id} if head is not None else set()
    found = [summary.path for summary in files.list().summaries if summary.id in ids]
    return Path(found[0]) if len(found) == 1 else None


def _session_file(files: RecoverableFiles, stem: str) -> Path:
    """The file of the folder's session that has that stem, which need not be there."""
    paths = (files.folder / f"{stem}{ending}" for ending in ENDINGS)
    return next((path for path in paths if path.exists()), files.folder / f"{stem}.{files.format}")


def _recover_draft(files: RecoverableFiles, path: Path, renamed: Path | None) -> str:
    """Make a session of a draft that has none, or put it below that of the session's other file; see `recover_held`."""
    draft = beside(path, DRAFT)
    if is_there(path):
        return ""
    text = load_draft(path)
    if not text.strip():
        remove(draft)
        return ""
    if renamed is None:
        files.rewrite(path, files.new_session(path.stem, changed_at(draft)))
        return LONE_DRAFT
    if load_draft(renamed) != text:
        add_to_draft(renamed, text)
    remove(draft)
    return LONE_DRAFT


def recover_held(files: RecoverableFiles, path: Path, renamed: Path | None = None) -> str:
    """Put the journal beside a session that is held into it; what came back, in a line, "" = nothing.

    Where the session's file is gone `renamed`, which is held too, holds the session now; None = a new one is made.
    Raises StorageError where something cannot be read or written: the journal stays then.
    """
    source = beside(path, JOURNAL)
    data, at = read_bytes(source), changed_at(source)
    journal = read_journal(data)
    if journal.is_newer or not _is_dead(path, journal.head):
        return ""
    if journal.is_empty and data.strip(b"\0\n"):
        return f"Nothing can be read of its journal, which is kept aside: {set_aside(path)}"
    words = _put(files, renamed or path, journal, at).words if journal.turns else ""
    _drop_sent_draft(path, journal)
    if not journal.is_garbled:
        remove(source)
        return words
    return f"{words} Part of its journal cannot be read; it is kept aside: {set_aside(path)}".lstrip()


def _is_dead(path: Path, head: JournalHead | None) -> bool:
    """Whether nobody writes a journal any more whose session is held here; where locks do nothing, that has to show."""
    if SessionLock(path).excludes_others():
        return True
    return head is not None and head.host == socket.gethostname() and not _is_running(head.pid)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _put(files: RecoverableFiles, path: Path, journal: Journal, at: datetime) -> Recovery:
    head = journal.head
    if head is not None and Path(head.file_name).stem == path.stem and head.file_name.endswith(ENDINGS):
        named = path.with_name(head.file_name)
        path = named if is_there(named) or not is_there(path) else path
    if is_there(path):
        session = files.read(path)
    else:
        session = head.session if head is not None else files.new_session(path.stem, at)
    found = recover(session, journal, at)
    if found.session is not session:
        files.rewrite(path, found.session)
    return found


def _drop_sent_draft(path: Path, journal: Journal) -> None:
    """A question that was sent is none any more to be sent, however late its draft was to be removed."""
    draft = load_draft(path).strip()
    asked = (turn.start.question.content.strip() for turn in journal.turns.values() if turn.start is not None)
    if draft and any(draft in {question, f"/{question}"} for question in asked):
        save_draft(path, "")
    raw = load_raw_draft(path)
    begun = (turn.start.beginning.raw_input for turn in journal.turns.values() if turn.start is not None)
    if raw is not None and raw.text in begun:
        save_raw_draft(path, None)


def unrecovered(folder: Path, of: Sequence[Path] | None = None) -> list[tuple[Path, str]]:
    """What nobody recovered of what lies in a folder, each with why, in a line; none where it cannot be read.

    `of` = the sessions whose alone is listed; None = of all.
    """
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    found = list[tuple[Path, str]]()
    for name in names:
        if of is not None and not any(name.startswith(f".{path.stem}{JOURNAL}") for path in of):
            continue
        if name.startswith(".") and ASIDE in name:
            found.append((folder / name, "a journal that is kept aside, since not all of it can be read"))
        elif name.startswith(".") and name.endswith(JOURNAL):
            found.append((folder / name, _why_left(folder / name)))
    return found


def _why_left(path: Path) -> str:
    try:
        journal = read_journal(read_file(path))
    except OSError as error:
        return f"a journal that cannot be read: {reason_of(error)}"
    if journal.is_newer:
        return "a journal of a newer kimi-tui"
    if journal.head is None:
        return "a journal that is in use, or whose session cannot be read"
    if journal.head.host == socket.gethostname() and not _is_running(journal.head.pid):
        return "the journal of a program that has ended, whose session cannot be read or written"
    return f"the journal of process {journal.head.pid} on {journal.head.host}, which may still write it"
