"""The turns of the next prompt: which messages are sent, and their texts made harmless."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from kimi_tui.core.prompt.neutralise import encode, verbatim
from kimi_tui.core.prompt.template import PromptTurn, Template, render_prompt
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.core.session.tree import branch, question_parent


def conversation_turns(
    messages: Iterable[Message], system: str | None, *, neutralise: bool = True, left_out: Collection[str] = ()
) -> tuple[PromptTurn, ...]:
    """Make the turns of the next prompt.

    Args:
        messages: A branch.
        system: The system prompt; None = none, "" = an empty one.
        neutralise: Whether control markers in texts are made harmless.
        left_out: Ids of messages that are not sent, besides those marked as excluded.
    """
    make, absent = encode if neutralise else verbatim, frozenset(left_out)
    turns = [] if system is None else [PromptTurn(Role.SYSTEM, make(system))]
    turns += [
        PromptTurn(message.role, make(message.content))
        for message in messages
        if not message.excluded and message.id not in absent and not message.is_only_queued
    ]
    return tuple(turns)


def next_prompt(
    session: Session, *, template: Template, thinking: bool, neutralise: bool = True, draft: str | None = None
) -> str:
    """Write the exact input of the next turn.

    Args:
        session: The session; a branch that ends with a reply shows it closed, then the open turn.
        template: Whose role names to use.
        thinking: Whether the think block is left open.
        neutralise: Whether control markers in texts are made harmless.
        draft: A question that is not in the session yet; it stands where the engine would add it.
    """
    messages = branch(session)
    if draft is not None:
        parent = question_parent(session)
        messages = () if parent is None else branch(session, parent)
        messages = (*messages, Message("", Role.USER, draft))
    turns = conversation_turns(messages, session.system, neutralise=neutralise)
    return render_prompt(turns, template, thinking=thinking)
