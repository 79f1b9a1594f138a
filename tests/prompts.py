"""Whole inputs, as the program joins them from their parts."""

from __future__ import annotations

from kimi_tui.core.prompt.next_cuts import next_parts
from kimi_tui.core.prompt.prompt_view import PromptView, request_view
from kimi_tui.core.prompt.prompt_writer import past_parts
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.core.session.tree import message_of, question_parent


def with_question(session: Session, question: str) -> Session:
    """The session with a question as the engine would add it."""
    (id_,) = session.next_message_ids(1)
    return session.with_message(Message(id_, Role.USER, question, question_parent(session)))


def next_prompt(session: Session, request: RequestSettings, draft: str | None = None) -> str:
    """The input of the next turn; `draft` = a question that is not in the session yet."""
    session = session if draft is None else with_question(session, draft)
    return "".join(part.text for part in next_parts(session, request)[0])


def past_prompt(session: Session, message_id: str) -> str:
    """The input that a reply answered, rebuilt."""
    return "".join(part.text for part in past_parts(session, message_of(session, message_id)))


def past_view(session: Session, message_id: str, window_tokens: int) -> PromptView:
    """That input as its parts."""
    return request_view(session, message_of(session, message_id), 0, window_tokens)
