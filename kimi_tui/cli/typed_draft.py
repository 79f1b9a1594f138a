"""What was typed into a program that never came to be, or had not read its session yet: kept as a draft."""

from __future__ import annotations

from argparse import Namespace
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kimi_tui.adapters.ids import new_session_id
from kimi_tui.adapters.store.session_drafts import add_to_draft, save_draft
from kimi_tui.adapters.store.session_places import DRAFT, beside, discard
from kimi_tui.cli.arguments import LATEST
from kimi_tui.core.errors import KimiError
from kimi_tui.core.text.typed_text import text_in

if TYPE_CHECKING:  # the names of types only
    from pathlib import Path

    from kimi_tui.adapters.store.session_files import SessionFiles
    from kimi_tui.core.session.session import Session


class EarlyDraft:
    """What is typed while the program is imported, kept as the draft of a session to come, which has no file yet.

    Should the program end without, the next one makes that session; see `LeftBehind`.
    """

    def __init__(self, folder: Path) -> None:
        self.session_id = new_session_id(datetime.now(UTC))
        self._path = folder / self.session_id
        self._is_kept = False

    def keep(self, sent: str) -> None:
        """Keep what a terminal sent, unless it is a command; what cannot be kept is not."""
        text = text_in(sent).rstrip()
        with suppress(KimiError):
            if text.strip() and not text.startswith("/"):
                self._is_kept = True
                save_draft(self._path, text)
            else:
                self.remove()

    def remove(self) -> None:
        """What was typed is kept elsewhere, or nothing is left of it."""
        if self._is_kept:
            discard(beside(self._path, DRAFT))


def keep_as_draft(text: str, store: SessionFiles, options: Namespace, new: Session) -> str:
    """Keep it with the session that was asked for, where that is found at once and nobody holds it; else with `new`.

    What comes back names the session for `-r`. Raises StorageError.
    """
    from kimi_tui.adapters.store.session_lock import SessionLock

    name = None if options.resume is LATEST else options.resume
    with suppress(KimiError):
        if options.resume is not None and store.is_found_at_once(name):
            path = store.find(name)
            with SessionLock(path):
                add_to_draft(path, text)
            return name or str(path)
    return keep_apart(text, store, new)


def keep_apart(text: str, store: SessionFiles, new: Session) -> str:
    """Keep it with a new session; what comes back names that for `-r`. Raises StorageError."""
    held = store.create(new)
    try:
        store.save_now(held.session)
        store.save_draft(held.path, text)
    finally:
        held.release()
    return held.session.id
