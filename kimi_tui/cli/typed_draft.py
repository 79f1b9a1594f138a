"""What was typed into a program that never came to be, or had not read its session yet: kept as a draft."""

from __future__ import annotations

from argparse import Namespace
from contextlib import suppress
from typing import TYPE_CHECKING

from kimi_tui.cli.arguments import LATEST
from kimi_tui.core.errors import KimiError

if TYPE_CHECKING:  # the names of types only
    from pathlib import Path

    from kimi_tui.adapters.store.session_files import SessionFiles
    from kimi_tui.core.session.session import Session


def keep_as_draft(text: str, store: SessionFiles, options: Namespace, new: Session) -> str:
    """Keep it with the session that was asked for, where that is found at once and nobody holds it; else with `new`.

    What comes back names the session for `-r`. Raises StorageError.
    """
    name = None if options.resume is LATEST else options.resume
    with suppress(KimiError):
        if options.resume is not None and store.is_found_at_once(name):
            path = store.find(name)
            with store.lock(path):
                add_to_draft(text, store, path)
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


def add_to_draft(text: str, store: SessionFiles, path: Path) -> None:
    """Put it below what was being typed in a session. Raises StorageError."""
    store.save_draft(path, "\n\n".join(filter(None, (store.load_draft(path), text))))
