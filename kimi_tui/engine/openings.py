"""What a turn begins with: a new question, or one that stands in the session."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from kimi_tui.core.errors import CompletionError
from kimi_tui.core.session import tree
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.core.text.surrogates import replace_lone


@dataclass(frozen=True, slots=True)
class Asking:
    """A new question."""

    text: str
    """What was typed; lone surrogates become U+FFFD."""
    alternative_to: str | None = None
    """Id of the question that it becomes an alternative of; None = it goes on after the head."""

    def apply(self, session: Session, question_id: str, now: datetime) -> Session:
        """Add it as the head, with that id; the first question of a session gives it its title.

        Raises:
            CompletionError: The question that it is an alternative of is gone.
        """
        edited = None if self.alternative_to is None else _question(session, self.alternative_to)
        parent = tree.question_parent(session) if edited is None else edited.parent
        message = Message(question_id, Role.USER, replace_lone(self.text), parent, now)
        title = session.title or tree.title_of(message.content)
        return replace(session.with_message(message), title=title, updated=now)


@dataclass(frozen=True, slots=True)
class AskingAgain:
    """A question that stands in the session; the replies it has become alternatives."""

    question_id: str
    """Its id."""

    def apply(self, session: Session, question_id: str, now: datetime) -> Session:
        """Make it the head.

        Raises:
            CompletionError: It is gone.
        """
        return replace(session, head=_question(session, question_id).id, updated=now)


Opening = Asking | AskingAgain
"""How a turn begins: a session and the id of its question in, one with the question as its head out."""


def _question(session: Session, question_id: str) -> Message:
    found = next((m for m in session.messages if m.id == question_id and m.role is Role.USER), None)
    if found is None:
        raise CompletionError("The question is not in the session any more.", "Nothing was sent.")
    return found
