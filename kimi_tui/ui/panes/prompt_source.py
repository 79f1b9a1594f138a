"""The exact input of the next turn, or of a request that was sent: what it is made of, and its copies."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from kimi_tui.core.errors import KimiError
from kimi_tui.core.prompt.prompt_view import PromptView, PromptViewer, request_view, requests_known
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.request_starts import requests_of
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.core.session.tree import before
from kimi_tui.core.wire.body import build_body
from kimi_tui.core.wire.curl import curl_command
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.state.callbacks import Remark
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.services import Services
from kimi_tui.ui.state.slash import Text, parse_line

WHATS = {"text": "The prompt", "json": "The request", "curl": "The curl command"}
Make = Callable[[], PromptView]


@dataclass(frozen=True, slots=True)
class Asked:
    reply_id: str
    place: int
    """Which of its requests, from 0."""


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
    _asked: Asked | None = field(default=None, init=False)
    """None = the input of the next turn is wanted, or of the request that runs."""

    def show_past(self, reply_id: str) -> None:
        """Want the input of a reply's first request."""
        self._asked = Asked(reply_id, 0)

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
            make = partial(request_view, session, reply, place, window_tokens)
            return partial(_unanswered, make) if self._is_last_of_running(reply, place) else make, self._title(
                reply, place
            )
        next_one = self._next()
        if next_one is None:
            return None
        self._asked = None
        return next_one, ""

    def step(self, by: int) -> bool:
        """Want the request before or after the one that is shown; False = there is none, which is told."""
        reply, place = self._shown()
        if reply is None:
            reply = self.open_chats.current.last(Role.ASSISTANT) if by < 0 else None
            known = [] if reply is None else requests_known(reply)
        else:
            known = [each for each in requests_known(reply) if (each > place if by > 0 else each < place)]
        if reply is not None and known:
            self._asked = Asked(reply.id, known[0] if by > 0 else known[-1])
        elif reply is not None and by > 0 and self._asked is not None and self._is_last(reply):
            self._asked = None
        else:
            self.remark("There is no earlier request of this reply." if by < 0 else "There is no later request here.")
            return False
        return True

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
        return chat.turn is not None and chat.is_live_on_branch()

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
            self._measured = session, sum(len(message.content) for message in session.messages)
        return self._measured[1] + len(self.drafts.texts[-1])

    def _next(self) -> Make | None:
        """None = the session's settings cannot be used, which is told."""
        session = self.open_chats.current.session
        try:
            request = self.services.resolve(session)
        except KimiError as error:
            self.remark(error.summary)
            return None
        draft, edited = self.drafts.next_message
        if any(message.id == edited for message in session.messages):  # it may have been deleted since
            session = before(session, edited or "")
        line = parse_line(draft)
        question = line.text if isinstance(line, Text) else ""  # a command is not sent
        return partial(self._make, session, request, question or None)

    def _make(self, session: Session, request: RequestSettings, question: str | None) -> PromptView:
        with self._viewing:
            return self._viewer.view(session, request, question)

    def copy_as(self, form: str, view: PromptView | None = None) -> None:
        """`view` None = the input of the next turn."""
        if view is None:
            make = self._next()
            if make is None:
                return
            view = make()
        request = self.services.resolve(self.open_chats.current.session)
        fields, extra = (request.fields, request.extra) if view.sent is None else (view.sent, view.sent)
        settings, model = self.services.settings, view.model or request.model
        body = build_body(settings.dialect, model, view.text, fields, extra)
        url = settings.dialect.address(settings.api.base_url, model)
        is_streamed = fields.get("stream") is True
        texts = {"text": view.text, "json": body.decode()}
        self.copy(texts.get(form) or curl_command(url, body, is_streamed=is_streamed), WHATS[form])


def _unanswered(make: Make) -> PromptView:
    """Nothing has become of it yet."""
    return replace(make(), request=None)
