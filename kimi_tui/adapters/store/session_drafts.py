"""What is being typed in a session, kept in a file beside it."""

from __future__ import annotations

from pathlib import Path

from kimi_tui.adapters.files import make_private_dir, read_file, write_atomic
from kimi_tui.adapters.store.session_moves import remove


def read_draft(path: Path) -> str:
    """Read what was being typed; "" = nothing, or nothing readable."""
    try:
        return read_file(path).decode("utf-8", "replace")
    except OSError:
        return ""


def write_draft(path: Path, text: str) -> None:
    """Keep what is being typed; "" removes it.

    Raises:
        StorageError: It could not be written.
    """
    if text:
        make_private_dir(path.parent)
        write_atomic(path, text.encode("utf-8", "replace"))
    else:
        remove(path)
