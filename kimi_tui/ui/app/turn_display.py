"""What turns report, as the conversation shows it."""

from __future__ import annotations

from kimi_tui.core.session.session import MessageState
from kimi_tui.core.wire.turn_events import Phase, ReplyDelta, TurnEnded
from kimi_tui.ui.panes.desk import Desk
from kimi_tui.ui.state import entries
from kimi_tui.ui.state.entry import Entry
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.slash import typed_before
from kimi_tui.ui.state.status_line import welcome_entries

FAILED_STATES = frozenset({MessageState.FAILED, MessageState.INTERRUPTED})
"""Ends that nobody wanted."""


class TurnDisplay:
    """Shows the chat that is on screen; what happens in the others is noted for later."""

    def __init__(self, desk: Desk) -> None:
        """Work on that screen."""
        self._desk = desk
        self._notices = 0

    @property
    def _has_timestamps(self) -> bool:
        return self._desk.services.settings.ui.timestamps

    def prepare(self, chat: Chat) -> None:
        """Make the entries of a chat, for the time when they are shown; this may be done in a thread."""
        self._desk.transcript.prepare(chat.entries(timestamps=self._has_timestamps))

    def show_entries(self, chat: Chat) -> None:
        """Show the messages and notices of a chat anew."""
        if chat is self._desk.chat:
            shown = chat.entries(timestamps=self._has_timestamps)
            self._desk.transcript.set_entries(shown or welcome_entries(self._desk.services))

    def show_question(self, chat: Chat) -> None:
        """Show a question that was sent, and follow its reply."""
        chosen = self._desk.transcript.chosen
        self.show_entries(chat)
        if chat is self._desk.chat:
            self._desk.transcript.follow_tail()
            if chat.live is not None:
                self._move_cursor(chosen, chat.live.key)
            self._desk.refresh_hints()
            self._desk.panes.session_changed()
        self._desk.panes.sessions_changed()

    def _move_cursor(self, chosen: str | None, key: str) -> None:
        """Put the message cursor on what came in the place of the message that had it, where that is gone."""
        if chosen is not None and self._desk.transcript.chosen is None:
            self._desk.transcript.choose(key, brings_into_view=False)

    def show_delta(self, chat: Chat, delta: ReplyDelta) -> None:
        """Show text that arrived."""
        if chat is self._desk.chat and chat.live is not None and chat.is_live_on_branch():
            self._desk.transcript.append(chat.live.key, delta.part, delta.text(chat.live.reply))
            self._desk.transcript.set_thought_label(chat.live.key, chat.live.label)
            self._desk.panes.delta_arrived(delta)

    def show_end(self, chat: Chat, ended: TurnEnded) -> None:
        """Show what the growing reply has become."""
        if chat is self._desk.chat:
            if ended.replies:
                self._desk.transcript.update_entry(self._entry(chat, ended))
            chosen = self._desk.transcript.chosen
            self.show_entries(chat)
            if chat.branch:
                self._move_cursor(chosen, chat.branch[-1].id)
            self._desk.refresh_hints()
            self._desk.panes.session_changed()
        else:
            chat.is_unread = True
            chat.has_failed |= ended.state in FAILED_STATES or ended.save_error is not None
        self._desk.panes.sessions_changed()

    def _entry(self, chat: Chat, ended: TurnEnded) -> Entry:
        reply = ended.replies[0]
        shown = reversed(chat.entries(timestamps=self._has_timestamps))
        known = next((entry for entry in shown if entry.key == reply.id), None)
        return known or entries.message_entry(reply, timestamps=self._has_timestamps)

    def show_figures(self, chat: Chat) -> None:
        """Show the figures of a turn as they are now."""
        if chat is self._desk.chat:
            self._desk.refresh_bars()
            self._desk.sending.show_queue()

    def tick(self, now_s: float) -> None:
        """Keep the line of the think block moving."""
        live = self._desk.chat.live
        if live is not None and live.phase is Phase.REASONING and live.update_label(now_s):
            self._desk.transcript.set_thought_label(live.key, live.label)
            self._desk.panes.label_changed()

    def give_back(self, chat: Chat, text: str, edited: str | None = None) -> None:
        """Bring a text back to where it can be sent again; in a chat on screen as the edit that it was."""
        if chat is self._desk.chat:
            self._desk.sending.give_back(text, edited)
        else:
            chat.draft = typed_before(text, chat.draft)

    def notice(self, chat: Chat, text: str, severity: str, about: str = "") -> None:
        """Put a notice into a chat's conversation, where it stays until it is dismissed."""
        self._notices += 1
        chat.add_notice(entries.notice(f"notice-{self._notices}", text, severity), about)
        if chat is self._desk.chat:
            self.show_entries(chat)
            self._desk.transcript.follow_tail()
            if not self._desk.transcript.display:  # a pane covers it: the notice waits there, and is told here
                first = text.partition("\n")[0]
                self._desk.remark(first, first.partition(". ")[0])
