"""What was deleted and named in a session's tree, so that it can be undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from kimi_tui.core.session import tree
from kimi_tui.core.session.session import Message, Session
from kimi_tui.core.session.tree import with_name
from kimi_tui.engine.open_session import OpenSession


class Deletion(NamedTuple):
    before: Session
    message_id: str


class Naming(NamedTuple):
    message_id: str
    """Of the message where the branch begins."""
    before: str
    """What it was called; "" = nothing."""


@dataclass(slots=True, eq=False)
class TreeSteps:
    _steps: list[Deletion | Naming] = field(default_factory=list)  # the last one last

    def __len__(self) -> int:
        return len(self._steps)

    @property
    def has_deleted_last(self) -> bool:
        return bool(self._steps) and isinstance(self._steps[-1], Deletion)

    def delete(self, open_session: OpenSession, message_id: str) -> None:
        before = open_session.value
        after = open_session.update(lambda value: tree.without(value, message_id))
        open_session.reserve_ids({it.id for it in before.messages} - {it.id for it in after.messages})
        self._steps.append(Deletion(before, message_id))

    def name_branch(self, open_session: OpenSession, message_id: str, name: str) -> str:
        """Name the branch that begins with a message; what it was called is given."""
        before = tree.message_of(open_session.value, message_id).name
        open_session.update(lambda value: with_name(value, message_id, name))
        if name != before:
            self._steps.append(Naming(message_id, before))
        return before

    def undo(self, open_session: OpenSession) -> tuple[Deletion | Naming, int]:
        """Take back the last deletion or name, and give it: what was deleted is there again with the same ids.

        The number is how many messages came back.
        """
        open_session.refuse_if_read_only()
        step = self._steps.pop()
        if isinstance(step, Naming):
            open_session.update(lambda value: with_name(value, *step))
            return step, 0
        here = {message.id for message in open_session.value.messages}
        lost = [message for message in step.before.messages if message.id not in here]
        open_session.update(lambda value: _with_messages(value, step.before, lost))
        return step, len(lost)


def _with_messages(session: Session, before: Session, lost: Sequence[Message]) -> Session:
    """Put messages back in their order of creation; those that were added since stand behind."""
    known = {message.id for message in before.messages}
    kept = {message.id: message for message in session.messages}
    back = {message.id for message in lost}
    old = [kept.get(message.id, message) for message in before.messages if message.id in kept or message.id in back]
    new = [message for message in session.messages if message.id not in known]
    head = before.head or before.messages[-1].id  # without a head it was the last one, which may be another now
    return replace(session, messages=(*old, *new), head=head)
