"""The exact input of a turn, seen as its parts: what the prompt pane shows and what is copied from it.

`PromptViewer` shows the next turn and keeps what has not changed, so that a keystroke costs the same in a long
conversation as in a short one; `past_view` shows the input that a reply answered. The parts joined are the input.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from kimi_tui.core.prompt.context_budget import counted_prefix, estimate_tokens
from kimi_tui.core.prompt.neutralise import encode, verbatim
from kimi_tui.core.prompt.past_prompt import PastPrompt
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.prompt.template import PromptTurn, Template, open_turn, render_turn
from kimi_tui.core.prompt.turns import conversation_turns
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.core.session.tree import branch, question_parent


class PartKind(StrEnum):
    """What a part of a prompt is, in the word that is shown."""

    SYSTEM = "system"
    """The system prompt."""
    USER = "user"
    """A question."""
    ASSISTANT = "assistant"
    """A past answer."""
    DRAFT = "draft"
    """A question that is not in the session yet."""
    OPEN = "open turn"
    """The end: where the model goes on."""

    @property
    def role(self) -> Role:
        """Who speaks."""
        return {PartKind.DRAFT: Role.USER, PartKind.OPEN: Role.ASSISTANT}.get(self) or Role(self.value)


@dataclass(frozen=True, slots=True)
class PromptPart:
    """A part of a prompt, markers included."""

    key: str
    """Unique among the parts of a prompt, and the same while it is the same part."""
    kind: PartKind
    """What it is."""
    text: str
    """Exactly what is sent."""
    tokens: int
    """Estimated size in tokens."""
    neutralised: int = 0
    """How many places in it were made harmless."""
    message_id: str | None = None
    """Id of the message it was made of; None = of none."""


@dataclass(frozen=True, slots=True)
class PromptView:
    """The exact input of one turn."""

    closed: tuple[PromptPart, ...]
    """The system prompt and every message that is sent, in order; the same tuple while nothing of it changes."""
    tail: tuple[PromptPart, ...]
    """What follows: the draft where there is one, and the open turn."""
    tokens: int
    """Estimated size of all parts in tokens."""
    neutralised: int
    """How many places in all parts were made harmless."""
    counted_tokens: int | None
    """The endpoint's own count of a beginning of it; None = it has counted none."""
    window_tokens: int
    """Size of the context window."""
    sent: Mapping[str, object] | None = None
    """Of a past reply: every other field that was sent, where that is known."""

    @property
    def parts(self) -> tuple[PromptPart, ...]:
        """All parts in order."""
        return self.closed + self.tail

    @property
    def text(self) -> str:
        """The input itself; joined when asked for."""
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
        counted = counted_prefix(session, "".join(part.text for part in made))
        return cls(made, *_sums(made), counted)

    def followed_by(self, tail: tuple[PromptPart, ...], window_tokens: int) -> PromptView:
        """The whole prompt."""
        tokens, neutralised = _sums(tail)
        return PromptView(
            self.parts, tail, self.tokens + tokens, self.neutralised + neutralised, self.counted_tokens, window_tokens
        )


def _sums(parts: Sequence[PromptPart]) -> tuple[int, int]:
    """Tokens and neutralised places of parts."""
    return sum(part.tokens for part in parts), sum(part.neutralised for part in parts)


