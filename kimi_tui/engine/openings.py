"""What a turn begins with: a new question, one that stands in the session, or a reply that it goes on with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Self

from kimi_tui.core.errors import CompletionError
from kimi_tui.core.prompt.raw_prompt import REFUSAL, WAY_OUT, RawInput, raw_input_before
from kimi_tui.core.prompt.token_estimate import received_tokens
from kimi_tui.core.session import tree
from kimi_tui.core.session.growing_reply import GrowingReply, ReplyView
from kimi_tui.core.session.reply_edits import ReplyStart
from kimi_tui.core.session.request_starts import requests_of
from kimi_tui.core.session.session import NO_USAGE, Message, Role, Session, Usage
from kimi_tui.core.session.written import REASONING, Begun
from kimi_tui.core.settings.sampling import NO_OPTIONS, RequestOptions
from kimi_tui.core.text.surrogates import replace_lone
from kimi_tui.engine.open_session import OpenSession

if TYPE_CHECKING:  # the name of a type only
    from kimi_tui.core.settings.recorded_turn import RecordedTurn
Start = ReplyStart | RawInput
"""What a reply begins with: words of the user's, or the whole of an input, which is sent in the place of the prompt."""


class Opening(ABC):
    """How a turn begins: the reply that it writes, and the session with that reply's place as the head."""

    __slots__ = ()
    asks: ClassVar[bool] = True
    """Whether its reply answers a question from the beginning; else it makes more of one that stands in the session."""

    @property
    def start(self) -> Start | None:
        """What the reply begins with; None = with nothing of the user's."""
        return None

    @property
    def is_raw(self) -> bool:
        """Whether its first request is sent as the user wrote it."""
        return isinstance(self.start, RawInput)

    @property
    def typed(self) -> Asking | None:
        """What is given back to be typed anew where no reply comes; None = nothing is."""
        return None

    @property
    def source_ids(self) -> Sequence[str]:
        """Ids of the replies whose text its reply begins with, where the reply itself does not say so."""
        return ()

    @property
    def options(self) -> RequestOptions:
        """What its requests say beside the session's settings."""
        return start_options(self.start)

    def starting_with(self, start: Start | None) -> Self:
        """Let its reply begin so, where it can begin with anything and does not yet."""
        return self

    @abstractmethod
    def begin(self, open_session: OpenSession, blank: Message) -> GrowingReply:
        """Take the ids that it needs, and let its reply begin, of which `blank` says what is known of any."""

    @abstractmethod
    def apply(self, session: Session, reply: ReplyView, now: datetime) -> Session:
        """Make the place of its reply the head; CompletionError = what it is about is gone, or has changed."""


@dataclass(frozen=True, slots=True)
class Asking(Opening):
    text: str
    """What was typed; lone surrogates become U+FFFD."""
    alternative_to: str | None = None
    """Id of the question that it becomes an alternative of; None = it goes on after the head."""
    start: Start | None = None
    is_stand_in: bool = False
    """Whether nothing was asked: the text stands for an input without a question, and is in no later prompt."""

    @property
    def typed(self) -> Asking | None:
        return None if self.is_raw else self

    def starting_with(self, start: Start | None) -> Self:
        return replace(self, start=self.start or start)

    def begin(self, open_session: OpenSession, blank: Message) -> GrowingReply:
        question_id, reply_id = open_session.take_ids(2)
        return _new_reply(blank, reply_id, question_id, self.start)

    def apply(self, session: Session, reply: ReplyView, now: datetime) -> Session:
        """Add it as the head, the first one also as the title; CompletionError = `alternative_to` is gone."""
        edited = None if self.alternative_to is None else _standing(session, self.alternative_to, "question")
        parent = tree.question_parent(session) if edited is None else edited.parent
        text = replace_lone(self.text)
        message = Message(reply.question_id, Role.USER, text, parent, now, excluded=self.is_stand_in)
        title = session.title or tree.title_of(message.content)
        return replace(session.with_message(message), title=title, updated=now)


@dataclass(frozen=True, slots=True)
class AskingAgain(Opening):
    """A question that stands in the session; the replies it has become alternatives."""

    question_id: str
    start: Start | None = None

    def starting_with(self, start: Start | None) -> Self:
        return replace(self, start=self.start or start)

    def begin(self, open_session: OpenSession, blank: Message) -> GrowingReply:
        (reply_id,) = open_session.take_ids(1)
        return _new_reply(blank, reply_id, self.question_id, self.start)

    def apply(self, session: Session, reply: ReplyView, now: datetime) -> Session:
        return _at_question(session, reply, now)


