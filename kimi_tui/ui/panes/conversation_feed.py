"""The conversation at work: shows the messages and notices of the session on screen, and puts notices there."""

from __future__ import annotations

from kimi_tui.ui.state import entries
from kimi_tui.ui.state.callbacks import Remark
from kimi_tui.ui.state.entry import Entry
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.services import Services
from kimi_tui.ui.state.status_line import welcome_entries
from kimi_tui.ui.transcript.transcript_widget import Transcript


class ConversationFeed:
    """Keeps the conversation in view."""

    def __init__(self, services: Services, open_chats: OpenChats, transcript: Transcript, remark: Remark) -> None:
        """Show what is on screen; `remark` tells of notices while a pane covers the conversation."""
        self._services, self._open_chats, self._transcript, self._remark = services, open_chats, transcript, remark
        self._notices = 0

    def entries_of(self, chat: Chat) -> list[Entry]:
        """What the conversation shows of a chat."""
        return chat.entries(timestamps=self._services.settings.ui.timestamps)

    def prepare(self, chat: Chat) -> None:
        """Begin with what takes long of a chat that will be shown; this may be done in a thread."""
        self._transcript.prepare(self.entries_of(chat))

    def show(self) -> None:
        """Show the session on screen anew."""
        self._transcript.set_entries(self.entries_of(self._open_chats.current) or welcome_entries(self._services))

    def say(self, text: str, severity: str = "info", *, about: str = "") -> None:
        """Put a notice into the conversation on screen; one about the same thing goes, wherever it stands."""
        for chat in self._open_chats.all if about else ():
            chat.drop_notices(about)
        self.notice(self._open_chats.current, text, severity, about)

    def notice(self, chat: Chat, text: str, severity: str, about: str = "") -> None:
        """Put a notice into a chat's conversation, where it stays until it is dismissed."""
        self._notices += 1
        chat.add_notice(entries.notice(f"notice-{self._notices}", text, severity), about)
        if chat is self._open_chats.current:
            self.show()
            self._transcript.follow_tail()
            if not self._transcript.display:  # a pane covers it: the notice waits there, and is told here
                first = text.partition("\n")[0]
                self._remark(first, first.partition(". ")[0])
