"""The exact input of the next turn, or of the reply that was asked about: what it is made of, and its copies."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from kimi_tui.core.errors import KimiError
from kimi_tui.core.prompt.prompt_view import PromptView, PromptViewer, past_view
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.endings import refusal_to_answer_again
from kimi_tui.core.session.session import Session
from kimi_tui.core.session.tree import before
from kimi_tui.core.settings.sampling import RequestOptions
from kimi_tui.core.settings.turn_plan import first_fields
from kimi_tui.core.wire.body import build_body
from kimi_tui.core.wire.curl import curl_command
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.state.answers import answering_opening
from kimi_tui.ui.state.callbacks import Remark
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.services import Services
from kimi_tui.ui.state.slash import Command, Text, parse_line

WHATS = {"text": "The prompt", "json": "The request", "curl": "The curl command"}
Make = Callable[[], PromptView]


@dataclass(frozen=True, slots=True)
class _Asked:
    session: Session
    """A view of the session that ends where the question would stand, or with the one that is asked again."""
    options: RequestOptions
    question: str | None
    """What is typed; None = nothing is, or a question is asked again."""
    thought: str = ""
    """Thinking that is sent along."""
    title: str = ""


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
        next_one = self._next()
        self.past = None if next_one is not None else self.past
        return next_one

    def chars(self) -> int:
        session = self.open_chats.current.session
        if self._measured is None or self._measured[0] is not session:
            self._measured = session, sum(len(message.content) for message in session.messages)
        return self._measured[1] + len(self.drafts.texts[-1])

    def _asked(self) -> _Asked:
        """What would be sent next: by the command in the composer, where it sends something, else the draft."""
        chat = self.open_chats.current
        session, reply = chat.session, chat.target(None)
        command = parse_line(self.drafts.texts[-1])
        if isinstance(command, Command) and reply is not None and not refusal_to_answer_again(reply):
            opening = answering_opening(command.action.id, command.argument, reply)
            if opening is not None:
                options, usage = opening.options.over(chat.next_options), command.action.usage
                return _Asked(before(session, reply.id), options, None, reply.reasoning or "", f"Request of {usage}")
        draft, edited = self.drafts.next_message
        if any(message.id == edited for message in session.messages):  # it may have been deleted since
            session = before(session, edited or "")
        line = parse_line(draft)
        question = line.text if isinstance(line, Text) else ""  # another command is not sent
        return _Asked(session, chat.next_options, question or None)

    def _next(self) -> tuple[Make, str] | None:
        """None = the session's settings cannot be used, which is told."""
        asked = self._asked()
        try:
            request = self.services.resolve(self.open_chats.current.session, asked.options)
        except KimiError as error:
            self.remark(error.summary)
            return None
        return partial(self._make, asked, request), asked.title

    def _make(self, asked: _Asked, request: RequestSettings) -> PromptView:
        with self._viewing:
            return self._viewer.view(asked.session, request, asked.question, asked.thought)

    def copy_as(self, form: str, view: PromptView | None = None) -> None:
        """`view` None = the input of the next turn."""
        if view is None:
            made = self._next()
            if made is None:
                return
            view = made[0]()
        settings, asked = self.services.settings, self._asked()
        request = self.services.resolve(self.open_chats.current.session, asked.options)
        fields, extra = view.sent, view.sent
        if fields is None or extra is None:
            fields, extra = first_fields(settings, self.open_chats.current.session, request), request.extra
        body = build_body(settings.dialect, request.model, view.text, fields, extra)
        url = settings.dialect.address(settings.api.base_url, request.model)
        is_streamed = fields.get("stream") is True
        texts = {"text": view.text, "json": body.decode()}
        self.copy(texts.get(form) or curl_command(url, body, is_streamed=is_streamed), WHATS[form])
