"""What is drawn anew when something has changed."""

from __future__ import annotations

from kimi_tui.ui.app.bar_display import BarDisplay
from kimi_tui.ui.app.hint_display import HintDisplay
from kimi_tui.ui.commands import situation
from kimi_tui.ui.panes.conversation_feed import ConversationFeed
from kimi_tui.ui.panes.side_panes import SidePanes
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.services import Services
from kimi_tui.ui.widgets.composer import Composer
from kimi_tui.ui.widgets.queue_line import QueueLine


class Redraw:
    """Draws by what happened."""

    def __init__(
        self,
        services: Services,
        open_chats: OpenChats,
        feed: ConversationFeed,
        *,
        bars: BarDisplay,
        hints: HintDisplay,
        panes: SidePanes,
        queue: QueueLine,
        composer: Composer,
    ) -> None:
        """Draw with these."""
        self._services, self._open_chats, self._feed, self.bars = services, open_chats, feed, bars
        self._hints, self._panes, self._queue, self._composer = hints, panes, queue, composer

    def prepare(self, chat: Chat) -> None:
        """Make what takes long of a chat that nobody else knows yet; this may be done in a thread."""
        self._feed.prepare(chat)
        self.bars.prepare(chat)

    def session(self) -> None:
        """The session on screen, its messages or its settings changed."""
        self._feed.show()
        self.bars.refresh()
        self.beside()

    def beside(self) -> None:
        """The same, where the conversation shows it already and the bars do not tell of it."""
        self._composer.choices = situation.choices(self._services)
        self._hints.refresh()
        self._panes.session_changed()

    def figures(self) -> None:
        """A turn goes on."""
        self.bars.refresh()
        self.queue()

    def queue(self) -> None:
        """Other messages wait."""
        self._queue.show(self._open_chats.current.queued)

    def listed(self) -> None:
        """Other sessions lie on disk."""
        self._panes.bring_up_to_date("sessions")
        self._hints.refresh()
