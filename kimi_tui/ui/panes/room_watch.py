"""How full the context window is with the conversation on screen: looked at, and told before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kimi_tui.core.prompt.context_meter import Context
from kimi_tui.core.text.counts import counted
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.state.measured_cuts import NOTHING_TYPED, Resolve, Typed, measured_cut
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.slash import Text, parse_line
from kimi_tui.ui.text import words

ROOM = "room in the context window"
"""What its notices are about."""


@dataclass(eq=False)
class RoomWatch:
    resolve: Resolve
    drafts: Drafts
    context: Callable[[Chat], Context]  # how full the window is, with what is typed

    def look(self, chat: Chat) -> str:
        """Note where the chat's next request is cut, and how full the window is; what is to be told, "" = nothing new.

        It is told once that the end is near, and once where the cut goes further than before.
        """
        typed, room = self._typed(), chat.room
        # Any text is shown to take something.
        room.typed_tokens = max(chat.calibration.tokens(typed.text), 1) if typed.text else 0
        room.cut = measured_cut(self.resolve, chat, typed)
        context = self.context(chat)
        if room.cut.place:
            is_new = room.cut.place > max(room.told_place, room.cut.last)
            room.told_place, room.is_near_told = max(room.told_place, room.cut.place), True
            return _cut_words(room.cut.count) if is_new else ""
        if context.has_room_again:
            room.is_near_told = False
            chat.notices.drop(ROOM)
        if not context.is_near or room.is_near_told or chat.replies.turn is not None:
            return ""
        room.is_near_told = True
        return _near_words(context)

    def _typed(self) -> Typed:
        if self.drafts.edited_part is not None:
            return NOTHING_TYPED
        text, edited = self.drafts.next_message
        line = parse_line(text)
        return Typed(line.text, edited) if isinstance(line, Text) and line.text.strip() else NOTHING_TYPED


def _cut_words(count: int) -> str:
    return (
        f"There is no room for all of it: {counted(count, 'older message')} will not be sent any more.\n"
        "A line in the conversation shows from where; /over-budget says what is left out."
    )


def _near_words(context: Context) -> str:
    mark, used, window = "" if context.is_counted else "~", context.tokens, context.window_tokens
    reply = f", with {words.count(context.reply_tokens)} for the reply" if context.reply_tokens else ""
    is_over = used + context.reply_tokens > window
    what = "The conversation may not fit the context window" if is_over else "The context window is nearly full"
    return (
        f"{what}: {mark}{words.count(used)} of {words.count(window)} tokens{reply}.\n"
        "/over-budget says what becomes of the oldest turns then; /new begins a new session."
    )
