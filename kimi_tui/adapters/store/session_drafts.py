"""What is being typed in sessions and was not sent, beside their files.

A window that can only read a session keeps its draft in a file of its own, `.STEM.window-N.draft`, and holds that
file's lock while it lives. A draft whose lock is free is gone on with by the next window that gets its number, or
joined to the session's own by `gather`.
"""

from __future__ import annotations

import contextlib
import itertools
from glob import escape
from pathlib import Path

from kimi_tui.adapters.files import make_private_dir, read_file, write_atomic
from kimi_tui.adapters.store.session_lock import SessionLock
from kimi_tui.adapters.store.session_places import DRAFT, RAW_DRAFT, beside, remove
from kimi_tui.core.errors import SessionHeldError, StorageError
from kimi_tui.core.session.raw_draft import RawDraft, decode_raw_draft

PLACE = ".window-"
"""Between a session's stem and the number of a place."""


def load_draft(path: Path) -> str:
    """Read what was being typed in the session of that file; "" = nothing, or nothing readable."""
    try:
        return read_file(beside(path, DRAFT)).decode("utf-8", "replace")
    except OSError:
        return ""


def save_draft(path: Path, text: str) -> None:
    """Keep what is being typed in the session of that file; "" removes it. Raises StorageError."""
    _save(beside(path, DRAFT), text.encode("utf-8", "replace"))


def load_raw_draft(path: Path) -> RawDraft | None:
    """Read the raw input that was not sent in the session of that file; None = there is none, or none readable."""
    try:
        return decode_raw_draft(read_file(beside(path, RAW_DRAFT)))
    except OSError:
        return None


def save_raw_draft(path: Path, draft: RawDraft | None) -> None:
    """Keep it; None removes it. Raises StorageError."""
    _save(beside(path, RAW_DRAFT), b"" if draft is None else draft.encode())


def _save(path: Path, data: bytes) -> None:
    if data:
        make_private_dir(path.parent)
        write_atomic(path, data)
    else:
        remove(path)


def take_place(path: Path) -> tuple[Path, SessionLock]:
    """Take the first place beside a session that nobody has; raises StorageError where no lock can be made."""
    for number in itertools.count(2):
        place = _place(path, str(number))
        lock = SessionLock(place)
        with contextlib.suppress(SessionHeldError):
            lock.acquire()
            return place, lock
    raise AssertionError("numbers do not end")


def gather(path: Path) -> str:
    """The draft of a session, below it those of windows that have gone; from now on they are one."""
    draft = load_draft(path)
    with contextlib.suppress(OSError, StorageError):  # what cannot be moved now stays where it is
        for place in sorted(_places(path)):
            with contextlib.suppress(SessionHeldError), SessionLock(place):
                if text := load_draft(place):
                    draft = add_to_draft(path, text)
                save_draft(place, "")
    return draft


def add_to_draft(path: Path, text: str) -> str:
    """Put it below what was being typed in a session; what is its draft from now on. Raises StorageError."""
    joined = "\n\n".join(filter(None, (load_draft(path), text)))
    save_draft(path, joined)
    return joined


def stem_of(stem: str) -> str:
    """The stem of the session that a draft of that stem belongs to."""
    return stem.rpartition(PLACE)[0] or stem


def _place(path: Path, number: str) -> Path:
    return path.with_name(f"{path.stem}{PLACE}{number}{path.suffix}")


def _places(path: Path) -> list[Path]:
    beginning = f".{path.stem}{PLACE}"
    found = path.parent.glob(f"{escape(beginning)}*{DRAFT}")
    return [_place(path, file.name.removeprefix(beginning).removesuffix(DRAFT)) for file in found]
