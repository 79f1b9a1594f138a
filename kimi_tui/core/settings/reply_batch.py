"""Several replies to one question: which of them may begin, which wait, and how each has ended (bounded concurrency).

A value: who carries it out begins what is `due`, and says what came of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.session import MessageState

MOST_AT_ONCE = 4
"""How many of them run at the same time; the others wait."""


@dataclass(frozen=True, slots=True)
class Member:
    setting: str
    """What its request says that those of the others do not; "" = nothing."""
    request: RequestSettings
    """What it is asked with, as it was resolved when all of them began."""
    reply_id: str | None = None
    """None = it has not begun."""
    state: MessageState | None = None
    """How it ended; None = it has not."""
    problem: str = ""
    """Why it failed, in words."""

    @property
    def is_waiting(self) -> bool:
        return self.reply_id is None and self.state is None

    @property
    def is_running(self) -> bool:
        return self.reply_id is not None and self.state is None


@dataclass(frozen=True, slots=True)
class ReplyBatch:
    question_id: str
    members: tuple[Member, ...]
    what: str = ""
    """What they differ in, such as "temperature"; "" = in nothing."""

    @property
    def due(self) -> tuple[int, ...]:
        """The places of those that may begin now, in their order."""
        room = MOST_AT_ONCE - sum(member.is_running for member in self.members)
        return self.waiting[: max(room, 0)]

    @property
    def waiting(self) -> tuple[int, ...]:
        return tuple(place for place, member in enumerate(self.members) if member.is_waiting)

    @property
    def is_over(self) -> bool:
        return all(member.state is not None for member in self.members)

    def has(self, reply_id: str) -> bool:
        return any(member.reply_id == reply_id for member in self.members)

    def setting_of(self, reply_id: str) -> str:
        """What one's request says that those of the others do not; "" = nothing, or it is none of them."""
        return next((member.setting for member in self.members if member.reply_id == reply_id), "")

    def begun(self, place: int, reply_id: str) -> ReplyBatch:
        return self._with(place, lambda member: replace(member, reply_id=reply_id))

    def refused(self, place: int, problem: str) -> ReplyBatch:
        return self._with(place, lambda member: replace(member, state=MessageState.FAILED, problem=problem))

    def dropped(self, place: int) -> ReplyBatch:
        """It is not to begin any more; one that has begun stays as it is."""
        return self._with(place, _dropped)

    def without_waiting(self) -> ReplyBatch:
        return replace(self, members=tuple(map(_dropped, self.members)))

    def ended(self, reply_id: str, state: MessageState, problem: str = "") -> ReplyBatch:
        """One that is none of them, or has ended before, changes nothing."""
        return replace(
            self,
            members=tuple(
                replace(member, state=state, problem=problem)
                if member.reply_id == reply_id and member.is_running
                else member
                for member in self.members
            ),
        )

    def _with(self, place: int, change: Callable[[Member], Member]) -> ReplyBatch:
        members = list(self.members)
        members[place] = change(members[place])
        return replace(self, members=tuple(members))


NO_BATCH = ReplyBatch("", ())


def _dropped(member: Member) -> Member:
    return replace(member, state=MessageState.CANCELLED) if member.is_waiting else member
