"""The exact input of a turn, seen as its parts: what the prompt pane shows and what is copied from it.

`PromptViewer` shows the next turn and keeps what has not changed, so that a keystroke costs the same in a long
conversation as in a short one; `past_view` shows the input that a reply answered. The parts joined are the input.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from kimi_tui.core.prompt.context_budget import counted_prefix
from kimi_tui.core.prompt.leaving_out import TurnCuts
from kimi_tui.core.prompt.open_turn import OpenTurn
from kimi_tui.core.prompt.prompt_writer import PromptPart, PromptWriter, past_parts
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.prompt.template import Template
from kimi_tui.core.session.growing_reply import GrowingText
from kimi_tui.core.session.request_starts import requests_of, texts_so_far
from kimi_tui.core.session.session import Message, RequestRecord, Session
from kimi_tui.core.session.tree import branch, message_of, question_parent


@dataclass(frozen=True, slots=True)
class PromptView:
    closed: tuple[PromptPart, ...]
    """The system prompt and every message that is sent, in order; the same tuple while nothing of it changes."""
    tail: tuple[PromptPart, ...]
    """What follows: the draft where there is one, and the open turn."""
    template: Template
    tokens: int
    """Estimated, of all parts."""
    neutralised: int
    counted_tokens: int | None
    """The endpoint's own count of a beginning of it; None = it has counted none."""
    window_tokens: int
    thinking_tokens: int = 0
    """How many of `tokens` the kept thinking of earlier turns takes."""
    left_out: Sequence[Message] = ()
    """What is not sent for want of room, in order; of a past request also what was excluded."""
    sent: Mapping[str, object] | None = None
    """Of a past request: every other field that was sent, where that is known."""
    sent_first: Mapping[str, object] | None = None
    """Of a past request: what the first one behind the same reply sent, where that is known."""
    request: RequestRecord | None = None
    """Of a past request: what became of it."""
    model: str | None = None
    """Of a past request: who was asked, where that is known."""

    @property
    def parts(self) -> tuple[PromptPart, ...]:
        return self.closed + self.tail

    @property
    def text(self) -> str:
        """Joined when asked for."""
        return "".join(part.text for part in self.parts)


@dataclass(frozen=True, slots=True)
class _Sums:
    tokens: int
    neutralised: int
    thinking_tokens: int

    @classmethod
    def of(cls, parts: Sequence[PromptPart]) -> _Sums:
        return cls(
            sum(part.tokens for part in parts),
            sum(part.neutralised for part in parts),
            sum(part.thinking_tokens for part in parts if part.thinking),
        )


@dataclass(frozen=True, slots=True)
class _Closed:
    """The parts that typing does not change, and what they add up to."""

    parts: tuple[PromptPart, ...]
    sums: _Sums
    counted_tokens: int | None
    left_out: Sequence[Message] = ()

    @classmethod
    def of(cls, parts: Iterable[PromptPart], session: Session, left_out: Sequence[Message] = ()) -> _Closed:
        """Add them up; `session` has them on its active branch."""
        made = tuple(parts)
        counted = counted_prefix(session, _joined(made))
        return cls(made, _Sums.of(made), counted, left_out)

    def followed_by(self, tail: tuple[PromptPart, ...], request: RequestSettings) -> PromptView:
        more = _Sums.of(tail)
        return PromptView(
            self.parts,
            tail,
            request.template,
            self.sums.tokens + more.tokens,
            self.sums.neutralised + more.neutralised,
            self.counted_tokens,
            request.context_tokens,
            self.sums.thinking_tokens,
            self.left_out,
        )


def _joined(parts: Iterable[PromptPart]) -> GrowingText:
    text = GrowingText()
    for part in parts:
        text.append(part.text)
    return text


