"""The notices in a chat's conversation, in the order in which they were said."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kimi_tui.ui.state.entry import Entry

PASSING = "info"
"""Severity of notices that go away with the next question."""
REFUSED = "refused"
"""What notices are about that say why a command cannot be done now: they go when a reply begins or ends."""


@dataclass(frozen=True, slots=True)
class PlacedNotice:
    after: str | None
    """Id of the message that it stands behind; None = at the beginning."""
    entry: Entry
    about: str = ""
    """What it is about, where a later notice about the same replaces it; "" = it stays."""


class Notices(list[PlacedNotice]):
    def drop(self, about: str) -> None:
        self[:] = [notice for notice in self if notice.about != about]

    def drop_passing(self) -> None:
        self[:] = [notice for notice in self if notice.entry.severity != PASSING]

    def settle(self, live_key: str, message_id: str) -> None:
        """Let those behind a growing reply stand behind a message, since it has become none."""
        self[:] = [replace(notice, after=message_id) if notice.after == live_key else notice for notice in self]

    def by_place(self) -> dict[str | None, list[Entry]]:
        """By what they stand behind."""
        after: dict[str | None, list[Entry]] = {}
        for notice in self:
            after.setdefault(notice.after, []).append(notice.entry)
        return after
