"""Starts turns and carries them through: question in, requests out, reply into the session, saved twice."""

from __future__ import annotations

import asyncio
import itertools
import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from kimi_tui.core.errors import CompletionError, InputTooLargeError, KimiError
from kimi_tui.core.faults import fault_of
from kimi_tui.core.ports import Clock, CompletionClient
from kimi_tui.core.prompt import context_budget
from kimi_tui.core.prompt.prompt_writer import next_prompt
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.prompt.token_estimate import estimate_tokens
from kimi_tui.core.session import tree
from kimi_tui.core.session.session import NO_USAGE, Message, MessageState, RequestRecord, Role, Session, Timing
from kimi_tui.core.text.surrogates import replace_lone
from kimi_tui.core.wire.fields import FIELDS
from kimi_tui.core.wire.reply import ReplyText
from kimi_tui.core.wire.turn_events import Phase, QuestionAdded, TurnEnded, TurnNotice
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.engine.request_run import Outcome, RequestRun
from kimi_tui.engine.script import NextRequest, RequestStep, TurnSoFar, single
from kimi_tui.engine.turn import Turn

log = logging.getLogger("kimi_tui")
# Without a log file nothing may reach the terminal.
log.addHandler(logging.NullHandler())

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
        content = "".join(first.content for first in firsts)
        is_thought_out = not content and any(first.is_thought_out for first in firsts)
        return ReplyText("".join(reasonings) if reasonings else None, content, is_thought_out)

    def records(self) -> tuple[RequestRecord, ...]:
        pairs = zip(self.steps, self.outcomes, strict=True)
        return tuple(
            RequestRecord(step.kind, o.result.request_id, o.result.finish_reason, o.result.usage, o.timing)
            for step, o in pairs
        )


@dataclass(frozen=True, slots=True)
class _Context:
    """What the prompt said besides its messages; the session may have changed when the reply is kept."""

    system: str | None
    left_out: tuple[str, ...]

    @classmethod
    def of(cls, session: Session) -> _Context:
        """Note it of a session whose head is the question."""
        return cls(session.system, tuple(m.id for m in tree.branch(session) if m.excluded))

    def noted_on(self, reply: Message, session: Session) -> Message:
        """Put onto a reply what the session does not say any more."""
        sent: str | Literal[False] = False if self.system is None else self.system
        return replace(reply, system=None if self.system == session.system else sent, left_out=self.left_out)


@dataclass(frozen=True, slots=True)
class _Asking:
    """A turn that begins with a new question."""

    text: str
    alternative_to: str | None

    def apply(self, session: Session, now: datetime) -> Session:
        """Add the question; the first one of a session gives it its title."""
        parent = (
            tree.question_parent(session)
            if self.alternative_to is None
            else _question(session, self.alternative_to).parent
        )
        message = Message(session.next_message_id(), Role.USER, self.text, parent, now)
        title = session.title or tree.title_of(self.text)
        return replace(session.with_message(message), title=title, updated=now)


@dataclass(frozen=True, slots=True)
class _AskingAgain:
    """A turn that begins with a question that stands in the session."""

    question_id: str

    def apply(self, session: Session, now: datetime) -> Session:
        """Go back to the question."""
        return replace(session, head=_question(session, self.question_id).id, updated=now)


_Opening = _Asking | _AskingAgain
"""How a turn begins: a session without its question in, one with it as the head out."""


