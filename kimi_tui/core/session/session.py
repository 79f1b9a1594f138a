"""The values that are saved: a session is a tree of messages, a message is one role and its text.

Everything here is frozen; a change gives a new value. How a value stands on disk is decided in `codec`, which branch
is shown and sent in `tree`.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Literal, TypeVar

from kimi_tui.core.session.kept_thinking import KeptThinking
from kimi_tui.core.session.written import Begun, WrittenRange

NOTHING: Mapping[str, object] = MappingProxyType({})
Number = TypeVar("Number", int, float)


def _nothing() -> Mapping[str, object]:
    return NOTHING


class Role(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class MessageState(StrEnum):
    """How a reply ended, as the session file says it."""

    COMPLETE = "complete"
    CANCELLED = "cancelled"
    """Stopped by the user, or the program was left while it ran."""
    FAILED = "failed"
    """The endpoint reported an error after part of the reply had arrived."""
    INTERRUPTED = "interrupted"
    """The stream ended without saying why."""
    QUEUED = "queued"
    """Accepted for a webhook; the text goes there."""


class RequestKind(StrEnum):
    """What a request was for; a file may hold other words, which stay."""

    REPLY = "reply"
    THINK = "think"
    ANSWER = "answer"
    CONTINUE = "continue"


class ThinkingEnd(StrEnum):
    """Who ended the thinking of a reply."""

    MODEL = "model"
    USER = "user"
    BUDGET = "budget"


class FinishReason(StrEnum):
    """Why an endpoint stopped, where it has an ordinary reason; of any other one its own word is kept."""

    STOP = "stop"
    EOS_TOKEN = "eos_token"
    STOP_SEQUENCE = "stop_sequence"
    LENGTH = "length"
    """The reply had as many tokens as it was allowed."""


BROKEN_OFF = frozenset({MessageState.CANCELLED, MessageState.FAILED, MessageState.INTERRUPTED})
"""How requests end of which nobody tells what they took; beside others, what came counts."""


def _sum(left: Number | None, right: Number | None) -> Number | None:
    if left is None or right is None:
        return right if left is None else left
    return left + right


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts and cost as the endpoint reported them; None = not reported."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    """Tokens generated, reasoning included."""
    cost_usd: float | None = None
    """Estimated."""
    extra: Mapping[str, object] = field(default_factory=_nothing)
    """Keys that this version does not know, as found in the file."""

    def __add__(self, other: Usage) -> Usage:
        """Add up two requests; what only one of them reported counts alone."""
        return Usage(
            _sum(self.input_tokens, other.input_tokens),
            _sum(self.output_tokens, other.output_tokens),
            _sum(self.cost_usd, other.cost_usd),
        )


@dataclass(frozen=True, slots=True)
class Timing:
    """Durations of a reply in seconds; None = did not happen."""

    first_token_s: float | None = None
    """From sending the request to its first token."""
    thinking_s: float | None = None
    """From the first token to the end of the reasoning."""
    total_s: float | None = None
    """From sending the request to its end."""
    extra: Mapping[str, object] = field(default_factory=_nothing)


MAX_INTEGER = 2**63 - 1
"""Largest integer of a TOML file."""
DEFAULT_MODEL = "moonshotai/Kimi-K2.5"
MAX_ID_DIGITS = 15
"""An id "m…" of more digits is somebody's own word, not a number to go on from."""
NO_USAGE = Usage()
NO_TIMING = Timing()


@dataclass(frozen=True, slots=True)
class RequestStart:
    """How much of a reply there was when one of its requests was sent, in code points."""

    reasoning: int
    content: int
    is_thinking: bool
    retracted: str = ""
    """The end of that reasoning that has been taken away since: with what came it was a mark."""


@dataclass(frozen=True, slots=True)
class RequestRecord:
    kind: str = RequestKind.REPLY
    """A `RequestKind`, or what a file calls it."""
    state: MessageState | None = None
    """How it ended; None = the file does not say."""
    request_id: str | None = None
    finish_reason: str | None = None
    usage: Usage = NO_USAGE
    timing: Timing = NO_TIMING
    is_estimated: bool = False
    """Whether it was cut before it told its counts: its output tokens are those received, its cost is not known."""
    extra: Mapping[str, object] = field(default_factory=_nothing)
    sent: Mapping[str, object] | None = None
    """The fields that it sent, where they differ from the message's."""
    start: RequestStart | None = None
    """None = it is the first one and the reply began with it, or the file does not say."""


