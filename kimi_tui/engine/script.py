"""Turns of more than one request: what the next one is, given what the last ones brought."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kimi_tui.core.session.growing_reply import GrowingReply
from kimi_tui.core.wire.think import PromptEnd


@dataclass(frozen=True, slots=True)
class RequestStep:
    """One request of a turn."""

    kind: str
    """What it is for: "reply", "answer", "continue", …"""
    prompt: str
    """Its exact input."""
    fields: Mapping[str, object]
    """Its request fields without `input`."""
    prompt_end: PromptEnd
    """Where the input ends."""


@dataclass(frozen=True, slots=True)
class TurnSoFar:
    """What the requests of a turn have brought."""

    reply: GrowingReply
    """The reply, with a record of each request."""
    steps: tuple[RequestStep, ...]
    """The requests that were sent."""


NextRequest = Callable[[TurnSoFar], RequestStep | None]
"""Says what comes after a request that ended by itself; None = the turn is over."""


def single(so_far: TurnSoFar) -> RequestStep | None:
    """Say that an ordinary turn has one request."""
    del so_far
    return None
