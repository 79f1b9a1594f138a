"""A file from elsewhere as a session: one of ours, or a list of messages as JSON or JSON Lines."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from kimi_tui.adapters.store.session_reading import changed_at, read_bytes
from kimi_tui.core.errors import KimiError, StorageError, UsageError
from kimi_tui.core.session.codec import decode_session
from kimi_tui.core.session.file_formats import IMPORTED, likely_formats
from kimi_tui.core.session.session import DEFAULT_MODEL, Message, Role, Session, ThinkingEnd
from kimi_tui.core.session.tree import title_of
from kimi_tui.core.wire.message_list import MessageList, is_message_list, read_message_list


def parse_foreign(path: Path, now: datetime, *, is_pipe_allowed: bool = False) -> tuple[Session, str]:
    """Read a file as a session of that moment; one without a title is called after the file.

    A pipe may lack the ending that tells a file's form. The text is what is told of what was left aside; "" = nothing.
    StorageError where it cannot be read, or is neither.
    """
    is_pipe = is_pipe_allowed and path.is_fifo()
    form = IMPORTED.get(path.suffix.lower())
    if form is None and not is_pipe:
        raise StorageError(
            f"{path} cannot be imported: its name ends in none of {', '.join(IMPORTED)}.",
            "Sessions can be imported, and lists of messages as JSON or JSON Lines.",
        )
    data = read_bytes(path, is_pipe_allowed=is_pipe_allowed)
    try:
        plain = (form or likely_formats(data.decode("utf-8", "replace"))[0]).load(data)
        if is_message_list(plain):
            listed = read_message_list(plain)
            session, rest = _from_list(listed, now), listed.words_for_rest
        else:
            session, rest = decode_session(plain, changed_at(path)), ""
    except KimiError as error:
        raise StorageError(f"{path} cannot be imported: {error.summary}", error.hint) from None
    return session if session.title or is_pipe else replace(session, title=title_of(path.stem)), rest


def _from_list(listed: MessageList, now: datetime) -> Session:
    """A leading system message becomes the system prompt; another one raises UsageError."""
    messages = list(listed.messages)
    system = messages.pop(0).content if messages and messages[0].role is Role.SYSTEM else None
    session = Session("", now, now, DEFAULT_MODEL, system=system)
    for number, said in enumerate(messages, start=1):
        if said.role is Role.SYSTEM:
            place = number if system is not None else number - 1
            raise UsageError(f"messages[{place}].role: a session has one system message, at its beginning.")
        message = Message(
            f"m{number}",
            said.role,
            said.content,
            session.head,
            now,
            said.reasoning,
            thinking_end=ThinkingEnd.MODEL if said.is_thought_out else None,
        )
        session = session.with_message(message)
    first = next((message.content for message in messages if message.role is Role.USER), "")
    return replace(session, title=title_of(first))
