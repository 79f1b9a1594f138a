"""The one writer of prompts: which messages are sent, how each stands in the input, and how the input ends.

The next prompt, the prompt of a past reply and what the prompt pane shows are the same parts, joined.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Self

from kimi_tui.core.prompt.control_tokens import JOINER
from kimi_tui.core.prompt.neutralise import TextDoor
from kimi_tui.core.prompt.open_turn import OpenTurn
from kimi_tui.core.prompt.prompt_syntax import PromptTurn, write_open_turn, write_turn
from kimi_tui.core.prompt.raw_prompt import raw_continuation
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.prompt.template import template_of
from kimi_tui.core.prompt.token_estimate import TextCounts, counts_of
from kimi_tui.core.session import tree
from kimi_tui.core.session.kept_thinking import KeptThinking
from kimi_tui.core.session.request_starts import TextSoFar, text_begun, was_answered_unthought
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.core.session.written import WrittenRange


class PartKind(StrEnum):
    """What a part of a prompt is, in the word that is shown."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    DRAFT = "draft"
    OPEN = "open turn"
    RAW = "raw input"


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
    thinking: str = ""
    """The thinking of an earlier turn that stands in it, as it is sent."""

    @property
    def key(self) -> str:
        """Unique among the parts of a prompt, and the same while it is the same part."""
        return self.kind.value if self.message_id is None else f"message {self.message_id}"

    @cached_property
    def counts(self) -> TextCounts:
        return counts_of(self.text)

    @cached_property
    def thinking_counts(self) -> TextCounts:
        return counts_of(self.thinking)


PartMaker = Callable[[Message, bool], PromptPart | None]
"""Makes the part of a message, with its thinking or without; None = it is not sent."""


@dataclass(frozen=True, slots=True)
class PromptWriter:
    """How a prompt is written. What two replies were asked by an equal one are beginnings of the same text."""

    door: TextDoor
    system: str | None
    """As sent; None = none."""
    left_out: frozenset[str] | None = None
    """Ids of messages that are not sent; None = those that are marked as excluded now."""
    kept_thinking: KeptThinking = 0
    """Of how many of the last replies that are sent the thinking is sent along."""

    @classmethod
    def of_next(cls, session: Session, request: RequestSettings) -> Self:
        return cls(request.door, session.system, kept_thinking=request.kept_thinking)

    @classmethod
    def of_past(cls, session: Session, reply: Message) -> Self:
        """The writer of a past reply's prompt, as far as the reply says; else as the session has it."""
        sent = session.system if reply.system is None else reply.system
        door = TextDoor(template_of(reply.template), reply.neutralise)
        return cls(door, None if sent is False else sent, frozenset(reply.left_out), reply.kept_thinking)

    def open_turn_of(self, reply: Message) -> OpenTurn:
        """The one that its first request was sent with."""
        if reply.begun is None:
            is_closed = reply.thinking is False or reply.reopened or was_answered_unthought(reply)
            return OpenTurn.of(self.door, is_closed=is_closed)
        so_far = text_begun(reply, (reply.reasoning or "") + reply.cut_tail, reply.content)
        return self.open_turn_at(so_far, reply.written)

    def open_turn_at(self, so_far: TextSoFar, written: Collection[WrittenRange]) -> OpenTurn:
        """The one that goes on with what a reply says by then; `written` = what of it the user wrote."""
        return OpenTurn.of(
            self.door,
            is_closed=not so_far.is_thinking,
            reasoning=so_far.reasoning,
            answer=so_far.content,
            written=written,
        )

    def closed_parts(self, messages: Sequence[Message], part_of: PartMaker | None = None) -> Iterator[PromptPart]:
        """The system prompt and the messages that are sent, each made by `part_of`; None = by `message_part`."""
        kept, make = self.with_thinking(messages), part_of or self.message_part
        made = (make(message, message.id in kept) for message in messages if self.sends(message))
        return (part for part in itertools.chain([self.system_part()], made) if part is not None)

    def with_thinking(self, messages: Sequence[Message]) -> frozenset[str]:
        """Ids of the replies among the messages of a prompt that are sent with their thinking."""
        kept = self.kept_thinking if self.door.template.think is not None else 0
        return tree.with_thinking(messages, kept, self.sends)

    def sends(self, message: Message) -> bool:
        is_left_out = message.excluded if self.left_out is None else message.id in self.left_out
        return not is_left_out and not message.is_only_queued

    def system_part(self) -> PromptPart | None:
        """None = there is no system prompt."""
        return None if self.system is None else self._part(PartKind.SYSTEM, Role.SYSTEM, self.system)

    def message_part(self, message: Message, has_thinking: bool = False) -> PromptPart | None:
        """`has_thinking` = a reply's reasoning stands in its think block, else that is empty; None = it is not sent."""
        if not self.sends(message):
            return None
        thinking = (message.reasoning or "") if has_thinking else ""
        return self._part(_KINDS[message.role], message.role, message.content, message.id, thinking)

    def draft_part(self, text: str) -> PromptPart:
        return self._part(PartKind.DRAFT, Role.USER, text)

    def open_part(self, open_turn: OpenTurn) -> PromptPart:
        return PromptPart(PartKind.OPEN, write_open_turn(open_turn, self.door.template))

    def _part(
        self, kind: PartKind, role: Role, source: str, message_id: str | None = None, thinking: str = ""
    ) -> PromptPart:
        turn = PromptTurn(role, self.door.foreign(source), self.door.own_reasoning(thinking))
        joiners = turn.text.count(JOINER) + turn.reasoning.count(JOINER)
        neutralised = joiners - source.count(JOINER) - thinking.count(JOINER)
        return PromptPart(kind, write_turn(turn, self.door.template), neutralised, message_id, turn.reasoning)


def past_parts(session: Session, reply: Message, so_far: TextSoFar | None = None) -> tuple[PromptPart, ...]:
    """Rebuild the parts of the exact input that a reply answered, from what the reply keeps of its request.

    The last one is the open turn, or the whole of a raw input. Left out are the messages that the reply names, whatever
    is excluded now. `so_far` = what the reply said when another of its requests was sent; None = its first one.
    """
    writer = PromptWriter.of_past(session, reply)
    if reply.raw_input is not None:
        raw = PromptPart(PartKind.RAW, reply.raw_input)
        if so_far is None and was_answered_unthought(reply):
            so_far = TextSoFar(is_thinking=False)
        more = "" if so_far is None else raw_continuation(reply, so_far, writer.door.template.think)
        return (raw, PromptPart(PartKind.OPEN, more)) if more else (raw,)
    messages = () if reply.parent is None else tree.branch(session, reply.parent)
    open_turn = writer.open_turn_of(reply) if so_far is None else writer.open_turn_at(so_far, reply.written)
    return (*writer.closed_parts(messages), writer.open_part(open_turn))
