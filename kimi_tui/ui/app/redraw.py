"""What is drawn anew when something has changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from kimi_tui.core.wire.reply_plans import refusal_to_continue
from kimi_tui.ui.app.bar_display import BarDisplay
from kimi_tui.ui.app.hint_display import HintDisplay
from kimi_tui.ui.panes.conversation_feed import ConversationFeed
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.panes.side_panes import SidePanes
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.read_only import READ_ONLY, opening_words
from kimi_tui.ui.widgets.composer import Composer
from kimi_tui.ui.widgets.told_lines import QueueLine


@dataclass(eq=False)
class Redraw:
    """Each method is named by what happened."""

    open_chats: OpenChats
    feed: ConversationFeed
    bars: BarDisplay
    hints: HintDisplay
    panes: SidePanes
    queue_line: QueueLine
    composer: Composer
    drafts: Drafts
    type_here: Callable[[], None]  # gives the composer the keys
    label: Callable[[str], str]  # an action's key as it is shown; "" = it has none
    choices: Callable[[], Mapping[str, Sequence[str]]]  # what may stand behind commands, by their ids

    def prepare(self, chat: Chat) -> None:
        """Make what takes long of a chat that nobody else knows yet; this may be done in a thread."""
        self.feed.prepare(chat)
        self.bars.prepare(chat)

    def session(self) -> None:
        """The session on screen, its messages or its settings changed."""
        self.feed.show()
        self.bars.refresh()
        self.queue()
        self.beside()

    def beside(self) -> None:
        """The same, where the conversation shows it already and the bars do not tell of it."""
        self.composer.choices = self.choices()
        self.hints.refresh()
        self.panes.session_changed()

    def other_session(self) -> None:
        """Another session is on screen."""
        chat, transcript = self.open_chats.current, self.feed.transcript
        transcript.cursor.choose(None)
        self.drafts.begin(chat.unsent.draft, chat.session.id)
        self.session()
        transcript.view.follow_tail()
        self.type_here()
        self.listed()
        if reason := chat.open_session.read_only:
            words = opening_words(reason, self.label("open-copy"), is_held=chat.held.is_free is not None)
            self.feed.say(words, "warning", about=READ_ONLY)
        else:
            self._offer_to_continue()

    def _offer_to_continue(self) -> None:
        """Say what can be done about a last reply that broke off, where nothing says it yet."""
        chat = self.open_chats.current
        last = chat.branch[-1] if chat.branch and chat.replies.turn is None else None
        if last is None or refusal_to_continue(last):
            return
        from kimi_tui.ui.state.end_notices import end_of, unfinished_notice  # noqa: PLC0415 - few sessions end so

        about = end_of(last.id)
        is_told = any(placed.about == about for placed in chat.notices)
        if not is_told and (notice := unfinished_notice(last)) is not None:
            self.feed.say(notice.words(self.label), notice.severity, about=about)

    def figures(self) -> None:
        """A turn goes on."""
        self.bars.refresh()
        self.queue()

    def draft(self) -> None:
        """Something was typed."""
        self.feed.look_at_draft()
        self.bars.refresh()

    def queue(self) -> None:
        """Other messages wait."""
        chat = self.open_chats.current
        self.queue_line.show(chat.unsent.queued, chat.next_reply.words)

    def listed(self) -> None:
        """Other sessions lie on disk."""
        self.panes.bring_up_to_date("sessions")
        self.hints.refresh()
