"""One open session, and what the screen keeps of it while it is open: values only, no widgets.

Several chats may be open at once: the one on screen, and those whose replies are still being written.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kimi_tui.core.errors import KimiError
from kimi_tui.core.ports import HeldSession
from kimi_tui.core.prompt.token_estimate import UNCALIBRATED, Calibration
from kimi_tui.core.session import tree
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.core.session.tree import branch_start
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.ui.state import entries
from kimi_tui.ui.state.branch import Branch
from kimi_tui.ui.state.entry import Entry
from kimi_tui.ui.state.next_cut import NextCut, Room
from kimi_tui.ui.state.next_reply import NOTHING_ASKED, NextReply
from kimi_tui.ui.state.notices import Notices, PlacedNotice
from kimi_tui.ui.state.running_replies import Running, RunningReplies
from kimi_tui.ui.state.slash import is_message
from kimi_tui.ui.state.tree_steps import TreeSteps
from kimi_tui.ui.state.unsent_text import UnsentText

if TYPE_CHECKING:  # the names of types only: a chat opens without any turn
    from kimi_tui.core.wire.answer_forms import FormCheck
    from kimi_tui.ui.state.live_turn import LiveTurn


@dataclass(slots=True, eq=False)
class Chat:
    open_session: OpenSession
    held: HeldSession
    """How it is kept from others since it was opened, or moved; what it says now is `open_session`'s."""
    is_let_go: bool = False
    """Whether others who held it have gone."""
    unsent: UnsentText = field(default_factory=UnsentText)
    replies: RunningReplies = field(init=False)
    next_reply: NextReply = NOTHING_ASKED
    is_unread: bool = False
    """Whether a reply has ended while another session was on screen."""
    has_failed: bool = False
    """Whether one of these was cut, came to nothing or could not be saved."""
    notices: Notices = field(default_factory=Notices)
    form_checks: dict[str, FormCheck] = field(default_factory=dict)
    """What was found out about replies that are to keep a form, by their ids."""
    tree_steps: TreeSteps = field(default_factory=TreeSteps)
    """What was deleted and named."""
    room: Room = field(default_factory=Room)
    _cut_line: tuple[NextCut, Entry] | None = None
    _branch: Branch | None = None
    _calibrated: tuple[Session, Calibration] | None = None

    def __post_init__(self) -> None:
        self.replies = RunningReplies(self.open_session)

    @property
    def session(self) -> Session:
        return self.open_session.value

    @property
    def path(self) -> Path:
        """Its file, which need not be there yet."""
        return Path(self.session.path)

    @property
    def unsaved(self) -> KimiError | None:
        """Why text of it is in no file; None = all is that should be."""
        unsent = self.unsent
        holds_text = bool(self.session.messages) or is_message(unsent.draft) or unsent.raw_draft is not None
        return (self.open_session.save_error if holds_text else None) or unsent.error

    def branch_now(self) -> Branch:
        session, growing = self.session, self.replies.growing
        if self._branch is None or self._branch.session is not session or self._branch.growing != growing:
            self._branch = Branch(session, growing)
        return self._branch

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
        live = self.replies.live
        if live is not None and chosen == live.key:
            return None
        return self.message(chosen) or (self.branch[-1] if self.branch else None)

    def on_screen(self, chosen: str | None) -> Message | None:
        """As `target`, but the reply that grows is one too, as far as it has come."""
        key = self.shown_key(chosen)
        growing = None if key is None else self.replies.find(key)
        return self.message(key) if growing is None else growing.so_far

    def reply_at(self, chosen: str | None) -> Running | Message | None:
        """The chosen reply, or the one that answers the chosen question on the branch shown; else the last one.

        A reply that grows is one too. None = there is none.
        """
        live = self.replies.running[0] if self.replies.shown_live is not None else None
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
        live = self.replies.shown_live
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

    @property
    def last_reply(self) -> Message | None:
        return next((message for message in reversed(self.branch) if message.role is Role.ASSISTANT), None)

    def question_of(self, message: Message) -> Message | None:
        """The question itself, or the one that a reply answers."""
        return message if message.role is Role.USER else self.message(message.parent)

    def hides_reply_to(self, question: Message) -> bool:
        """Whether a question ends what is shown, although it has replies."""
        is_last = bool(self.branch) and self.branch[-1].id == question.id and self.replies.turn is None
        return is_last and any(message.parent == question.id for message in self.session.messages)

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
        live = self.replies.shown_live
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
        key, session = self.shown_key(chosen), self.replies.with_growing()
        return "" if key is None else tree.message_of(session, branch_start(session, key)).name
