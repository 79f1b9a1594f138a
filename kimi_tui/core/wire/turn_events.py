"""The events of a turn: everything a front end has to know to show a reply as it is written.

They are values: the engine makes them, a screen, a command or a test consumes them with one `match`. Each names its
reply by the id of the message that it will be, which is taken when the turn begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kimi_tui.core.errors import CompletionError, KimiError
from kimi_tui.core.session.growing_reply import ReplyPart, ReplyView
from kimi_tui.core.session.session import Message, MessageState, RequestRecord


class Phase(StrEnum):
    IDLE = "idle"
    WAITING = "waiting"
    """The request is on its way, no token has come."""
    REASONING = "reasoning"
    ANSWERING = "answering"
    FINISHED = "finished"
    """The reply is complete (or queued for a webhook)."""
    STOPPED = "stopped"
    FAILED = "failed"
    """It failed, or the stream broke off."""


_ENDS = frozenset({Phase.FINISHED, Phase.STOPPED, Phase.FAILED})
NEXT_PHASES: dict[Phase, frozenset[Phase]] = {
    Phase.IDLE: _ENDS | {Phase.WAITING},
    Phase.WAITING: _ENDS | {Phase.REASONING, Phase.ANSWERING},
    Phase.REASONING: _ENDS | {Phase.WAITING, Phase.ANSWERING},
    Phase.ANSWERING: _ENDS | {Phase.WAITING},
    **dict.fromkeys(_ENDS, frozenset()),
}
"""The steps a turn may take. A turn of several requests goes back to WAITING between them."""


@dataclass(frozen=True, slots=True)
class TurnBegan:
    """The question stands in the session, and the reply has its place below it (or goes on at it)."""

    reply_id: str
    question: Message


@dataclass(frozen=True, slots=True)
class PhaseChanged:
    reply_id: str
    phase: Phase


@dataclass(frozen=True, slots=True)
class ReplyDelta:
    """Text arrived: the reply's own text holds it, and this says where."""

    reply_id: str
    part: ReplyPart
    start: int
    """Where it begins in its part, in code points."""
    end: int
    tokens: int
    """How many tokens this text was sent as (≥ 0)."""

    def text(self, reply: ReplyView) -> str:
        """The text itself, of the reply that it names."""
        return reply.texts[self.part].between(self.start, self.end)

    def goes_on_with(self, before: ReplyDelta) -> bool:
        return (self.reply_id, self.part, self.start) == (before.reply_id, before.part, before.end)


@dataclass(frozen=True, slots=True)
class ReplyShortened:
    """The end of a part was taken away; deltas told before may reach beyond it."""

    reply_id: str
    part: ReplyPart
    end: int
    """Where the part ends now, in code points."""


@dataclass(frozen=True, slots=True)
class RequestEnded:
    """One request of the turn has ended, and stands on the reply; another may follow."""

    reply_id: str
    record: RequestRecord


@dataclass(frozen=True, slots=True)
class Retrying:
    """An attempt failed before its first token; the next one starts after a pause."""

    reply_id: str
    attempt: int
    """Number of the attempt that follows, from 2."""
    attempts: int
    delay_s: float
    error: CompletionError


@dataclass(frozen=True, slots=True)
class AttemptBegan:
    """The pause before another attempt is over, or was skipped."""

    reply_id: str
    attempt: int
    """Its number, from 2."""


@dataclass(frozen=True, slots=True)
class TurnNotice:
    """Something the user should know that ends nothing, such as a session that could not be saved."""

    reply_id: str
    error: KimiError


@dataclass(frozen=True, slots=True)
class RepliesPlaced:
    """The replies stand in the session now, which is being saved."""

    reply_id: str
    replies: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The last event of every turn."""

    reply_id: str
    phase: Phase
    """FINISHED, STOPPED or FAILED."""
    state: MessageState
    """What became of the reply; also said when there is no message to carry it."""
    replies: tuple[Message, ...]
    """The replies that stand in the session now: several after `num_responses`, none when nothing had arrived."""
    error: CompletionError | None = None
    save_error: KimiError | None = None
    """Why the reply could not be saved; None when it was, or was not to be."""


TurnEvent = (
    TurnBegan
    | PhaseChanged
    | ReplyDelta
    | ReplyShortened
    | RequestEnded
    | Retrying
    | AttemptBegan
    | TurnNotice
    | RepliesPlaced
    | TurnEnded
)
