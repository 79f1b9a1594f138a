"""Starts turns and carries them through: question in, requests out, reply into the session, saved twice."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from kimi_tui.core import budget, conversation
from kimi_tui.core.errors import CompletionError, InputTooLargeError, KimiError
from kimi_tui.core.ports import Clock, CompletionClient
from kimi_tui.core.replies import Phase, QuestionAdded, TurnEnded, TurnNotice
from kimi_tui.core.reply import ReplyText
from kimi_tui.core.request import RequestSettings
from kimi_tui.core.session import NO_USAGE, Message, MessageState, RequestRecord, Role, Session, Timing
from kimi_tui.engine.attempt import Attempt, Outcome
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.engine.script import NextRequest, RequestStep, TurnSoFar, single
from kimi_tui.engine.turn import Turn

log = logging.getLogger("kimi_tui")

END_PHASES = {
    MessageState.COMPLETE: Phase.FINISHED,
    MessageState.QUEUED: Phase.FINISHED,
    MessageState.CANCELLED: Phase.STOPPED,
    MessageState.FAILED: Phase.FAILED,
    MessageState.INTERRUPTED: Phase.FAILED,
}


@dataclass(slots=True)
class _Progress:
    """What the requests of a turn have brought so far."""

    steps: list[RequestStep] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)

    def so_far(self) -> TurnSoFar:
        last = self.outcomes[-1].result
        text = self.text()
        return TurnSoFar(
            text.reasoning or "", text.content, last.state, last.finish_reason, tuple(self.steps), self.records()
        )

    def text(self) -> ReplyText:
        """The first reply of every request, joined: a later request goes on where the last one ended."""
        firsts = [outcome.result.replies[0] for outcome in self.outcomes if outcome.result.replies]
        reasonings = [first.reasoning for first in firsts if first.reasoning is not None]
        return ReplyText("".join(reasonings) if reasonings else None, "".join(first.content for first in firsts))

    def records(self) -> tuple[RequestRecord, ...]:
        pairs = zip(self.steps, self.outcomes, strict=True)
        return tuple(
            RequestRecord(step.kind, o.result.request_id, o.result.finish_reason, o.result.usage, o.timing)
            for step, o in pairs
        )


def _total_timing(outcomes: list[Outcome]) -> Timing:
    """One reply's timing over all of its requests."""
    firsts = [o.timing.first_token_s for o in outcomes if o.timing.first_token_s is not None]
    thinking = [o.timing.thinking_s for o in outcomes if o.timing.thinking_s is not None]
    totals = [o.timing.total_s for o in outcomes if o.timing.total_s is not None]
    return Timing(firsts[0] if firsts else None, sum(thinking) if thinking else None, round(sum(totals), 3))