@dataclass(frozen=True, slots=True)
class AnsweringAgain(Opening):
    """The thinking of a reply that stands in the session; another reply to the same question answers it."""

    message: Message
    count: int = 1
    """How many replies its request brings; several come unstreamed."""
    asks: ClassVar[bool] = False

    @property
    def options(self) -> RequestOptions:
        """The mode of the reply whose thinking it is."""
        count = self.count if self.count > 1 else None
        return RequestOptions(set={"num_responses": count}, thinking=self.message.thinking is not False)

    def begin(self, open_session: OpenSession, blank: Message) -> GrowingReply:
        """Begin behind its closed think block."""
        (reply_id,) = open_session.take_ids(1)
        source = self.message
        beginning = replace(
            blank,
            id=reply_id,
            parent=source.parent,
            reasoning=source.reasoning,
            thinking_end=source.thinking_end,
            written=tuple(it for it in source.written if it.field == REASONING),
            begun=Begun(len(source.reasoning or ""), 0, source.id),
            left_out=source.left_out,
        )
        if source.raw_input is not None:
            raw_input = raw_input_before(source, source.reasoning or "", "")
            beginning = replace(beginning, raw_input=raw_input, template=source.template)
        return GrowingReply(beginning, is_thinking=False)

    def apply(self, session: Session, reply: ReplyView, now: datetime) -> Session:
        """CompletionError = the question is gone, or the raw input has no place for the thinking."""
        if self.message.raw_input is not None and reply.beginning.raw_input is None:
            raise CompletionError(REFUSAL, WAY_OUT)
        return _at_question(session, reply, now)


@dataclass(frozen=True, slots=True)
class GoingOn(Opening):
    """A reply that stands in the session: the same message grows, or, with messages below it, an alternative to it."""

    message: Message
    asks: ClassVar[bool] = False

    @property
    def source_ids(self) -> Sequence[str]:
        return (self.message.id,)

    @property
    def options(self) -> RequestOptions:
        """The mode that it began in; one reply, since it is one that goes on."""
        was_thinking = self.message.thinking is not False and not self.message.reopened
        return RequestOptions(set={"num_responses": None}, thinking=was_thinking)

    def begin(self, open_session: OpenSession, blank: Message) -> GrowingReply:
        """Begin with all that it says, and where it broke off: inside its think block, or behind it."""
        message, session = self.message, open_session.value
        if message.is_unasked:
            message = replace(message, model=blank.model)
        if any(other.parent == message.id for other in session.messages):
            message = replace(message, id=open_session.take_ids(1)[0], created=None)
        requests = requests_of(message)
        if len(requests) == 1 and requests[0].usage == NO_USAGE and message.is_partly_counted:
            usage = Usage(output_tokens=received_tokens(message))
            requests = (replace(requests[0], usage=usage, is_estimated=True),)
        return GrowingReply(message, is_thinking=message.has_open_block, requests=requests)

    def apply(self, session: Session, reply: ReplyView, now: datetime) -> Session:
        """Make the reply, or the question above it, the head; CompletionError = it is gone, or has changed."""
        if _standing(session, self.message.id, "reply") != self.message:
            raise CompletionError("The reply has changed since.", "Nothing was sent.")
        head = reply.id if reply.id == self.message.id else reply.question_id
        return replace(session, head=head, updated=now)


def recorded_opening(turn: RecordedTurn) -> Opening:
    if turn.goes_on is None:
        return Asking(turn.question, start=turn.start, is_stand_in=turn.is_stand_in)
    return AnsweringAgain(turn.goes_on) if turn.answers else GoingOn(turn.goes_on)


def start_options(start: Start | None) -> RequestOptions:
    """The mode of a reply that begins so: instant where its answer does, thinking where that does."""
    return NO_OPTIONS if start is None else RequestOptions(thinking=not start.is_answer)


def _new_reply(blank: Message, reply_id: str, question_id: str, start: Start | None) -> GrowingReply:
    reply = blank if start is None else start.put_on(blank)
    is_closed = reply.thinking is not True or (reply.begun is not None and reply.begun.content is not None)
    return GrowingReply(replace(reply, id=reply_id, parent=question_id), is_thinking=not is_closed)


def _at_question(session: Session, reply: ReplyView, now: datetime) -> Session:
    """Make the question the head; raises CompletionError where it is gone."""
    return replace(session, head=_standing(session, reply.question_id, "question").id, updated=now)


def _standing(session: Session, message_id: str, what: str) -> Message:
    found = session.find(message_id)
    if found is None or found.role is not {"question": Role.USER, "reply": Role.ASSISTANT}[what]:
        raise CompletionError(f"The {what} is not in the session any more.", "Nothing was sent.")
    return found