@dataclass(frozen=True, slots=True)
class Message:
    id: str
    """Unique within its session, such as "m1"."""
    role: Role
    """User or assistant: a session's system prompt is no message."""
    content: str
    """What was typed, or the answer, exactly."""
    parent: str | None = None
    """Id of the message before it; None = the first of the conversation."""
    created: datetime | None = None
    """When it was made, UTC, whole seconds; None = not known."""
    reasoning: str | None = None
    state: MessageState | None = None
    """How the reply ended; None for a user's message."""
    finish_reason: str | None = None
    """Why the endpoint stopped: a `FinishReason`, or its own word."""
    request_id: str | None = None
    """The endpoint's name for the (last) request."""
    model: str | None = None
    template: str | None = None
    thinking: bool | None = None
    """Whether it stands behind a think block of its own: its prompt left one open, or see `reopened`."""
    sent: Mapping[str, object] | None = None
    """Every request field that was sent, but `input`."""
    usage: Usage | None = None
    """Sum over its requests; None = nothing was reported (or an alternative of the same request carries it)."""
    timing: Timing | None = None
    requests: tuple[RequestRecord, ...] = ()
    """The requests behind it, when there were several."""
    system: str | Literal[False] | None = None
    """The system prompt as sent, where the session has another now; False = none was sent; None = the session's."""
    left_out: tuple[str, ...] = ()
    """Ids of messages that its prompt left out."""
    neutralise: bool = True
    """Whether control markers in foreign text were made harmless in its prompt."""
    excluded: bool = False
    """On screen, but not in the prompt."""
    extra: Mapping[str, object] = field(default_factory=_nothing)
    thinking_end: str | None = None
    """A `ThinkingEnd`, MODEL of a reply without an answer alone; None = the answer shows it, or nothing did."""
    reopened: bool = False
    """Its prompt had closed the think block, and it opened one itself."""
    cut_tail: str = ""
    """The end of the thinking that was taken away when the user or a budget ended it."""
    written: tuple[WrittenRange, ...] = ()
    """What of it the user wrote."""
    begun: Begun | None = None
    """What it said before its first request was sent; None = nothing."""
    edited: bool = False
    """Whether the user changed it by hand."""
    pinned: bool = False
    """Whether it is sent although older turns are left out for want of room."""
    name: str = ""
    """What the user calls the branch that begins here; "" = nothing."""
    raw_input: str | None = None
    """The whole input that was sent as the user wrote it; None = it was made of the messages."""
    kept_thinking: KeptThinking = 0
    """Of how many earlier turns its prompt held the thinking."""
    thinking_tokens: int | None = None
    """Tokens that were received inside its think block; None = nobody counted all of them."""

    @property
    def is_partly_counted(self) -> bool:
        """Whether nobody told what one of its requests took: it was cut before that."""
        if self.requests and any(request.is_estimated for request in self.requests):
            return True
        if self.state not in BROKEN_OFF or self.is_unasked:
            return False
        has_nothing_come = self.timing is not None and self.timing.first_token_s is None
        return not has_nothing_come and (self.usage is None or self.usage.cost_usd is None)

    @property
    def last_sent(self) -> Mapping[str, object] | None:
        """What its last request sent, as `sent`."""
        last = self.requests[-1].sent if self.requests else None
        return self.sent if last is None else last

    @property
    def took_thinking(self) -> bool:
        """Whether its thinking was in its prompt already, taken from another reply."""
        begun = self.begun
        return begun is not None and begun.content is not None and begun.reasoning > 0

    @property
    def is_only_queued(self) -> bool:
        """It went to a webhook, and has no text here but what it was to begin with."""
        begun = self.begun.content or 0 if self.begun is not None else 0
        return self.state is MessageState.QUEUED and len(self.content) <= begun

    @property
    def has_open_block(self) -> bool:
        """Whether what goes on with it goes on inside its think block."""
        return self.thinking is not False and not self.content and self.thinking_end is None

    @property
    def is_unasked(self) -> bool:
        """Whether the user made it of another reply, and no request has ended for it since."""
        is_made = self.begun is not None and self.begun.of is not None
        return is_made and self.timing is None and not self.requests


@dataclass(frozen=True, slots=True)
class Session:
    id: str
    """Such as "20261123-081500-k3f9": time of creation (UTC) and four random characters."""
    created: datetime
    """UTC, whole seconds."""
    updated: datetime
    """UTC, whole seconds."""
    model: str
    title: str = ""
    """What lists show; "" = no message yet."""
    system: str | None = None
    tags: tuple[str, ...] = ()
    """The user's words to find it by."""
    head: str | None = None
    """Id of the leaf of the active branch; None = no message."""
    prompt_cache_key: str | None = None
    """The random key that lets the endpoint reuse the prompt's beginning."""
    settings: Mapping[str, object] = field(default_factory=_nothing)
    """What this session sets for itself: `thinking`, `preset`, `unset`, `extra` and request fields."""
    messages: tuple[Message, ...] = ()
    """In order of creation."""
    extra: Mapping[str, object] = field(default_factory=_nothing)
    """Keys that this version does not know, as found in the file."""
    written_by: str | None = field(default=None, compare=False)
    """The version of the program that saved its file last, as the file says it; None = it does not."""
    newer_version: int = 0
    """The version of its file where that is newer than ours, so that it is never saved; 0 = it is not."""
    path: str = field(default="", compare=False)
    """The file it was read from, and is saved to; "" = none yet. Never written into the file."""

    def find(self, message_id: str | None) -> Message | None:
        """The message of that id; None = it is not in the session, or not any more."""
        return next((message for message in reversed(self.messages) if message.id == message_id), None)

    def with_message(self, message: Message) -> Session:
        """Append a message and make it the head."""
        return replace(self, messages=(*self.messages, message), head=message.id)

    def next_message_ids(self, count: int, taken: Collection[str] = ()) -> tuple[str, ...]:
        """The lowest ids "mN" above every such id in use, so that ids of deleted leaves at most come back once.

        `taken` = ids that messages to come have already.
        """
        used = {message.id for message in self.messages}.union(taken)
        digits = (id_[1:] for id_ in used if id_.startswith("m") and len(id_) <= MAX_ID_DIGITS)
        last = max((int(n) for n in digits if n.isascii() and n.isdigit()), default=0)
        free = (id_ for n in itertools.count(last + 1) if (id_ := f"m{n}") not in used)
        return tuple(itertools.islice(free, count))
