"""One turn of `ask` listened to: what comes is put out, and how it ended is told."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kimi_tui.cli.console import Console
from kimi_tui.cli.exit_status import DONE, FAILED, SIGNALLED
from kimi_tui.cli.reply_output import FAILED_STATES, Output, build_report
from kimi_tui.core.errors import StorageError
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.endings import cut, ending, missing_answer, reason_in_short
from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.session import FinishReason, Message, MessageState, Session
from kimi_tui.core.wire.plans import Plan
from kimi_tui.core.wire.turn_events import ReplyDelta, Retrying, TurnEnded, TurnEvent, TurnNotice
from kimi_tui.engine import os_signals
from kimi_tui.engine.openings import Opening

if TYPE_CHECKING:  # the names of types only: importing the modules takes time that a refused call need not spend
    from kimi_tui.adapters.store.session_files import SessionFiles
    from kimi_tui.engine.turn import Turn

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Order:
    opening: Opening
    plan: Plan
    session: Session
    store: SessionFiles | None
    """What keeps the turn; None = nothing does."""
    is_new: bool
    request: RequestSettings

    @property
    def has_alternatives(self) -> bool:
        count = self.request.fields.get("num_responses")
        return isinstance(count, int) and count > 1


class AskListener:
    def __init__(self, order: Order, console: Console, output: Output, turn: Turn) -> None:
        self._order = order
        self._console = console
        self._output = output
        self._turn = turn
        self._events = turn.listen()
        self._stopped_by: signal.Signals | None = None
        self._has_text = False
        self._refusal = ""  # why the question could not be saved
        self.replies: tuple[Message, ...] = ()
        """What the turn brought, when it has ended by itself."""

    async def run(self) -> int:
        with os_signals.handling(self._stop, *STOP_SIGNALS):
            try:
                while events := await self._events.drain():
                    for event in events:
                        if isinstance(event, TurnEnded):
                            return self._end(event)
                        if self._stopped_by is None:
                            self._take(event)
            except OSError:  # nobody reads it any more, or its disk is full
                self._turn.stop()
                await self._turn.finished()
                raise
        raise AssertionError("a turn ends with its last event")

    def _take(self, event: TurnEvent) -> None:
        match event:
            case ReplyDelta():
                self._give_start()
                self._output.delta(event.part, event.text(self._turn.reply))
            case Retrying():
                pause = f"Trying again in {event.delay_s:.1f} s ({event.attempt} of {event.attempts})."
                self._console.tell_error(event.error, pause)
            case TurnNotice():
                if isinstance(event.error, StorageError):
                    self._refusal = event.error.summary
                self._console.tell_error(event.error)

    def _end(self, ended: TurnEnded) -> int:
        report = build_report(
            ended,
            session_id=self._session_id if self._is_on_disk else None,
            model=self._order.request.model,
            has_alternatives=self._order.has_alternatives,
            usage=self._turn.reply.usage,
            request_id=self._turn.reply.request_id,
            replies=(replies := ended.replies or self._as_it_was()),
        )
        if self._stopped_by is not None:
            self._output.stopped(report)
            if ended.save_error is not None:
                self._tell_saved(ended)
            return SIGNALLED + self._stopped_by
        self.replies = ended.replies
        if ended.replies and not self._has_text:
            self._give_whole(ended.replies[0])
        try:
            self._output.end(report, replies)
        finally:
            self._tell_end(ended)
        return FAILED if ended.state in FAILED_STATES or ended.save_error else DONE

    def _as_it_was(self) -> tuple[Message, ...]:
        """The reply that was to be gone on with, where nothing came of that; () = there is none."""
        reply = self._turn.reply
        return () if reply.is_new else tuple(it for it in self._turn.open_session.value.messages if it.id == reply.id)

    @property
    def _session_id(self) -> str:
        """It is another one where others changed the file, and what came went into a copy."""
        return self._turn.open_session.value.id

    @property
    def _is_on_disk(self) -> bool:
        """Whether the session can be found again: a new one is not where its first question was refused."""
        is_old = self._order.store is not None and not self._order.is_new
        return is_old or self._turn.open_session.is_saved

    def _give_start(self) -> None:
        """Before the first of what comes, give the words of the user's that a new reply begins with."""
        if not self._has_text and self._turn.reply.is_new:
            self._give(self._turn.reply.beginning.reasoning, self._turn.reply.beginning.content)
        self._has_text = True

    def _give_whole(self, reply: Message) -> None:
        """What it began with has been given before."""
        self._give_start()
        before = self._turn.reply.beginning
        reasoning = (reply.reasoning or "").removeprefix(before.reasoning or "")
        self._give(reasoning, reply.content.removeprefix(before.content))

    def _give(self, reasoning: str | None, answer: str) -> None:
        for part, text in ((ReplyPart.REASONING, reasoning), (ReplyPart.ANSWER, answer)):
            if text:
                self._output.delta(part, text)

    def _tell_end(self, ended: TurnEnded) -> None:
        if ended.error is not None:
            self._console.tell_error(ended.error, self._kept(ended))
        self._tell_saved(ended)
        if ended.state is MessageState.QUEUED:
            self._console.tell("the request is queued; the reply goes to the webhook")
        for reply in ended.replies:
            if reply.state is MessageState.COMPLETE and (words := _unusual_end(reply)):
                self._console.tell(words, self._more_room(reply))

    def _more_room(self, reply: Message) -> str:
        """What to do about a reply that had too little room; "" where that was not its limit."""
        if reply.finish_reason != FinishReason.LENGTH:
            return ""
        more = " `kimi-tui ask --continue` goes on with it." if self._turn.open_session.is_saved else ""
        return f"Give it more with --set max_new_tokens=….{more}"

    def _tell_saved(self, ended: TurnEnded) -> None:
        session = self._turn.open_session
        if ended.save_error is not None:
            if ended.save_error.summary != self._refusal:
                self._console.tell_error(ended.save_error)
            if session.is_saved:
                self._console.tell(f"session {self._session_id} holds the question without its reply")
        elif self._order.is_new and session.is_saved:
            self._console.tell(f"{'now ' if self._refusal else ''}saved as session {self._session_id}")

    def _kept(self, ended: TurnEnded) -> str:
        """What a failed turn left in the session, in words; "" = nothing."""
        if not self._turn.open_session.is_saved or ended.save_error is not None:
            return ""
        where, more = f"kept in session {self._session_id}", " `kimi-tui ask --continue` goes on with it."
        if ended.replies:
            return f"What arrived is {where}.{more}"
        if self._as_it_was():
            return f"The reply is {where} as it was.{more}"
        return f"The question is {where}."

    def _stop(self, number: signal.Signals) -> None:
        """Stop the turn; after that Ctrl+C ends the program at once. A terminal that closes may say so twice."""
        self._stopped_by = self._stopped_by or number
        asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)
        self._turn.stop()


def _unusual_end(reply: Message) -> str:
    """Say how a complete reply ended, where it is not whole; "" = it is."""
    if cut(reply):
        return f"the reply was {ending(reply).replace(' · it ', ' and ')}"
    misses = missing_answer(reply).removeprefix("it ")
    reason = f" (the endpoint says: {reason_in_short(reply)})" if reply.finish_reason else ""
    return f"the reply {misses}{reason}" if misses else ""
