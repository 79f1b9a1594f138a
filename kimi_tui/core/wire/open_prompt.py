"""The exact input of each request of a turn: what stands before the reply, written once, and the reply so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from kimi_tui.core.prompt.past_prompt import PastPrompt
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.prompt.template import THINK_CLOSE, Template, open_turn, render_turn
from kimi_tui.core.prompt.turns import conversation_turns
from kimi_tui.core.session.growing_reply import GrowingReply, ReplyPart
from kimi_tui.core.session.session import Session
from kimi_tui.core.session.tree import branch
from kimi_tui.core.wire.think import PromptEnd


@dataclass(frozen=True, slots=True)
class OpenPrompt:
    """The exact input of a request."""

    text: str
    """All of it."""
    end: PromptEnd
    """Where it ends."""


@dataclass(frozen=True, slots=True)
class ClosedPrompt:
    """What stands before the reply."""

    text: str
    """All of it, exactly."""
    template: Template
    """How it is written."""

    @classmethod
    def of(cls, session: Session, reply: GrowingReply, request: RequestSettings) -> Self:
        """Write it; that of a reply that is gone on with as it was written then."""
        messages = branch(session, reply.question_id)
        if reply.is_new:
            turns = conversation_turns(messages, session.system, neutralise=request.neutralise)
            return cls("".join(render_turn(turn, request.template) for turn in turns), request.template)
        past = PastPrompt.of(session, reply.beginning)
        return cls(past.system_block() + "".join(map(past.closed_turn, messages)), past.template)

    def followed_by(self, reply: GrowingReply) -> OpenPrompt:
        """Write the whole input, which ends with all that the reply says so far."""
        reasoning, content = str(reply.texts[ReplyPart.REASONING]), str(reply.texts[ReplyPart.ANSWER])
        text = self.text + open_turn(self.template, thinking=True) + reasoning
        if reply.is_thinking:
            return OpenPrompt(text, PromptEnd.REASONING if reasoning else PromptEnd.THINKING)
        text += THINK_CLOSE + content
        return OpenPrompt(text, PromptEnd.ANSWER if reasoning or content else PromptEnd.THOUGHT)
