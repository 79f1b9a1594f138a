"""The exact input of the next turn, or of a request that was sent: what it is made of, and its copies."""

from __future__ import annotations

import functools
import itertools
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from kimi_tui.core.errors import KimiError
from kimi_tui.core.prompt.open_turn import OpenTurn
from kimi_tui.core.prompt.past_requests import PastRequest, Requests, last_request, newest_first
from kimi_tui.core.prompt.prompt_comparison import PromptComparison, compared
from kimi_tui.core.prompt.prompt_view import (
    PromptView,
    PromptViewer,
    going_on_view,
    request_view,
    requests_known,
    sent_input,
)
from kimi_tui.core.prompt.raw_alternatives import with_raw_input
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.prompt.shared_prefix import SentInput
from kimi_tui.core.prompt.told_sizes import calibration_of
from kimi_tui.core.session.codec import EPOCH
from kimi_tui.core.session.endings import refusal_to_answer_again
from kimi_tui.core.session.reply_edits import unasked
from kimi_tui.core.session.reply_start import ReplyStart
from kimi_tui.core.session.request_starts import requests_of
from kimi_tui.core.session.session import Message, Session
from kimi_tui.core.session.tree import before
from kimi_tui.core.settings.sampling import RequestOptions
from kimi_tui.core.settings.turn_plan import first_fields
from kimi_tui.core.wire.body import build_body
from kimi_tui.core.wire.curl import curl_command
from kimi_tui.core.wire.python_script import python_script
from kimi_tui.engine.openings import GoingOn, start_options
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.state.answers import answering_opening
from kimi_tui.ui.state.callbacks import Remark
from kimi_tui.ui.state.next_request import start_of, taken_up_by, taken_up_from
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.services import Services
from kimi_tui.ui.state.slash import Command, Text, parse_line

if TYPE_CHECKING:  # the name of a type only
    from kimi_tui.engine.turn import Turn

WHATS = {"text": "The prompt", "json": "The request", "curl": "The curl command", "python": "The Python script"}
GOES_ON = "What going on with the reply sends"
NEXT_INPUT = "the next input"
PART_CHARS = 100
"""What making a message's part takes besides its text, as if it were so many characters more."""
Make = Callable[[], PromptView]


@dataclass(frozen=True, slots=True)
class _Next:
    """What would be sent next."""

    make: Make
    request: RequestSettings
    fields: Mapping[str, object]
    title: str = ""
    """What it is, where its fields are worth a look; "" = the next turn's, as usual."""
    reply_to: str | None = None
    """Id of the question that it asks once more; None = it goes on behind the head."""


@dataclass(frozen=True, slots=True)
class Asked:
    reply_id: str
    place: int
    """Which of its requests, from 0."""


@dataclass(frozen=True, slots=True)
class Comparing:
    title: str
    """Which input is compared."""
    requests: Requests
    """What it can be compared with, the last one first."""
    against: Callable[[PastRequest], PromptComparison]
    """Compares it, in any thread."""


