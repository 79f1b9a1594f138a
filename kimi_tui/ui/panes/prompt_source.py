"""The exact input of the next turn, or of the reply that was asked about: what it is made of, and its copies."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from kimi_tui.core.errors import KimiError
from kimi_tui.core.prompt.prompt_view import PromptView, PromptViewer, going_on_view, past_view
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.reply_start import ReplyStart
from kimi_tui.core.session.session import Message, Session
from kimi_tui.core.session.tree import before
from kimi_tui.core.settings.sampling import RequestOptions
from kimi_tui.core.wire.body import build_body
from kimi_tui.core.wire.curl import curl_command
from kimi_tui.engine.openings import GoingOn, start_options
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.state.callbacks import Remark
from kimi_tui.ui.state.next_request import start_of, taken_up_by, taken_up_from
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.services import Services
from kimi_tui.ui.state.slash import Command, Text, parse_line

WHATS = {"text": "The prompt", "json": "The request", "curl": "The curl command"}
GOES_ON = "What going on with the reply sends"
Make = Callable[[], PromptView]


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
    past: str | None = field(default=None, init=False)
    """Id of the reply that was asked about; None = the next turn's input is wanted."""

    def plan(self) -> tuple[Make, str] | None:
        """What makes the input, in any thread, and its title; None = nothing can, which is told."""
        session, past = self.open_chats.current.session, self.past
        if past is not None and any(message.id == past for message in session.messages):
            window_tokens = self.services.settings.api.context_tokens
            return partial(past_view, session, past, window_tokens), f"Request of {past}"
        self.past = None
        if (reply := self._taken_up()) is not None:
            make = self._going_on(reply)
            return None if make is None else (make, GOES_ON)
        next_one = self._next()
        return None if next_one is None else (next_one, "")

    def chars(self) -> int:
        session = self.open_chats.current.session
        if self._measured is None or self._measured[0] is not session:
            self._measured = session, sum(len(message.content) for message in session.messages)
        return self._measured[1] + len(self.drafts.texts[-1])

    @property
    def _command(self) -> Command | None:
        """The command that is being typed; None = none is."""
        line = parse_line(self.drafts.texts[-1])
        return line if isinstance(line, Command) else None

    def _taken_up(self) -> Message | None:
        """The reply that the composer would go on with: by a command in it, or since it is being edited there."""
        chat, command, part = self.open_chats.current, self._command, self.drafts.edited_part
        if command is not None:
            return taken_up_by(command, chat.target(self.drafts.about), chat.message(self.drafts.about))
        edited = next((it for it in chat.session.messages if it.id == self.drafts.edited), None)
        return None if edited is None or part is None else taken_up_from(edited, part, self.drafts.exact_edit)

    def _going_on(self, reply: Message) -> Make | None:
        """None = the session's settings cannot be used, which is told."""
        session = self.open_chats.current.session
        request = self._request(GoingOn(reply).options)
        return None if request is None else partial(going_on_view, session, reply, request)

    def _request(self, options: RequestOptions) -> RequestSettings | None:
        try:
            return self.services.resolve(self.open_chats.current.session, options)
        except KimiError as error:
            self.remark(error.summary)
            return None

    @property
    def _start(self) -> ReplyStart | None:
        """What the next reply begins with, as far as is known now."""
        command = self._command
        typed = None if command is None else start_of(command)
        return typed or self.open_chats.current.next_start

    def _next(self) -> Make | None:
        """None = the session's settings cannot be used, which is told."""
        session, start = self.open_chats.current.session, self._start
        request = self._request(start_options(start))
        if request is None:
            return None
        draft, edited = self.drafts.next_message
        if any(message.id == edited for message in session.messages):  # it may have been deleted since
            session = before(session, edited or "")
        line = parse_line(draft)
        question = line.text if isinstance(line, Text) else ""  # a command is not sent
        return partial(self._make, session, request, question or None, start)

    def _make(
        self, session: Session, request: RequestSettings, question: str | None, start: ReplyStart | None
    ) -> PromptView:
        with self._viewing:
            return self._viewer.view(session, request, question, start)

    def copy_as(self, form: str, view: PromptView | None = None) -> None:
        """`view` None = the input of the next turn."""
        if view is None:
            make = self._next()
            if make is None:
                return
            view = make()
        request = self.services.resolve(self.open_chats.current.session, start_options(self._start))
        fields, extra = (request.fields, request.extra) if view.sent is None else (view.sent, view.sent)
        settings = self.services.settings
        body = build_body(settings.dialect, request.model, view.text, fields, extra)
        url = settings.dialect.address(settings.api.base_url, request.model)
        is_streamed = fields.get("stream") is True
        texts = {"text": view.text, "json": body.decode()}
        self.copy(texts.get(form) or curl_command(url, body, is_streamed=is_streamed), WHATS[form])
