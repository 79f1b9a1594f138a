"""Commands on how a reply came: its tokens, when what happened, its raw stream in a file that shows it once more."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from kimi_tui.core.errors import UsageError
from kimi_tui.core.ports import Recorder
from kimi_tui.core.session.growing_reply import ReplyPart, texts_of
from kimi_tui.core.session.kept_traces import Absent
from kimi_tui.core.session.request_starts import requests_of
from kimi_tui.core.session.session import Message
from kimi_tui.core.session.timeline import Timeline, timeline
from kimi_tui.core.text.growing_text import GrowingText
from kimi_tui.ui.commands.dispatcher import Rows
from kimi_tui.ui.commands.target import Target
from kimi_tui.ui.state.callbacks import Push, Say
from kimi_tui.ui.state.open_chat import Chat, Running

if TYPE_CHECKING:  # the names of types only
    from collections.abc import Sequence

    from kimi_tui.core.session.session import RequestRecord
    from kimi_tui.core.session.token_trace import TokenTrace
    from kimi_tui.engine.turn_engine import Engine

RECORD_NEXT = "/record next FILE keeps the next reply's stream: `kimi-tui replay FILE` shows its tokens at any time."
WHY = {
    Absent.EARLIER: "it came before this start of the program, or was made of one that did",
    Absent.GIVEN_UP: "later replies needed the room",
    Absent.WHOLE: "it came in one piece, not token by token",
}


NEXT = "next"
"""The word for a reply that is still to come."""
FIRST = "Of several that begin together it is the first."
HOLDS = "It holds the whole prompt and the reply, never the key; look through it before you give it away."


@dataclass(eq=False)
class TraceCommands:
    target: Target
    engine: Callable[[], Engine]
    now_s: Callable[[], float]  # the clock, in seconds
    cut: Callable[[str, ReplyPart, str], None]  # lets an alternative to a reply go on behind a beginning of a part
    recorder: Callable[[], Recorder] | None  # None = what is shown is a recording
    push: Push
    say: Say

    def rows(self) -> Rows:
        return {"tokens": self._show_tokens, "timeline": self._show_timeline, "record": self._record}

    def _shown(self) -> Running | Message:
        reply = self.target.chat.reply_at(self.target.cursor.chosen)
        if reply is None:
            raise UsageError("There is no reply here.")
        return reply

    def _show_tokens(self) -> None:
        from kimi_tui.ui.screens.tokens_screen import TokensScreen, TokenView  # noqa: PLC0415 - few need it

        shown, chat = self._shown(), self.target.chat
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
        found = self.engine().traces.of(self.target.chat.session.id, message)
        if isinstance(found, Absent):
            raise UsageError(f"The tokens of this reply were not kept: {WHY[found]}.", RECORD_NEXT)
        return found

    def _show_timeline(self) -> None:
        from kimi_tui.ui.screens.timeline_screen import TimelineScreen  # noqa: PLC0415 - likewise

        shown, chat = self._shown(), self.target.chat
        records: Sequence[RequestRecord]
        trace: TokenTrace | None
        if isinstance(shown, Running):
            records, trace = shown.turn.reply.requests, shown.turn.trace
        else:
            records, trace = requests_of(shown), self.engine().traces.own(chat.session.id, shown)

        def look() -> Timeline:
            return timeline(records, trace, self.now_s())

        self.push(TimelineScreen(look, partial(_is_running, chat, shown)))

    async def _record(self, argument: str) -> None:
        """Raises UsageError where there is nothing to record, StorageError where the file cannot be made."""
        if self.recorder is None:
            raise UsageError("This is a replay: what it shows is recorded already.")
        recorder = self.recorder()
        chat, words = self.target.chat, argument.split(maxsplit=1)
        session_id = chat.session.id
        if not words or words == [NEXT]:
            raise UsageError("/record needs a file name.", "For example: /record bug.jsonl, /record next bug.jsonl")
        if words[0] == NEXT:
            path = Path(os.path.expanduser(words[1].strip()))
            await recorder.save_next(session_id, path)
            self.say(f"The next reply of this session is recorded into {path}.\n{FIRST} {HOLDS}")
            return
        path = Path(os.path.expanduser(argument.strip()))
        is_running = await recorder.save_last(session_id, path, chat.shown_key(None))
        if is_running is None:
            raise UsageError("No reply came here since the program started.", "/record next FILE records the next one.")
        what = "The running reply is recorded into" if is_running else "The last reply was recorded into"
        self.say(f"{what} {path}.\n{HOLDS}\n`kimi-tui replay {quote(str(path))}` shows it once more.")


def _is_running(chat: Chat, shown: Running | Message) -> bool:
    return isinstance(shown, Running) and any(it.turn is shown.turn for it in chat.running)