class PromptViewer:
    def __init__(self) -> None:
        self._writer: PromptWriter | None = None
        self._session: Session | None = None
        self._branch: tuple[Message, ...] = ()
        self._has_open_question = False
        self._closed: dict[tuple[bool, int], _Closed] = {}  # by whether the draft takes the place of an open question,
        # and where it is cut
        self._cuts: dict[tuple[object, ...], TurnCuts | None] = {}  # by all that they hang on
        self._parts: dict[str, tuple[Message, bool, PromptPart | None]] = {}  # by the message's id; whether it thinks

    def view(
        self,
        session: Session,
        request: RequestSettings,
        draft: str | None = None,
        open_turn: OpenTurn | None = None,
        sent_before: tuple[str, ...] | None = None,
    ) -> PromptView:
        """The parts joined are what `next_prompt` writes; `draft` = a question that is not in the session yet.

        `open_turn` = what the reply begins with; None = with nothing. `sent_before` as for `TurnCuts`.
        """
        writer = PromptWriter.of_next(session, request)
        self._see_writer(writer)
        self._see_session(session)
        is_asked = draft is not None
        is_replaced = is_asked and self._has_open_question
        messages = self._branch[:-1] if is_replaced else self._branch
        tail = [] if draft is None else [writer.draft_part(draft)]
        tail.append(writer.open_part(open_turn or request.open_turn))
        cuts = self._cuts_of(writer, messages, request, sent_before, is_asked=is_asked)
        cut = writer.cut(cuts, tail)
        if (is_replaced, cut) not in self._closed:
            self._closed[is_replaced, cut] = self._close(writer, messages, cuts, cut, session)
        return self._closed[is_replaced, cut].followed_by(tuple(tail), request)

    def _cuts_of(
        self,
        writer: PromptWriter,
        messages: Sequence[Message],
        request: RequestSettings,
        sent_before: tuple[str, ...] | None,
        *,
        is_asked: bool,
    ) -> TurnCuts | None:
        key = is_asked, len(messages), request.over_budget, request.room_tokens, sent_before
        if key not in self._cuts:
            size_of = partial(self._size, writer)
            self._cuts[key] = writer.cuts(
                messages, request, size_of=size_of, is_asked=is_asked, sent_before=sent_before
            )
        return self._cuts[key]

    def _close(
        self, writer: PromptWriter, messages: Sequence[Message], cuts: TurnCuts | None, cut: int, session: Session
    ) -> _Closed:
        sending = writer.behind(cuts, cut)
        left_out = [it for it in messages[:cut] if writer.sends(it) and not sending.sends(it)]
        return _Closed.of(self._closed_parts(writer, sending, messages), session, left_out)

    def _see_writer(self, writer: PromptWriter) -> None:
        """Forget what was written in another way."""
        if writer == self._writer:
            return
        if self._writer is None or writer.door != self._writer.door:
            self._parts.clear()
        self._closed.clear()
        self._cuts.clear()
        self._writer = writer

    def _see_session(self, session: Session) -> None:
        """Take the active branch; what is closed stays where another title or setting is all that changed."""
        if session is self._session:
            return
        messages = branch(session)
        if len(messages) != len(self._branch) or not all(map(operator.is_, messages, self._branch)):
            self._closed.clear()
            self._cuts.clear()
            kept = self._parts.keys() & {message.id for message in messages}
            self._parts = {id_: self._parts[id_] for id_ in kept}
        self._session, self._branch = session, messages
        self._has_open_question = bool(messages) and question_parent(session) != messages[-1].id

    def _closed_parts(
        self, writer: PromptWriter, sending: PromptWriter, messages: Sequence[Message]
    ) -> Iterator[PromptPart]:
        """`sending` = the writer that leaves out what has no room."""
        if (system := writer.system_part()) is not None:
            yield system
        kept = sending.with_thinking(messages)
        for message in messages:
            part = self._part(writer, message, message.id in kept) if sending.sends(message) else None
            if part is not None:
                yield part

    def _part(self, writer: PromptWriter, message: Message, has_thinking: bool) -> PromptPart | None:
        """Messages that stayed the same keep their parts."""
        known = self._parts.get(message.id)
        if known is None or known[0] is not message or known[1] is not has_thinking:
            part = writer.message_part(message, has_thinking=has_thinking)
            known = self._parts[message.id] = message, has_thinking, part
        return known[2]

    def _size(self, writer: PromptWriter, message: Message, has_thinking: bool) -> int:
        part = self._part(writer, message, has_thinking)
        return 0 if part is None else part.tokens


def going_on_view(session: Session, reply: Message, request: RequestSettings) -> PromptView:
    """The input that would go on with a reply, which need not stand in the session, its question must."""
    writer = PromptWriter.of_past(session, reply)
    messages = () if reply.parent is None else branch(session, reply.parent)
    parts = (*writer.closed_parts(messages), writer.going_on_part(reply))
    left_out = [] if not reply.left_out else [message for message in messages if not writer.sends(message)]
    view = _Closed.of(parts[:-1], replace(session, head=reply.parent), left_out).followed_by(parts[-1:], request)
    return replace(view, template=writer.door.template)


def past_view(session: Session, message_id: str, window_tokens: int) -> PromptView:
    """The parts joined are what `past_prompt` rebuilds, on whichever branch; raises KeyError for an unknown id."""
    return request_view(session, message_of(session, message_id), 0, window_tokens)


def requests_known(reply: Message) -> Sequence[int]:
    """Which of the requests behind a reply can be rebuilt, by their places."""
    return [place for place, so_far in enumerate(texts_so_far(reply)) if so_far is not None]


def request_view(session: Session, reply: Message, place: int, window_tokens: int) -> PromptView:
    """The exact input of one of the requests behind a reply, which may still grow; `place` is of `requests_known`."""
    requests = requests_of(reply)
    request = requests[place] if requests else None
    so_far = texts_so_far(reply)[place] if request is not None and request.start is not None else None
    parts = past_parts(session, reply, so_far)
    gone = frozenset(reply.left_out)
    before = branch(session, reply.parent) if gone and reply.parent is not None else ()
    sums = _Sums.of(parts)
    usage = reply.usage if request is None else request.usage
    counted = None if usage is None else usage.input_tokens
    if counted is None and reply.parent is not None:
        counted = counted_prefix(replace(session, head=reply.parent), _joined(parts))
    return PromptView(
        parts[:-1],
        parts[-1:],
        PromptWriter.of_past(session, reply).door.template,
        sums.tokens,
        sums.neutralised,
        counted,
        window_tokens,
        sums.thinking_tokens,
        [message for message in before if message.id in gone],
        sent=reply.sent if request is None or request.sent is None else request.sent,
        sent_first=reply.sent,
        request=request,
        model=reply.model,
    )
