"""One open session, and what the screen keeps of it while it is open: values only, no widgets.

Several chats may be open at once: the one on screen, and those whose replies are still being written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kimi_tui.core.errors import KimiError
from kimi_tui.core.prompt.token_estimate import UNCALIBRATED, Calibration
from kimi_tui.core.session import tree
from kimi_tui.core.session.session import Message, MessageState, Role, Session
from kimi_tui.core.session.tree import branch_start
from kimi_tui.core.settings.reply_batch import NO_BATCH, ReplyBatch
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.ui.state import entries
from kimi_tui.ui.state.branch import Branch, Growing
from kimi_tui.ui.state.entry import Entry
from kimi_tui.ui.state.next_cut import NextCut, Room
from kimi_tui.ui.state.next_reply import NOTHING_ASKED, NextReply
from kimi_tui.ui.state.notices import Notices, PlacedNotice
from kimi_tui.ui.state.slash import is_message, typed_before
from kimi_tui.ui.state.tree_steps import TreeSteps

if TYPE_CHECKING:  # the names of types only: a chat opens without any turn
    from kimi_tui.core.session.raw_draft import RawDraft
    from kimi_tui.core.wire.answer_forms import FormCheck
    from kimi_tui.core.wire.turn_events import TurnEnded
    from kimi_tui.engine.turn import Turn
    from kimi_tui.ui.state.answers import Answers
    from kimi_tui.ui.state.live_turn import LiveTurn


class Running(NamedTuple):
    turn: Turn
    live: LiveTurn


@dataclass(slots=True, eq=False)
class Chat:
    open_session: OpenSession
    path: Path
    """Its file, which need not be there yet."""
    release: Callable[[], object]
    """Lets other windows open it; it touches a file."""
    draft_path: Path
    """What the store takes for its draft: its file, unless others hold it."""
    is_free: Callable[[], bool] | None = None
    """Says whether others who hold it have gone; it touches a file. None = it is not read-only because of others."""
    is_let_go: bool = False
    """Whether they have."""
    draft: str = ""
    """What is being typed, while the session is not on screen."""
    kept_draft: str | None = ""
    """What its file holds of what is being typed; None = perhaps something that was typed very early."""
    draft_error: KimiError | None = None
    """Why the draft could not be kept when that was tried last; None = it could."""
    raw_draft: RawDraft | None = None
    """A raw input that was not sent; None = there is none."""
    kept_raw_draft: RawDraft | None = None
    """What its file holds of that."""
    typed_raw: Callable[[], RawDraft | None] | None = None
    """Gives what stands in its editor, None = what the editor began with; None = it is not open."""
    running: Sequence[Running] = ()
    """All replies that grow, the one that is shown or was shown last first."""
    next_reply: NextReply = NOTHING_ASKED
    queued: list[str] = field(default_factory=list)
    """The messages that are sent one after the other, each when the reply before is complete."""
    ends: list[TurnEnded] = field(default_factory=list)
    """How those ended that began with the running one, or with the last."""
    follow_up: Answers | None = None
    """How many answers the thinking gets that runs; None = one."""
    batch: ReplyBatch = NO_BATCH
    """The replies to one question that were asked for together last: those that run, wait and have ended."""
    stopped_alone: set[str] = field(default_factory=set)
    """Replies that the user stopped while others beside them were to go on, by their ids."""
    is_unread: bool = False
    """Whether a reply has ended while another session was on screen."""
    has_failed: bool = False
    """Whether one of these was cut, came to nothing or could not be saved."""
    notices: Notices = field(default_factory=Notices)
    ended_empty: tuple[str | None, MessageState] | None = None
    """The session's head when its last turn ended without a reply, and how it ended; None = it brought one."""
    form_checks: dict[str, FormCheck] = field(default_factory=dict)
    """What was found out about replies that are to keep a form, by their ids."""
    last_turn: Turn | None = None
    """The one that ended last here; None = none has."""
    tree_steps: TreeSteps = field(default_factory=TreeSteps)
    """What was deleted and named."""
    room: Room = field(default_factory=Room)
    _cut_line: tuple[NextCut, Entry] | None = None
    _branch: Branch | None = None
    _calibrated: tuple[Session, Calibration] | None = None

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

    def unsent(self, draft: str) -> str:
        """All that was typed in it and is in no message yet: what waits to be sent, and what is being typed."""
        return typed_before("\n\n".join(self.queued), draft) if self.queued else draft

    @property
    def unsaved(self) -> KimiError | None:
        """Why text of it is in no file; None = all is that should be."""
        holds_text = bool(self.session.messages) or is_message(self.draft) or self.raw_draft is not None
        return self.open_session.save_error if holds_text and self.open_session.save_error else self.draft_error

    def take_typed_raw(self) -> RawDraft | None:
        """Note what stands in the raw input's editor, where it is open, and give what there is to be kept."""
        if self.typed_raw is not None:
            self.raw_draft = self.typed_raw()
        return self.raw_draft

    def note_raw_sent(self, text: str) -> None:
        """A raw input brought a reply: it is kept there."""
        if self.raw_draft is not None and self.raw_draft.text == text:
            self.raw_draft = None

    def branch_now(self) -> Branch:
        session, growing = self.session, self.growing
        if self._branch is None or self._branch.session is not session or self._branch.growing != growing:
            self._branch = Branch(session, growing)
        return self._branch

    @property
    def growing(self) -> tuple[Growing, ...]:
        replies = (it.turn.reply for it in self.running)
        return tuple(Growing(reply.id, reply.question_id, reply.beginning.sent) for reply in replies)

    @property
    def branch(self) -> tuple[Message, ...]:
        return self.branch_now().messages

    @property
    def calibration(self) -> Calibration:
        """By what the endpoint told of the branch; it is made once for each state of the session."""
        session, branch = self.session, self.branch
        if not branch:
            return UNCALIBRATED
        if self._calibrated is None or self._calibrated[0] is not session:
            from kimi_tui.core.prompt.calibration import calibration_of  # noqa: PLC0415 - a new session needs none

            self._calibrated = session, calibration_of(session, branch)
        return self._calibrated[1]

    def message(self, key: str | None) -> Message | None:
        """Find a message of the branch by its entry's key; None = it is none, or still being written."""
        return self.branch_now().by_id.get(key) if key else None

    def target(self, chosen: str | None) -> Message | None:
        """The message that actions are about: the chosen one, else the last; the growing reply is none yet."""
        if self.live is not None and chosen == self.live.key:
            return None
        return self.message(chosen) or (self.branch[-1] if self.branch else None)

    def reply_at(self, chosen: str | None) -> Running | Message | None:
        """The chosen reply, or the one that answers the chosen question on the branch shown; else the last one.

        A reply that grows is one too. None = there is none.
        """
        live = self.running[0] if self.shown_live is not None else None
        message = self.message(chosen)
        if live is not None and (message is None or message.id == live.live.key):
            return live
        if message is None:
            return self.last_reply
        if message.role is Role.ASSISTANT:
            return message
        below = next((it for it in reversed(self.branch) if it.parent == message.id), None)
        if live is not None and (below is None or below.id == live.live.key):
            return live
        return below if below is not None and below.role is Role.ASSISTANT else None

    def shown_key(self, chosen: str | None) -> str | None:
        """The message or growing reply that choosing an alternative is about: the chosen one, else the last."""
        live = self.shown_live
        if live is not None and chosen in {None, live.key}:
            return live.key
        target = self.target(chosen)
        return None if target is None else target.id

    def place_among_alternatives(self, key: str) -> tuple[int, int]:
        """Its place among those with the same parent, growing ones too, from 1, and how many there are."""
        return self.branch_now().alternatives.get(key, (1, 1))

    def alternative(self, key: str, step: int) -> str | None:
        """The alternative so many steps behind one; None = there is none."""
        family = next((it for it in self.branch_now().families.values() if key in it), [key])
        place = family.index(key) + step
        return family[place] if 0 <= place < len(family) else None

    def with_growing(self) -> Session:
        """The session with the replies that are being written, without their texts; not to be saved."""
        session, here = self.session, {message.id for message in self.session.messages}
        replies = [Message(id_, Role.ASSISTANT, "", question) for id_, question, _ in self.growing if id_ not in here]
        if replies:
            session = tree.with_replies(session, replies, session.updated, is_aside=True)
        live = self.shown_live
        return session if live is None else replace(session, head=live.key)

    @property
    def last_reply(self) -> Message | None:
        return next((message for message in reversed(self.branch) if message.role is Role.ASSISTANT), None)

    def question_of(self, message: Message) -> Message | None:
        """The question itself, or the one that a reply answers."""
        return message if message.role is Role.USER else self.message(message.parent)

    def hides_reply_to(self, question: Message) -> bool:
        """Whether a question ends what is shown, although it has replies."""
        is_last = bool(self.branch) and self.branch[-1].id == question.id and self.turn is None
        return is_last and any(message.parent == question.id for message in self.session.messages)

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
        running = next((it for it in self.running if it.live.key == key), None)
        if running is None:
            return False
        if self.has_others:
            self.stopped_alone.add(key)
        running.turn.stop()
        return True

    def note_batch_end(self, ended: TurnEnded) -> bool:
        """Note the end of a turn; whether it is one of the batch."""
        if not self.batch.has(ended.reply_id):
            return False
        problem = "" if ended.error is None else ended.error.summary
        self.batch = self.batch.ended(ended.reply_id, ended.state, problem)
        return True

    def note_begun(self, running: Running) -> None:
        if self.running:
            running.turn.is_aside = True
        else:
            self.ends = []
            self.stopped_alone.clear()
        self.running = [*self.running, running]

    def showing(self, key: str) -> Session:
        """The session as it is when an alternative is shown, one that grows too: the others go on."""
        shown = next((it for it in self.running if it.live.key == key), None)
        if shown is None:
            return tree.select(self.session, key)
        question_id = shown.turn.reply.question_id
        if self.session.head != question_id:
            shown.turn.head_before = self.session.head
        shown.turn.is_aside = False
        self.running = [shown, *(it for it in self.running if it is not shown)]
        for it in self.beside:
            it.turn.is_aside = True
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
        self.ended_empty = None if has_reply else (self.session.head, ended.state)
        return is_other

    def _head_behind(self, turn: Turn, ended: TurnEnded) -> str | None:
        """What is shown where the reply that was shown has ended.

        The turn may have ended before it was the one that is shown, and have left that to others.
        """
        if ended.replies:
            return ended.replies[0].id
        if self.turn is not None:
            self.turn.is_aside = False
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
            ended.state is MessageState.CANCELLED and ended.reply_id not in self.stopped_alone for ended in self.ends
        )
        replies = (reply for ended in self.ends for reply in ended.replies)
        shown = next((reply.state for reply in replies if reply.id == self.session.head), None)
        return (shown is MessageState.COMPLETE and not are_stopped) or states == {MessageState.COMPLETE}

    @property
    def empty_end(self) -> MessageState | None:
        """How the last turn ended, where it brought nothing and nothing else is shown since; None = it is not so."""
        head, state = self.ended_empty or (None, None)
        return state if head == self.session.head else None

    def add_notice(self, entry: Entry, about: str = "", after: str | None = None) -> None:
        """Put a notice behind a message; None = the last one, or the growing reply."""
        if after is None:
            after = self.shown_key(None)
        self.notices.append(PlacedNotice(after, entry, about))

    def entries(self, *, timestamps: bool) -> tuple[list[entries.Source], entries.MessageEntries]:
        """Everything that the conversation shows: messages, notices behind theirs, the growing reply.

        What makes entries of the messages is beside them.
        """
        after = self.notices.by_place()
        branch, cut = self.branch_now(), self.room.cut.place
        messages = branch.messages
        sent = frozenset[str]()
        if 0 < cut <= len(messages):
            sent = frozenset(message.id for message in messages[:cut] if message.pinned)
            after.setdefault(messages[cut - 1].id, []).append(self._line_of_cut())
        live = self.shown_live
        if live is not None and messages and messages[-1].id == live.key:  # it goes on, and is shown as it grows
            messages = messages[:-1]
        shown: list[entries.Source] = [*after.get(None, ())]
        shown += [each for it in messages for each in (it, *after.get(it.id, ()))] if after else messages
        if live is not None:
            shown += [self.live_entry(live), *after.get(live.key, ())]
        return shown, entries.MessageEntries(branch.alternatives, branch.settings, timestamps, sent)

    def _line_of_cut(self) -> Entry:
        if self._cut_line is None or self._cut_line[0] is not self.room.cut:
            self._cut_line = self.room.cut, entries.notice("cut", self.room.cut.words)
        return self._cut_line[1]

    def live_entry(self, live: LiveTurn) -> Entry:
        branch = self.branch_now()
        return replace(
            live.entry(), alternatives=branch.alternatives.get(live.key), setting=branch.settings.get(live.key, "")
        )

    def branch_name(self, chosen: str | None) -> str:
        """What the branch is called that the chosen message or growing reply is on, else the last; "" = nothing."""
        key, session = self.shown_key(chosen), self.with_growing()
        return "" if key is None else tree.message_of(session, branch_start(session, key)).name
