"""The input that would be sent next, and how it is made beside the one that was sent last."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from kimi_tui.core.ports import SettingsStore
from kimi_tui.core.prompt.open_turn import OpenTurn
from kimi_tui.core.prompt.past_requests import PastRequest, last_request, newest_first, sent_input
from kimi_tui.core.prompt.prompt_view import PromptView, PromptViewer, going_on_view
from kimi_tui.core.prompt.raw_prompt import with_raw_input
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.prompt.shared_prefix import SentInput
from kimi_tui.core.session.codec import EPOCH
from kimi_tui.core.session.endings import refusal_to_answer_again
from kimi_tui.core.session.reply_edits import unasked
from kimi_tui.core.session.session import Message, Session
from kimi_tui.core.session.tree import before
from kimi_tui.core.settings.sampling import RequestOptions, resolve_request
from kimi_tui.core.settings.turn_plan import first_fields
from kimi_tui.engine.openings import GoingOn, start_options
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.state.answers import answering_opening
from kimi_tui.ui.state.next_request import start_of, taken_up_by, taken_up_from
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.slash import Command, Text, parse_line

if TYPE_CHECKING:  # the name of a type only
    from kimi_tui.engine.turn import Turn

GOES_ON = "What going on with the reply sends"
Make = Callable[[], PromptView]
"""Makes an input, in any thread."""


@dataclass(frozen=True, slots=True)
class Planned:
    make: Make
    request: RequestSettings
    fields: Mapping[str, object]
    title: str = ""
    """What it is, where its fields are worth a look; "" = the next turn's, as usual."""
    reply_to: str | None = None
    """Id of the question that it asks once more; None = it goes on behind the head."""


@dataclass(eq=False)
class LastRequests:
    open_chats: OpenChats
    now: Callable[[], datetime]
    _making: threading.Lock = field(default_factory=threading.Lock, init=False)
    _sent: tuple[PastRequest, SentInput] | None = field(default=None, init=False)
    _unanswered: tuple[Turn, Message | None] | None = field(default=None, init=False)

    def before(self, shown: PastRequest | None = None) -> PastRequest | None:
        """The newest request, on any branch, or the one before a past one; None = there is none.

        The newest is the last of this window, where it sent any.
        """
        chat = self.open_chats.current
        if shown is None and chat.last_turn is not None and (last := self._last_of(chat.last_turn)) is not None:
            return last
        return next(newest_first(chat.session, shown), None)

    def _last_of(self, turn: Turn) -> PastRequest | None:
        """The last request of a turn, whether it brought a reply or nothing; None = what it was about is gone."""
        session = self.open_chats.current.session
        reply = session.find(turn.reply.id)
        if reply is None:
            if self._unanswered is None or self._unanswered[0] is not turn:
                self._unanswered = turn, turn.reply_so_far(self.now())
            reply = self._unanswered[1]
        return None if reply is None or session.find(reply.parent) is None else last_request(reply)

    def beside(self, view: Callable[[SentInput | None], PromptView], shown: PastRequest | None = None) -> Make:
        """Makes an input that is compared with the request before it; None = with the newest."""
        session, last = self.open_chats.current.session, self.before(shown)

        def make() -> PromptView:
            with self._making:
                return view(None if last is None else self._sent_input(session, last))

        return make

    def _sent_input(self, session: Session, last: PastRequest) -> SentInput:
        """Make it once: the work grows with the conversation."""
        if self._sent is None or self._sent[0].reply is not last.reply or self._sent[0].place != last.place:
            self._sent = last, sent_input(session, *last)
        return self._sent[1]