class Engine:
    """Starts turns; any number may run at once."""

    def __init__(self, client: CompletionClient, clock: Clock, jitter: Callable[[], float] = lambda: 0.5) -> None:
        """Drive turns over that client.

        Args:
            client: Sends requests.
            clock: Tells the time and waits.
            jitter: Gives a random number in [0, 1) for the pauses between attempts.
        """
        self._client, self._clock, self._jitter = client, clock, jitter
        self._ids = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()

    def start(
        self,
        open_session: OpenSession,
        question: str,
        request: RequestSettings,
        *,
        next_request: NextRequest = single,
    ) -> Turn:
        """Send a question. Returns at once; needs a running event loop.

        Nothing is raised and nothing comes through the iterator but events: a failure is the last one.

        Args:
            open_session: The session it goes into.
            question: What was typed, exactly.
            request: What the requests say.
            next_request: What follows a request that ended by itself; by default nothing does.
        """
        turn = Turn(f"turn-{next(self._ids)}", open_session, request)
        task = asyncio.get_running_loop().create_task(self._drive(turn, question, next_request), name=turn.id)
        turn.run_as(task)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return turn

    async def _drive(self, turn: Turn, question: str, next_request: NextRequest) -> None:
        """Carry a turn to its last event, whatever happens."""
        try:
            await self._run(turn, question, next_request)
        except asyncio.CancelledError:
            self._end(turn, MessageState.CANCELLED)
            if not turn.is_stopped:
                raise
        except CompletionError as error:
            self._end(turn, MessageState.FAILED, error=error)
        except Exception as error:  # a fault of this program must not leave a turn without an end
            log.exception("turn %s failed unexpectedly", turn.id)
            unexpected = CompletionError(
                f"Something went wrong inside the program ({type(error).__name__}).",
                "KIMI_TUI_LOG=FILE records details.",
            )
            self._end(turn, MessageState.FAILED, error=unexpected)

    async def _run(self, turn: Turn, question: str, next_request: NextRequest) -> None:
        prompt = self._add_question(turn, question)
        await self._save_question(turn)
        fields = turn.request.fields
        step: RequestStep | None = RequestStep("reply", prompt, fields, turn.request.thinking)
        progress = _Progress()
        while step is not None:
            turn.move(Phase.WAITING)
            outcome = await Attempt(turn, step, self._client, self._clock, self._jitter).run()
            self._log(turn, outcome)
            progress.steps.append(step)
            progress.outcomes.append(outcome)
            turn.usage = turn.usage + outcome.result.usage
            is_over = outcome.result.state is not MessageState.COMPLETE or turn.is_stopped
            step = None if is_over else next_request(progress.so_far())
        turn.seal()
        await self._finish(turn, progress)

    def _add_question(self, turn: Turn, question: str) -> str:
        """Put the question into the session and write the prompt; nothing changes where it cannot fit.

        Raises:
            InputTooLargeError: It surely does not fit the context window.
        """
        session, request = turn.open_session.value, turn.request
        prompt = conversation.next_prompt(
            session,
            template=request.template,
            thinking=request.thinking,
            neutralise=request.neutralise,
            draft=question,
        )
        budget.check_input(session, prompt, request.context_tokens)
        now = self._clock.now()
        message = Message(
            id=session.next_message_id(),
            role=Role.USER,
            content=question,
            parent=conversation.question_parent(session),
            created=now,
        )

        def add(value: Session) -> Session:
            title = value.title or conversation.title_of(question)
            return replace(value.with_message(message), title=title, updated=now)

        turn.open_session.update(add)
        turn.question_id = message.id
        turn.report(QuestionAdded(turn.id, message))
        if budget.is_doubtful(prompt, request.context_tokens):
            turn.report(TurnNotice(turn.id, _doubt(prompt, request.context_tokens)))
        return prompt

    async def _save_question(self, turn: Turn) -> None:
        try:
            await turn.open_session.save()
        except KimiError as error:
            turn.report(TurnNotice(turn.id, error))

    async def _finish(self, turn: Turn, progress: _Progress) -> None:
        """Put the replies into the session, save it and report the end."""
        last = progress.outcomes[-1].result
        replies = self._messages(turn, progress)
        save_error: KimiError | None = None
        if replies:
            now = self._clock.now()

            def add(value: Session) -> Session:
                grown = (*value.messages, *replies)
                # Several replies to one request: the first is the one the conversation goes on with.
                return replace(value, messages=grown, head=replies[0].id, updated=now)

            turn.open_session.update(add)
            try:
                await turn.open_session.save()
            except KimiError as error:
                save_error = error
        self._end(turn, last.state, replies=replies, error=last.error, save_error=save_error)

    def _messages(self, turn: Turn, progress: _Progress) -> tuple[Message, ...]:
        """Make the messages of what arrived: one for each reply, none where nothing did."""
        last = progress.outcomes[-1].result
        texts = [progress.text(), *last.replies[1:]]
        has_text = any(text.reasoning or text.content for text in texts)
        if not has_text and last.state not in {MessageState.COMPLETE, MessageState.QUEUED}:
            return ()
        session = turn.open_session.value
        number = int(session.next_message_id().removeprefix("m"))
        first = self._message(turn, progress, texts[0], f"m{number}")
        others = [
            replace(
                first, id=f"m{number + place}", reasoning=text.reasoning, content=text.content, usage=None, requests=()
            )
            for place, text in enumerate(texts[1:], start=1)
        ]
        return (first, *others)

    def _message(self, turn: Turn, progress: _Progress, text: ReplyText, id_: str) -> Message:
        last, request = progress.outcomes[-1].result, turn.request
        return Message(
            id=id_,
            role=Role.ASSISTANT,
            content=text.content,
            parent=turn.question_id,
            created=self._clock.now(),
            reasoning=text.reasoning or None,
            state=last.state,
            finish_reason=last.finish_reason,
            request_id=last.request_id,
            model=turn.open_session.value.model,
            template=request.template.name,
            thinking=request.thinking,
            sent={**progress.steps[0].fields, **request.extra},
            usage=None if turn.usage == NO_USAGE else turn.usage,
            timing=_total_timing(progress.outcomes),
            requests=progress.records() if len(progress.steps) > 1 else (),
            neutralise=request.neutralise,
        )

    def _end(
        self,
        turn: Turn,
        state: MessageState,
        *,
        replies: tuple[Message, ...] = (),
        error: CompletionError | None = None,
        save_error: KimiError | None = None,
    ) -> None:
        phase = END_PHASES[state]
        if turn.phase is Phase.IDLE:
            turn.phase = Phase.WAITING if phase is not Phase.FAILED else Phase.IDLE
        turn.move(phase)
        turn.end(TurnEnded(turn.id, phase, state, replies, error, save_error))

    def _log(self, turn: Turn, outcome: Outcome) -> None:
        result, timing = outcome.result, outcome.timing
        log.info(
            "%s: request %s ended %s (%s) after %s s, first token %s s, %s in, %s out",
            turn.id,
            result.request_id,
            result.state,
            result.finish_reason or (result.error.kind if result.error else "-"),
            timing.total_s,
            timing.first_token_s,
            result.usage.input_tokens,
            result.usage.output_tokens,
        )


def _doubt(prompt: str, window_tokens: int) -> KimiError:
    return InputTooLargeError(
        f"The input may be too large: about {budget.estimate_tokens(prompt)} tokens for {window_tokens}.",
        "It was sent all the same; the endpoint decides.",
    )
