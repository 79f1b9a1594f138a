"""What is drawn anew when something has changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from kimi_tui.ui.app.bar_display import BarDisplay
from kimi_tui.ui.app.hint_display import HintDisplay
from kimi_tui.ui.panes.conversation_feed import ConversationFeed
from kimi_tui.ui.panes.side_panes import SidePanes
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.open_chats import OpenChats
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
        self.queue_line.show(chat.queued, chat.next_reply.words)

    def listed(self) -> None:
        """Other sessions lie on disk."""
        self.panes.bring_up_to_date("sessions")
        self.hints.refresh()
