"""The prompt pane at work: the exact input of the next turn, or of the reply that was asked about."""

from __future__ import annotations

import asyncio
import threading
from typing import ClassVar

from textual import on
from textual.timer import Timer

from kimi_tui.core.actions import Scope
from kimi_tui.core.conversation import before
from kimi_tui.core.curl import curl_command
from kimi_tui.core.errors import KimiError
from kimi_tui.core.prompt_view import PromptView, PromptViewer, past_view, request_body
from kimi_tui.core.request import RequestSettings
from kimi_tui.core.session import Session
from kimi_tui.ui.desk import Desk
from kimi_tui.ui.panels import Panel
from kimi_tui.ui.slash import Text, parse_line
from kimi_tui.ui.widgets.prompt_pane import PromptPane

DELAY_S = 0.08
"""Time after a keystroke until the prompt is made anew, in seconds."""
LONG_DRAFT = 200_000
"""With a draft of more characters the prompt is made off the event loop: keys come first."""
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
        self._shown = 0  # how often the pane was given something to show
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
        if self._is_making:  # an older draft: this one's turn comes
            self.refresh_soon()
        elif len(self._desk.composer.text) > LONG_DRAFT and (asked := self._asked()) is not None:
            self._is_making = True
            self.run_worker(self._show_later(*asked), group="prompt", exit_on_error=False)
        else:
            self.refresh_pane()

    async def _show_later(self, session: Session, request: RequestSettings, question: str | None) -> None:
        """Make the input off the event loop, and show it where nothing else has been shown since."""
        shown = self._shown
        try:
            view = await asyncio.to_thread(self._make, session, request, question)
        finally:
            self._is_making = False
        if shown == self._shown:
            self.show(view)

    def refresh_pane(self) -> None:
        """Show the input as it is now; what cannot be made is told in the pane's place of it."""
        self._shown += 1
        session = self._desk.chat.session
        if self._past is not None and any(message.id == self._past for message in session.messages):
            window = self._desk.services.settings.api.context_tokens
            self.show(past_view(session, self._past, window), f"Request of {self._past}")
            return
        self._past = None
        view = self.next_view()
        if view is not None:
            self.show(view)

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
        body = request_body(view, None if view.sent is not None else request)
        texts = {"text": view.text, "json": body.decode()}
        desk.copy(texts.get(form) or curl_command(desk.services.url_of(request), body), WHATS[form])

    @on(PromptPane.CopyRequested)
    def _copy_requested(self, event: PromptPane.CopyRequested) -> None:
        """Copy what is shown."""
        event.stop()
        self.copy_as(event.form, event.view)
