"""`kimi-tui ask`: one turn without a screen, through the same engine as on the screen."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kimi_tui.cli.context import Context
from kimi_tui.cli.exit_status import DONE, FAILED, SIGNALLED
from kimi_tui.cli.new_session import new_session
from kimi_tui.cli.reply_output import FAILED_STATES, Output, build_report, choose_output
from kimi_tui.core.errors import FieldError, KimiError, StorageError, UsageError
from kimi_tui.core.ports import Conflict, FileChange, Rewritten
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session import tree
from kimi_tui.core.session.endings import cut, ending, missing_answer, reason_in_short, refusal_to_continue
from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.reply_start import ReplyStart
from kimi_tui.core.session.session import Message, MessageState, Session
from kimi_tui.core.settings.sampling import RequestOptions, resolve_chat, resolve_request
from kimi_tui.core.settings.turn_plan import resolve_plan
from kimi_tui.core.text.surrogates import replace_lone
from kimi_tui.core.wire.dialect import Dialect
from kimi_tui.core.wire.plans import Plan, going_on, single
from kimi_tui.core.wire.thinking_budget import ALLOWED, Budget, parse_budget
from kimi_tui.core.wire.turn_events import ReplyDelta, Retrying, TurnEnded, TurnEvent, TurnNotice
from kimi_tui.engine import signals
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.engine.openings import Asking, GoingOn, Opening

if TYPE_CHECKING:  # the names of types only: importing the modules takes time that a refused call need not spend
    from kimi_tui.adapters.recording_files import Recordings
    from kimi_tui.engine.turn import Turn

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Order:
    opening: Opening
    plan: Plan
    session: Session
    is_kept: bool
    is_new: bool
    request: RequestSettings

    @property
    def has_alternatives(self) -> bool:
        count = self.request.fields.get("num_responses")
        return isinstance(count, int) and count > 1


def run(options: Namespace, context: Context) -> int:
    """Raises KimiError before anything is sent: the command line, config, key or session cannot be used."""
    dialect = context.settings_or_refuse().dialect
    request_options, errors = parse_request_options(options, dialect)
    for error in errors[:-1]:
        context.tell_error(error)
    if errors:
        raise errors[-1]
    _tell_doubt(request_options.set.get("response_format"), options, context)
    if options.goes_on:
        _refuse_beside_continue(options, request_options)
    _start(options)
    question = "" if options.goes_on else read_question(options, context)
    with _session(options, context) as (found, is_new):
        session = _with_options(found, options)
        opening = _going_on(session) if options.goes_on else Asking(question, start=_start(options))
        request_options = opening.options.over(request_options)
        request = resolve_request(context.settings(), session, request_options)
        budget = _budget(options.thinking_budget, request)
        if budget is None:
            budget = resolve_chat(context.settings(), session).budget
        plan = resolve_plan(context.settings(), session, request, going_on if options.goes_on else single, budget)
        is_kept = options.session is not None or options.save or options.goes_on
        order = Order(opening, plan, session, is_kept, is_new, request)
        return asyncio.run(_ask(order, context))


def _budget(text: str | None, request: RequestSettings) -> Budget | None:
    """Read the option; raises UsageError where it is wrong, or the reply comes in one piece, which nobody can cut."""
    if text is None:
        return None
    try:
        budget = parse_budget(text)
    except ValueError:
        raise UsageError(f"--thinking-budget: found {text!r}, allowed {ALLOWED}.") from None
    if request.fields.get("stream") is not True:
        raise UsageError("--thinking-budget needs a reply that is streamed.", _leave_out_to_stream(request))
    return budget


def _leave_out_to_stream(request: RequestSettings) -> str:
    """What keeps a reply from being streamed, as an advice."""
    several = ["-n or num_responses"] if request.fields.get("num_responses", 1) != 1 else []
    webhook = ["the webhook"] if "webhook" in request.fields else []
    return f"Leave out {' and '.join(several + webhook) or 'stream = false'}."


def _refuse_beside_continue(options: Namespace, request_options: RequestOptions) -> None:
    """Raise UsageError where an option asks for another reply than the one that is there."""
    others = {
        "a PROMPT": options.prompt is not None,
        "-s": options.system is not None,
        "-n": request_options.set.get("num_responses") is not None,
        "--no-think": options.no_think,
        "--prefill": options.prefill is not None,
        "--think-prefill": options.think_prefill is not None,
    }
    for name, is_there in others.items():
        if is_there:
            raise UsageError(
                f"--continue goes on with the last reply and takes no {name.removeprefix('a ')}.",
                "Leave one of them out; nothing was sent.",
            )


def _start(options: Namespace) -> ReplyStart | None:
    """What the reply begins with; raises UsageError where it says nothing, or thinks although it is not to."""
    for option, text in (("--prefill", options.prefill), ("--think-prefill", options.think_prefill)):
        if text is not None and not text.strip():
            raise UsageError(f"{option}: found nothing, allowed a text to begin with.")
    if options.think_prefill is not None:
        if options.no_think:
            raise UsageError("--think-prefill begins the thinking, and --no-think has none.", "Leave one of them out.")
        return ReplyStart.seed(options.think_prefill)
    return None if options.prefill is None else ReplyStart.prefill(options.prefill)


def _going_on(session: Session) -> GoingOn:
    """Raises UsageError where the session's last message is no reply that broke off."""
    if not (messages := tree.branch(session)):
        raise UsageError("--continue: the session has no message yet.")
    if refusal := refusal_to_continue(messages[-1]):
        raise UsageError(
            f"--continue: {refusal[0].lower()}{refusal[1:]}", "Nothing was sent; the session is as it was."
        )
    return GoingOn(messages[-1])


