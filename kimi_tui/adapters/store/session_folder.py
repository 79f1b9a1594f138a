"""A folder of sessions as it is read: listed, searched by name, and what was asked in them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kimi_tui.adapters.files import storage_error
from kimi_tui.adapters.store.session_index import Mark, Row, SessionIndex, listings, row_of, unread_bytes, whole_listing
from kimi_tui.adapters.store.session_places import has_draft, is_file_name
from kimi_tui.adapters.store.session_reading import SessionReader
from kimi_tui.core.errors import StorageError
from kimi_tui.core.session.file_formats import ENDINGS
from kimi_tui.core.session.listing import Listing, SessionSummary, Unreadable
from kimi_tui.core.session.session import Session

if TYPE_CHECKING:  # the name of a type only
    from kimi_tui.adapters.store.session_process import SessionProcesses

QUICK_BYTES = 2_000_000
"""So much is read in half a second, in bytes."""


class SessionFolder:
    def __init__(self, folder: Path) -> None:
        """It need not be there."""
        self.folder = folder
        self._reader = SessionReader()
        self._processes: SessionProcesses | None = None
        self._saved_rows: dict[str, Row] = {}
        self._has_closed = threading.Event()

    def read_large_in_processes(self) -> None:
        """Read large files so that everything else here goes on."""
        from kimi_tui.adapters.store.session_process import SessionProcesses  # noqa: PLC0415 - the screen alone asks

        self._processes = SessionProcesses()
        self._reader.parse = self._processes.read

    def close(self) -> None:
        self._has_closed.set()
        if self._processes is not None:
            self._processes.stop()

    def read(self, path: Path) -> Session:
        """Read a session that is held, as `parse_file` does; it is saved nowhere for that."""
        return self._reader.read(path)

    def list(self) -> Listing:
        return whole_listing(self._index(), self._files(), self._reader.read)

    def listings(self) -> Iterator[Listing]:
        """List the sessions while their files are read, the newest first; the last list is whole, unless it closes."""
        for listing in listings(self._index(), self._files(), self._reader.read):
            yield listing
            if self._has_closed.is_set():
                return

    def _index(self) -> SessionIndex:
        return SessionIndex(self.folder, self._saved_rows)

    def _note_row(self, session: Session, path: Path, mark: Mark) -> None:
        """Keep what lists show of a session that was saved, so that its file need not be read again for it."""
        if path.parent == self.folder:
            self._saved_rows[path.name] = row_of(mark, SessionSummary.of(session, str(path)))

    def recent_prompts(self) -> Sequence[str]:
        """What was asked in the sessions changed last, newest first; StorageError where the folder cannot be read."""
        from kimi_tui.adapters.store.session_prompts import recent_prompts  # noqa: PLC0415 - few calls ask

        return recent_prompts(self._files())

    def _files(self) -> Sequence[Path]:
        try:
            names = sorted(os.listdir(self.folder))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise storage_error("read", self.folder, error) from error
        return [self.folder / name for name in names if name.endswith(ENDINGS) and not name.startswith(".")]

    def is_found_at_once(self, text: str | None = None) -> bool:
        """Whether `find` has little to read before it can tell where a session is."""
        is_place = text is not None and (os.sep in text or is_file_name(text))
        return is_place or unread_bytes(self._index(), self._files()) <= QUICK_BYTES

    def find(self, text: str | None = None, passed_over: Callable[[Unreadable], object] = lambda _: None) -> Path:
        """Find a session's file by an id, its unique beginning, words of a title, or a file; None = the latest.

        `passed_over` is told of each file that may be the one that was meant, but cannot be read. StorageError where
        none or several fit; several are listed.
        """
        if text is not None and (os.sep in text or is_file_name(text)):
            path = os.path.expanduser(text)
            if not is_file_name(path):
                raise StorageError(f"There is no file {text}.")
            return Path(path)
        listing = self.list()
        if text is not None and (broken := listing.unreadable_named(text)):
            return Path(broken)  # reading it says what is wrong with it
        hint = "`kimi-tui sessions list` shows them all."
        found = listing.latest(has_draft) if text is None else listing.find(text, "session", hint)
        if not any(summary.id == text for summary in listing.summaries):
            for unreadable in listing.unreadable:
                passed_over(unreadable)
        return Path(found)

    def file_called(self, name: str) -> Path | None:
        """The file of the folder that has a name, which most sessions' files have from their id; None = there is none.

        Nothing is read for it.
        """
        paths = (self.folder / f"{name}{ending}" for ending in ENDINGS)
        return next((path for path in paths if os.sep not in name and is_file_name(str(path))), None)
