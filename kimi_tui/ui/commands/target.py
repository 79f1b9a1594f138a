"""Which message commands are about: the chosen one, else the last."""

from __future__ import annotations

from dataclasses import dataclass

from kimi_tui.core.errors import UsageError
from kimi_tui.core.session.session import Message
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.running_replies import Running
from kimi_tui.ui.transcript.cursor import Cursor


@dataclass(eq=False)
class Target:
    open_chats: OpenChats
    cursor: Cursor

    @property
    def chat(self) -> Chat:
        return self.open_chats.current

    @property
    def key(self) -> str | None:
        """Of the message, or of the growing reply; None = there is none."""
        return self.chat.shown_key(self.cursor.chosen)

    def message(self) -> Message:
        """Raises UsageError where there is no message, or it is still being written."""
        return _there(self.chat.target(self.cursor.chosen))

    def on_screen(self) -> Message:
        """As `message`, but of a reply that grows all that has come."""
        return _there(self.chat.on_screen(self.cursor.chosen))

    def reply(self) -> Message:
        """The reply that is meant; raises UsageError where there is none, or it is still being written."""
        reply = self.chat.reply_at(self.cursor.chosen)
        if reply is None or isinstance(reply, Running):
            raise UsageError("There is no reply here, or it is still being written.")
        return reply

    def question(self) -> Message:
        """The question that the message is or answers; raises UsageError where there is none."""
        question = self.chat.question_of(self.message())
        if question is None:
            raise UsageError("There is no question here.")
        return question


def _there(message: Message | None) -> Message:
    if message is None:
        raise UsageError("There is no message yet, or it is still being written.")
    return message