def _question(session: Session, question_id: str) -> Message:
    found = next((m for m in session.messages if m.id == question_id and m.role is Role.USER), None)
    if found is None:
        raise CompletionError("The question is not in the session any more.", "Nothing was sent.")
    return found


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
        alternative_to: str | None = None,
        next_request: NextRequest = single,
    ) -> Turn:
        """Send a question. Returns at once; needs a running event loop.

        Nothing is raised and nothing comes through the iterator but events: a failure is the last one.

        Args:
            open_session: The session it goes into.
            question: What was typed, exactly.
            request: What the requests say.
            alternative_to: Id of the question that it becomes an alternative of; None = it goes on after the head.
            next_request: What follows a request that ended by itself; by default nothing does.
        """
        return self._start(open_session, request, _Asking(replace_lone(question), alternative_to), next_request)

    def regenerate(
        self,
        open_session: OpenSession,
        question_id: str,
        request: RequestSettings,
        *,
        next_request: NextRequest = single,
    ) -> Turn:
        """Ask for another reply to a question that is in the session; the replies it has become alternatives.

        Args:
            open_session: The session.
            question_id: Id of the question.
            request: What the requests say.
            next_request: What follows a request that ended by itself; by default nothing does.
        """
        return self._start(open_session, request, _AskingAgain(question_id), next_request)

    def _start(
        self, open_session: OpenSession, request: RequestSettings, opening: _Opening, next_request: NextRequest
    ) -> Turn:
        turn = Turn(f"turn-{next(self._ids)}", open_session, request)
        task = asyncio.get_running_loop().create_task(self._drive(turn, opening, next_request), name=turn.id)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return turn

    async def _drive(self, turn: Turn, opening: _Opening, next_request: NextRequest) -> None:
        """Carry a turn to its last event, whatever happens."""
        try:
            await self._run(turn, opening, next_request)
        except asyncio.CancelledError:  # stopped before its first request
            save_error = await self._save_if(turn, _goes_back(turn))
            self._end(turn, MessageState.CANCELLED, save_error=save_error)
        except CompletionError as error:
            self._end(turn, MessageState.FAILED, error=error)
        except Exception as error:  # a fault of this program must not leave a turn without an end
            # Its own words may hold texts: the log gets its kind and the places only.
            places = "".join(traceback.format_tb(error.__traceback__))
            log.error("%s: failed unexpectedly, %s\n%s", turn.id, type(error).__name__, places)
            unexpected = CompletionError(
                f"Something went wrong inside the program ({fault_of(error)}).",
                "KIMI_TUI_LOG=FILE records details.",
            )
            unexpected.kind = KimiError.kind
            self._end(turn, MessageState.FAILED, error=unexpected)

    async def _run(self, turn: Turn, opening: _Opening, next_request: NextRequest) -> None:
        prompt, context = self._open(turn, opening)
        await self._save_question(turn)
        task = asyncio.current_task()
        assert task is not None
        turn.run_as(task)
        fields = turn.request.fields
        step: RequestStep | None = RequestStep("reply", prompt, fields, turn.request.open_turn.prompt_end)
        progress = _Progress()
        while step is not None:
            turn.move(Phase.WAITING)
            outcome = await RequestRun(turn, step, self._client, self._clock, self._jitter).run()
            self._log(turn, outcome)
            progress.steps.append(step)
            progress.outcomes.append(outcome)
            turn.usage = turn.usage + outcome.result.usage
            turn.request_id = outcome.result.request_id
            is_over = outcome.result.state is not MessageState.COMPLETE or turn.is_stopped
            step = None if is_over else next_request(progress.so_far())
        turn.seal()
        await self._finish(turn, progress, context)

    def _open(self, turn: Turn, opening: _Opening) -> tuple[str, _Context]:
        """Make the question the head of the session and write the prompt; nothing changes where it cannot fit.

        Raises:
            InputTooLargeError: It surely does not fit the context window.
            CompletionError: The question it is about is gone.
        """
        now, request = self._clock.now(), turn.request
        before = turn.open_session.value
        session = opening.apply(before, now)
        prompt = next_prompt(session, request)
        context_budget.check_input(session, prompt, request.context_tokens)
        turn.open_session.update(lambda _: session)
        turn.head_before = before.head
        turn.question = tree.branch(session)[-1]
        turn.report(QuestionAdded(turn.id, turn.question))
        if context_budget.is_doubtful(prompt, request.context_tokens):
            turn.report(TurnNotice(turn.id, _doubt(prompt, request.context_tokens)))
        return prompt, _Context.of(session)

    async def _save_question(self, turn: Turn) -> None:
        if (error := await self._save_if(turn, True)) is not None:
            turn.report(TurnNotice(turn.id, error))

    @staticmethod
    async def _save_if(turn: Turn, has_changed: bool) -> KimiError | None:
        """Save what has changed; an error is given back, since the turn goes on."""
        try:
            if has_changed:
                await turn.open_session.save()
        except KimiError as error:
            return error
        return None

    async def _finish(self, turn: Turn, progress: _Progress, context: _Context) -> None:
        """Put the replies into the session, save it and report the end."""
        last = progress.outcomes[-1].result
        replies = self._messages(turn, progress, context)
        if replies:
            now = self._clock.now()

            def add(value: Session) -> Session:
                grown = (*value.messages, *replies)
                # The first of several replies is the one to go on with, unless the user has gone elsewhere meanwhile.
                head = replies[0].id if value.head in {None, replies[0].parent} else value.head
                return replace(value, messages=grown, head=head, updated=now)

            turn.open_session.update(add)
        save_error = await self._save_if(turn, bool(replies) or _goes_back(turn))
        self._end(turn, last.state, replies=replies, error=last.error, save_error=save_error)

    def _messages(self, turn: Turn, progress: _Progress, context: _Context) -> tuple[Message, ...]:
        """Make the messages of what arrived: one for each reply, none where nothing did or the question is gone."""
        last = progress.outcomes[-1].result
        texts = [progress.text(), *last.replies[1:]]
        has_text = any(text.reasoning or text.content for text in texts)
        if not has_text and last.state not in {MessageState.COMPLETE, MessageState.QUEUED}:
            return ()
        session = turn.open_session.value
        if turn.question is None or all(message.id != turn.question.id for message in session.messages):
            return ()
        ids = session.next_message_ids(len(texts))
        first, *others = [
            context.noted_on(replace(self._message(turn, progress, text, id_), parent=turn.question.id), session)
            for text, id_ in zip(texts, ids, strict=True)
        ]
        return (first, *(replace(other, usage=None, requests=()) for other in others))

    def _message(self, turn: Turn, progress: _Progress, text: ReplyText, id_: str) -> Message:
        last, request = progress.outcomes[-1].result, turn.request
        has_thought = text.reasoning is not None
        return Message(
            id=id_,
            role=Role.ASSISTANT,
            content=text.content,
            created=self._clock.now(),
            reasoning=text.reasoning or None,
            state=last.state,
            finish_reason=last.finish_reason,
            request_id=last.request_id,
            model=request.model,
            template=request.template.name,
            thinking=request.thinking or has_thought,
            reopened=has_thought and not request.thinking,
            thinking_end=_thinking_end(text),
            sent={**progress.steps[0].fields, **{k: v for k, v in request.extra.items() if k not in FIELDS}},
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
            "%s: request %.80r ended %s (%.40r) after %s s, first token %s s, %s in, %s out",
            turn.id,
            result.request_id,
            result.state.value,
            result.error.kind if result.error else result.finish_reason,
            timing.total_s,
            timing.first_token_s,
            result.usage.input_tokens,
            result.usage.output_tokens,
        )


def _thinking_end(text: ReplyText) -> str | None:
    return "model" if text.is_thought_out else None


def _goes_back(turn: Turn) -> bool:
    """Show the old reply again, where a question that was asked again brought nothing; whether that was so."""
    session, question = turn.open_session.value, turn.question
    if question is None or session.head != question.id or all(m.parent != question.id for m in session.messages):
        return False
    turn.open_session.update(lambda value: replace(value, head=turn.head_before))
    return True


def _doubt(prompt: str, window_tokens: int) -> KimiError:
    return InputTooLargeError(
        f"The input may be too large: about {estimate_tokens(prompt)} tokens for {window_tokens}.",
        "It was sent all the same; the endpoint decides.",
    )
