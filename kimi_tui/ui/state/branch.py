"""The messages on screen, and what is asked of them at every key."""

from __future__ import annotations

from functools import cached_property

from kimi_tui.core.session import tree
from kimi_tui.core.session.session import Message, Session


class Branch:
    """The active branch of one state of a session: the work grows with its messages, and is done once."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.messages = tree.branch(session)

    @cached_property
    def by_id(self) -> dict[str, Message]:
        return {message.id: message for message in self.messages}

    @cached_property
    def alternatives(self) -> dict[str, tuple[int, int]]:
        """The place of every message of the session that has alternatives, from 1, and how many there are."""
        families: dict[str | None, list[str]] = {}
        for message in self.session.messages:
            families.setdefault(message.parent, []).append(message.id)
        return {
            id_: (place, len(family))
            for family in families.values()
            if len(family) > 1
            for place, id_ in enumerate(family, start=1)
        }
