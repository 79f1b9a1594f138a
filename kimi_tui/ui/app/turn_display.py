"""What turns report, as the screen shows it: of the session on screen at once, of the others it is noted for later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kimi_tui.core.session.session import MessageState
from kimi_tui.ui.app.redraw import Redraw
from kimi_tui.ui.panes.conversation_feed import ConversationFeed
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.panes.side_panes import SidePanes
from kimi_tui.ui.state import entries
from kimi_tui.ui.state.entry import Entry
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.slash import typed_before
from kimi_tui.ui.transcript.transcript_widget import Transcript

if TYPE_CHECKING:  # the names of types only: the first frame needs no turn
    from kimi_tui.core.wire.turn_events import ReplyDelta, TurnEnded

FAILED_STATES = frozenset({MessageState.FAILED, MessageState.INTERRUPTED})
"""Ends that nobody wanted."""


@dataclass(eq=False)
class TurnDisplay:
    """See `running_turns.TurnView`."""

    open_chats: OpenChats
    transcript: Transcript
    feed: ConversationFeed
    panes: SidePanes
    drafts: Drafts
    redraw: Redraw
    now_s: Callable[[], float]  # the clock, in seconds
    typed: Callable[[], None]  # notes that what was typed may have to be saved, or not any more

    def notice(self, chat: Chat, text: str, severity: str, about: str = "", after: str | None = None) -> None:
        self.feed.notice(chat, text, severity, about, after)

    def show_question(self, chat: Chat) -> None:
        if chat is self.open_chats.current:
            chosen = self.transcript.cursor.chosen
            self.feed.show()
            self.transcript.view.follow_tail()
            if chat.replies.live is not None:
                self._move_cursor(chosen, chat.replies.live.key)
            self.redraw.beside()
        self.panes.bring_up_to_date("sessions")

    def show_beside(self, chat: Chat) -> None:
        if chat is self.open_chats.current:
            self.feed.show()
            self.redraw.hints.refresh()

    def _move_cursor(self, chosen: str | None, key: str) -> None:
        """It goes to what came in the place of the message that had it, where that is gone."""
        if chosen is not None and self.transcript.cursor.chosen is None:
            self.transcript.cursor.choose(key, brings_into_view=False)

    def show_request(self, chat: Chat) -> None:
        if chat is self.open_chats.current:
            self.panes.bring_up_to_date("prompt")

    def show_delta(self, chat: Chat, delta: ReplyDelta) -> None:
        live = chat.replies.shown_live
        if chat is self.open_chats.current and live is not None:
            self.transcript.grow(live.key, delta.part)
            self.transcript.set_thought_label(live.key, live.thought_line)
            self.panes.delta_arrived(delta)

    def show_shortened(self, chat: Chat) -> None:
        live = chat.replies.shown_live
        if chat is self.open_chats.current and live is not None:
            self.transcript.update_entry(chat.live_entry(live))
            self.panes.bring_up_to_date("reasoning")

    def show_retry(self, chat: Chat) -> None:
        if chat is self.open_chats.current:
            self.tick()
            self.redraw.hints.refresh()  # what Escape and another key do now

    def show_end(self, chat: Chat, ended: TurnEnded) -> None:
        self.typed()
        if chat is self.open_chats.current:
            if ended.replies:
                self.transcript.update_entry(self._reply_entry(chat, ended))
            chosen = self.transcript.cursor.chosen
            self.feed.show()
            if chat.branch:
                self._move_cursor(chosen, chat.branch[-1].id)
            self.redraw.beside()
        else:
            chat.is_unread = True
            chat.has_failed |= ended.state in FAILED_STATES or ended.save_error is not None
        self.panes.bring_up_to_date("sessions")

    def _reply_entry(self, chat: Chat, ended: TurnEnded) -> Entry:
        """A reply that is not on the branch on screen is shown as it would be there."""
        reply = ended.replies[0]
        shown, messages = self.feed.entries_of(chat)
        known = next((it for it in reversed(shown) if entries.key_of(it) == reply.id), None)
        return entries.message_entry(reply) if known is None else messages.entry(known)

    def show_figures(self, chat: Chat) -> None:
        if chat is self.open_chats.current:
            self.redraw.figures()

    def give_back(self, chat: Chat, text: str, edited: str | None = None) -> None:
        """Bring a text back to where it can be sent again; in a chat on screen as the edit that it was."""
        if chat is self.open_chats.current:
            self.drafts.give_back(text, edited)
        else:
            chat.unsent.draft = typed_before(text, chat.unsent.draft)

    def tick(self) -> None:
        chat, now_s = self.open_chats.current, self.now_s()
        live = chat.replies.live
        if live is not None and live.update_footer(now_s):
            self.transcript.update_entry(chat.live_entry(live))
        if live is not None and live.is_thinking and live.update_label(now_s):
            self.transcript.set_thought_label(live.key, live.thought_line)
            self.panes.label_changed()
