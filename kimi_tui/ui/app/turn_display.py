"""What turns report, as the screen shows it: of the session on screen at once, of the others it is noted for later."""

from __future__ import annotations

from collections.abc import Callable

from kimi_tui.core.session.session import MessageState
from kimi_tui.core.wire.turn_events import Phase, ReplyDelta, TurnEnded
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

FAILED_STATES = frozenset({MessageState.FAILED, MessageState.INTERRUPTED})
"""Ends that nobody wanted."""


class TurnDisplay:
    """Shows turns; see `running_turns.TurnView`."""

    def __init__(
        self,
        open_chats: OpenChats,
        transcript: Transcript,
        feed: ConversationFeed,
        panes: SidePanes,
        *,
        drafts: Drafts,
        redraw: Redraw,
        now_s: Callable[[], float],
    ) -> None:
        """Be ready.

        Args:
            open_chats: Whose turns they are.
            transcript: Where replies grow.
            feed: Shows the other entries there.
            panes: Are told what arrives.
            drafts: Where messages come back that were not sent.
            redraw: Shows what changed with them.
            now_s: The clock, in seconds.
        """
        self._open_chats, self._transcript, self._feed, self._panes = open_chats, transcript, feed, panes
        self._drafts, self._redraw, self._now_s = drafts, redraw, now_s
        self.notice = feed.notice

    def show_question(self, chat: Chat) -> None:
        """Show a question that was sent, and follow its reply."""
        if chat is self._open_chats.current:
            chosen = self._transcript.chosen
            self._feed.show()
            self._transcript.follow_tail()
            if chat.live is not None:
                self._move_cursor(chosen, chat.live.key)
            self._redraw.beside()
        self._panes.bring_up_to_date("sessions")

    def _move_cursor(self, chosen: str | None, key: str) -> None:
        """Put the message cursor on what came in the place of the message that had it, where that is gone."""
        if chosen is not None and self._transcript.chosen is None:
            self._transcript.choose(key, brings_into_view=False)

    def show_delta(self, chat: Chat, delta: ReplyDelta) -> None:
        """Show text that arrived."""
        if chat is self._open_chats.current and chat.live is not None and chat.is_live_on_branch():
            self._transcript.append(chat.live.key, delta.part, delta.text)
            self._transcript.set_thought_label(chat.live.key, chat.live.label)
            self._panes.delta_arrived(delta)

    def show_end(self, chat: Chat, key: str, ended: TurnEnded) -> None:
        """Show what the growing reply has become."""
        if chat is self._open_chats.current:
            if ended.replies:
                self._transcript.rename_entry(key, self._reply_entry(chat, ended))
            chosen = self._transcript.chosen
            self._feed.show()
            if chat.branch:
                self._move_cursor(chosen, chat.branch[-1].id)
            self._redraw.beside()
        else:
            chat.is_unread = True
            chat.has_failed |= ended.state in FAILED_STATES or ended.save_error is not None
        self._panes.bring_up_to_date("sessions")

    def _reply_entry(self, chat: Chat, ended: TurnEnded) -> Entry:
        """The entry of the reply; of one that is not on the branch on screen, as it would be there."""
        reply = ended.replies[0]
        known = next((entry for entry in reversed(self._feed.entries_of(chat)) if entry.key == reply.id), None)
        return known or entries.message_entry(reply, timestamps=False)

    def show_figures(self, chat: Chat) -> None:
        """Show the figures of a turn as they are now."""
        if chat is self._open_chats.current:
            self._redraw.figures()

    def give_back(self, chat: Chat, text: str, edited: str | None = None) -> None:
        """Bring a text back to where it can be sent again; in a chat on screen as the edit that it was."""
        if chat is self._open_chats.current:
            self._drafts.give_back(text, edited)
        else:
            chat.draft = typed_before(text, chat.draft)

    def tick(self) -> None:
        """Keep the line of the think block moving."""
        live = self._open_chats.current.live
        if live is not None and live.phase is Phase.REASONING and live.update_label(self._now_s()):
            self._transcript.set_thought_label(live.key, live.label)
            self._panes.label_changed()
