"""Other answers to the thinking of a reply: what the commands for them ask for."""

from __future__ import annotations

from kimi_tui.core.session.session import Message
from kimi_tui.engine.openings import AnsweringAgain


def answering_opening(action_id: str, argument: str, reply: Message) -> AnsweringAgain | None:
    """What a typed command begins, which need not be whole yet; None = it asks for no answer to that."""
    del argument
    return AnsweringAgain(reply) if action_id == "another-answer" else None
