"""What was asked in earlier sessions, newest first: read from the files that changed last, as far as that is cheap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from kimi_tui.adapters.store.session_reading import parse_file
from kimi_tui.core.errors import StorageError
from kimi_tui.core.session.session import Role, Session

MAX_FILES = 20
"""Sessions that are read at most, the ones changed last."""
MAX_BYTES = 500_000
"""A larger file is passed over: reading it takes longer than anyone waits for a prompt."""
MAX_PROMPTS = 200


def recent_prompts(paths: Iterable[Path]) -> list[str]:
    """Give the prompts of the sessions changed last, newest first, each once; files that cannot be read are left out.

    It parses files, so keep it off the event loop.
    """
    asked = [
        (message.created or session.updated, place, message.content)
        for session in _sessions(paths)
        for place, message in enumerate(session.messages)
        if message.role is Role.USER
    ]
    asked.sort(key=lambda known: known[:2], reverse=True)
    return list(dict.fromkeys(content for _, _, content in asked))[:MAX_PROMPTS]


def _sessions(paths: Iterable[Path]) -> Iterator[Session]:
    for path in _newest(paths):
        try:
            yield parse_file(path)
        except StorageError:
            continue


def _newest(paths: Iterable[Path]) -> list[Path]:
    changed: list[tuple[int, Path]] = []
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue
        if status.st_size <= MAX_BYTES:
            changed.append((status.st_mtime_ns, path))
    return [path for _, path in sorted(changed, reverse=True)[:MAX_FILES]]
