"""Branches of a session: where one begins, what it is called, and one as a session of its own."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from kimi_tui.core.session.session import Session
from kimi_tui.core.session.tree import branch

SOURCE = "source"
"""The key of a session's file that says where it came from."""
MAX_NAME_CHARS = 60
BRANCH = "branch"
"""What stands behind the title of a branch without a name that became a session."""


def branch_start(session: Session, message_id: str) -> str:
    """Find the message where the branch of another begins: below the last fork above it, else the first of all.

    KeyError where there is no such message.
    """
    siblings = Counter(message.parent for message in session.messages)
    path = branch(session, message_id)
    return next((it.id for it in reversed(path) if siblings[it.parent] > 1), path[0].id)


def name_of(text: str) -> str:
    """What a branch is called by a text that was typed: one line; "" = nothing."""
    return " ".join(text.split())[:MAX_NAME_CHARS].rstrip()


def with_name(session: Session, message_id: str, name: str) -> Session:
    """Let the branch that begins with a message be called so; "" = nothing."""
    messages = tuple(replace(it, name=name) if it.id == message_id else it for it in session.messages)
    return replace(session, messages=messages)


def branched_off(session: Session, message_id: str) -> Session:
    """A session up to a message, with the same ids, that says what it was taken from; its own id is still the old one.

    KeyError where there is no such message.
    """
    path = branch(session, message_id)
    start = branch_start(session, message_id)
    name = next(it.name for it in path if it.id == start) or BRANCH
    return replace(
        session,
        title=f"{session.title} ({name})".lstrip(),
        messages=path,
        head=path[-1].id,
        extra={**session.extra, SOURCE: f"{session.id} {message_id}"},
    )
