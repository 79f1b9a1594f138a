"""Several answers to one thought: what the commands for them ask for, and in which words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kimi_tui.core.errors import UsageError
from kimi_tui.core.session.session import Message
from kimi_tui.core.settings.sampling import NO_OPTIONS, RequestOptions
from kimi_tui.engine.openings import AnsweringAgain

_ARGUMENT = re.compile(r"\s*([2-4])(\s+next)?(?:\s+(streams|request))?\s*", re.IGNORECASE)
ALLOWED = "2, 3 or 4, then next (of the next question) and streams or request (all in one), or off"


@dataclass(frozen=True, slots=True)
class Answers:
    count: int
    """From 2 to 4."""
    in_one: bool = False
    """Whether one unstreamed request brings them; else they stream side by side."""
    is_next: bool = False
    """Whether they answer the next question, which is thought about once."""
    options: RequestOptions = NO_OPTIONS
    """What they are asked with besides."""

    def __str__(self) -> str:
        return f"{self.count} answers to one thought, {'in one request' if self.in_one else 'side by side'}"


def parse_answers(text: str) -> Answers:
    """Raises UsageError where it says something else than how many, of what, in which way."""
    match = _ARGUMENT.fullmatch(text)
    if match is None:
        raise UsageError(f"/answers: found {text.strip()!r}, allowed {ALLOWED}.")
    return Answers(int(match[1]), (match[3] or "").lower() == "request", bool(match[2]))


_REPLIES = re.compile(r"\s*([2-4])(?:\s+(streams|request))?\s*", re.IGNORECASE)


def parse_replies(text: str) -> tuple[int, bool]:
    """How many whole replies, and whether one request brings them; UsageError where it says something else."""
    match = _REPLIES.fullmatch(text)
    if match is None:
        allowed = "2, 3 or 4, then streams or request (all in one)"
        raise UsageError(f"/regenerate: found {text.strip()!r}, allowed {allowed}.")
    return int(match[1]), (match[2] or "").lower() == "request"


def answering_opening(action_id: str, argument: str, reply: Message) -> AnsweringAgain | None:
    """What a typed command begins with, which need not be whole yet; None = it asks for no answer to that."""
    if action_id == "answers" and (match := _ARGUMENT.fullmatch(argument)) is not None:
        answers = parse_answers(match[0])
        return None if answers.is_next else AnsweringAgain(reply, answers.count if answers.in_one else 1)
    return AnsweringAgain(reply) if action_id == "another-answer" else None
