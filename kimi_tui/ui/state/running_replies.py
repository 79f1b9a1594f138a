"""The replies of a session that grow, those that began with them and have ended, and which of them is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from kimi_tui.core.session import tree
from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.session import Message, MessageState, Role, Session
from kimi_tui.core.settings.reply_batch import NO_BATCH, ReplyBatch
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.ui.state.branch import Growing

if TYPE_CHECKING:  # the names of types only: a chat opens without any turn
    from kimi_tui.core.wire.turn_events import TurnEnded
    from kimi_tui.engine.turn import Turn
    from kimi_tui.ui.state.answers import Answers
    from kimi_tui.ui.state.live_turn import LiveTurn


class Running(NamedTuple):
    turn: Turn
    live: LiveTurn

    @property
    def so_far(self) -> Message:
        """The message that it will be, with the text that has been told of it."""
        reasoning, content = (self.live.text(part) for part in (ReplyPart.REASONING, ReplyPart.ANSWER))
        return replace(self.turn.reply.beginning, content=content, reasoning=reasoning or None)


@dataclass(slots=True, eq=False)
class RunningReplies:
    open_session: OpenSession
    running: Sequence[Running] = ()
    """All that grow, the one that is shown or was shown last first."""
    ends: list[TurnEnded] = field(default_factory=list)
    """How those ended that began with the running one, or with the last."""
    follow_up: Answers | None = None
    """How many answers the thinking gets that runs; None = one."""
    batch: ReplyBatch = NO_BATCH
    """Those to one question that were asked for together last: they run, wait or have ended."""
    last_turn: Turn | None = None
    """The one that ended last; None = none has."""
    _stopped_alone: set[str] = field(default_factory=set)
    """Those that the user stopped while others beside them were to go on, by their ids."""
    _ended_empty: tuple[str | None, MessageState] | None = None
    """The session's head when the last turn ended without a reply, and how it ended; None = it brought one."""

    @property
    def session(self) -> Session:
        return self.open_session.value

    @property
    def turn(self) -> Turn | None:
        return self.running[0].turn if self.running else None

    @property
    def live(self) -> LiveTurn | None:
        return self.running[0].live if self.running else None

    @property
    def beside(self) -> Sequence[Running]:
        """Replies to the same question that grow beside the one that `turn` writes."""
        return self.running[1:]

    def find(self, key: str | None) -> Running | None:
        """Find one by its id, that of its message; None = it is none, or does not run."""
        return next((it for it in self.running if it.live.key == key), None)

    async def settle(self) -> None:
        """Stop all of them, and wait until they are saved."""
        running = self.running
        self.stop()
        for it in running:
            await it.turn.finished()
        self.running = ()

    @property
    def growing(self) -> tuple[Growing, ...]:
        replies = (it.turn.reply for it in self.running)
        return tuple(Growing(reply.id, reply.question_id, reply.beginning.sent) for reply in replies)

    def with_growing(self) -> Session:
        """The session with the replies that are being written, without their texts; not to be saved."""
        session, here = self.session, {message.id for message in self.session.messages}
        replies = [Message(id_, Role.ASSISTANT, "", question) for id_, question, _ in self.growing if id_ not in here]
        if replies:
            session = tree.with_replies(session, replies, session.updated, is_aside=True)
        live = self.shown_live
        return session if live is None else replace(session, head=live.key)

    @property
    def shown_live(self) -> LiveTurn | None:
        """The running reply, where it belongs to what is on screen; None = it does not, or none runs."""
        question = None if self.turn is None else self.turn.question
        is_shown = self.live is not None and question is not None and self.session.head in {question.id, self.live.key}
        return self.live if is_shown else None

    @property
    def has_others(self) -> bool:
        """Whether replies grow beside the one that `turn` writes, or wait to begin."""
        return bool(self.beside or self.batch.waiting)

    @property
    def beside_words(self) -> str:
        """What goes on beside the reply that is shown, or follows its thinking; "" = nothing does."""
        if self.follow_up is not None:
            return f"then {self.follow_up.count} answers"
        waits = f", {len(self.batch.waiting)} waiting" if self.batch.waiting else ""
        return f"{len(self.beside) + 1} side by side{waits}" if self.beside or waits else ""

    def stop(self) -> None:
        """Stop all of them, and let none begin that waits; what arrived is kept."""
        self.follow_up = None
        self.batch = self.batch.without_waiting()
        for running in self.running:
            running.turn.stop()

    def stop_alone(self, key: str) -> bool:
        """Stop one that is being written; the others go on, and what waits begins. Whether there is such a one."""
        running = self.find(key)
        if running is None:
            return False
        if self.has_others:
            self._stopped_alone.add(key)
        running.turn.stop()
        return True

    def note_batch_end(self, ended: TurnEnded) -> bool:
        """Note the end of a turn; whether it is one of the batch, and not one that goes on with such a reply."""
        problem, before = "" if ended.error is None else ended.error.summary, self.batch
        self.batch = before.ended(ended.reply_id, ended.state, problem)
        return self.batch != before

    def note_begun(self, running: Running) -> None:
        if not self.running:
            self.open_session.shown_reply = running.live.key
            self.ends = []
            self._stopped_alone.clear()
        self.running = [*self.running, running]

    def showing(self, key: str) -> Session:
        """The session as it is when an alternative is shown, one that grows too: the others go on."""
        shown = self.find(key)
        if shown is None:
            return tree.select(self.session, key)
        question_id = shown.turn.reply.question_id
        if self.session.head != question_id:
            shown.turn.head_before = self.session.head
        elif self.turn is not None:  # where all come to nothing, what was shown before any of them is shown again
            shown.turn.head_before = self.turn.head_before
        self.open_session.shown_reply = key
        self.running = [shown, *(it for it in self.running if it is not shown)]
        return replace(self.session, head=question_id)

    def note_end(self, turn: Turn, ended: TurnEnded) -> bool:
        """Note how a turn ended; whether another reply is shown now, which is to be saved.

        Where it brought no reply, no message can tell.
        """
        is_shown = turn is self.turn and (self.session.head == turn.reply.question_id or turn.has_gone_back)
        self.running = [it for it in self.running if it.turn is not turn]
        self.ends.append(ended)
        for it in self.running if ended.replies else ():
            it.turn.head_before = ended.replies[0].id
        head = self._head_behind(turn, ended) if is_shown else self.session.head
        is_other = head != self.session.head
        if is_other:
            self.open_session.update(lambda value: replace(value, head=head))
        self.last_turn = turn
        has_reply = any(each.replies for each in self.ends)
        self._ended_empty = None if has_reply else (self.session.head, ended.state)
        return is_other

    def _head_behind(self, turn: Turn, ended: TurnEnded) -> str | None:
        """What is shown where the reply that was shown has ended.

        The turn may have ended before it was the one that is shown, and have left that to others.
        """
        if ended.replies:
            return ended.replies[0].id
        if self.turn is not None:
            self.open_session.shown_reply = self.turn.reply.id
            self.turn.head_before = turn.head_before
            return turn.reply.question_id
        has_others = any(message.parent == turn.reply.question_id for message in self.session.messages)
        return turn.head_before if has_others else self.session.head

    @property
    def is_whole(self) -> bool:
        """Whether what waits for the replies that began together can follow: they are whole, or the one shown is.

        One that failed or was stopped alone beside it does no harm; where the user stopped all, nothing follows.
        """
        states = {ended.state for ended in self.ends}
        are_stopped = any(
            ended.state is MessageState.CANCELLED and ended.reply_id not in self._stopped_alone for ended in self.ends
        )
        replies = (reply for ended in self.ends for reply in ended.replies)
        shown = next((reply.state for reply in replies if reply.id == self.session.head), None)
        return (shown is MessageState.COMPLETE and not are_stopped) or states == {MessageState.COMPLETE}

    @property
    def empty_end(self) -> MessageState | None:
        """How the last turn ended, where it brought nothing and nothing else is shown since; None = it is not so."""
        head, state = self._ended_empty or (None, None)
        return state if head == self.session.head else None
