"""The exact input of the next turn, or of a request that was sent: what it is made of, and its copies."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Literal

from kimi_tui.core.errors import KimiError
from kimi_tui.core.ports import SettingsStore
from kimi_tui.core.prompt.calibration import calibration_of
from kimi_tui.core.prompt.past_requests import PastRequest, Requests, newest_first, requests_known
from kimi_tui.core.prompt.prompt_diff import PromptComparison, compared
from kimi_tui.core.prompt.prompt_view import PromptView, request_view
from kimi_tui.core.session.request_starts import requests_of
from kimi_tui.core.session.session import Message, Session
from kimi_tui.core.wire.body import build_body
from kimi_tui.core.wire.curl import curl_command
from kimi_tui.core.wire.python_script import python_script
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.panes.next_input import LastRequests, Make, NextInput, Planned
from kimi_tui.ui.state.callbacks import Remark
from kimi_tui.ui.state.open_chats import OpenChats

Form = Literal["text", "json", "curl", "python"]
FORMS: Mapping[str, Form] = {
    "copy-prompt": "text",
    "copy-body": "json",
    "copy-curl": "curl",
    "copy-python": "python",
}
"""What each action copies."""
STEPS: Mapping[str, int] = {"previous-request": -1, "next-request": 1}
WHATS = {"text": "The prompt", "json": "The request", "curl": "The curl command", "python": "The Python script"}
NEXT_INPUT = "the next input"
PART_CHARS = 100
"""What making a message's part takes besides its text, as if it were so many characters more."""


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
    store: SettingsStore
    now: Callable[[], datetime]
    open_chats: OpenChats
    drafts: Drafts
    copy: Callable[[str, str], None]  # puts a text into the clipboard, and says what it was
    remark: Remark
    _last: LastRequests = field(init=False)
    _next: NextInput = field(init=False)
    _measured: tuple[Session, int] | None = field(default=None, init=False)
    _asked: Asked | None = field(default=None, init=False)
    """None = the input of the next turn is wanted, or of the request that runs."""

    def __post_init__(self) -> None:
        self._last = LastRequests(self.open_chats, self.now)
        self._next = NextInput(self.store, self.open_chats, self.drafts, self._last)

    def show_past(self, reply_id: str) -> None:
        """Want the input of a reply's first request."""
        self._asked = Asked(reply_id, 0)

    def show_running(self) -> None:
        self._asked = None

    def draft_changed(self) -> bool:
        """Want the input of the next turn, or of the request that runs, which typing does not change.

        Whether another one is to be shown now.
        """
        was_past, self._asked = self._asked is not None, None
        return was_past or not self._runs()

    def plan(self) -> tuple[Make, str] | None:
        """What makes the input, in any thread, and its title; None = nothing can, which is told."""
        if (shown := self._shown()) is not None:
            make = self._last.beside(self._view(shown), shown)
            return partial(_unanswered, make) if self._is_running(shown) else make, self._title(shown)
        planned = self._planned()
        if planned is None:
            return None
        self._asked = None
        return planned.make, planned.title

    def to_edit(self, *, is_shown: bool) -> tuple[Make, str | None] | None:
        """What makes the next input, or with `is_shown` the one shown, and the id of the question that it asks again.

        None = nothing can, which is told.
        """
        if is_shown and (shown := self._shown()) is not None:
            return self._view(shown), shown.reply.parent
        planned = self._planned()
        return None if planned is None else (planned.make, planned.reply_to)

    def _view(self, shown: PastRequest) -> Callable[..., PromptView]:
        """Makes it, beside the input of the last request where that is given."""
        window_tokens = self.store.value.api.context_tokens
        return partial(request_view, self.open_chats.current.session, *shown, window_tokens)

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
        shown = self._shown()
        reply = shown.reply if shown is not None else self.open_chats.current.last_reply if by < 0 else None
        known = [] if reply is None else requests_known(reply)
        if shown is not None:
            known = [each for each in known if (each > shown.place if by > 0 else each < shown.place)]
        if reply is not None and known:
            return (Asked(reply.id, known[0] if by > 0 else known[-1]),)
        is_at_end = shown is not None and by > 0 and self._asked is not None and self._is_last(shown.reply)
        return (None,) if is_at_end else ()

    def _is_last(self, reply: Message) -> bool:
        """Whether what is sent next follows it."""
        chat = self.open_chats.current
        return chat.replies.turn is None and bool(chat.branch) and chat.branch[-1].id == reply.id

    def _shown(self) -> PastRequest | None:
        """None = the input of the next turn is shown."""
        running, asked = self._running(), self._asked
        if asked is None:
            return None if running is None else PastRequest(running, len(requests_of(running)) - 1)
        is_running = running is not None and running.id == asked.reply_id
        reply = running if is_running else self.open_chats.current.session.find(asked.reply_id)
        return None if reply is None else PastRequest(reply, asked.place)

    def _running(self) -> Message | None:
        """The reply that grows on screen, as it stands; None = none does, or nothing has been sent for it yet."""
        turn = self.open_chats.current.replies.turn
        reply = turn.reply_so_far(self.now()) if turn is not None and self._runs() else None
        return reply if reply is not None and requests_of(reply) else None

    def _runs(self) -> bool:
        chat = self.open_chats.current
        return chat.replies.shown_live is not None

    def _title(self, shown: PastRequest) -> str:
        count = len(requests_of(shown.reply))
        number = f" {shown.place + 1}/{count}" if count > 1 else ""
        return f"Request{number} of {shown.reply.id}{', running' if self._is_running(shown) else ''}"

    def _is_running(self, shown: PastRequest) -> bool:
        """Whether it is the one that was sent last, and its reply grows."""
        running = self._running()
        return running is not None and shown.is_same(PastRequest(running, len(requests_of(running)) - 1))

    def chars(self) -> int:
        session = self.open_chats.current.session
        if self._measured is None or self._measured[0] is not session:
            self._measured = session, sum(len(it.content) + PART_CHARS for it in session.messages)
        return self._measured[1] + len(self.drafts.texts[-1])

    def _planned(self) -> Planned | None:
        """None = the session's settings cannot be used, which is told."""
        try:
            return self._next.plan()
        except KimiError as error:
            self.remark(error.summary)
            return None

    def comparing(self, *, is_next: bool) -> Comparing | None:
        """What the input that is shown can be compared with; None = it cannot be made, which is told.

        `is_next` = that of the next turn is meant, or of the request that runs.
        """
        if is_next:
            self._asked = None
        if (plan := self.plan()) is None:
            return None
        shown = self._shown()
        session, last = self.open_chats.current.session, self._last.before(shown)
        others = (it for it in newest_first(session, shown) if last is None or not it.is_same(last))
        requests = Requests(itertools.chain([] if last is None else [last], others))
        make, window_tokens = functools.cache(plan[0]), self.store.value.api.context_tokens

        def against(request: PastRequest) -> PromptComparison:
            return compared(request_view(session, *request, window_tokens), make(), calibration_of(session))

        return Comparing(plan[1] or NEXT_INPUT, requests, against)

    def copy_as(self, form: Form, view: PromptView | None = None) -> None:
        """`view` None = the input of the next turn."""
        planned = self._planned()
        if planned is None:
            return
        view = view or planned.make()
        settings, request = self.store.value, planned.request
        fields, extra, model = view.sent, view.sent, view.model or request.model
        if fields is None or extra is None:
            fields, extra = planned.fields, request.extra
        body = build_body(settings.dialect, model, view.text, fields, extra)
        url = settings.dialect.address(settings.base_url, model)
        is_streamed = fields.get("stream") is True
        match form:
            case "text":
                text = view.text
            case "json":
                text = body.decode()
            case "python":
                text = python_script(settings.dialect, url, body, is_streamed=is_streamed)
            case _:
                text = curl_command(settings.dialect, url, body, is_streamed=is_streamed)
        self.copy(text, WHATS[form])


def _unanswered(make: Make) -> PromptView:
    """Nothing has become of it yet."""
    return replace(make(), request=None)
