"""What holds for the next reply alone, until it begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kimi_tui.core.settings.field_text import short_text
from kimi_tui.core.settings.sampling import RequestOptions

if TYPE_CHECKING:  # the names of types only: a chat opens without any turn
    from kimi_tui.core.session.reply_edits import ReplyStart
    from kimi_tui.core.wire.thinking_budget import Budget
    from kimi_tui.ui.state.answers import Answers


@dataclass(frozen=True, slots=True)
class NextReply:
    budget: Budget | None = None
    """How much it may think; None = as the session says."""
    start: ReplyStart | None = None
    """What it begins with; None = with nothing of the user's."""
    stops: tuple[str, ...] = ()
    """Words that it is to stop at, beside what stops every one."""
    answers: Answers | None = None
    """How many answers the thinking about the next question gets; None = one."""

    @property
    def options(self) -> RequestOptions:
        return RequestOptions(more_stops=self.stops)

    @property
    def words(self) -> list[str]:
        """What holds for it, in words that follow "the next reply"; a budget stands in the title."""
        found = list[str]()
        if self.start is not None:
            found.append(f"{self.start.words}  (/{self.start.command} alone takes that back)")
        if self.stops:
            found.append(f"stops at {short_text('stop', list(self.stops))}  (/stop-at off takes that back)")
        if self.answers is not None:
            found.append(f"has {self.answers}  (/answers off takes that back)")
        return found


NOTHING_ASKED = NextReply()
