"""Where the next request is cut for want of room, as the screen shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kimi_tui.core.text.counts import counted

if TYPE_CHECKING:  # the names of types only: few sessions are cut
    from kimi_tui.core.prompt.next_cuts import BranchSizes, NextCuts
    from kimi_tui.core.session.session import Session


@dataclass(frozen=True, slots=True)
class NextCut:
    place: int = 0
    """Of the first message of the branch that is sent; 0 = all of it is."""
    left_out: frozenset[str] | None = None
    """Ids of all messages that are not sent; None = those that are excluded."""
    count: int = 0
    """How many of these there is no room for."""
    has_pinned: bool = False
    """Whether pinned messages before it are sent."""
    last: int = 0
    """Where the last request was cut."""

    @property
    def words(self) -> str:
        pinned = " Pinned ones are sent." if self.has_pinned else ""
        return f"Not sent from here up, for want of room: {counted(self.count, 'message')}.{pinned}"


NO_CUT = NextCut()


@dataclass(slots=True, eq=False)
class Room:
    """What is known of the room for a chat's next request, so that it is measured and told once."""

    cut: NextCut = NO_CUT
    """As it was looked at last."""
    typed_tokens: int = 0
    """What is being typed takes so many, estimated."""
    told_place: int = 0
    """The furthest place of a cut that was told."""
    is_near_told: bool = False
    """Whether it was told that the context window is nearly full."""
    sizes: BranchSizes | None = None
    asked: tuple[Session, str | None, Session] | None = None
    """The chat's session, the question that is edited, and the session that ends before it."""
    found: tuple[NextCuts, int, NextCut] | None = None
    """What the last cut at a place came to."""
