"""What one kind of endpoint calls things: a value that the client, the engine, the settings and the simulator ask.

A dialect is one module that makes such a value, and one row of `dialects`. The shapes of its requests and answers are
known nowhere else. Fields go by our own names outside of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kimi_tui.core.errors import CompletionError, FieldError
from kimi_tui.core.session.session import NO_USAGE, Usage
from kimi_tui.core.text.nearest import nearest
from kimi_tui.core.text.quoting import quoted, shortened
from kimi_tui.core.wire.endpoint_errors import ErrorKeys
from kimi_tui.core.wire.fields import FIELDS, SETTABLE, FieldSpec
from kimi_tui.core.wire.sse import SseEvent


class Generated(NamedTuple):
    """One whole reply that was not streamed."""

    text: str
    """What was generated, without `reasoning` where the server tells the two apart."""
    reasoning: str | None = None
    """The reasoning; None = it stands in the text, between think tags."""


class Frame(NamedTuple):
    """One piece of a reply, or its end, whatever the dialect."""

    text: str = ""
    """Text of the token, may hold a lone surrogate; "" = none."""
    tokens: int = 0
    """How many tokens text and reasoning are, ≥ 0."""
    finish_reason: str | None = None
    """Why the reply ended: a `FinishReason` where the dialect's word means one, else that word; None = it goes on, or
    nothing was said."""
    results: tuple[Generated, ...] = ()
    usage: Usage = NO_USAGE
    request_id: str | None = None
    is_queued: bool = False
    """Accepted for a webhook."""
    is_done: bool = False
    error: CompletionError | None = None
    reasoning: str | None = None
    """A piece of reasoning, "" = none in this frame; None = the server puts it into the text, between think tags."""
    logprob: float | None = None
    """Natural logarithm of the token's probability, ≤ 0; None = the server does not say. Some say 0 of every token."""


Document = Mapping[str, object]
"""Parsed JSON: an object."""


class Mistake(NamedTuple):
    """One mistake in a body."""

    place: str | int | None
    """One of our fields, the prompt's name, or a character of the body; None = all of it."""
    message: str
    kind: str


class Twin(NamedTuple):
    """The same dialect as the other side speaks it, for the simulator.

    Its frames hold reasoning in `reasoning` and the mark that closes it as a text of its own, whatever the dialect
    makes of them.
    """

    path: re.Pattern[str]
    shown_path: str
    """A path at which a reply is asked for, with MODEL for the model's name."""
    about: str
    """What the demo server says that it speaks, and where."""
    read_body: Callable[[Document], tuple[object, dict[str, object]]]
    """The prompt of a body, None where there is none, and our fields in it, unchecked; the inverse of `write_body`."""
    write_events: Callable[[Frame], Iterable[SseEvent]]
    write_reply: Callable[[Frame], Document]
    """A reply that is not streamed, or the note that it is queued."""
    write_error: Callable[[str], Document]
    """The body of an HTTP error."""
    write_refusal: Callable[[Sequence[Mistake]], Document]
    """The body of a 422."""


@dataclass(frozen=True, slots=True)
class Dialect:
    name: str
    fields: Mapping[str, FieldSpec]
    """The fields of ours that it carries, by our names, with its ranges and defaults, in the order they are written."""
    own_names: frozenset[str]
    """The names in a body that the dialect writes itself, so that nobody else may: the prompt's and its fields'."""
    prompt_name: str
    """In a body."""
    base_url: str
    """Of the endpoint whose dialect it is, where `[api] base_url` names no other."""
    address: Callable[[str, str], str]
    """Where requests go, from the base URL and the model."""
    write_body: Callable[[str, str, Mapping[str, object]], dict[str, object]]
    """A body, from the model, the prompt and checked fields that it carries; without what is sent as it is."""
    read_document: Callable[[Document, str], Frame]
    """What one JSON object means: the data of an event of that type, or an unstreamed reply (of the type "message")."""
    reply_keys: tuple[str, ...]
    """What an event of a foreign name has to hold to be meant for us: a piece of a reply, its end, or an error."""
    error_keys: ErrorKeys
    key_variables: tuple[str, ...]
    """The environment variables that may hold the key, first one first."""
    end_word: str
    """Data of the event that may end a stream."""
    needs_end: bool
    """Whether a stream that just ends has broken off; otherwise its end is the connection's, if text has come."""
    text_places: tuple[tuple[str, ...], ...]
    """Where text of a token stands in an event, each from the outer key to the inner one: for scripts of the user's.

    A place of reasoning, where it has one of its own, is the first.
    """
    twin: Twin

    @property
    def key_variable(self) -> str:
        """The one that is named, and that what is copied to be run elsewhere reads."""
        return self.key_variables[0]

    def spec(self, name: str) -> FieldSpec:
        """One of our fields as it is here; one that is not carried has no range."""
        return self.fields.get(name) or FIELDS[name]

    def is_reserved(self, name: str) -> bool:
        """Whether a name is ours or the dialect's, so that no field that is sent as it is may have it."""
        return name in FIELDS or name in self.own_names

    def unreserved(self, extra: Mapping[str, object]) -> dict[str, object]:
        """The fields that may be sent as they are; a value under a reserved name has been checked against nothing."""
        return {name: value for name, value in extra.items() if not self.is_reserved(name)}

    def parse_text(self, name: str, text: str) -> object | None:
        """As it is typed, see `FieldSpec.parse`; raises FieldError for a name or value not allowed."""
        if name in FIELDS:
            return self.spec(name).parse(text)
        if name == self.prompt_name:
            raise FieldError(name, quoted(text), "nothing: the program writes the input")
        known, equals, rest = name.partition("=")
        if equals and known in SETTABLE:
            raise FieldError(known, quoted(name), f"a blank before the value, such as {known} {shortened(rest)}")
        raise FieldError(shortened(name), "an unknown field", nearest(name, SETTABLE))
