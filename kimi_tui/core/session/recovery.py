"""What a journal holds put into its session, where the session does not hold it already; nothing else changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from kimi_tui.core.session import tree
from kimi_tui.core.session.growing_reply import texts_of
from kimi_tui.core.session.journal import Journal, JournalledTurn, TurnStart, broken_off
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.core.text.counts import counted

GROWN = (
    "content", "reasoning", "state", "finish_reason", "request_id", "thinking", "reopened", "thinking_end", "cut_tail",
    "written", "sent", "model", "usage", "timing", "requests", "thinking_tokens",
)  # fmt: skip
"""What changes of a message that is gone on with."""


def recover(session: Session, journal: Journal, at: datetime) -> Recovery:
    """`at` = when the journal was written last, UTC, in whole seconds."""
    recovery = Recovery(session, at)
    for turn in journal.turns.values():
        recovery.take(turn)
    if recovery.session is not session:
        recovery.session = replace(recovery.session, updated=max(session.updated, at))
    return recovery


class Recovery:
    """A session that gets what is missing, turn by turn."""

    def __init__(self, session: Session, at: datetime) -> None:
        self.session, self._at = session, at
        """The one that was given, where it held everything."""
        self.questions = self.replies = self.chars = 0
        """How much came back: questions, replies or parts of them, their characters, reasoning included."""
        self._renamed: dict[str, str] = {}  # ids that others have taken since, to those in their place

    @property
    def words(self) -> str:
        """What came back, in a line; "" = nothing."""
        if self.replies == 1:
            size = counted(self.chars, "character")
            return f"A reply came back that was being written when the program ended: {size}."
        if self.replies:
            count = counted(self.replies, "reply", "replies")
            return f"{count} came back that were not saved when the program ended."
        return "A question came back that was not saved when the program ended." if self.questions else ""

    def take(self, turn: JournalledTurn) -> None:
        question_id = self._unstarted_question(turn) if turn.start is None else self._question(turn.start)
        messages = self._messages(turn, question_id)
        for message in messages:
            self._reply(message, turn)
        if turn.start is not None and not messages:
            self._go_back(turn.start)

    def _id(self, message_id: str) -> str:
        return self._renamed.get(message_id, message_id)

    def _rename(self, message_id: str, here: Message | None) -> str:
        """Give a message whose id others have taken the one it stands here by, or a new one."""
        new_id = here.id if here is not None else self.session.next_message_ids(1)[0]
        self._renamed[message_id] = new_id
        return new_id

    # -- the question

    def _unstarted_question(self, turn: JournalledTurn) -> str | None:
        """Guess what a reply is about whose beginning cannot be read: the last question."""
        here, head = self.session.find(turn.reply_id), self.session.find(self.session.head)
        if here is not None:
            return here.parent
        return head.id if head is not None and head.role is Role.USER else None

    def _question(self, start: TurnStart) -> str:
        """Find it in the session, or add it; its id there. It becomes the head, unless others have gone on since."""
        question, parent = start.question, start.question.parent and self._id(start.question.parent)
        is_orphan = parent is not None and self.session.find(parent) is None
        if is_orphan:  # it goes on after what is left
            parent = tree.question_parent(self.session)
        question = replace(question, id=self._id(question.id), parent=parent)
        here = self.session.find(question.id)
        if here is not None and not _is_same(here, question):
            same = (it for it in self.session.messages if it.parent == question.parent and _is_same(it, question))
            here = next(same, None)
            question = replace(question, id=self._rename(question.id, here))
        if here is None:
            head, title = self.session.head, self.session.title or tree.title_of(question.content)
            is_where_it_was = is_orphan or head in {None, start.head_before and self._id(start.head_before)}
            session = replace(self.session.with_message(question), title=title)
            self.session = session if is_where_it_was else replace(session, head=head)
            self.questions += 1
        return question.id

    # -- the replies

    def _messages(self, turn: JournalledTurn, question_id: str | None) -> tuple[Message, ...]:
        """What the turn brought, as far as it came: nothing where no text had come."""
        if turn.result is not None:
            return tuple(replace(message, parent=question_id) for message in turn.result.replies)
        start, here = turn.start, self.session.find(turn.reply_id)
        if start is not None:
            beginning = replace(start.beginning, parent=question_id)
        else:
            beginning = here or Message(turn.reply_id, Role.ASSISTANT, "", question_id)
        reply = turn.reply(beginning, is_thinking=start is not None and start.is_thinking)
        if not reply.has_grown:
            return ()
        message = broken_off(reply.message(self._at))
        if start is not None and reply.is_new:
            message = start.context.noted_on(message, self.session)
        return (message,)

    def _reply(self, message: Message, turn: JournalledTurn) -> None:
        message = replace(message, id=self._id(message.id))
        here = self.session.find(message.id)
        if here is not None and not self._holds(here, message, turn) and not self._goes_on(here, message):
            same = (it for it in self.session.messages if it.parent == message.parent)
            here = next((it for it in same if self._holds(it, message, turn)), None)
            message = replace(message, id=self._rename(message.id, here))
        if here is None:
            self._put(message, _chars(message))
        elif not self._holds(here, message, turn):
            grown = replace(here, **{name: getattr(message, name) for name in GROWN})
            self._put(grown, _chars(grown) - _chars(here))

    def _put(self, message: Message, chars: int) -> None:
        self.session = tree.with_replies(self.session, (message,), self._at)
        self.replies += 1
        self.chars += chars

    def _goes_on(self, here: Message, message: Message) -> bool:
        """Whether a message is the one here, gone on with."""
        is_below = any(other.parent == here.id for other in self.session.messages)
        is_it = (here.role, here.parent) == (message.role, message.parent)
        return is_it and _begins_with(message, here) and not is_below

    @staticmethod
    def _holds(here: Message, message: Message, turn: JournalledTurn) -> bool:
        """Whether a message of the session says all that the turn brought."""
        if here.role is not Role.ASSISTANT or here.parent != message.parent:
            return False
        if turn.result is not None and texts_of(here) == texts_of(message):
            return all(getattr(here, name) == getattr(message, name) for name in GROWN)
        is_closed_since = here.has_open_block and not message.has_open_block
        return not is_closed_since and (_begins_with(here, message) or _has_pieces(here, turn))

    def _go_back(self, start: TurnStart) -> None:
        """Show the old reply again, where a question that was asked again brought nothing."""
        question_id, before = self._id(start.question.id), start.head_before and self._id(start.head_before)
        has_replies = any(message.parent == question_id for message in self.session.messages)
        if self.session.head == question_id and has_replies and before and self.session.find(before) is not None:
            self.session = replace(self.session, head=before)


def _is_same(left: Message, right: Message) -> bool:
    return (left.role, left.content) == (right.role, right.content)


def _chars(message: Message) -> int:
    return sum(map(len, texts_of(message).values()))


def _begins_with(longer: Message, shorter: Message) -> bool:
    texts = texts_of(longer)
    return all(texts[part].startswith(text) for part, text in texts_of(shorter).items())


def _has_pieces(here: Message, turn: JournalledTurn) -> bool:
    """Whether a message says all that is left of what the turn brought, gaps or not."""
    texts = texts_of(here)
    pieces = [(part, *piece) for growth in turn.growths for part, piece in growth.pieces.items()]
    return bool(pieces) and all(texts[part].startswith(text, start) for part, start, text in pieces)
