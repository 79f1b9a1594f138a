"""The exact input of a turn, seen as its parts: what the prompt pane shows and what is copied from it.

`PromptViewer` shows the next turn and keeps what has not changed, so that a keystroke costs the same in a long
conversation as in a short one; `past_view` shows the input that a reply answered. The parts joined are the input.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from kimi_tui.core.prompt.context_budget import counted_prefix
from kimi_tui.core.prompt.open_turn import OpenTurn
from kimi_tui.core.prompt.prompt_writer import PromptPart, PromptWriter, past_parts
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.prompt.template import Template
from kimi_tui.core.session.growing_reply import GrowingText
from kimi_tui.core.session.session import Message, Session
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
    sent: Mapping[str, object] | None = None
    """Of a past reply: every other field that was sent, where that is known."""

    @property
    def parts(self) -> tuple[PromptPart, ...]:
        return self.closed + self.tail

    @property
    def text(self) -> str:
        """Joined when asked for."""
        return "".join(part.text for part in self.parts)


@dataclass(frozen=True, slots=True)
class _Closed:
    """The parts that typing does not change, and what they add up to."""

    parts: tuple[PromptPart, ...]
    tokens: int
    neutralised: int
    counted_tokens: int | None

    @classmethod
    def of(cls, parts: Iterable[PromptPart], session: Session) -> _Closed:
        """Add them up; `session` has them on its active branch."""
        made = tuple(parts)
        counted = counted_prefix(session, _joined(made))
        return cls(made, *_sums(made), counted)

    def followed_by(self, tail: tuple[PromptPart, ...], request: RequestSettings) -> PromptView:
        tokens, neutralised = _sums(tail)
        return PromptView(
            self.parts,
            tail,
            request.template,
            self.tokens + tokens,
            self.neutralised + neutralised,
            self.counted_tokens,
            request.context_tokens,
        )


def _joined(parts: Iterable[PromptPart]) -> GrowingText:
    text = GrowingText()
    for part in parts:
        text.append(part.text)
    return text


def _sums(parts: Sequence[PromptPart]) -> tuple[int, int]:
    return sum(part.tokens for part in parts), sum(part.neutralised for part in parts)


class PromptViewer:
    def __init__(self) -> None:
        self._writer: PromptWriter | None = None
        self._session: Session | None = None
        self._branch: tuple[Message, ...] = ()
        self._has_open_question = False
        self._closed: dict[bool, _Closed] = {}  # by whether the draft takes the place of an open question
        self._parts: dict[str, tuple[Message, PromptPart | None]] = {}  # by the message's id

    def view(
        self,
        session: Session,
        request: RequestSettings,
        draft: str | None = None,
        open_turn: OpenTurn | None = None,
    ) -> PromptView:
        """The parts joined are what `next_prompt` writes; `draft` = a question that is not in the session yet.

        `open_turn` = what the reply begins with; None = with nothing.
        """
        writer = PromptWriter.of_next(session, request)
        self._see_writer(writer)
        self._see_session(session)
        is_replaced = draft is not None and self._has_open_question
        if is_replaced not in self._closed:
            messages = self._branch[:-1] if is_replaced else self._branch
            self._closed[is_replaced] = _Closed.of(self._closed_parts(writer, messages), session)
        tail = [] if draft is None else [writer.draft_part(draft)]
        tail.append(writer.open_part(open_turn or request.open_turn))
        return self._closed[is_replaced].followed_by(tuple(tail), request)

    def _see_writer(self, writer: PromptWriter) -> None:
        """Forget what was written in another way."""
        if writer == self._writer:
            return
        if self._writer is None or writer.door != self._writer.door:
            self._parts.clear()
        self._closed.clear()
        self._writer = writer

    def _see_session(self, session: Session) -> None:
        """Take the active branch; what is closed stays where another title or setting is all that changed."""
        if session is self._session:
            return
        messages = branch(session)
        if len(messages) != len(self._branch) or not all(map(operator.is_, messages, self._branch)):
            self._closed.clear()
            kept = self._parts.keys() & {message.id for message in messages}
            self._parts = {id_: self._parts[id_] for id_ in kept}
        self._session, self._branch = session, messages
        self._has_open_question = bool(messages) and question_parent(session) != messages[-1].id

    def _closed_parts(self, writer: PromptWriter, messages: Sequence[Message]) -> Iterator[PromptPart]:
        """Messages that stayed the same keep their parts."""
        if (system := writer.system_part()) is not None:
            yield system
        for message in messages:
            known = self._parts.get(message.id)
            if known is None or known[0] is not message:
                known = self._parts[message.id] = message, writer.message_part(message)
            if known[1] is not None:
                yield known[1]


def going_on_view(session: Session, reply: Message, request: RequestSettings) -> PromptView:
    """The input that would go on with a reply, which need not stand in the session, its question must."""
    writer = PromptWriter.of_past(session, reply)
    messages = () if reply.parent is None else branch(session, reply.parent)
    parts = (*writer.closed_parts(messages), writer.going_on_part(reply))
    tokens, neutralised = _sums(parts)
    counted = counted_prefix(replace(session, head=reply.parent), _joined(parts))
    template, window_tokens = writer.door.template, request.context_tokens
    return PromptView(parts[:-1], parts[-1:], template, tokens, neutralised, counted, window_tokens, request.fields)


def past_view(session: Session, message_id: str, window_tokens: int) -> PromptView:
    """The parts joined are what `past_prompt` rebuilds, on whichever branch; raises KeyError for an unknown id."""
    reply = message_of(session, message_id)
    parts = past_parts(session, reply)
    tokens, neutralised = _sums(parts)
    counted = counted_prefix(replace(session, head=reply.id), _joined(parts))
    template = PromptWriter.of_past(session, reply).door.template
    return PromptView(parts[:-1], parts[-1:], template, tokens, neutralised, counted, window_tokens, reply.sent)
