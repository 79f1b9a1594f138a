"""The running turns: started here, followed to their ends, whichever session is on screen.

What a turn reports is noted in its chat first; the screen is told only what it has to draw, and only of the chat that
it shows. The engine gathers deltas while nobody takes them, so a drawing at most every `FRAME_S` costs no text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, assert_never

from kimi_tui.core.errors import KimiError
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.session import MessageState
from kimi_tui.core.settings.keymap import KeyTable
from kimi_tui.core.wire.turn_events import (
    PhaseChanged,
    QuestionAdded,
    ReplyDelta,
    ReplyPart,
    Retrying,
    TurnEnded,
    TurnEvent,
    TurnNotice,
)
from kimi_tui.ui.state import entries
from kimi_tui.ui.state.end_notices import end_notices
from kimi_tui.ui.state.live_turn import LiveTurn
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.services import Services
from kimi_tui.ui.text import words

if TYPE_CHECKING:  # the name of a type only
    from kimi_tui.engine.turn import Turn

FRAME_S = 1 / 20
"""Time between two drawings of a growing reply, in seconds."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was typed for a turn."""

    text: str = ""
    """The question; "" = one that stands in the session was asked again."""
    alternative_to: str | None = None
    """Id of the question that it is an edit of; None = of none."""

    def is_still_edit_of(self, chat: Chat, turn: Turn) -> bool:
        """Whether it stands in the session nowhere, and can be sent as an edit again."""
        return turn.question is None and any(message.id == self.alternative_to for message in chat.session.messages)


class TurnView(Protocol):
    """What the screen shows of a turn."""

    def show_question(self, chat: Chat) -> None:
        """Show a question that was sent, and follow its reply."""

    def show_delta(self, chat: Chat, delta: ReplyDelta) -> None:
        """Show text that arrived."""

    def show_end(self, chat: Chat, key: str, ended: TurnEnded) -> None:
        """Show the reply that the growing one with that key has become, or that there is none."""

    def show_figures(self, chat: Chat) -> None:
        """Show the figures of a turn as they are now."""

    def give_back(self, chat: Chat, text: str, edited: str | None = None) -> None:
        """Bring a text back to where it can be sent again, with the id of the question that it is an edit of."""

    def notice(self, chat: Chat, text: str, severity: str) -> None:
        """Say something in a chat's conversation."""


class Turns:
    """Starts turns and follows them."""

    def __init__(self, services: Services, view: TurnView, run: Callable[[Coroutine[Any, Any, None]], object]) -> None:
        """Begin with none.

        Args:
            services: The engine and the clock.
            view: What is told of events.
            run: Runs a coroutine beside everything else.
        """
        self._services, self._view, self._run = services, view, run

    def send(self, chat: Chat, text: str, *, alternative_to: str | None = None) -> None:
        """Send a question.

        Args:
            chat: Where it goes.
            text: What it says.
            alternative_to: Id of the question that it is an edit of, and becomes an alternative of; None = of none.

        Raises:
            KimiError: Nothing can be sent; the session is as it was.
        """
        turn = self._services.engine.start(chat.open_session, text, self._request(chat), alternative_to=alternative_to)
        self._begin(chat, turn, _Asked(text, alternative_to))

    def regenerate(self, chat: Chat, question_id: str) -> None:
        """Ask for another reply.

        Raises:
            KimiError: Nothing can be sent.
        """
        turn = self._services.engine.regenerate(chat.open_session, question_id, self._request(chat))
        self._begin(chat, turn, _Asked())

    async def settle(self, chat: Chat) -> None:
        """Stop the turn of a chat and wait until what arrived is kept."""
        if chat.turn is not None:
            turn = chat.turn
            turn.stop()
            await turn.finished()
            chat.turn, chat.live = None, None

    def _request(self, chat: Chat) -> RequestSettings:
        if self._services.key_problem is not None:
            raise self._services.key_problem
        return self._services.resolve(chat.session)

    def _begin(self, chat: Chat, turn: Turn, asked: _Asked) -> None:
        chat.turn, chat.live = turn, LiveTurn(turn.id, self._services.clock.monotonic())
        self._run(self._follow(chat, turn, asked))

    async def _follow(self, chat: Chat, turn: Turn, asked: _Asked) -> None:
        """Apply what a turn reports, gathered so that drawing stays cheap."""
        while events := await turn.drain():
            for event in events:
                self._apply(chat, turn, event, asked)
            if not all(isinstance(event, ReplyDelta) for event in events):
                self._view.show_figures(chat)  # between these the screen's clock counts: that is often enough
            await asyncio.sleep(FRAME_S)

    def _apply(self, chat: Chat, turn: Turn, event: TurnEvent, asked: _Asked) -> None:
        """Note one event, and have it shown; events of a turn that was left behind are late."""
        live = chat.live
        if live is None or chat.turn is not turn:
            return
        match event:
            case QuestionAdded():
                chat.drop_passing_notices()
                self._view.show_question(chat)
            case PhaseChanged(phase=phase):
                live.phase = phase
            case ReplyDelta():
                now_s = self._services.clock.monotonic()
                live.feed(event, now_s)
                if event.part is ReplyPart.ANSWER or not live.label:  # while it thinks, the screen's clock counts
                    live.update_label(now_s)
                self._view.show_delta(chat, event)
            case Retrying():
                live.retry = words.retrying(event)
            case TurnNotice(error=error):
                self._say_error(chat, error, severity="warning")
            case TurnEnded():
                self._end(chat, turn, event, asked)
            case _:
                assert_never(event)

    def _end(self, chat: Chat, turn: Turn, ended: TurnEnded, asked: _Asked) -> None:
        """Note how it ended: what came, what was kept, what to do next."""
        key = turn.id
        chat.note_end(ended)
        last = ended.replies[0] if ended.replies else turn.question
        if last is not None:
            chat.settle_notices(key, last.id)
        self._view.show_end(chat, key, ended)
        label = KeyTable.of(self._services.settings.keymap).label
        for notice in end_notices(ended, has_text_back=bool(asked.text)):
            self._view.notice(chat, notice.words(label), notice.severity)
        if ended.state is MessageState.COMPLETE:
            self._send_queued(chat, ended)
            return
        unsent = [asked.text] if asked.text and not ended.replies else []
        if unsent and asked.is_still_edit_of(chat, turn):
            self._view.give_back(chat, unsent.pop(), asked.alternative_to)
        self._give_back(chat, [*unsent, *chat.queued])

    def _send_queued(self, chat: Chat, ended: TurnEnded) -> None:
        """Send the first of the messages that wait; the next one waits for its reply.

        They were written below the reply that has ended, and are not sent below anything else.
        """
        if not chat.queued:
            return
        if all(reply.id != chat.session.head for reply in ended.replies):
            self._give_back(chat, chat.queued)
            words = "The reply that a message waited for is not the one on screen; it is back in the composer, unsent."
            self._view.notice(chat, words, "warning")
            return
        text, *chat.queued = chat.queued
        try:
            self.send(chat, text)
        except KimiError as error:
            self._give_back(chat, [text, *chat.queued])
            self._say_error(chat, error, "The queued message is back in the composer.")

    def _give_back(self, chat: Chat, texts: list[str]) -> None:
        chat.queued = []
        if texts:
            self._view.give_back(chat, "\n\n".join(texts))

    def _say_error(self, chat: Chat, error: KimiError, kept: str = "", severity: str = "error") -> None:
        self._view.notice(chat, entries.error_text(error, kept), severity)
