"""Where the reply to a raw input stands in the tree: below the question that the input asks, as far as that is known.

What the last turn of the input says is the question, where that is a user's; else the draft that the input holds, else
the question that it was made for. An input that asks nothing gets a stand-in, which no later prompt holds.
"""

from __future__ import annotations

from kimi_tui.core.prompt.neutralise import TextDoor
from kimi_tui.core.prompt.raw_prompt import RawInput
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.core.session.tree import branch
from kimi_tui.engine.openings import Asking, AskingAgain


def raw_opening(
    session: Session, raw: RawInput, door: TextDoor, *, reply_to: str | None, draft: str, edited: str | None
) -> tuple[Asking | AskingAgain, bool]:
    """Say how its turn begins, and whether what is being typed is its question.

    Args:
        session: What it is sent in.
        raw: The input.
        door: How texts are written in inputs of ours.
        reply_to: Id of the question whose request it was made of; None = it was made of the next input.
        draft: What is being typed; "" = nothing that would be sent.
        edited: Id of the question that the draft is an edit of; None = of none.
    """
    asked, known = raw.question(neutralise=door.neutralise), _question(session, reply_to)
    if known is None:
        if draft and (asked == draft or (asked is None and door.foreign(draft) in raw.text)):
            return Asking(draft, edited, raw), True
        known = _open_question(session)
    if known is not None and asked in {None, known.content}:
        return AskingAgain(known.id, raw), False
    if asked is not None:
        return Asking(asked, None if known is None else known.id, raw), False
    return Asking(raw.title, start=raw, is_stand_in=True), False


def _question(session: Session, message_id: str | None) -> Message | None:
    found = session.find(message_id)
    return found if found is not None and found.role is Role.USER else None


def _open_question(session: Session) -> Message | None:
    """The head, where that is a question without a reply; None = it is none."""
    messages = branch(session)
    return messages[-1] if messages and messages[-1].role is Role.USER else None
