"""A file from elsewhere as a session: one of ours, or a JSON list of messages."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from kimi_tui.adapters import session_text
from kimi_tui.adapters.session_places import ENDINGS, ending_of
from kimi_tui.adapters.session_reading import changed_at, read_bytes
from kimi_tui.core.codec import decode_session
from kimi_tui.core.conversation import parse_message_list, title_of
from kimi_tui.core.errors import KimiError, StorageError
from kimi_tui.core.session import DEFAULT_MODEL, Message, Role, Session


def parse_foreign(path: Path, now: datetime) -> Session:
    """Read a file as a session of that moment; one without a title is called after the file.

    Raises:
        StorageError: It cannot be read, or is neither.
    """
    if path.suffix.lower() not in ENDINGS:
        raise StorageError(
            f"{path} cannot be imported: its name ends neither in .toml nor in .json.",
            "Sessions can be imported, and JSON lists of messages.",
        )
    data = read_bytes(path)
    try:
        plain = session_text.load(data, ending_of(path))
        session = _from_list(plain, now) if isinstance(plain, list) else decode_session(plain, changed_at(path))
    except KimiError as error:
        raise StorageError(f"{path} cannot be imported: {error.summary}", error.hint) from None
    return replace(session, title=session.title or title_of(path.stem))


def _from_list(plain: list[Any], now: datetime) -> Session:
    """Make a session of a JSON list of messages; a leading system message becomes the system prompt."""
    turns = list(parse_message_list(plain, neutralise=False))
    system = str(turns.pop(0).text) if turns and turns[0].role is Role.SYSTEM else None
    if any(turn.role is Role.SYSTEM for turn in turns):
        raise StorageError("a system message stands amid the conversation; a session has one, at its beginning.")
    session = Session("", now, now, DEFAULT_MODEL, system=system)
    reasonings = [item.get("reasoning") for item in plain if item["role"] != Role.SYSTEM]
    for number, (turn, reasoning) in enumerate(zip(turns, reasonings, strict=True), start=1):
        message = Message(f"m{number}", turn.role, str(turn.text), session.head, now, reasoning or None)
        session = session.with_message(message)
    first = next((turn.text for turn in turns if turn.role is Role.USER), "")
    return replace(session, title=title_of(first))
