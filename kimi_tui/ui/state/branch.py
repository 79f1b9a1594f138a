"""The messages on screen, and what is asked of them at every key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from kimi_tui.core.session import tree
from kimi_tui.core.session.differing_fields import setting_labels
from kimi_tui.core.session.session import Message, Session


class Growing(NamedTuple):
    id: str
    parent: str
    sent: Mapping[str, object] | None = None
    """What its first request sends; None = it is not known."""


class Branch:
    """The active branch of one state of a session: the work grows with its messages, and is done once."""

    def __init__(self, session: Session, growing: tuple[Growing, ...] = ()) -> None:
        self.session, self.growing = session, growing
        self.messages = tree.branch(session)

    @cached_property
    def by_id(self) -> dict[str, Message]:
        return {message.id: message for message in self.messages}

    @cached_property
    def families(self) -> dict[str | None, list[str]]:
        """The messages that share a parent, those that are being written included, in the order of their beginning.

        Most of thousands share none, and stand in no family.
        """
        saved, growing = (message.parent for message in self.session.messages), (it.parent for it in self.growing)
        children = Counter(chain(saved, growing))
        families = {parent: list[str]() for parent, count in children.items() if count > 1}
        for message in self.session.messages:
            if message.parent in families:
                families[message.parent].append(message.id)
        for id_, parent, _ in self.growing:
            family = families.get(parent)
            if family is not None and id_ not in family:
                later = (place for place, other in enumerate(family) if tree.is_later(other, id_))
                family.insert(next(later, len(family)), id_)
        return families

    @cached_property
    def alternatives(self) -> dict[str, tuple[int, int]]:
        """The place of every message that has alternatives, from 1, and how many there are."""
        return {
            id_: (place, len(family))
            for family in self.families.values()
            if len(family) > 1  # a reply that goes on is both saved and being written
            for place, id_ in enumerate(family, start=1)
        }

    @cached_property
    def settings(self) -> dict[str, str]:
        """What the request of a reply says that those of its alternatives do not, in words, by its id."""
        messages = ((message.parent, message.id, message.sent) for message in self.session.messages)
        return setting_labels(chain(messages, ((it.parent, it.id, it.sent) for it in self.growing)))
