"""What a reply's prompt said besides its messages; a reply notes what the session does not say any more."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, replace
from typing import Literal

from kimi_tui.core.session import tree
from kimi_tui.core.session.session import Message, Session


@dataclass(frozen=True, slots=True)
class SentContext:
    system: str | None
    left_out: tuple[str, ...] = ()

    @classmethod
    def of(cls, session: Session, left_out: Set[str] | None = None) -> SentContext:
        """Note it of a session whose head is the question; `left_out` None = what is excluded, no more and no less."""
        gone = (m.id for m in tree.branch(session) if (m.excluded if left_out is None else m.id in left_out))
        return cls(session.system, tuple(gone))

    def noted_on(self, reply: Message, session: Session) -> Message:
        """Put onto a reply what the session does not say any more; a raw input says all of it itself."""
        if reply.raw_input is not None:
            return reply
        sent: str | Literal[False] = False if self.system is None else self.system
        return replace(reply, system=None if self.system == session.system else sent, left_out=self.left_out)
