"""Which of the oldest turns a prompt leaves out, so that it fits the room that it has: a decision on sizes alone.

A cut is the place of the first message that is sent; it stands before a whole turn, a question with its replies. What
is pinned before it is sent all the same, where that is asked for. A cut goes further than it must, and stays for the
turns that follow while they fit: so these begin with the same text, which the endpoint has in its cache.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import neg
from typing import Self

from kimi_tui.core.session.session import Message, Role

GOAL = 0.8
"""The share of the room that is filled right behind a cut."""


class OverBudget(StrEnum):
    """What becomes of a conversation for which there is no room any more."""

    REFUSE = "refuse"
    """It is sent whole, unless it surely cannot fit."""
    LEAVE_OUT = "leave-out"
    """The oldest turns are not sent."""
    KEEP_PINNED = "keep-pinned"
    """The oldest turns are not sent, but for pinned messages."""


@dataclass(frozen=True, slots=True)
class TurnCuts:
    """Where a conversation can be cut, measured once: what a draft adds to it is said with each question."""

    messages: Sequence[Message]
    room_tokens: int
    keeps_pinned: bool
    last: int
    """Where the last request was cut; 0 = nowhere."""
    places: Sequence[int]
    """Of the cuts that were measured, the latest first: the next one exceeds the room."""
    tokens: Sequence[int]
    """What is sent of the messages with each of these, in ascending order."""

    @classmethod
    def of(
        cls,
        messages: Sequence[Message],
        tokens_of: Callable[[Message], int],
        room_tokens: int,
        *,
        keeps_pinned: bool = False,
        is_asked: bool = False,
        sent_before: Sequence[str] | None = None,
    ) -> Self:
        """`tokens_of` gives what a message takes where it is sent; no more of them are measured than the room holds.

        `is_asked` = a question follows that is none of the messages, so that all of them can be left out.
        `sent_before` = ids that the last request left out; None = those of the newest reply among the messages.
        """
        last = _last_cut(messages, sent_before, keeps_pinned=keeps_pinned)
        total = sum(tokens_of(message) for message in messages if message.pinned) if keeps_pinned else 0
        places, tokens = [len(messages)] * is_asked, [total] * is_asked
        for place in reversed(range(len(messages))):
            message = messages[place]
            total += 0 if keeps_pinned and message.pinned else tokens_of(message)
            if place == 0 or message.role is Role.USER:
                places.append(place)
                tokens.append(total)
                if total > room_tokens:
                    break
        return cls(messages, room_tokens, keeps_pinned, last, places, tokens)

    def cut(self, more_tokens: int) -> int:
        """Where it is cut when the rest of the prompt takes so many tokens; 0 = nowhere.

        The newest turn is always sent, whether it fits or not.
        """
        if not self.places:
            return 0
        within_goal = bisect_right(self.tokens, int(self.room_tokens * GOAL) - more_tokens)
        new = self.places[max(within_goal - 1, 0)]
        known = bisect_left(self.places, -self.last, key=neg)
        is_known = known < len(self.places) and self.places[known] == self.last
        stays = new > 0 and is_known and self.tokens[known] + more_tokens <= self.room_tokens
        return self.last if stays else new

    def left_out(self, cut: int) -> tuple[str, ...]:
        """Ids of the messages that are not sent then, those that are excluded anyway among them."""
        return tuple(
            message.id
            for place, message in enumerate(self.messages)
            if message.excluded or (place < cut and not (self.keeps_pinned and message.pinned))
        )


def _last_cut(messages: Sequence[Message], sent_before: Sequence[str] | None, *, keeps_pinned: bool) -> int:
    """Behind the turns of which the last request sent nothing but pinned messages; one written by hand says nothing."""
    if sent_before is None:
        replies = (it for it in reversed(messages) if it.role is Role.ASSISTANT and it.raw_input is None)
        sent_before = next((reply.left_out for reply in replies), ())
    gone = frozenset(sent_before)
    if not gone:
        return 0
    end = next(
        (at for at, it in enumerate(messages) if it.id not in gone and not (keeps_pinned and it.pinned)), len(messages)
    )
    while 0 < end < len(messages) and messages[end].role is not Role.USER:
        end -= 1
    return end
