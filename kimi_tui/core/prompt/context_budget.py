"""Whether an input can fit the context window: by estimate, so that only what surely cannot fit is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from kimi_tui.core.errors import InputTooLargeError
from kimi_tui.core.prompt.prompt_writer import PromptWriter
from kimi_tui.core.prompt.token_estimate import MOST_TOKENS_PER_CHAR, Calibration, counts_of, least_tokens
from kimi_tui.core.session import tree
from kimi_tui.core.session.kept_thinking import KeptThinking, first_kept
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.core.text.growing_text import GrowingText


@dataclass(frozen=True, slots=True)
class CountedPrefix:
    """A beginning of a prompt that was the whole input of a request, and what the endpoint counted of it."""

    chars: int
    tokens: int
    opening: str
    """What it ends with: its open turn; "" = it is an input that the user wrote."""


def counted_prefix(session: Session, prompt: GrowingText) -> int | None:
    """Input tokens of the newest reply of the active branch whose exact input the prompt begins with; None = none."""
    found = next(counted_prefixes(session, prompt), None)
    return None if found is None else found.tokens


def counted_prefixes(session: Session, prompt: GrowingText) -> Iterator[CountedPrefix]:
    """The exact inputs of replies of the active branch that the prompt begins with, the newest first."""
    messages = tree.branch(session)
    # Replies written in the same way share one walk, so that a long session costs one look at each message.
    known: dict[PromptWriter, list[_Agreed]] = {}
    for place in reversed(range(len(messages))):
        reply = messages[place]
        if (counted := first_count(reply)) is None:
            continue
        if reply.raw_input is not None:
            if prompt.has_at(0, reply.raw_input):
                yield CountedPrefix(len(reply.raw_input), counted, "")
            continue
        writer = PromptWriter.of_past(session, reply)
        way = replace(writer, kept_thinking=0)
        if way not in known:
            known[way] = _agreement(way, messages[:place], prompt)
        if place >= len(known[way]) or not known[way][place].keeps(writer.kept_thinking):
            continue
        offset, opening = known[way][place].offset, writer.open_part(writer.open_turn_of(reply)).text
        if prompt.has_at(offset, opening):
            yield CountedPrefix(offset + len(opening), counted, opening)


def counted_input(reply: Message) -> int | None:
    """What the endpoint counted of the input that was made for it; None = it did not, or the user wrote the input."""
    return first_count(reply) if reply.raw_input is None else None


def first_count(reply: Message) -> int | None:
    """What was counted of the input of its first request: the later ones also hold what it had written by then."""
    if reply.role is not Role.ASSISTANT:
        return None
    usage = reply.requests[0].usage if reply.requests else reply.usage
    return None if usage is None else usage.input_tokens


@dataclass(frozen=True, slots=True)
class _Agreed:
    """How far a prompt says what messages say, up to one of them."""

    offset: int
    """Where that one begins in the prompt."""
    turns: int = 0
    """How many replies stand before it."""
    first_kept: int | None = None
    """Which of them is the first whose thinking the prompt holds; None = it holds none."""
    last_without: int = -1
    """Which of them is the last whose thinking it lacks; -1 = it lacks none."""

    def keeps(self, kept: KeptThinking) -> bool:
        """Whether the prompt holds the thinking of just so many of the last replies."""
        first = first_kept(self.turns, kept)
        return self.last_without < first and (self.first_kept is None or self.first_kept >= first)


def _agreement(writer: PromptWriter, messages: Sequence[Message], prompt: GrowingText) -> list[_Agreed]:
    """Say where each message begins in a prompt, as far as the two agree, thinking kept or not; the last is their end.

    `writer` keeps none.
    """
    system = writer.system_part()
    text = "" if system is None else system.text
    if not prompt.has_at(0, text):
        return []
    found = [_Agreed(len(text))]
    for message in messages:
        if (agreed := _agreed_behind(found[-1], writer, message, prompt)) is None:
            break
        found.append(agreed)
    return found


def _agreed_behind(before: _Agreed, writer: PromptWriter, message: Message, prompt: GrowingText) -> _Agreed | None:
    """Go on behind a message; None = it does not stand there, with or without its thinking."""
    part = writer.message_part(message)
    if part is None:
        return before
    turns = before.turns + (message.role is Role.ASSISTANT)
    if prompt.has_at(before.offset, part.text):
        last_without = before.turns if message.reasoning else before.last_without
        return _Agreed(before.offset + len(part.text), turns, before.first_kept, last_without)
    if not message.reasoning or writer.door.template.think is None:
        return None
    part = writer.message_part(message, has_thinking=True)
    if part is None or not prompt.has_at(before.offset, part.text):
        return None
    first = before.turns if before.first_kept is None else before.first_kept
    return _Agreed(before.offset + len(part.text), turns, first, before.last_without)


LEAVE_OUT = "/over-budget leave-out sends it without the oldest turns. "


def check_input(
    session: Session, prompt: GrowingText, window_tokens: int, *, has_left_out: bool = False, has_earlier: bool = False
) -> None:
    """Raise InputTooLargeError where even its characters / 6, or the count of its beginning, exceeds the window.

    `has_left_out` = the oldest turns are not in it; `has_earlier` = there are such, and all are in it.
    """
    least = least_tokens(*prompt.pieces)
    if least <= window_tokens:
        least = max(least, counted_prefix(session, prompt) or 0)
    if least > window_tokens:
        what = "Even without the turns before it, the input" if has_left_out else "The input"
        raise InputTooLargeError(
            f"{what} has at least {least} tokens, the context window holds {window_tokens}. Nothing was sent.",
            f"{LEAVE_OUT if has_earlier else ''}Begin a new session, or shorten the message. "
            "[api] context_tokens sets the window.",
        )


def doubtful_tokens(
    prompt: GrowingText, window_tokens: int, calibrated: Callable[[], Calibration] = Calibration
) -> int | None:
    """Estimate an input that may exceed the window: it is sent all the same, with a word about it; None = it fits.

    `calibrated` gives what it is estimated by, where that is worth while.
    """
    if len(prompt) * MOST_TOKENS_PER_CHAR <= window_tokens:
        return None
    tokens = calibrated().size(counts_of(*prompt.pieces))
    return tokens if tokens > window_tokens else None
