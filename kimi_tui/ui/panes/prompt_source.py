"""The exact input of the next turn, or of the reply that was asked about: what it is made of, and its copies."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from kimi_tui.core.errors import KimiError
from kimi_tui.core.prompt.prompt_view import PromptView, PromptViewer, past_view
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.session import Session
from kimi_tui.core.session.tree import before
from kimi_tui.core.settings.turn_plan import first_fields
from kimi_tui.core.wire.body import build_body
from kimi_tui.core.wire.curl import curl_command
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.state.callbacks import Remark
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.services import Services
from kimi_tui.ui.state.slash import Text, parse_line

WHATS = {"text": "The prompt", "json": "The request", "curl": "The curl command"}
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
        next_one = self._next()
        if next_one is None:
            return None
        self.past = None
        return next_one, ""

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
        settings, session = self.services.settings, self.open_chats.current.session
        request = self.services.resolve(session)
        fields, extra = view.sent, view.sent
        if fields is None or extra is None:
            fields, extra = first_fields(settings, session, request), request.extra
        body = build_body(settings.dialect, request.model, view.text, fields, extra)
        url = settings.dialect.address(settings.api.base_url, request.model)
        is_streamed = fields.get("stream") is True
        texts = {"text": view.text, "json": body.decode()}
        self.copy(texts.get(form) or curl_command(url, body, is_streamed=is_streamed), WHATS[form])
