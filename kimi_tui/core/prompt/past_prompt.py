"""The exact input of a past turn, rebuilt from what its reply keeps of the request."""

from __future__ import annotations

from dataclasses import dataclass

from kimi_tui.core.prompt.neutralise import encode, verbatim
from kimi_tui.core.prompt.template import DEFAULT_TEMPLATE, TEMPLATES, PromptTurn, Template, open_turn, render_turn
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.core.session.tree import branch, message_of


def prompt_of(session: Session, message_id: str) -> str:
    """Rebuild the exact input that a reply answered, from what the reply keeps of its request.

    Messages that its prompt left out are those the reply names, whatever is marked as excluded now.
    """
    message = message_of(session, message_id)
    messages = () if message.parent is None else branch(session, message.parent)
    past = PastPrompt.of(session, message)
    return past.system_block() + "".join(map(past.closed_turn, messages)) + past.open_turn(message)


@dataclass(frozen=True, slots=True)
class PastPrompt:
    """How the prompt of a past reply was written; replies that share it continue one another's prompts."""

    template: Template
    """Whose role names it used; the default where the reply names none that is known."""
    system: str | None
    """The system prompt as sent; None = none."""
    neutralise: bool
    """Whether control markers were made harmless."""
    left_out: frozenset[str]
    """Ids of messages that it left out."""

    @classmethod
    def of(cls, session: Session, reply: Message) -> PastPrompt:
        """Read it from what the reply keeps; what it does not say is as the session has it."""
        template = TEMPLATES.get(reply.template or DEFAULT_TEMPLATE, TEMPLATES[DEFAULT_TEMPLATE])
        sent = session.system if reply.system is None else reply.system
        return cls(template, None if sent is False else sent, reply.neutralise, frozenset(reply.left_out))

    def system_block(self) -> str:
        """Write the beginning of the prompt; "" where it has no system prompt."""
        return "" if self.system is None else self._turn(Role.SYSTEM, self.system)

    def closed_turn(self, message: Message) -> str:
        """Write one message before the reply; "" where it was not sent."""
        if message.id in self.left_out or message.is_only_queued:
            return ""
        return self._turn(message.role, message.content)

    def open_turn(self, reply: Message) -> str:
        """Write the end of the prompt."""
        return open_turn(self.template, thinking=reply.thinking is not False and not reply.reopened)

    def _turn(self, role: Role, text: str) -> str:
        return render_turn(PromptTurn(role, (encode if self.neutralise else verbatim)(text)), self.template)
