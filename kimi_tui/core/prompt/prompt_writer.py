"""The one writer of prompts: which messages are sent, how each stands in the input, and how the input ends.

The next prompt, the prompt of a past reply and what the prompt pane shows are the same parts, joined.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Self

from kimi_tui.core.prompt.control_tokens import JOINER
from kimi_tui.core.prompt.neutralise import TextDoor
from kimi_tui.core.prompt.open_turn import OpenTurn
from kimi_tui.core.prompt.prompt_syntax import PromptTurn, write_open_turn, write_turn
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.prompt.template import DEFAULT_TEMPLATE, TEMPLATES
from kimi_tui.core.prompt.token_estimate import estimate_tokens
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.core.session.tree import branch, message_of, question_parent


class PartKind(StrEnum):
    """What a part of a prompt is, in the word that is shown."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    DRAFT = "draft"
    OPEN = "open turn"


_KINDS = {Role.USER: PartKind.USER, Role.ASSISTANT: PartKind.ASSISTANT}


@dataclass(frozen=True)
class PromptPart:
    """Markers included."""

    kind: PartKind
    text: str
    neutralised: int = 0
    """How many places in it were made harmless."""
    message_id: str | None = None
    """Id of the message it was made of; None = of none."""

    @property
    def key(self) -> str:
        """Unique among the parts of a prompt, and the same while it is the same part."""
        return self.kind.value if self.message_id is None else f"message {self.message_id}"

    @cached_property
    def tokens(self) -> int:
        """Estimated."""
        return estimate_tokens(self.text)


@dataclass(frozen=True, slots=True)
class PromptWriter:
    """How a prompt is written. What two replies were asked by an equal one are beginnings of the same text."""

    door: TextDoor
    system: str | None
    """As sent; None = none."""
    left_out: frozenset[str] | None = None
    """Ids of messages that are not sent; None = those that are marked as excluded now."""

    @classmethod
    def of_next(cls, session: Session, request: RequestSettings) -> Self:
        return cls(request.door, session.system)

    @classmethod
    def of_past(cls, session: Session, reply: Message) -> Self:
        """The writer of a past reply's prompt, as far as the reply says; else as the session has it.

        A reply that names no known template is taken to be of the default one.
        """
        template = TEMPLATES.get(reply.template or DEFAULT_TEMPLATE.name, DEFAULT_TEMPLATE)
        sent = session.system if reply.system is None else reply.system
        door = TextDoor(template, reply.neutralise)
        return cls(door, None if sent is False else sent, frozenset(reply.left_out))

    def open_turn_of(self, reply: Message) -> OpenTurn:
        """The one that its first request was sent with."""
        begun = reply.begun
        if begun is None:
            return OpenTurn.of(self.door, is_closed=reply.thinking is False or reply.reopened)
        thought = (reply.reasoning or "") + reply.cut_tail
        return OpenTurn.of(
            self.door,
            is_closed=begun.content is not None,
            reasoning=thought[: begun.reasoning],
            answer=reply.content[: begun.content or 0],
            written=reply.written,
        )

    def going_on_part(self, reply: Message) -> PromptPart:
        """What a prompt ends with that goes on with a reply."""
        open_turn = OpenTurn.of(
            self.door,
            is_closed=not reply.has_open_block,
            reasoning=reply.reasoning or "",
            answer=reply.content,
            written=reply.written,
        )
        return self.open_part(open_turn)

    def closed_parts(self, messages: Iterable[Message]) -> Iterator[PromptPart]:
        parts = itertools.chain([self.system_part()], map(self.message_part, messages))
        return (part for part in parts if part is not None)

    def system_part(self) -> PromptPart | None:
        """None = there is no system prompt."""
        return None if self.system is None else self._part(PartKind.SYSTEM, Role.SYSTEM, self.system)

    def message_part(self, message: Message) -> PromptPart | None:
        """A reply without its reasoning; None = it is not sent."""
        is_left_out = message.excluded if self.left_out is None else message.id in self.left_out
        if is_left_out or message.is_only_queued:
            return None
        return self._part(_KINDS[message.role], message.role, message.content, message.id)

    def draft_part(self, text: str) -> PromptPart:
        return self._part(PartKind.DRAFT, Role.USER, text)

    def open_part(self, open_turn: OpenTurn) -> PromptPart:
        return PromptPart(PartKind.OPEN, write_open_turn(open_turn, self.door.template))

    def _part(self, kind: PartKind, role: Role, source: str, message_id: str | None = None) -> PromptPart:
        turn = PromptTurn(role, self.door.foreign(source))
        neutralised = turn.text.count(JOINER) - source.count(JOINER)
        return PromptPart(kind, write_turn(turn, self.door.template), neutralised, message_id)


def next_prompt(session: Session, request: RequestSettings, draft: str | None = None) -> str:
    """Write the exact input of the next turn; a branch that ends with a reply shows it closed, then the open turn.

    `draft` = a question that is not in the session yet; it stands where the engine would add it.
    """
    writer, messages = PromptWriter.of_next(session, request), branch(session)
    if draft is not None:
        parent = question_parent(session)
        messages = () if parent is None else branch(session, parent)
    tail = [writer.open_part(request.open_turn)]
    if draft is not None:
        tail.insert(0, writer.draft_part(draft))
    return "".join(part.text for part in (*writer.closed_parts(messages), *tail))


def past_prompt(session: Session, message_id: str) -> str:
    """Rebuild the exact input that a reply answered, from what the reply keeps of its request.

    Left out are the messages that the reply names, whatever is excluded now. Raises KeyError for an unknown id.
    """
    return "".join(part.text for part in past_parts(session, message_of(session, message_id)))


def past_parts(session: Session, reply: Message) -> tuple[PromptPart, ...]:
    """The parts of that input; the last one is the open turn."""
    writer = PromptWriter.of_past(session, reply)
    messages = () if reply.parent is None else branch(session, reply.parent)
    return (*writer.closed_parts(messages), writer.open_part(writer.open_turn_of(reply)))
