"""A damaged session file examined, and a whole copy of what can be read of it; the file itself is only read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kimi_tui import __version__
from kimi_tui.adapters.files import write_atomic
from kimi_tui.adapters.store.session_places import JOURNAL, beside, is_there, refuse_if_there
from kimi_tui.adapters.store.session_reading import changed_at, read_bytes
from kimi_tui.core.errors import StorageError, UsageError
from kimi_tui.core.session.file_formats import ENDINGS, format_of, likely_formats
from kimi_tui.core.session.journal import read_journal
from kimi_tui.core.session.recovery import recover
from kimi_tui.core.session.repair import Repaired, repair
from kimi_tui.core.text.quoting import either

END_BYTES = 100
"""So much of a file tells whether its end is missing, in bytes."""


def examine(path: Path) -> Repaired:
    """Raises StorageError where the file cannot be read at all."""
    data = read_bytes(path)
    is_named = path.suffix.lower() in ENDINGS
    form = format_of(path.suffix) if is_named else likely_formats(data.decode("utf-8", "replace"))[0]
    return repair(data, form, path.stem.lstrip("."), changed_at(path))


def write_repaired(path: Path, new: Path) -> Repaired:
    """Write what can be read of a session into a new file, in the format that its name ends in.

    Raises:
        UsageError: That is no format of sessions.
        StorageError: The new file is there already or cannot be written, or nothing of a session can be read.
    """
    if new.suffix.lower() not in ENDINGS:
        raise UsageError(f"-o {new}: its name has to end in {either(ENDINGS)}.")
    refuse_if_there(new, "nothing was written.")
    repaired = _with_journal(path, examine(path))
    if repaired.session is None:
        words = "; ".join(damage.words for damage in repaired.damages) or "it holds nothing of one."
        raise StorageError(f"{path}: nothing of a session can be read: {words}", "The file is as it was.")
    data = format_of(new.suffix).encode(replace(repaired.session, written_by=__version__))
    write_atomic(new, data)
    return repaired


def _with_journal(path: Path, repaired: Repaired) -> Repaired:
    """Put in what the journal beside a session holds and nobody could put into the file; the journal stays as it is."""
    source = beside(path, JOURNAL)
    if not is_there(source):
        return repaired
    journal = read_journal(read_bytes(source))
    session = repaired.session
    if session is None and journal.head is not None and journal.turns:
        session = journal.head.session
    if session is None or not journal.turns:
        return repaired
    found = recover(session, journal, changed_at(source))
    words = f"{found.words} It is in the copy; the journal stays: {source}" if found.words else ""
    return replace(repaired, session=found.session, recovered=words)


def has_whole_end(path: Path) -> bool:
    """Whether a file's last value is surely all there; raises StorageError where it cannot be read."""
    text = read_bytes(path)[-END_BYTES:].decode("utf-8", "replace")
    return format_of(path.suffix).has_whole_end(text)
