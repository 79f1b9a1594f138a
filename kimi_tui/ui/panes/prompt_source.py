"""The exact input of the next turn, or of the reply that was asked about: what it is made of, and its copies."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from kimi_tui.core.errors import KimiError
from kimi_tui.core.prompt.open_turn import OpenTurn
from kimi_tui.core.prompt.prompt_view import PromptView, PromptViewer, going_on_view, past_view
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.endings import refusal_to_answer_again
from kimi_tui.core.session.reply_start import ReplyStart
from kimi_tui.core.session.session import Message, Session
from kimi_tui.core.session.tree import before
from kimi_tui.core.settings.sampling import RequestOptions
from kimi_tui.core.settings.turn_plan import first_fields
from kimi_tui.core.wire.body import build_body
from kimi_tui.core.wire.curl import curl_command
from kimi_tui.engine.openings import GoingOn, start_options
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.state.answers import answering_opening
from kimi_tui.ui.state.callbacks import Remark
from kimi_tui.ui.state.next_request import start_of, taken_up_by, taken_up_from
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.services import Services
from kimi_tui.ui.state.slash import Command, Text, parse_line

WHATS = {"text": "The prompt", "json": "The request", "curl": "The curl command"}
GOES_ON = "What going on with the reply sends"
Make = Callable[[], PromptView]


@dataclass(frozen=True, slots=True)
class _Next:
    """What would be sent next."""

    make: Make
    request: RequestSettings
    thinks: bool
    """Whether its think block is open."""
    title: str = ""


@dataclass(eq=False)
class PromptSource:
    services: Services
    open_chats: OpenChats
    drafts: Drafts
    chosen: Callable[[], str | None]  # gives the key of the message with the message cursor
    copy: Callable[[str, str], None]  # puts a text into the clipboard, and says what it was
    remark: Remark
    _viewer: PromptViewer = field(default_factory=PromptViewer, init=False)
    _viewing: threading.Lock = field(default_factory=threading.Lock, init=False)
    _measured: tuple[Session, int] | None = field(default=None, init=False)
    past: str | None = field(default=None, init=False)
    """Id of the reply that was asked about; None = the next turn's input is wanted."""

    def plan(self) -> tuple[Make, str] | None:
        """What makes the input, in any thread, and its title; None = nothing can, which is told."""
        session, past = self.open_chats.current.session, self.past
        if past is not None and any(message.id == past for message in session.messages):
            window_tokens = self.services.settings.api.context_tokens
            return partial(past_view, session, past, window_tokens), f"Request of {past}"
        planned = self._next()
        self.past = None if planned is not None else self.past
        return None if planned is None else (planned.make, planned.title)

    def chars(self) -> int:
        session = self.open_chats.current.session
        if self._measured is None or self._measured[0] is not session:
            self._measured = session, sum(len(message.content) for message in session.messages)
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
        make = partial(going_on_view, self.open_chats.current.session, reply, request)
        return _Next(make, request, reply.has_open_block, GOES_ON)

    def _taken_up(self) -> Message | None:
        """The reply that the composer would go on with: by a command in it, or since it is being edited there."""
        chat, command, part = self.open_chats.current, self._command, self.drafts.edited_part
        if command is not None:
            return taken_up_by(command, chat.target(self.chosen()), chat.message(self.chosen()))
        edited = next((it for it in chat.session.messages if it.id == self.drafts.edited), None)
        return None if edited is None or part is None else taken_up_from(edited, part, self.drafts.exact_edit)

    def _answering(self) -> _Next | None:
        """None = the composer asks for no other answer to a thinking."""
        chat, command = self.open_chats.current, self._command
        reply = chat.target(self.chosen())
        if command is None or reply is None or refusal_to_answer_again(reply):
            return None
        opening = answering_opening(command.action.id, command.argument, reply)
        if opening is None:
            return None
        request = self._request(opening.options.over(chat.next_options))
        open_turn = OpenTurn.of(request.door, is_closed=True, reasoning=reply.reasoning or "", written=reply.written)
        make = partial(self._make, before(chat.session, reply.id), request, None, open_turn)
        return _Next(make, request, False, f"Request of {command.action.usage}")

    def _asking(self) -> _Next:
        chat, start = self.open_chats.current, self._start
        session, request = chat.session, self._request(start_options(start).over(chat.next_options))
        draft, edited = self.drafts.next_message
        if any(message.id == edited for message in session.messages):  # it may have been deleted since
            session = before(session, edited or "")
        line = parse_line(draft)
        question = line.text if isinstance(line, Text) else ""  # a command is not sent
        make = partial(self._make, session, request, question or None, request.open_turn_of(start))
        return _Next(make, request, request.thinking)

    @property
    def _start(self) -> ReplyStart | None:
        """What the next reply begins with, as far as is known now."""
        command = self._command
        typed = None if command is None else start_of(command)
        return typed or self.open_chats.current.next_start

    def _make(
        self, session: Session, request: RequestSettings, question: str | None, open_turn: OpenTurn
    ) -> PromptView:
        with self._viewing:
            return self._viewer.view(session, request, question, open_turn)

    def copy_as(self, form: str, view: PromptView | None = None) -> None:
        """`view` None = the input of the next turn."""
        planned = self._next()
        if planned is None:
            return
        view = view or planned.make()
        settings, request = self.services.settings, planned.request
        fields, extra = view.sent, view.sent
        if fields is None or extra is None:
            fields, extra = request.fields, request.extra
            if planned.thinks:
                fields = first_fields(settings, self.open_chats.current.session, request)
        body = build_body(settings.dialect, request.model, view.text, fields, extra)
        url = settings.dialect.address(settings.api.base_url, request.model)
        is_streamed = fields.get("stream") is True
        texts = {"text": view.text, "json": body.decode()}
        self.copy(texts.get(form) or curl_command(url, body, is_streamed=is_streamed), WHATS[form])
