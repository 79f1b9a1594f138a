"""The conversation on screen, and what shows the messages and notices of the session there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from kimi_tui.core.ports import SettingsStore
from kimi_tui.core.settings.actions import Scope
from kimi_tui.ui.panes.room_watch import ROOM, RoomWatch
from kimi_tui.ui.state import entries
from kimi_tui.ui.state.callbacks import Remark
from kimi_tui.ui.state.entries import MessageEntries, Source
from kimi_tui.ui.state.entry import Entry
from kimi_tui.ui.state.measured_cuts import NOTHING_TYPED, measured_cut
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.transcript.transcript_widget import Transcript


class Conversation(Transcript):
    scope: ClassVar[Scope] = Scope.TRANSCRIPT

    def on_focus(self) -> None:
        """A message is chosen, so that it is seen where the keys go."""
        if self.cursor.chosen is None:
            self.cursor.choose_in_view()


@dataclass(eq=False)
class ConversationFeed:
    store: SettingsStore
    open_chats: OpenChats
    transcript: Transcript
    remark: Remark
    room: RoomWatch
    welcome: Sequence[Entry]  # what an empty session shows
    _notices: int = field(default=0, init=False)

    def entries_of(self, chat: Chat) -> tuple[Sequence[Source], MessageEntries]:
        return chat.entries(timestamps=self.store.value.ui.timestamps)

    def prepare(self, chat: Chat) -> None:
        """Does what takes long; this may be done in a thread."""
        measured_cut(self.room.resolve, chat, NOTHING_TYPED)
        self.transcript.prepare(*self.entries_of(chat))

    def show(self) -> None:
        chat = self.open_chats.current
        news = self.room.look(chat)
        shown, messages = self.entries_of(chat)
        self.transcript.set_entries(shown or self.welcome, messages)
        if news:
            self.say(news, "warning", about=ROOM)

    def look_at_draft(self) -> None:
        """Show what follows for the next request from what is typed now."""
        chat = self.open_chats.current
        before = chat.room.cut, len(chat.notices)
        news = self.room.look(chat)
        if news:
            self.say(news, "warning", about=ROOM)
        elif (chat.room.cut, len(chat.notices)) != before:
            self.show()

    def say(self, text: str, severity: str = "info", *, about: str = "") -> None:
        """Put a notice into the conversation on screen; one about the same thing goes, wherever it stands."""
        for chat in self.open_chats.all if about else ():
            chat.notices.drop(about)
        self.notice(self.open_chats.current, text, severity, about)

    def forget(self, about: str) -> None:
        for chat in self.open_chats.all:
            chat.notices.drop(about)
        self.show()

    def notice(self, chat: Chat, text: str, severity: str, about: str = "", after: str | None = None) -> None:
        """It stays until it is dismissed. `after` = the message that it stands behind; None = the last one."""
        self._notices += 1
        chat.add_notice(entries.notice(f"notice-{self._notices}", text, severity), about, after)
        if chat is self.open_chats.current:
            self.show()
            self.transcript.view.follow_tail()
            if not self.transcript.display:  # a pane covers it: the notice waits there, and is told here
                first = text.partition("\n")[0]
                self.remark(first, first.partition(". ")[0])
