"""Commands that show how a reply came: its tokens, and when what happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from kimi_tui.core.errors import UsageError
from kimi_tui.core.session.growing_reply import ReplyPart, texts_of
from kimi_tui.core.session.kept_traces import Absent
from kimi_tui.core.session.request_starts import requests_of
from kimi_tui.core.session.session import Message
from kimi_tui.core.session.timeline import Timeline, timeline
from kimi_tui.core.text.growing_text import GrowingText
from kimi_tui.ui.commands.dispatcher import Rows
from kimi_tui.ui.state.callbacks import Push
from kimi_tui.ui.state.open_chat import Chat, Running
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.services import Services
from kimi_tui.ui.transcript.transcript_widget import Transcript

if TYPE_CHECKING:  # the name of a type only
    from collections.abc import Sequence

    from kimi_tui.core.session.session import RequestRecord
    from kimi_tui.core.session.token_trace import TokenTrace

RECORD = "/record next FILE keeps the next reply's stream: `kimi-tui replay FILE` shows its tokens at any time."
WHY = {
    Absent.EARLIER: "it came before this start of the program, or was made of one that did",
    Absent.GIVEN_UP: "later replies needed the room",
    Absent.WHOLE: "it came in one piece, not token by token",
}


@dataclass(eq=False)
class TraceCommands:
    transcript: Transcript
    open_chats: OpenChats
    services: Services
    cut: Callable[[str, ReplyPart, str], None]  # lets an alternative to a reply go on behind a beginning of a part
    push: Push

    def rows(self) -> Rows:
        return {"tokens": self._show_tokens, "timeline": self._show_timeline}

    def _shown(self) -> Running | Message:
        reply = self.open_chats.current.reply_at(self.transcript.cursor.chosen)
        if reply is None:
            raise UsageError("There is no reply here.")
        return reply

    def _show_tokens(self) -> None:
        from kimi_tui.ui.screens.tokens_screen import TokensScreen, TokenView  # noqa: PLC0415 - few need it

        shown, chat = self._shown(), self.open_chats.current
        if isinstance(shown, Running):
            trace, texts, reply_id = shown.turn.trace, shown.turn.reply.texts, shown.live.key
        else:
            trace, reply_id = self._trace_of(shown), shown.id
            texts = {part: GrowingText(text) for part, text in texts_of(shown).items()}

        def cut(part: ReplyPart, end: int) -> None:
            if chat.turn is not None:
                raise UsageError("A reply is running; stop it first.")
            self.cut(reply_id, part, texts[part].between(0, end))

        is_running = partial(_is_running, chat, shown)
        self.push(TokensScreen(TokenView(trace, texts, is_running, cut)))

    def _trace_of(self, message: Message) -> TokenTrace:
        found = self.services.engine().traces.of(self.open_chats.current.session.id, message)
        if isinstance(found, Absent):
            raise UsageError(f"The tokens of this reply were not kept: {WHY[found]}.", RECORD)
        return found

    def _show_timeline(self) -> None:
        from kimi_tui.ui.screens.timeline_screen import TimelineScreen  # noqa: PLC0415 - likewise

        shown, chat = self._shown(), self.open_chats.current
        records: Sequence[RequestRecord]
        trace: TokenTrace | None
        if isinstance(shown, Running):
            records, trace = shown.turn.reply.requests, shown.turn.trace
        else:
            records, trace = requests_of(shown), self.services.engine().traces.own(chat.session.id, shown)

        def look() -> Timeline:
            return timeline(records, trace, self.services.clock.monotonic())

        self.push(TimelineScreen(look, partial(_is_running, chat, shown)))


def _is_running(chat: Chat, shown: Running | Message) -> bool:
    return isinstance(shown, Running) and any(it.turn is shown.turn for it in chat.running)
