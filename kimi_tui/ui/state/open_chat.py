"""One open session, and what the screen keeps of it while it is open: values only, no widgets.

Several chats may be open at once: the one on screen, and those whose replies are still being written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kimi_tui.core.errors import KimiError
from kimi_tui.core.session import tree
from kimi_tui.core.session.session import Message, MessageState, Role, Session
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.ui.state import entries
from kimi_tui.ui.state.branch import Branch
from kimi_tui.ui.state.entry import Entry
from kimi_tui.ui.state.next_cut import NO_CUT, CutMemo, NextCut
from kimi_tui.ui.state.next_reply import NOTHING_ASKED, NextReply
from kimi_tui.ui.state.slash import is_message, typed_before

if TYPE_CHECKING:  # the names of types only: a chat opens without any turn
    from kimi_tui.core.wire.answer_forms import FormCheck
    from kimi_tui.core.wire.turn_events import TurnEnded
    from kimi_tui.engine.turn import Turn
    from kimi_tui.ui.state.answers import Answers
    from kimi_tui.ui.state.live_turn import LiveTurn

PASSING = "info"
"""Severity of notices that go away with the next question."""
REFUSED = "refused"
"""What notices are about that say why a command cannot be done now: they go when a reply begins or ends."""


@dataclass(frozen=True, slots=True)
class PlacedNotice:
    after: str | None
    """Id of the message that it stands behind; None = at the beginning."""
    entry: Entry
    about: str = ""
    """What it is about, where a later notice about the same replaces it; "" = it stays."""


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
    turn: Turn | None = None
    live: LiveTurn | None = None
    next_reply: NextReply = NOTHING_ASKED
    queued: list[str] = field(default_factory=list)
    """The messages that are sent one after the other, each when the reply before is complete."""
    beside: list[Running] = field(default_factory=list)
    """Replies to the same question that grow beside the one that `turn` writes."""
    ends: list[TurnEnded] = field(default_factory=list)
    """How those ended that began with the running one, or with the last."""
    follow_up: Answers | None = None
    """How many answers the thinking gets that runs; None = one."""
    is_unread: bool = False
    """Whether a reply has ended while another session was on screen."""
    has_failed: bool = False
    """Whether one of these was cut, came to nothing or could not be saved."""
    notices: list[PlacedNotice] = field(default_factory=list)
    ended_empty: tuple[str | None, MessageState] | None = None
    """The session's head when its last turn ended without a reply, and how it ended; None = it brought one."""
    form_checks: dict[str, FormCheck] = field(default_factory=dict)
    """What was found out about replies that are to keep a form, by their ids."""
    deleted: list[Session] = field(default_factory=list)
    """The session before each deletion, for undoing; the last one last."""
    cut: NextCut = NO_CUT
    """Where the next request is cut, as it was looked at last."""
    cut_memo: CutMemo = field(default_factory=CutMemo)
    typed_tokens: int = 0
    """What is being typed takes so many, estimated."""
    cut_told: int = 0
    """The furthest place of a cut that was told."""
    is_near_told: bool = False
    """Whether it was told that the context window is nearly full."""
    _cut_line: tuple[NextCut, Entry] | None = None
    _message_entries: entries.MessageEntries = field(default_factory=entries.MessageEntries)
    _branch: Branch | None = None

    @property
    def session(self) -> Session:
        return self.open_session.value

    def unsent(self, draft: str) -> str:
        """All that was typed in it and is in no message yet: what waits to be sent, and what is being typed."""
        return typed_before("\n\n".join(self.queued), draft) if self.queued else draft

    @property
    def unsaved(self) -> KimiError | None:
        """Why text of it is in no file; None = all is that should be."""
        holds_text = bool(self.session.messages) or is_message(self.draft)
        return self.open_session.save_error if holds_text and self.open_session.save_error else self.draft_error

    def _branch_now(self) -> Branch:
        session, growing = self.session, self._growing
        if self._branch is None or self._branch.session is not session or self._branch.growing != growing:
            self._branch = Branch(session, growing)
        return self._branch

    @property
    def _growing(self) -> tuple[tuple[str, str], ...]:
        return tuple((it.live.key, it.turn.reply.question_id) for it in self.running)

    @property
    def branch(self) -> tuple[Message, ...]:
        return self._branch_now().messages

    def message(self, key: str | None) -> Message | None:
        """Find a message of the branch by its entry's key; None = it is none, or still being written."""
        return self._branch_now().by_id.get(key) if key else None

    def target(self, chosen: str | None) -> Message | None:
        """The message that actions are about: the chosen one, else the last; the growing reply is none yet."""
        if self.live is not None and chosen == self.live.key:
            return None
        return self.message(chosen) or (self.branch[-1] if self.branch else None)

    def shown_key(self, chosen: str | None) -> str | None:
        """The message or growing reply that choosing an alternative is about: the chosen one, else the last."""
        if self.live is not None and self.is_live_on_branch() and chosen in {None, self.live.key}:
            return self.live.key
        target = self.target(chosen)
        return None if target is None else target.id

    def place_among_alternatives(self, key: str) -> tuple[int, int]:
        """Its place among those with the same parent, growing ones too, from 1, and how many there are."""
        return self._branch_now().alternatives.get(key, (1, 1))

    def alternative(self, key: str, step: int) -> str | None:
        """The alternative so many steps behind one; None = there is none."""
        family = next((it for it in self._branch_now().families.values() if key in it), [key])
        place = family.index(key) + step
        return family[place] if 0 <= place < len(family) else None

    def last(self, role: Role) -> Message | None:
        return next((message for message in reversed(self.branch) if message.role is role), None)

    def question_of(self, message: Message) -> Message | None:
        """The question itself, or the one that a reply answers."""
        return message if message.role is Role.USER else self.message(message.parent)

    def hides_reply_to(self, question: Message) -> bool:
        """Whether a question ends what is shown, although it has replies."""
        is_last = bool(self.branch) and self.branch[-1].id == question.id and self.turn is None
        return is_last and any(message.parent == question.id for message in self.session.messages)

    def is_live_on_branch(self) -> bool:
        """Whether the running reply belongs to what is on screen."""
        question = None if self.turn is None else self.turn.question
        return self.live is not None and question is not None and self.session.head in {question.id, self.live.key}

    @property
    def running(self) -> list[Running]:
        """All replies that grow, the one that is shown or was shown last first."""
        first = [Running(self.turn, self.live)] if self.turn is not None and self.live is not None else []
        return first + self.beside

    @property
    def beside_words(self) -> str:
        """What goes on beside the reply that is shown, or follows its thinking; "" = nothing does."""
        if self.follow_up is not None:
            return f"then {self.follow_up.count} answers"
        return f"{len(self.beside) + 1} side by side" if self.beside else ""

    def stop(self) -> None:
        """Stop all of them; what arrived is kept."""
        self.follow_up = None
        for running in self.running:
            running.turn.stop()

    def note_begun(self, running: Running) -> None:
        """Take a turn that has begun, beside those that run."""
        if self.turn is None:
            self.turn, self.live = running
            self.ends = []
        else:
            running.turn.is_aside = True
            self.beside.append(running)

    def showing(self, key: str) -> Session:
        """The session as it is when an alternative is shown, one that grows too: the others go on."""
        running = self.running
        shown = next((it for it in running if it.live.key == key), None)
        if shown is None:
            return tree.select(self.session, key)
        question_id = shown.turn.reply.question_id
        if self.session.head != question_id:
            shown.turn.head_before = self.session.head
        self.turn, self.live = shown
        self.beside = [it for it in running if it is not shown]
        for it in running:
            it.turn.is_aside = it is not shown
        return replace(self.session, head=question_id)

    def note_end(self, turn: Turn, ended: TurnEnded) -> bool:
        """Note how a turn ended; whether another reply is shown now, which is to be saved.

        Where it brought no reply, no message can tell.
        """
        is_shown = turn is self.turn and (self.session.head == turn.reply.question_id or turn.has_gone_back)
        running = [it for it in self.running if it.turn is not turn]
        self.turn, self.live = running[0] if running else (None, None)
        self.beside = running[1:]
        self.ends.append(ended)
        for it in running if ended.replies else ():
            it.turn.head_before = ended.replies[0].id
        head = self._head_behind(turn, ended) if is_shown else self.session.head
        is_other = head != self.session.head
        if is_other:
            self.open_session.update(lambda value: replace(value, head=head))
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
            self.turn.is_aside, self.turn.head_before = False, turn.head_before
            return turn.reply.question_id
        has_others = any(message.parent == turn.reply.question_id for message in self.session.messages)
        return turn.head_before if has_others else self.session.head

    @property
    def is_whole(self) -> bool:
        """Whether what waits for the replies that began together can follow: they are whole, or the one shown is.

        One that failed beside it does no harm; where the user stopped them, nothing follows.
        """
        states = {ended.state for ended in self.ends}
        replies = (reply for ended in self.ends for reply in ended.replies)
        shown = next((reply.state for reply in replies if reply.id == self.session.head), None)
        is_shown_whole = shown is MessageState.COMPLETE and MessageState.CANCELLED not in states
        return is_shown_whole or states == {MessageState.COMPLETE}

    @property
    def empty_end(self) -> MessageState | None:
        """How the last turn ended, where it brought nothing and nothing else is shown since; None = it is not so."""
        head, state = self.ended_empty or (None, None)
        return state if head == self.session.head else None

    def add_notice(self, entry: Entry, about: str = "", after: str | None = None) -> None:
        """Put a notice behind a message; None = the last one, or the growing reply."""
        if after is None:
            branch = self.branch
            last = branch[-1].id if branch else None
            after = self.live.key if self.live is not None and self.is_live_on_branch() else last
        self.notices.append(PlacedNotice(after, entry, about))

    def settle_notices(self, live_key: str, message_id: str) -> None:
        """Let the notices behind a growing reply stand behind a message, since it has become none."""
        self.notices = [
            replace(notice, after=message_id) if notice.after == live_key else notice for notice in self.notices
        ]

    def drop_notices(self, about: str) -> None:
        self.notices = [notice for notice in self.notices if notice.about != about]

    def drop_passing_notices(self) -> None:
        """Forget what was worth a glance only."""
        self.notices = [notice for notice in self.notices if notice.entry.severity != PASSING]

    def entries(self, *, timestamps: bool) -> list[Entry]:
        """Everything that the conversation shows: messages, notices behind theirs, the growing reply."""
        after: dict[str | None, list[Entry]] = {}
        for notice in self.notices:
            after.setdefault(notice.after, []).append(notice.entry)
        shown = list(after.get(None, ()))
        messages = self._message_entries.of(self._branch_now(), timestamps=timestamps)
        if 0 < self.cut.place <= len(messages):
            after.setdefault(messages[self.cut.place - 1].key, []).append(self._line_of_cut())
            messages = entries.sent_though_pinned(messages, self.cut.place)
        live = self.live if self.is_live_on_branch() else None
        if live is not None and messages and messages[-1].key == live.key:  # it goes on, and is shown as it grows
            messages = messages[:-1]
        shown += [each for entry in messages for each in (entry, *after.get(entry.key, ()))] if after else messages
        if live is not None:
            shown += [self.live_entry(live), *after.get(live.key, ())]
        return shown

    def _line_of_cut(self) -> Entry:
        """Above the first message that is sent."""
        if self._cut_line is None or self._cut_line[0] is not self.cut:
            self._cut_line = self.cut, entries.notice("cut", self.cut.words)
        return self._cut_line[1]

    def live_entry(self, live: LiveTurn) -> Entry:
        """The growing reply as it is shown."""
        return replace(live.entry(), alternatives=self._branch_now().alternatives.get(live.key))

    def delete(self, message_id: str) -> None:
        """Delete a message and everything below it, so that it can be undone."""
        before = self.session
        after = self.open_session.update(lambda value: tree.without(value, message_id))
        self.open_session.reserve_ids({it.id for it in before.messages} - {it.id for it in after.messages})
        self.deleted.append(before)

    def undo_delete(self) -> int:
        """Bring back what was deleted last, with the same ids; how many messages that were."""
        self.open_session.refuse_if_read_only()
        before = self.deleted.pop()
        here = {message.id for message in self.session.messages}
        lost = [message for message in before.messages if message.id not in here]
        self.open_session.update(lambda value: _with_messages(value, before, lost))
        return len(lost)


def _with_messages(session: Session, before: Session, lost: Sequence[Message]) -> Session:
    """Put messages back in their order of creation; those that were added since stand behind."""
    known = {message.id for message in before.messages}
    kept = {message.id: message for message in session.messages}
    old = [kept.get(message.id, message) for message in before.messages if message.id in kept or message in lost]
    new = [message for message in session.messages if message.id not in known]
    return replace(session, messages=(*old, *new), head=before.head)