@dataclass(eq=False)
class PromptSource:
    services: Services
    open_chats: OpenChats
    drafts: Drafts
    copy: Callable[[str, str], None]  # puts a text into the clipboard, and says what it was
    remark: Remark
    _viewer: PromptViewer = field(default_factory=PromptViewer, init=False)
    _viewing: threading.Lock = field(default_factory=threading.Lock, init=False)
    _measured: tuple[Session, int] | None = field(default=None, init=False)
    _sent: tuple[PastRequest, SentInput] | None = field(default=None, init=False)
    _unanswered: tuple[Turn, Message | None] | None = field(default=None, init=False)
    _asked: Asked | None = field(default=None, init=False)
    """None = the input of the next turn is wanted, or of the request that runs."""

    def show_past(self, reply_id: str) -> None:
        """Want the input of a reply's first request."""
        self._asked = Asked(reply_id, 0)

    def show_running(self) -> None:
        """Want the input of the request that runs."""
        self._asked = None

    def draft_changed(self) -> bool:
        """Want the input of the next turn, or of the request that runs, which typing does not change.

        Whether another one is to be shown now.
        """
        was_past, self._asked = self._asked is not None, None
        return was_past or not self._runs()

    def plan(self) -> tuple[Make, str] | None:
        """What makes the input, in any thread, and its title; None = nothing can, which is told."""
        reply, place = self._shown()
        if reply is not None:
            session, window_tokens = self.open_chats.current.session, self.services.settings.api.context_tokens
            shown = PastRequest(reply, place)
            make = partial(self._make_past, session, shown, window_tokens, self.last_request(shown))
            is_running = self._is_last_of_running(reply, place)
            return partial(_unanswered, make) if is_running else make, self._title(reply, place)
        planned = self._next()
        if planned is None:
            return None
        self._asked = None
        return planned.make, planned.title

    def to_edit(self, *, is_shown: bool) -> tuple[Make, str | None] | None:
        """What makes the next input, or with `is_shown` the one shown, and the id of the question that it asks again.

        None = nothing can, which is told.
        """
        reply, place = self._shown() if is_shown else (None, 0)
        if reply is not None:
            session, window_tokens = self.open_chats.current.session, self.services.settings.api.context_tokens
            return partial(request_view, session, reply, place, window_tokens), reply.parent
        planned = self._next()
        return None if planned is None else (planned.make, planned.reply_to)

    def step(self, by: int) -> bool:
        """Want the request before or after the one that is shown; False = there is none, which is told."""
        reached = self._reached(by)
        if not reached:
            self.remark("There is no earlier request of this reply." if by < 0 else "There is no later request here.")
            return False
        self._asked = reached[0]
        return True

    def can_step(self, by: int) -> bool:
        return bool(self._reached(by))

    def _reached(self, by: int) -> tuple[()] | tuple[Asked | None]:
        """What would be wanted one step on; () = there is nothing."""
        reply, place = self._shown()
        if reply is None:
            reply = self.open_chats.current.last_reply if by < 0 else None
            known = [] if reply is None else requests_known(reply)
        else:
            known = [each for each in requests_known(reply) if (each > place if by > 0 else each < place)]
        if reply is not None and known:
            return (Asked(reply.id, known[0] if by > 0 else known[-1]),)
        is_at_end = reply is not None and by > 0 and self._asked is not None and self._is_last(reply)
        return (None,) if is_at_end else ()

    def _is_last(self, reply: Message) -> bool:
        """Whether what is sent next follows it."""
        chat = self.open_chats.current
        return chat.turn is None and bool(chat.branch) and chat.branch[-1].id == reply.id

    def _shown(self) -> tuple[Message | None, int]:
        """The reply of which a request is shown, and which one; None = the input of the next turn is."""
        running, asked = self._running(), self._asked
        if asked is None:
            return running, 0 if running is None else len(requests_of(running)) - 1
        if running is not None and running.id == asked.reply_id:
            return running, asked.place
        messages = self.open_chats.current.session.messages
        return next((message for message in messages if message.id == asked.reply_id), None), asked.place

    def _running(self) -> Message | None:
        """The reply that grows on screen, as it stands; None = none does, or nothing has been sent for it yet."""
        turn = self.open_chats.current.turn
        reply = turn.reply_so_far(self.services.clock.now()) if turn is not None and self._runs() else None
        return reply if reply is not None and requests_of(reply) else None

    def _runs(self) -> bool:
        chat = self.open_chats.current
        return chat.shown_live is not None

    def _title(self, reply: Message, place: int) -> str:
        count = len(requests_of(reply))
        number = f" {place + 1}/{count}" if count > 1 else ""
        return f"Request{number} of {reply.id}{', running' if self._is_last_of_running(reply, place) else ''}"

    def _is_last_of_running(self, reply: Message, place: int) -> bool:
        running = self._running()
        return running is not None and running.id == reply.id and place == len(requests_of(running)) - 1

    def chars(self) -> int:
        session = self.open_chats.current.session
        if self._measured is None or self._measured[0] is not session:
            self._measured = session, sum(len(it.content) + PART_CHARS for it in session.messages)
        return self._measured[1] + len(self.drafts.texts[-1])

    def _next(self) -> _Next | None:
        """By the command in the composer, where it sends something, else by the draft.

        None = the session's settings cannot be used, which is told.
        """
        try:
            return self._going_on() or self._answering() or self._asking()
        except KimiError as error:
            self.remark(error.summary)
            return None

    @property
    def _command(self) -> Command | None:
        """The command that is being typed; None = none is."""
        line = parse_line(self.drafts.texts[-1])
        return line if isinstance(line, Command) else None

    def _request(self, options: RequestOptions) -> RequestSettings:
        return self.services.resolve(self.open_chats.current.session, options)

    def _going_on(self) -> _Next | None:
        """None = the composer would go on with no reply."""
        if (reply := self._taken_up()) is None:
            return None
        request = self._request(GoingOn(reply).options)
        make = partial(self._make_going_on, self.open_chats.current.session, reply, request, self.last_request())
        planned = self._planned(make, request, GOES_ON, thinks=reply.has_open_block)
        return replace(planned, reply_to=reply.parent)

    def _taken_up(self) -> Message | None:
        """The reply that the composer would go on with: by a command in it, or since it is being edited there."""
        chat, command, part = self.open_chats.current, self._command, self.drafts.edited_part
        if command is not None:
            return taken_up_by(command, chat.target(self.drafts.about), chat.message(self.drafts.about))
        edited = next((it for it in chat.session.messages if it.id == self.drafts.edited), None)
        return None if edited is None or part is None else taken_up_from(edited, part, self.drafts.exact_edit)

    def _answering(self) -> _Next | None:
        """None = the composer asks for no other answer to a thinking."""
        chat, command = self.open_chats.current, self._command
        reply = chat.target(self.drafts.about)
        if command is None or reply is None or refusal_to_answer_again(reply):
            return None
        opening = answering_opening(command.action.id, command.argument, reply)
        if opening is None:
            return None
        request = self._request(opening.options.over(chat.next_reply.options))
        open_turn = OpenTurn.of(request.door, is_closed=True, reasoning=reply.reasoning or "", written=reply.written)
        session, sent_before = before(chat.session, reply.id), reply.left_out or None
        last = self._last_of_session()
        make = partial(self._make, session, request, None, open_turn, last, sent_before=sent_before)
        if reply.raw_input is not None:
            begun = unasked(reply, reply.id, EPOCH, reasoning=reply.reasoning or "", answer="", written=reply.written)
            make = partial(self._make_going_on, session, with_raw_input(begun, reply), request, last[1])
        planned = self._planned(make, request, f"Request of /{command.action.id}", thinks=False)
        return replace(planned, reply_to=reply.parent)

    def _asking(self) -> _Next:
        chat, start = self.open_chats.current, self._start
        session, request = chat.session, self._request(start_options(start).over(chat.next_reply.options))
        draft, edited = self.drafts.next_message
        if any(message.id == edited for message in session.messages):  # it may have been deleted since
            session = before(session, edited or "")
        line = parse_line(draft)
        question = line.text if isinstance(line, Text) else ""  # a command is not sent
        open_turn = request.open_turn_of(start)
        make = partial(self._make, session, request, question or None, open_turn, self._last_of_session())
        title = "Request of the next reply" if chat.next_reply.stops else ""
        return self._planned(make, request, title, thinks=request.thinking)

    def _planned(self, make: Make, request: RequestSettings, title: str, *, thinks: bool) -> _Next:
        """`thinks` = whether its think block is open."""
        settings = self.services.settings
        fields = request.fields
        if thinks:
            fields = first_fields(settings, self.open_chats.current.session, request)
        if title:
            make = partial(_with_fields, make, {**fields, **settings.dialect.unreserved(request.extra)})
        return _Next(make, request, fields, title)

    @property
    def _start(self) -> ReplyStart | None:
        """What the next reply begins with, as far as is known now."""
        command = self._command
        typed = None if command is None else start_of(command)
        return typed or self.open_chats.current.next_reply.start

    # -- the request to compare with

    def last_request(self, shown: PastRequest | None = None) -> PastRequest | None:
        """The newest request, on any branch, or the one before a past one; None = there is none.

        The newest is the last of this window, where it sent any.
        """
        chat = self.open_chats.current
        if shown is None and chat.last_turn is not None and (last := self._last_of(chat.last_turn)) is not None:
            return last
        return next(newest_first(chat.session, shown), None)

    def _last_of(self, turn: Turn) -> PastRequest | None:
        """The last request of a turn, whether it brought a reply or nothing; None = what it was about is gone."""
        messages = self.open_chats.current.session.messages
        reply = next((it for it in reversed(messages) if it.id == turn.reply.id), None)
        if reply is None:
            if self._unanswered is None or self._unanswered[0] is not turn:
                self._unanswered = turn, turn.reply_so_far(self.services.clock.now())
            reply = self._unanswered[1]
        is_there = reply is not None and any(it.id == reply.parent for it in reversed(messages))
        return last_request(reply) if reply is not None and is_there else None

    def comparing(self, *, is_next: bool) -> Comparing | None:
        """What the input that is shown can be compared with; None = it cannot be made, which is told.

        `is_next` = that of the next turn is meant, or of the request that runs.
        """
        if is_next:
            self._asked = None
        if (plan := self.plan()) is None:
            return None
        reply, place = self._shown()
        shown = None if reply is None else PastRequest(reply, place)
        session, last = self.open_chats.current.session, self.last_request(shown)
        others = (it for it in newest_first(session, shown) if last is None or not it.is_same(last))
        requests = Requests(itertools.chain([] if last is None else [last], others))
        make, window_tokens = functools.cache(plan[0]), self.services.settings.api.context_tokens

        def against(request: PastRequest) -> PromptComparison:
            return compared(request_view(session, *request, window_tokens), make(), calibration_of(session))

        return Comparing(plan[1] or NEXT_INPUT, requests, against)

    def _last_of_session(self) -> tuple[Session, PastRequest | None]:
        return self.open_chats.current.session, self.last_request()

    def _sent_input(self, session: Session, last: PastRequest | None) -> SentInput | None:
        """Make it once: the work grows with the conversation."""
        if last is None:
            return None
        if self._sent is None or self._sent[0].reply is not last.reply or self._sent[0].place != last.place:
            self._sent = last, sent_input(session, *last)
        return self._sent[1]

    # -- making, in any thread

    def _make(
        self,
        session: Session,
        request: RequestSettings,
        question: str | None,
        open_turn: OpenTurn,
        last: tuple[Session, PastRequest | None],
        *,
        sent_before: tuple[str, ...] | None = None,
    ) -> PromptView:
        """`last` = the last request, and the session that it stands in: another branch may have it."""
        with self._viewing:
            sent = self._sent_input(*last)
            return self._viewer.view(session, request, question, open_turn, sent, sent_before=sent_before)

    def _make_past(
        self, session: Session, shown: PastRequest, window_tokens: int, last: PastRequest | None
    ) -> PromptView:
        with self._viewing:
            return request_view(session, *shown, window_tokens, self._sent_input(session, last))

    def _make_going_on(
        self, session: Session, reply: Message, request: RequestSettings, last: PastRequest | None
    ) -> PromptView:
        with self._viewing:
            return going_on_view(session, reply, request, self._sent_input(session, last))

    def copy_as(self, form: str, view: PromptView | None = None) -> None:
        """`view` None = the input of the next turn."""
        planned = self._next()
        if planned is None:
            return
        view = view or planned.make()
        settings, request = self.services.settings, planned.request
        fields, extra, model = view.sent, view.sent, view.model or request.model
        if fields is None or extra is None:
            fields, extra = planned.fields, request.extra
        body = build_body(settings.dialect, model, view.text, fields, extra)
        url = settings.dialect.address(settings.api.base_url, model)
        is_streamed = fields.get("stream") is True
        match form:
            case "text":
                text = view.text
            case "json":
                text = body.decode()
            case "python":
                text = python_script(settings.dialect, url, body, is_streamed=is_streamed)
            case _:
                text = curl_command(url, body, is_streamed=is_streamed)
        self.copy(text, WHATS[form])


def _unanswered(make: Make) -> PromptView:
    """Nothing has become of it yet."""
    return replace(make(), request=None)


def _with_fields(make: Make, fields: Mapping[str, object]) -> PromptView:
    """The input together with the fields that go with it."""
    return replace(make(), sent=fields)