@dataclass(eq=False)
class NextInput:
    """By the command in the composer, where it sends something, else by the draft."""

    store: SettingsStore
    open_chats: OpenChats
    drafts: Drafts
    last: LastRequests
    _viewer: PromptViewer = field(default_factory=PromptViewer, init=False)

    def plan(self) -> Planned:
        """Raises KimiError where the session's settings cannot be used."""
        return self._going_on() or self._answering() or self._asking()

    @property
    def _command(self) -> Command | None:
        """The command that is being typed; None = none is."""
        line = parse_line(self.drafts.texts[-1])
        return line if isinstance(line, Command) else None

    def _request(self, options: RequestOptions) -> RequestSettings:
        return resolve_request(self.store.value, self.open_chats.current.session, options)

    def _going_on(self) -> Planned | None:
        """None = the composer would go on with no reply."""
        if (reply := self._taken_up()) is None:
            return None
        request = self._request(GoingOn(reply).options)
        return self._goes_on(reply, request, GOES_ON, thinks=reply.has_open_block)

    def _taken_up(self) -> Message | None:
        """The reply that the composer would go on with: by a command in it, or since it is being edited there."""
        chat, command, part = self.open_chats.current, self._command, self.drafts.edited_part
        if command is not None:
            return taken_up_by(command, chat.target(self.drafts.about), chat.message(self.drafts.about))
        edited = chat.session.find(self.drafts.edited)
        return None if edited is None or part is None else taken_up_from(edited, part, self.drafts.exact_edit)

    def _goes_on(self, reply: Message, request: RequestSettings, title: str, *, thinks: bool) -> Planned:
        view = partial(going_on_view, self.open_chats.current.session, reply, request)
        return replace(self._planned(view, request, title, thinks=thinks), reply_to=reply.parent)

    def _answering(self) -> Planned | None:
        """None = the composer asks for no other answer to a thinking."""
        chat, command = self.open_chats.current, self._command
        reply = chat.target(self.drafts.about)
        if command is None or reply is None or refusal_to_answer_again(reply):
            return None
        opening = answering_opening(command.action.id, command.argument, reply)
        if opening is None:
            return None
        request, title = (
            self._request(opening.options.over(chat.next_reply.options)),
            f"Request of /{command.action.id}",
        )
        reasoning, written = reply.reasoning or "", reply.written
        if reply.raw_input is not None:
            begun = unasked(reply, reply.id, EPOCH, reasoning=reasoning, answer="", written=written)
            return self._goes_on(with_raw_input(begun, reply), request, title, thinks=False)
        open_turn = OpenTurn.of(request.door, is_closed=True, reasoning=reasoning, written=written)
        view = partial(
            self._viewer.view, before(chat.session, reply.id), request, None, open_turn,
            sent_before=reply.left_out or None,
        )  # fmt: skip
        return replace(self._planned(view, request, title, thinks=False), reply_to=reply.parent)

    def _asking(self) -> Planned:
        chat, command = self.open_chats.current, self._command
        start = (None if command is None else start_of(command)) or chat.next_reply.start
        session, request = chat.session, self._request(start_options(start).over(chat.next_reply.options))
        draft, edited = self.drafts.next_message
        if session.find(edited) is not None:  # it may have been deleted since
            session = before(session, edited or "")
        line = parse_line(draft)
        question = line.text if isinstance(line, Text) else ""  # a command is not sent
        view = partial(self._viewer.view, session, request, question or None, request.open_turn_of(start))
        title = "Request of the next reply" if chat.next_reply.stops else ""
        return self._planned(view, request, title, thinks=request.thinking)

    def _planned(
        self, view: Callable[[SentInput | None], PromptView], request: RequestSettings, title: str, *, thinks: bool
    ) -> Planned:
        """`view` makes it beside the last input; `thinks` = whether its think block is open."""
        settings, make = self.store.value, self.last.beside(view)
        fields = request.fields
        if thinks:
            fields = first_fields(settings, self.open_chats.current.session, request)
        if title:
            make = partial(_with_fields, make, {**fields, **settings.dialect.unreserved(request.extra)})
        return Planned(make, request, fields, title)


def _with_fields(make: Make, fields: Mapping[str, object]) -> PromptView:
    return replace(make(), sent=fields)
