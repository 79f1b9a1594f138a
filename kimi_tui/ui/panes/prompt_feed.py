"""The prompt pane at work: the exact input of the next turn, or of the reply that was asked about."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual import on
from textual.timer import Timer

from kimi_tui.core.errors import KimiError
from kimi_tui.core.prompt.prompt_view import PromptView, PromptViewer, past_view
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.session import Session
from kimi_tui.core.session.tree import before
from kimi_tui.core.settings.actions import Scope
from kimi_tui.core.wire.body import build_body
from kimi_tui.core.wire.curl import curl_command
from kimi_tui.ui.panes.desk import Desk
from kimi_tui.ui.panes.panel import Panel
from kimi_tui.ui.panes.prompt_pane import PromptPane
from kimi_tui.ui.state.slash import Text, parse_line

DELAY_S = 0.08
"""Time after a keystroke until the prompt is made anew, in seconds."""
LARGE_PROMPT = 200_000
"""With more characters to write, the prompt is made off the event loop: keys come first."""
WHATS = {"text": "The prompt", "json": "The request", "curl": "The curl command"}
"""What is copied, by form."""


class PromptPanel(PromptPane, Panel):
    """Keeps the prompt in view as one types."""

    scope: ClassVar[Scope] = Scope.PROMPT
    """What its keys mean."""

    def __init__(self, desk: Desk) -> None:
        """Work on that screen."""
        super().__init__(keys=desk.keyboard.table.keys, id="prompt-pane")
        self._desk = desk
        self._viewer, self._viewing = PromptViewer(), threading.Lock()
        self._is_making = False  # off the event loop
        self._is_stale = False  # what is being made
        self._measured: tuple[Session, int] | None = None
        self._timer: Timer | None = None
        self._past: str | None = None

    def show_past(self, message_id: str) -> None:
        """Show the input that a reply answered."""
        self._past = message_id
        self.refresh_pane()

    def refresh_soon(self) -> None:
        """Show the input of the next turn as it is now, when typing pauses."""
        self._past = None
        if self._timer is None:
            self._timer = self.set_timer(DELAY_S, self._refresh_late)

    def _refresh_late(self) -> None:
        self._timer = None
        self.refresh_pane()

    def refresh_pane(self) -> None:
        """Show the input as it is now, a large one as soon as it has been made; what cannot be made is told."""
        self._is_stale = True
        if not self._is_making:  # else it is made once more after that
            self._refresh()

    def _refresh(self) -> None:
        self._is_stale = False
        session, past = self._desk.chat.session, self._past
        make: Callable[[], PromptView]
        if past is not None and any(message.id == past for message in session.messages):
            make, title = partial(past_view, session, past, self._desk.services.settings.api.context_tokens), past
        elif (asked := self._asked()) is not None:
            make, title, self._past = partial(self._make, *asked), "", None
        else:
            return
        if self._chars_of(session) + len(self._desk.composer.text) > LARGE_PROMPT:
            self._is_making = True
            self.run_worker(self._show_later(make, title), group="prompt", exit_on_error=False)
        else:
            self._show_made(make(), title)

    async def _show_later(self, make: Callable[[], PromptView], past: str) -> None:
        """Make the input off the event loop, and show it unless it is to be another one by then."""
        try:
            view = await asyncio.to_thread(make)
        finally:
            self._is_making = False
        if self._is_stale:
            self._refresh()
        else:
            self._show_made(view, past)

    def _show_made(self, view: PromptView, past: str) -> None:
        self.show(view, f"Request of {past}" if past else "")

    def _chars_of(self, session: Session) -> int:
        """How much text the messages of a session have, in characters."""
        if self._measured is None or self._measured[0] is not session:
            self._measured = session, sum(len(message.content) for message in session.messages)
        return self._measured[1]

    def next_view(self) -> PromptView | None:
        """The input of the next turn; None = the session's settings cannot be used, which is told."""
        asked = self._asked()
        return None if asked is None else self._make(*asked)

    def _make(self, session: Session, request: RequestSettings, question: str | None) -> PromptView:
        with self._viewing:
            return self._viewer.view(session, request, question)

    def _asked(self) -> tuple[Session, RequestSettings, str | None] | None:
        """What the input is made of; None = the session's settings cannot be used, which is told."""
        desk = self._desk
        try:
            request = desk.services.resolve(desk.chat.session)
        except KimiError as error:
            desk.remark(error.summary)
            return None
        draft, edited = desk.drafts.next_message
        session = desk.chat.session
        if any(message.id == edited for message in session.messages):  # it may have been deleted since
            session = before(session, edited or "")
        line = parse_line(draft)
        question = line.text if isinstance(line, Text) else ""  # a command is not sent
        return session, request, question or None

    def copy_as(self, form: str, view: PromptView | None = None) -> None:
        """Copy the input as text, as the request's body, or as a curl command."""
        desk = self._desk
        view = view or self.next_view()
        if view is None:
            return
        request = desk.services.resolve(desk.chat.session)
        fields, extra = (request.fields, request.extra) if view.sent is None else (view.sent, view.sent)
        settings = desk.services.settings
        body = build_body(settings.dialect, request.model, view.text, fields, extra)
        url = settings.dialect.address(settings.api.base_url, request.model)
        texts = {"text": view.text, "json": body.decode()}
        is_streamed = fields.get("stream") is True
        desk.copy(texts.get(form) or curl_command(url, body, is_streamed=is_streamed), WHATS[form])

    @on(PromptPane.CopyRequested)
    def _copy_requested(self, event: PromptPane.CopyRequested) -> None:
        """Copy what is shown."""
        event.stop()
        self.copy_as(event.form, event.view)