def _tell_doubt(form: object, options: Namespace, context: Context) -> None:
    """Say what may be wrong with a pattern; it is sent all the same, since the endpoint has rules of its own."""
    if isinstance(form, dict) and isinstance(pattern := form.get("regex"), str):
        from kimi_tui.core.settings.field_text import regex_doubt

        if doubt := regex_doubt(pattern):
            context.tell(f"{'--set response_format' if options.regex is None else '--regex'}: {doubt}")


def read_question(options: Namespace, context: Context) -> str:
    """PROMPT, an empty line, piped standard input; either may be missing, but UsageError where nothing was asked."""
    prompt = replace_lone(options.prompt or "")
    piped = context.read_stdin() if context.has_piped_stdin else ""
    question = f"{prompt}\n\n{piped}" if prompt and piped else prompt or piped
    if not question.strip():
        raise UsageError("There is nothing to ask.", 'Such as: kimi-tui ask "Name two ways to cook lamb."')
    return question


def parse_request_options(options: Namespace, dialect: Dialect) -> tuple[RequestOptions, list[KimiError]]:
    """The options that hold for this request alone, and what is wrong with any; UsageError for an unreadable schema."""
    fields: dict[str, object | None] = {}
    errors = list[KimiError]()
    for field, text, option in _assignments(options, errors):
        try:
            fields[field] = dialect.parse_text(field, text)
        except FieldError as error:
            errors.append(FieldError(option, error.found, error.allowed) if option else error)
    form = fields.get("response_format")
    if options.schema is None and isinstance(form, dict) and form.get("type") == "json_schema":
        from kimi_tui.adapters.forms.form_process import check

        if words := check(form, None).words:
            errors.append(UsageError(f"--set response_format: {words}.", "Nothing was sent."))
    return RequestOptions(set=fields, preset=options.preset, thinking=False if options.no_think else None), errors


def _assignments(options: Namespace, errors: list[KimiError]) -> Iterator[tuple[str, str, str]]:
    """Every request field that the command line sets, its value as typed, and the option's name if it has its own."""
    for assignment in options.set:
        name, equals, text = replace_lone(assignment).partition("=")
        if equals:
            yield name.strip(), text, ""
        else:
            errors.append(UsageError(f"--set {name}: FIELD=VALUE is needed.", "Such as --set temperature=0.5."))
    if options.count is not None:
        yield "num_responses", options.count, "-n"
    form = _response_format(options)
    if form is not None:
        yield "response_format", json.dumps(form), ""


def _response_format(options: Namespace) -> dict[str, object] | None:
    if options.schema is not None:
        return {"type": "json_schema", "json_schema": _load_schema(Path(options.schema))}
    if options.regex is not None:
        return {"type": "regex", "regex": replace_lone(options.regex)}
    return {"type": "json_object"} if options.json_object else None


def _load_schema(path: Path) -> object:
    """Raises UsageError where it cannot be read, or is no schema."""
    from kimi_tui.adapters.forms.form_process import check
    from kimi_tui.adapters.forms.schema_file import load_schema

    try:
        schema = load_schema(path)
    except UsageError as error:
        error.reword(f"--schema {error.summary}")
        raise
    if words := check({"type": "json_schema", "json_schema": schema}, None).words:
        raise UsageError(f"--schema {path}: {words}.", "Nothing was sent.")
    return schema


@contextlib.contextmanager
def _session(options: Namespace, context: Context) -> Iterator[tuple[Session, bool]]:
    """Open the session that is continued, or a new one; what is saved is kept from others meanwhile."""
    is_old = options.session is not None or options.goes_on
    new = None if is_old else new_session(context.settings())
    if new is not None and not options.save:
        yield new, True
        return
    store = context.store()
    held = store.create(new, "ask") if new is not None else store.open(context.find_session(options.session), "ask")
    if held.recovered:
        context.tell(f"{held.path}: {held.recovered}")
    try:
        if held.read_only:
            raise StorageError(held.read_only, "Nothing was sent, since the reply could not be saved.")
        yield held.session, new is not None
    finally:
        held.release()


def _with_options(session: Session, options: Namespace) -> Session:
    """Put in what the command line says about the session; an empty system prompt is none."""
    if options.system is None:
        return session
    return tree.with_system(session, replace_lone(options.system) or None)


