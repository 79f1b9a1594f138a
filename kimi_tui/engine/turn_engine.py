"""Starts turns and carries them through: question in, requests out, reply into the session, saved twice."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Self

from kimi_tui.core.errors import CompletionError, InputTooLargeError, KimiError, LeftOutError
from kimi_tui.core.faults import fault_of
from kimi_tui.core.ports import Clock, CompletionClient, RunningTurn, TurnListener
from kimi_tui.core.prompt import context_budget
from kimi_tui.core.prompt.calibration import calibration_of
from kimi_tui.core.prompt.leaving_out import OverBudget
from kimi_tui.core.prompt.open_prompt import ClosedPrompt, OpenPrompt
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session import tree
from kimi_tui.core.session.growing_reply import GrowingReply, ReplyPart, ReplyView
from kimi_tui.core.session.kept_traces import KeptTraces
from kimi_tui.core.session.session import NO_USAGE, Message, MessageState, Role, Session, ThinkingEnd
from kimi_tui.core.session.token_trace import TokenTrace
from kimi_tui.core.session.tree import SentContext
from kimi_tui.core.session.written import REASONING, last_end
from kimi_tui.core.text.counts import counted
from kimi_tui.core.text.sentences import whole_end
from kimi_tui.core.wire.plans import Cause, Plan, RequestEnd, RequestStep, single
from kimi_tui.core.wire.reply import ReplyResult, ReplyText
from kimi_tui.core.wire.tape import Tape
from kimi_tui.core.wire.turn_events import Phase, RepliesPlaced, TurnBegan, TurnEnded, TurnNotice
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.engine.openings import Opening
from kimi_tui.engine.request_run import RequestRun
from kimi_tui.engine.turn import Turn

log = logging.getLogger("kimi_tui")
# Without a log file nothing may reach the terminal.
log.addHandler(logging.NullHandler())

PHASE_AFTER = {
    MessageState.COMPLETE: Phase.FINISHED,
    MessageState.QUEUED: Phase.FINISHED,
    MessageState.CANCELLED: Phase.STOPPED,
    MessageState.FAILED: Phase.FAILED,
    MessageState.INTERRUPTED: Phase.FAILED,
}


@dataclass(frozen=True, slots=True)
class _Opened:
    """What a turn begins with. A long prompt takes long to write: it is made beside the event loop, of values only."""

    session: Session
    question: Message
    closed: ClosedPrompt
    prompt: OpenPrompt
    context: SentContext
    doubts: Sequence[KimiError]
    """What to know about its size: that it may be too large, that old turns are left out of it."""

    @classmethod
    def of(cls, before: Session, opening: Opening, turn: Turn, now: datetime) -> Self:
        """Raises CompletionError where it cannot begin, or cannot fit."""
        window_tokens = turn.request.context_tokens
        session = opening.apply(before, turn.reply, now)
        closed = ClosedPrompt.of(session, turn.reply, turn.request)
        prompt = closed.followed_by(turn.reply)
        left_out = closed.left_out
        is_refused = turn.request.over_budget is OverBudget.REFUSE and turn.reply.is_new and closed.raw is None
        context_budget.check_input(
            session, prompt.text, window_tokens, has_left_out=bool(left_out),
            has_earlier=is_refused and len(tree.branch(session, turn.reply.question_id)) > 1,
        )  # fmt: skip
        tokens = context_budget.doubtful_tokens(prompt.text, window_tokens, partial(calibration_of, session))
        doubts = [] if tokens is None else [_doubt(tokens, window_tokens)]
        doubts += [_left_out(len(left_out))] if left_out else []
        question = tree.message_of(session, turn.reply.question_id)
        return cls(session, question, closed, prompt, SentContext.of(session, closed.writer.left_out), doubts)


class Engine:
    """Starts turns; any number may run at once."""

    def __init__(
        self,
        client: CompletionClient,
        clock: Clock,
        jitter: Callable[[], float] = lambda: 0.5,
        report: Callable[[BaseException], str] = lambda _: "",
        listeners: Sequence[TurnListener] = (),
        *,
        tape_for: Callable[[RunningTurn], Tape | None] = lambda _: None,
    ) -> None:
        """`jitter` gives a random number in [0, 1) for the pauses between attempts; `listeners` hear every turn.

        `tape_for` gives what a turn is recorded on; None = it is not recorded. `report` writes a fault of this program
        down and says where, in words; it is called in a thread.
        """
        self._client, self._clock, self._jitter = client, clock, jitter
        self._report, self._listeners, self._tape_for = report, listeners, tape_for
        self.traces = KeptTraces()
        """The tokens of the replies that it wrote."""
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, open_session: OpenSession, opening: Opening, request: RequestSettings, plan: Plan = single) -> Turn:
        """Returns at once, needs a running event loop, and raises nothing: a failure is the turn's last event."""
        turn = Turn(open_session, request, self._begin(opening, open_session, request, plan))
        turn.trace = self.traces.beginning(open_session.value.id, turn.reply.beginning, opening.source_ids)
        open_session.begin_turn(turn.reply.id)
        turn.tape = self._tape_for(turn)
        loop = asyncio.get_running_loop()
        turn.hearing += [loop.create_task(self._hear(listener, turn)) for listener in self._listeners]
        task = loop.create_task(self._drive(turn, opening, plan), name=turn.reply.id)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return turn

    def _begin(self, opening: Opening, open_session: OpenSession, request: RequestSettings, plan: Plan) -> GrowingReply:
        """Let the reply begin; one that nobody was asked for yet says what its first request sends."""
        blank = Message(
            id="",
            role=Role.ASSISTANT,
            content="",
            model=request.model,
            template=request.template.name,
            thinking=request.thinking,
            neutralise=request.neutralise,
            kept_thinking=request.kept_thinking,
        )
        reply = opening.begin(open_session, blank)
        if (reply.is_new or reply.beginning.is_unasked) and (first := plan(reply, ())) is not None:
            sent = {**first.fields_over(request.fields), **self._client.dialect.unreserved(request.extra)}
            reply.note_sent(sent)
        return reply

    @staticmethod
    async def _hear(listener: TurnListener, turn: Turn) -> None:
        """Let one hear a turn; what goes wrong with it is no harm to the turn."""
        try:
            await listener(turn)
        except Exception as error:
            # Its own words may hold texts: the log gets its kind and its places only.
            places = "".join(traceback.format_tb(error.__traceback__))
            log.error("%s: a listener failed, %s\n%s", turn.reply.id, type(error).__name__, places)

    async def _drive(self, turn: Turn, opening: Opening, plan: Plan) -> None:
        """Carry a turn to its last event, whatever happens."""
        try:
            await self._run(turn, opening, plan)
        except asyncio.CancelledError:  # stopped before its first request
            save_error = await self._save_if(turn, _goes_back(turn))
            self._end(turn, MessageState.CANCELLED, save_error=save_error)
        except CompletionError as error:
            self._end(turn, MessageState.FAILED, error=error)
        except Exception as error:  # a fault of this program must not leave a turn without an end
            await self._end_by_fault(turn, error)
        finally:
            turn.open_session.give_back_ids({turn.reply.id, turn.reply.question_id})
            turn.open_session.end_turn(turn.reply.id)

    async def _end_by_fault(self, turn: Turn, fault: Exception) -> None:
        """Keep what had arrived, as far as the fault lets it be read, and tell where its report lies."""
        log.error("%s: failed unexpectedly, %s", turn.reply.id, type(fault).__name__)
        replies: tuple[Message, ...] = ()
        now = self._clock.now()
        with contextlib.suppress(Exception):
            if turn.growing.has_grown and _is_there(turn.question, turn.open_session.value):
                replies = (replace(turn.reply.message(now), state=MessageState.FAILED),)
                turn.open_session.update(lambda value: tree.with_replies(value, replies, now))
        error = CompletionError(
            f"Something went wrong inside the program ({fault_of(fault)}).",
            await asyncio.to_thread(self._report, fault),
        )
        error.kind = KimiError.kind
        save_error = await self._save_if(turn, bool(replies))
        self._end(turn, MessageState.FAILED, replies=replies, error=error, save_error=save_error)

    async def _run(self, turn: Turn, opening: Opening, plan: Plan) -> None:
        opened = await self._open(turn, opening)
        if (error := await self._save_if(turn, True)) is not None:
            turn.report(TurnNotice(turn.reply.id, error))
        task = asyncio.current_task()
        assert task is not None
        turn.run_as(task)
        ends: list[RequestEnd] = []
        result, prompt = None, opened.prompt
        while not turn.is_stopped and (step := plan(turn.reply, ends)) is not None:
            turn.move(Phase.WAITING)
            if step.ends_thinking and turn.reply.is_thinking:
                _end_thinking(turn, step, ends[-1].beyond if ends else "")
            if ends or step.ends_thinking:  # the first one is written already
                prompt = opened.closed.followed_by(turn.reply)
            fields = step.fields_over(turn.request.fields, ends)
            run = RequestRun(turn, step, prompt, fields, client=self._client, clock=self._clock, jitter=self._jitter)
            turn.cut_request = partial(run.cut, Cause.USER) if step.limits.can_be_cut else None
            end, result = await run.run()
            turn.cut_request = None
            self._log(turn, result)
            ends.append(end)
        turn.is_sealed = True
        assert result is not None, "a plan has at least one request"
        await self._finish(turn, result, opened.context)

    async def _open(self, turn: Turn, opening: Opening) -> _Opened:
        """Give the turn its place in the session and write the prompt; nothing changes where it cannot fit.

        Raises InputTooLargeError where it surely does not fit the context window, CompletionError where what it is
        about is gone.
        """
        before: Session | None = None
        while before is not turn.open_session.value:  # changed while it was written: it is not the prompt any more
            before = turn.open_session.value
            opened = await asyncio.to_thread(_Opened.of, before, opening, turn, self._clock.now())
        shown = replace(opened.session, head=before.head) if turn.is_aside else opened.session
        turn.open_session.update(lambda _: shown)
        turn.head_before = turn.head_before or before.head
        turn.question, turn.context = opened.question, opened.context
        turn.report(TurnBegan(turn.reply.id, turn.question))
        for doubt in opened.doubts:
            turn.report(TurnNotice(turn.reply.id, doubt))
        return opened

    @staticmethod
    async def _save_if(turn: Turn, has_changed: bool) -> KimiError | None:
        """Save what has changed; an error is given back, since the turn goes on."""
        try:
            if has_changed:
                await turn.open_session.save()
        except KimiError as error:
            return error
        return None

    async def _finish(self, turn: Turn, last: ReplyResult, context: SentContext) -> None:
        replies = self._messages(turn, last, context)
        if replies:
            now = self._clock.now()
            # The first of several replies is the one to go on with, unless the user has gone elsewhere meanwhile.
            turn.open_session.update(lambda value: tree.with_replies(value, replies, now, is_aside=turn.is_aside))
            for reply in replies:  # those beside the first came in one piece
                trace = turn.trace if reply is replies[0] else TokenTrace()
                self.traces.keep(turn.open_session.value.id, reply, trace)
            turn.report(RepliesPlaced(turn.reply.id, replies))
        save_error = await self._save_if(turn, bool(replies) or _goes_back(turn))
        self._end(turn, last.state, replies=replies, error=last.error, save_error=save_error)

    def _messages(self, turn: Turn, last: ReplyResult, context: SentContext) -> tuple[Message, ...]:
        """Make the messages of what arrived: one for each reply, none where nothing did or the question is gone."""
        reply, others = turn.growing, last.whole[1:]
        has_text = reply.has_grown or any(other.reasoning or other.content for other in others)
        if not has_text and last.state not in {MessageState.COMPLETE, MessageState.QUEUED}:
            return ()
        session, now = turn.open_session.value, self._clock.now()
        if not _is_there(turn.question, session):
            return ()
        first = reply.message(now)
        if not reply.is_new:
            return (first,)
        first = context.noted_on(first, session)
        ids = turn.open_session.take_ids(len(others))
        thought = _thought_before(reply, last) if others else ""
        rest = [_another(reply, id_, text, thought).message(now) for id_, text in zip(ids, others, strict=True)]
        return (first, *(context.noted_on(message, session) for message in rest))

    def _end(
        self,
        turn: Turn,
        state: MessageState,
        *,
        replies: tuple[Message, ...] = (),
        error: CompletionError | None = None,
        save_error: KimiError | None = None,
    ) -> None:
        phase = PHASE_AFTER[state]
        turn.move(phase)
        turn.end(TurnEnded(turn.reply.id, phase, state, replies, error, save_error))

    def _log(self, turn: Turn, result: ReplyResult) -> None:
        timing = turn.reply.requests[-1].timing
        log.info(
            "%s: request %.80r ended %s (%.40r) after %s s, first token %s s, %s in, %s out",
            turn.reply.id,
            result.request_id,
            result.state.value,
            result.error.kind if result.error else result.finish_reason,
            timing.total_s,
            timing.first_token_s,
            result.usage.input_tokens,
            result.usage.output_tokens,
        )


