"""The running turns: started here, followed to their ends, whichever session is on screen.

What a turn reports is noted in its chat first; the screen is told only what it has to draw, and only of the chat that
it shows. The engine gathers deltas while nobody takes them, so a drawing at most every `FRAME_S` costs no text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, Protocol, assert_never

from kimi_tui.core.errors import KimiError, LeftOutError, StorageError
from kimi_tui.core.ports import Clock, SettingsStore
from kimi_tui.core.prompt.raw_prompt import RawInput
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.reply_edits import ReplyStart
from kimi_tui.core.session.session import Message, MessageState
from kimi_tui.core.settings.reply_batch import Member, ReplyBatch
from kimi_tui.core.settings.sampling import RequestOptions, resolve_chat, resolve_request
from kimi_tui.core.settings.turn_plan import resolve_plan
from kimi_tui.core.wire.answer_forms import is_json_form
from kimi_tui.core.wire.plans import Plan, answering, single
from kimi_tui.core.wire.reply_plans import answering_again
from kimi_tui.core.wire.thinking_budget import NO_BUDGET, Budget
from kimi_tui.core.wire.turn_events import (
    AttemptBegan,
    Phase,
    PhaseChanged,
    RepliesPlaced,
    ReplyDelta,
    ReplyShortened,
    RequestEnded,
    Retrying,
    TurnBegan,
    TurnEnded,
    TurnEvent,
    TurnNotice,
)
from kimi_tui.engine.openings import AnsweringAgain, Asking, AskingAgain, Opening, Start
from kimi_tui.ui.state import entries
from kimi_tui.ui.state.answers import Answers
from kimi_tui.ui.state.end_notices import end_of, told_ends
from kimi_tui.ui.state.form_checks import FormChecks, NoticeView, about_form
from kimi_tui.ui.state.live_turn import LiveTurn
from kimi_tui.ui.state.next_reply import NOTHING_ASKED, NextReply
from kimi_tui.ui.state.notices import PASSING, REFUSED
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.running_replies import Running

if TYPE_CHECKING:  # the names of types only
    from kimi_tui.engine.turn import Listener, Turn
    from kimi_tui.engine.turn_engine import Engine

FRAME_S = 1 / 20
"""Shortest time between two drawings of a growing reply, in seconds."""
MAX_FRAME_S = 1 / 4
"""Longest time between them, however busy the machine is."""


class Variant(NamedTuple):
    setting: str
    """What its request says that those of the others do not, in words; "" = nothing."""
    options: RequestOptions


class TurnView(NoticeView, Protocol):
    def show_question(self, chat: Chat) -> None:
        """Show a question that was sent, and follow its reply."""

    def show_beside(self, chat: Chat) -> None:
        """Show that more replies grow beside the one on screen."""

    def show_request(self, chat: Chat) -> None:
        """Show that another request was sent."""

    def show_delta(self, chat: Chat, delta: ReplyDelta) -> None: ...

    def show_shortened(self, chat: Chat) -> None:
        """Show the growing reply anew, of which the end was taken away."""

    def show_retry(self, chat: Chat) -> None:
        """Show that another attempt waits, or that it has begun."""

    def show_end(self, chat: Chat, ended: TurnEnded) -> None:
        """Show the reply that the growing one has become, or that there is none."""

    def show_figures(self, chat: Chat) -> None: ...

    def give_back(self, chat: Chat, text: str, edited: str | None = None) -> None:
        """Bring a text back to where it can be sent again, with the id of the question that it is an edit of."""


def frame_pause_s(late_s: float) -> float:
    """How long to wait for the next drawing when the last wait was longer than asked for, both in seconds.

    The loop was busy for that time: as long again is left to reading and to keys, so that drawing takes no more than
    its share of a fast stream or a slow machine.
    """
    return min(FRAME_S + max(late_s, 0.0), MAX_FRAME_S)


class Turns:
    def __init__(
        self,
        store: SettingsStore,
        engine: Callable[[], Engine],
        clock: Clock,
        view: TurnView,
        run: Callable[[Awaitable[None]], object],
        *,
        checks: FormChecks,
        label: Callable[[str], str],
        key_problem: KimiError | None = None,
        recorded_plan: Plan | None = None,
    ) -> None:
        """`label` gives an action's key as it is shown, "" = it has none.

        `key_problem` says why nothing can be sent. `recorded_plan` is that of every turn in a replay.
        """
        self._store, self._engine, self._clock, self._view, self._run = store, engine, clock, view, run
        self.checks, self._label = checks, label
        self._key_problem, self._recorded_plan = key_problem, recorded_plan

    def start(self, chat: Chat, opening: Opening, plan: Plan = single, *, told: str = "") -> None:
        """Begin a turn: the one way to do so. `told` is said when it has begun; "" = nothing is.

        Raises:
            KimiError: Nothing can be sent; the session is as it was.
        """
        asked = chat.next_reply
        opening = opening.starting_with(asked.start)
        self._begin(chat, opening, plan, self._request(chat, opening, asked.options), told=told)
        chat.next_reply = _left_by(opening, asked)
        answers = None if chat.next_reply.answers else asked.answers
        chat.replies.follow_up = answers and replace(answers, options=asked.options)

    def start_batch(self, chat: Chat, again: AskingAgain, variants: Sequence[Variant], what: str, told: str) -> None:
        """Begin several replies to one question, as many as may run at once; `told` is said when they have begun.

        `what` as in `ReplyBatch`.

        Raises:
            KimiError: One of them cannot be sent; the session is as it was.
        """
        asked = chat.next_reply
        opening = again.starting_with(asked.start)
        requests = [self._request(chat, opening, it.options.over(asked.options)) for it in variants]
        members = tuple(Member(it.setting, request) for it, request in zip(variants, requests, strict=True))
        chat.replies.batch = ReplyBatch(again.question_id, members, what)
        chat.next_reply = replace(NOTHING_ASKED, answers=asked.answers)
        self._begin_due(chat, opening, asked.budget, told)

    def _begin_due(self, chat: Chat, opening: Opening, budget: Budget | None, told: str = "") -> None:
        """Let those of a batch begin that may; one that cannot is told, and the next one takes its place."""
        replies = chat.replies
        while due := replies.batch.due:
            place = due[0]
            try:
                chat.open_session.refuse_if_read_only()  # others may hold it since it was asked for
                request = replies.batch.members[place].request
                turn = self._begin(chat, opening, single, request, told=told, budget=budget)
            except KimiError as error:
                replies.batch = replies.batch.refused(place, error.summary)
                self._say_error(chat, error)
            else:
                replies.batch, told = replies.batch.begun(place, turn.reply.id), ""

    def answer(self, chat: Chat, thought: Message, answers: Answers) -> None:
        """Begin so many answers to the thinking of a reply.

        Raises:
            KimiError: Nothing can be sent; the session is as it was.
        """
        self._answer(chat, thought, replace(answers, options=chat.next_reply.options))
        chat.next_reply = _left_by(AnsweringAgain(thought), chat.next_reply)

    def _answer(self, chat: Chat, thought: Message, answers: Answers) -> None:
        several = AnsweringAgain(thought, answers.count)
        for opening in [several] if answers.in_one else [AnsweringAgain(thought)] * answers.count:
            self._begin(chat, opening, answering_again, self._request(chat, opening, answers.options))

    def _begin(
        self,
        chat: Chat,
        opening: Opening,
        plan: Plan,
        request: RequestSettings,
        *,
        told: str = "",
        budget: Budget | None = None,
    ) -> Turn:
        """Begin a turn, beside those that run. `budget` None = the next reply's, or the session's."""
        budget = budget or chat.next_reply.budget or resolve_chat(self._store.value, chat.session).budget
        if self._recorded_plan is not None:
            plan = self._recorded_plan
        elif opening.is_raw:
            plan, budget = answering(plan, cuts_back=self._store.value.chat.whole_sentences), NO_BUDGET
        else:
            plan = resolve_plan(self._store.value, chat.session, request, plan, budget)
        turn = self._engine().start(chat.open_session, opening, request, plan)
        is_json = is_json_form(request.fields.get("response_format"))
        live = LiveTurn(turn.reply, self._clock.monotonic(), budget, is_json, told)
        chat.replies.note_begun(Running(turn, live))
        self._run(self._follow(chat, turn, turn.listen(), opening))
        return turn

    def _request(self, chat: Chat, opening: Opening, options: RequestOptions) -> RequestSettings:
        chat.open_session.refuse_if_read_only()
        if self._key_problem is not None:
            raise self._key_problem
        return resolve_request(self._store.value, chat.session, opening.options.over(options))

    async def _follow(self, chat: Chat, turn: Turn, listener: Listener, opening: Opening) -> None:
        """Apply what a turn reports, gathered so that drawing stays cheap."""
        now, pause_s = asyncio.get_running_loop().time, FRAME_S
        while events := await listener.drain():
            for event in events:
                self._apply(chat, turn, event, opening)
            if not all(isinstance(event, ReplyDelta) for event in events):
                self._view.show_figures(chat)  # between these the screen's clock counts: that is often enough
            due_s = now() + pause_s
            await asyncio.sleep(pause_s)
            pause_s = frame_pause_s(now() - due_s)

    def _apply(self, chat: Chat, turn: Turn, event: TurnEvent, opening: Opening) -> None:
        """Note one event, and have it shown; events of a turn that was left behind are late."""
        live = next((it.live for it in chat.replies.running if it.turn is turn), None)
        if live is None:
            return
        match event:
            case TurnBegan():
                self._show_begun(chat, live)
            case PhaseChanged(phase=Phase.WAITING) if live is chat.replies.live:
                self._view.show_request(chat)
            case ReplyDelta():
                self._grow(chat, turn, live, event)
            case ReplyShortened():
                live.note_shortened(event)
                self._view.show_shortened(chat)
            case Retrying() | AttemptBegan():
                live.note_retry(event if isinstance(event, Retrying) else None, self._clock.monotonic())
                self._view.show_retry(chat)
            case TurnNotice(error=StorageError() | LeftOutError()) | RequestEnded() | RepliesPlaced() | PhaseChanged():
                pass  # what is not saved or not sent is told for as long as it is not; the requests with the turn's end
            case TurnNotice(error=error):
                self._say_error(chat, error, severity="warning")
            case TurnEnded():
                self._end(chat, turn, event, opening)
            case _:
                assert_never(event)

    def _show_begun(self, chat: Chat, live: LiveTurn) -> None:
        if live is not chat.replies.live:
            self._view.show_beside(chat)
            return
        chat.notices.drop_passing()
        chat.notices.drop(REFUSED)
        chat.notices.drop(end_of(live.key))
        chat.notices.drop(about_form(live.key))
        self._view.show_question(chat)
        if live.told:
            self._view.notice(chat, live.told, PASSING)

    def _grow(self, chat: Chat, turn: Turn, live: LiveTurn, delta: ReplyDelta) -> None:
        now_s = self._clock.monotonic()
        live.note(delta, now_s)
        if delta.part is ReplyPart.ANSWER or not live.label:  # while it thinks, the screen's clock counts
            live.update_label(now_s)
        if live is chat.replies.live:
            self._view.show_delta(chat, delta)
        if delta.part is ReplyPart.ANSWER and chat.replies.follow_up is not None:
            reply = turn.reply.message(self._clock.now())
            self._answer_more(chat, reply if turn.context is None else turn.context.noted_on(reply, chat.session))

    def _answer_more(self, chat: Chat, reply: Message) -> None:
        """Let the other answers begin that were asked for, as soon as the thinking has ended.

        So it is paid once, the first answer waits for nobody, and no request is cut whose cost nobody would tell.
        """
        answers, chat.replies.follow_up = chat.replies.follow_up, None
        if answers is None:
            return
        try:
            self._answer(chat, reply, replace(answers, count=answers.count - 1))
        except KimiError as error:
            self._say_error(chat, error, "There are no other answers.")

    def _end(self, chat: Chat, turn: Turn, ended: TurnEnded, opening: Opening) -> None:
        """Note how it ended: what came, what was kept, what to do next."""
        if ended.state is MessageState.COMPLETE and ended.replies and ended.replies[0].content:
            self._answer_more(chat, ended.replies[0])  # it came in one piece
        if chat.replies.note_batch_end(ended):
            live = next(it.live for it in chat.replies.running if it.turn is turn)
            self._begin_due(chat, opening, live.budget)
        chat.notices.drop(REFUSED)
        if chat.replies.note_end(turn, ended):
            self._run(self._save(chat))
        _settle_start(chat, opening.start, ended)
        if turn.question is not None and chat.message(ended.reply_id) is None:
            chat.notices.settle(ended.reply_id, turn.question.id)
        self._view.show_end(chat, ended)
        now_s, label = self._clock.monotonic(), self._label
        for told in told_ends(chat, turn, ended, opening, settings=self._store.value, label=label, now_s=now_s):
            self._view.notice(chat, *told)
        for reply in ended.replies:
            self.checks.begin(chat, reply)
        if chat.replies.turn is not None:  # others run: what waits, waits for all of them
            return
        if chat.replies.is_whole:
            self._send_queued(chat)
        else:
            self._give_back_unsent(chat, turn, ended, opening)

    def _give_back_unsent(self, chat: Chat, turn: Turn, ended: TurnEnded, opening: Opening) -> None:
        """Bring back what got no reply: the question, an edit to where it came from, and what waited behind it."""
        unsent = list(chat.unsent.queued)
        if (typed := opening.typed) is not None and not ended.replies:
            if turn.question is None and chat.session.find(typed.alternative_to) is not None:
                self._view.give_back(chat, typed.text, typed.alternative_to)
            else:
                unsent.insert(0, typed.text)
        self._give_back(chat, unsent)

    @staticmethod
    async def _save(chat: Chat) -> None:
        with suppress(KimiError):  # what is not saved is told for as long as it is not
            await chat.open_session.save()

    def _send_queued(self, chat: Chat) -> None:
        """Send the first of the messages that wait; the next one waits for its reply.

        They were written below the reply that has ended, and are not sent below anything else.
        """
        if not chat.unsent.queued:
            return
        if all(reply.id != chat.session.head for ended in chat.replies.ends for reply in ended.replies):
            self._give_back(chat, chat.unsent.queued)
            words = "The reply that a message waited for is not the one on screen; it is back in the composer, unsent."
            self._view.notice(chat, words, "warning")
            return
        text, *chat.unsent.queued = chat.unsent.queued
        try:
            self.start(chat, Asking(text))
        except KimiError as error:
            self._give_back(chat, [text, *chat.unsent.queued])
            self._say_error(chat, error, "The queued message is back in the composer.")

    def _give_back(self, chat: Chat, texts: list[str]) -> None:
        chat.unsent.queued = []
        if texts:
            self._view.give_back(chat, "\n\n".join(texts))

    def _say_error(self, chat: Chat, error: KimiError, kept: str = "", severity: str = "error") -> None:
        self._view.notice(chat, entries.error_text(error, kept), severity)


def _left_by(opening: Opening, asked: NextReply) -> NextReply:
    """What of that which was to hold for the next reply alone holds for the one after a turn that has begun.

    Only a question is answered by a new reply, which may begin with words and have answers beside it; a raw input holds
    such words already, is answered once, and thinks as long as it says.
    """
    return NextReply(
        budget=asked.budget if opening.is_raw else None,
        start=None if opening.asks else asked.start,
        answers=None if opening.asks and not opening.is_raw else asked.answers,
    )


def _settle_start(chat: Chat, start: Start | None, ended: TurnEnded) -> None:
    """What a reply was to begin with is for the next one where none came; a raw input is kept with its reply."""
    has_none = chat.replies.turn is None and not any(each.replies for each in chat.replies.ends)
    if has_none and isinstance(start, ReplyStart):
        chat.next_reply = replace(chat.next_reply, start=chat.next_reply.start or start)
    if ended.replies and isinstance(start, RawInput):
        chat.unsent.note_raw_sent(start.text)
