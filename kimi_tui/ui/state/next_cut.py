"""Where the next request is cut for want of room, as the screen shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kimi_tui.core.text.counts import counted

if TYPE_CHECKING:  # the names of types only: few sessions are cut
    from kimi_tui.core.prompt.leaving_out import TurnCuts
    from kimi_tui.core.prompt.neutralise import TextDoor
    from kimi_tui.core.prompt.prompt_writer import PromptWriter
    from kimi_tui.core.session.session import Message


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
        """What the line above the first message that is sent says."""
        pinned = " Pinned ones are sent." if self.has_pinned else ""
        return f"Not sent from here up, for want of room: {counted(self.count, 'message')}.{pinned}"


NO_CUT = NextCut()


@dataclass(slots=True, eq=False)
class CutMemo:
    """What was measured of a chat, so that it is measured once."""

    door: TextDoor | None = None
    """How the texts were made harmless whose sizes these are."""
    sizes: dict[str, tuple[Message, bool, int]] = field(default_factory=dict)
    """By the message's id: of which message, whether with its thinking, in tokens."""
    measured: tuple[tuple[object, ...], PromptWriter, TurnCuts | None] | None = None
    """Of what, and what came of it."""
    found: tuple[TurnCuts, NextCut] | None = None