def _end_thinking(turn: Turn, step: RequestStep, beyond: str) -> None:
    """Close the think block; with `cuts_back` a sentence that broke off is taken away first.

    `beyond` = what came behind it and is no part of the reply.
    """
    if step.ends_thinking == ThinkingEnd.MODEL:
        turn.growing.close_thinking()
        return
    reasoning = str(turn.reply.texts[ReplyPart.REASONING])
    kept = max(whole_end(reasoning), last_end(turn.reply.written, REASONING, len(reasoning)))  # the user's words stay
    tail = reasoning[kept:] if step.cuts_back else ""
    turn.shorten(ReplyPart.REASONING, len(tail))
    turn.growing.end_thinking(step.ends_thinking, tail + beyond)


def _thought_before(reply: ReplyView, last: ReplyResult) -> str:
    """The thinking that earlier requests of the turn brought."""
    came = str(reply.texts[ReplyPart.REASONING])[len(reply.beginning.reasoning or "") :]
    return came.removesuffix(last.whole[0].reasoning)


def _another(reply: ReplyView, id_: str, whole: ReplyText, thought: str) -> GrowingReply:
    """Another reply of the same requests; the first one carries what these used. `thought` = what both begin with."""
    requests = [replace(request, usage=NO_USAGE) for request in reply.requests]
    other = GrowingReply(replace(reply.beginning, id=id_), is_thinking=whole.is_thinking, requests=requests)
    other.grow_whole(thought + whole.reasoning, whole.content, is_thinking=whole.is_thinking)
    return other


def _is_there(question: Message | None, session: Session) -> bool:
    return question is not None and session.find(question.id) is not None


def _goes_back(turn: Turn) -> bool:
    """Show the old reply again, where a question that was asked again brought nothing; whether that was so."""
    session, question = turn.open_session.value, turn.question
    if (
        turn.is_aside
        or question is None
        or session.head != question.id
        or all(m.parent != question.id for m in session.messages)
    ):
        return False
    turn.open_session.update(lambda value: replace(value, head=turn.head_before))
    turn.has_gone_back = True
    return True


def _left_out(count: int) -> KimiError:
    return LeftOutError(
        f"Not sent, for want of room: {counted(count, 'older message')}.",
        "The setting over_budget says so.",
    )


def _doubt(tokens: int, window_tokens: int) -> KimiError:
    return InputTooLargeError(
        f"The input may be too large: about {tokens} tokens for {window_tokens}.",
        "It was sent all the same; the endpoint decides.",
    )