async def _ask(order: Order, context: Context) -> int:
    client = context.client()
    try:
        open_session = OpenSession(order.session, context.store() if order.is_kept else None)
        with contextlib.ExitStack() as held:
            open_session.told = partial(_tell_change, context, held)
            recordings = await _recordings(order, context)
            engine = context.engine(client, [context.journals()] if order.is_kept else (), recordings)
            turn = engine.start(open_session, order.opening, order.request, order.plan)
            output = choose_output(context, has_alternatives=order.has_alternatives)
            listener = _Listener(order, context, output, turn)
            try:
                status = await listener.run()
                await asyncio.to_thread(_tell_misfits, listener.replies, context)
            finally:
                turn.stop()
                await turn.finished()
            has_failed = recordings is not None and recordings.has_failed
            return FAILED if has_failed and status == DONE else status
    finally:
        await client.aclose()


async def _recordings(order: Order, context: Context) -> Recordings | None:
    """What records the turn; None = nobody asked for that. Raises StorageError where the file cannot be made."""
    path = context.options.record
    if path is None and not context.settings().sessions.record_streams:
        return None
    recordings = context.recordings()
    recordings.tell = context.tell
    if path is not None:
        await recordings.save_next(order.session.id, Path(path).expanduser())
    return recordings


def _tell_misfits(replies: Sequence[Message], context: Context) -> None:
    """Say where a reply does not keep the form that was asked for; one that was cut cannot."""
    from kimi_tui.core.wire.answer_forms import form_name, form_of, is_to_be_checked

    for place, reply in enumerate(replies, 1):
        form = form_of(reply)
        if form is None or not is_to_be_checked(reply):
            continue
        from kimi_tui.adapters.forms.form_process import check

        found, which = check(form, reply.content), f"reply {place}" if len(replies) > 1 else "the reply"
        if found.findings:
            context.tell(f"{which} is not what was asked for ({form_name(form)}): {found.words}")
        elif found.unchecked:
            context.tell(f"{which} was not checked against {form_name(form)}: {found.unchecked}")


def _tell_change(context: Context, held: contextlib.ExitStack, change: FileChange) -> None:
    """Say what others did to the session's file; a copy that was made for it is held as long as the turn takes."""
    if isinstance(change, Conflict | Rewritten):
        context.tell(change.words)
    if isinstance(change, Conflict):
        held.callback(change.copy.release)


class _Listener:
    def __init__(self, order: Order, context: Context, output: Output, turn: Turn) -> None:
        self._order = order
        self._context = context
        self._output = output
        self._turn = turn
        self._events = turn.listen()
        self._stopped_by: signal.Signals | None = None
        self._has_text = False
        self._refusal = ""  # why the question could not be saved
        self.replies: tuple[Message, ...] = ()
        """What the turn brought, when it has ended by itself."""

    async def run(self) -> int:
        with signals.handling(self._stop, *STOP_SIGNALS):
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
                self._context.tell_error(event.error, pause)
            case TurnNotice():
                if isinstance(event.error, StorageError):
                    self._refusal = event.error.summary
                self._context.tell_error(event.error)

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
        is_old = self._order.is_kept and not self._order.is_new
        return is_old or self._turn.open_session.is_saved

    def _give_start(self) -> None:
        """Before the first of what comes, give the words of the user's that a new reply begins with."""
        if not self._has_text and self._turn.reply.is_new:
            beginning = self._turn.reply.beginning
            for part, text in ((ReplyPart.REASONING, beginning.reasoning or ""), (ReplyPart.ANSWER, beginning.content)):
                if text:
                    self._output.delta(part, text)
        self._has_text = True

    def _give_whole(self, reply: Message) -> None:
        """What it began with has been given before."""
        self._give_start()
        before = self._turn.reply.beginning
        for part, text, known in (
            (ReplyPart.REASONING, reply.reasoning or "", before.reasoning or ""),
            (ReplyPart.ANSWER, reply.content, before.content),
        ):
            if new := text.removeprefix(known):
                self._output.delta(part, new)

    def _tell_end(self, ended: TurnEnded) -> None:
        if ended.error is not None:
            self._context.tell_error(ended.error, self._kept(ended))
        self._tell_saved(ended)
        if ended.state is MessageState.QUEUED:
            self._context.tell("the request is queued; the reply goes to the webhook")
        for reply in ended.replies:
            if reply.state is MessageState.COMPLETE and (words := _unusual_end(reply)):
                self._context.tell(words, self._more_room(reply))

    def _more_room(self, reply: Message) -> str:
        """What to do about a reply that had too little room; "" where that was not its limit."""
        if reply.finish_reason != "length":
            return ""
        more = " `kimi-tui ask --continue` goes on with it." if self._turn.open_session.is_saved else ""
        return f"Give it more with --set max_new_tokens=….{more}"

    def _tell_saved(self, ended: TurnEnded) -> None:
        session = self._turn.open_session
        if ended.save_error is not None:
            if ended.save_error.summary != self._refusal:
                self._context.tell_error(ended.save_error)
            if session.is_saved:
                self._context.tell(f"session {self._session_id} holds the question without its reply")
        elif self._order.is_new and session.is_saved:
            self._context.tell(f"{'now ' if self._refusal else ''}saved as session {self._session_id}")

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