class PromptViewer:
    """Shows the exact input of the next turn, again and again, as the session and the draft change."""

    def __init__(self) -> None:
        """Start with nothing kept."""
        self.made_parts = 0
        """How many parts were made in all, for those who count."""
        self._style: tuple[Template, bool] | None = None
        self._session: Session | None = None
        self._branch: tuple[Message, ...] = ()
        self._has_open_question = False
        self._closed: dict[bool, _Closed] = {}  # by whether the draft takes the place of an open question
        self._system: tuple[str, PromptPart] | None = None
        self._messages: dict[str, tuple[Message, PromptPart | None]] = {}

    def view(self, session: Session, request: RequestSettings, draft: str | None = None) -> PromptView:
        """Show the input of the next turn: the parts joined are what `turns.next_prompt` writes.

        Args:
            session: The session.
            request: What the request says besides the conversation.
            draft: A question that is not in the session yet; None = none.
        """
        self._see_style(request.template, request.neutralise)
        self._see_session(session)
        is_replaced = draft is not None and self._has_open_question
        if is_replaced not in self._closed:
            self._closed[is_replaced] = self._close(session, self._branch[:-1] if is_replaced else self._branch)
        tail = [] if draft is None else [self._part("draft", PartKind.DRAFT, draft)]
        tail.append(self._open_part(request))
        return self._closed[is_replaced].followed_by(tuple(tail), request.context_tokens)

    def _see_style(self, template: Template, neutralise: bool) -> None:
        """Forget what was written in another way."""
        if self._style != (template, neutralise):
            self._style = template, neutralise
            self._system = None
            self._messages.clear()
            self._closed.clear()

    def _see_session(self, session: Session) -> None:
        """Take the active branch; what is closed stays where another title or setting is all that changed."""
        if session is self._session:
            return
        messages, system = branch(session), self._session.system if self._session else None
        is_same = len(messages) == len(self._branch) and all(map(operator.is_, messages, self._branch))
        if not is_same or session.system != system:
            self._closed.clear()
            kept = self._messages.keys() & {message.id for message in messages}
            self._messages = {id_: self._messages[id_] for id_ in kept}
        self._session, self._branch = session, messages
        self._has_open_question = bool(messages) and question_parent(session) != messages[-1].id

    def _close(self, session: Session, messages: Sequence[Message]) -> _Closed:
        """Make the closed parts; messages that stayed the same keep theirs."""
        for message in messages:
            known = self._messages.get(message.id)
            if known is None or known[0] is not message:
                self._messages[message.id] = message, self._message_part(message)
        parts = [part for message in messages if (part := self._messages[message.id][1]) is not None]
        if session.system is not None:
            parts.insert(0, self._system_part(session.system))
        return _Closed.of(parts, session)

    def _message_part(self, message: Message) -> PromptPart | None:
        """Make the part of a message; None where it is not sent."""
        if not conversation_turns([message], None, neutralise=False):
            return None
        return self._part(f"message {message.id}", PartKind(message.role.value), message.content, message.id)

    def _system_part(self, system: str) -> PromptPart:
        if self._system is None or self._system[0] != system:
            self._system = system, self._part("system", PartKind.SYSTEM, system)
        return self._system[1]

    def _part(self, key: str, kind: PartKind, source: str, message_id: str | None = None) -> PromptPart:
        assert self._style is not None
        template, neutralise = self._style
        self.made_parts += 1
        turn = PromptTurn(kind.role, encode(source) if neutralise else verbatim(source))
        places = _marker_count(source) if neutralise else 0
        return _written(key, kind, render_turn(turn, template), places, message_id)

    def _open_part(self, request: RequestSettings) -> PromptPart:
        self.made_parts += 1
        return _written("open", PartKind.OPEN, open_turn(request.template, thinking=request.thinking))


def past_view(session: Session, message_id: str, window_tokens: int) -> PromptView:
    """Show the exact input that a reply answered: the parts joined are what `past_prompt.prompt_of` rebuilds.

    Args:
        session: The session.
        message_id: Id of the reply, on whichever branch.
        window_tokens: Size of the context window.

    Raises:
        KeyError: There is no such message.
    """
    if not session.messages:
        raise KeyError(message_id)
    *before, reply = branch(session, message_id)
    past = PastPrompt.of(session, reply)
    parts: list[PromptPart] = []
    if past.system is not None:
        places = _marker_count(past.system) if past.neutralise else 0
        parts.append(_written("system", PartKind.SYSTEM, past.system_block(), places))
    for message in before:
        if text := past.closed_turn(message):
            places = _marker_count(message.content) if past.neutralise else 0
            kind = PartKind(message.role.value)
            parts.append(_written(f"message {message.id}", kind, text, places, message.id))
    end = _written("open", PartKind.OPEN, past.open_turn(reply))
    tokens, neutralised = _sums([*parts, end])
    whole = "".join(part.text for part in [*parts, end])
    counted = counted_prefix(replace(session, head=reply.id), whole)
    return PromptView(tuple(parts), (end,), tokens, neutralised, counted, window_tokens, reply.sent)


def _marker_count(source: str) -> int:
    """How many places of a text are made harmless."""
    return len(encode(source)) - len(verbatim(source))


def _written(key: str, kind: PartKind, text: str, neutralised: int = 0, message_id: str | None = None) -> PromptPart:
    """A part of that text."""
    return PromptPart(key, kind, text, estimate_tokens(text), neutralised, message_id)
