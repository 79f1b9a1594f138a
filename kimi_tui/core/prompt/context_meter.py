"""How full the context window is: by the endpoint's last count, and by calibrated estimate for what came after."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from itertools import accumulate
from typing import NamedTuple

from kimi_tui.core.prompt.token_estimate import Calibration
from kimi_tui.core.session import tree
from kimi_tui.core.session.kept_thinking import KeptThinking
from kimi_tui.core.session.request_starts import requests_of
from kimi_tui.core.session.session import NO_USAGE, Message, Session
from kimi_tui.core.session.written import Begun

NEAR, ROOM_AGAIN = 0.85, 0.8
"""Shares of the window, the reply's included: from the one on it is nearly full, below the other not any more."""
TURN_TOKENS = 8
"""What the markers and the role's name around a message take, in tokens, by the same estimate as its text."""


class Context(NamedTuple):
    tokens: int
    window_tokens: int
    is_counted: bool
    """Whether the endpoint has counted all of them; else the rest is estimated."""
    reply_tokens: int = 0
    """How much of the window is kept for the reply."""

    @property
    def _filled(self) -> float:
        return (self.tokens + self.reply_tokens) / self.window_tokens

    @property
    def is_near(self) -> bool:
        """Whether the window is nearly full, or more than that."""
        return self._filled >= NEAR

    @property
    def has_room_again(self) -> bool:
        """Whether it is so far from that, that it would be worth a word when it is near once more."""
        return self._filled < ROOM_AGAIN

    def with_typed(self, tokens: int) -> Context:
        """The same with what is being typed; 0 = nothing is."""
        return self._replace(tokens=self.tokens + tokens + TURN_TOKENS, is_counted=False) if tokens else self


def context_of(
    session: Session,
    window_tokens: int,
    kept: KeptThinking = 0,
    left_out: Set[str] | None = None,
    calibration: Calibration | None = None,
) -> Context:
    """Say how full the window is: by the endpoint's last count on the branch, and by estimate for what came after.

    The reasoning of a reply is not sent again, unless it is `kept`: of its counted tokens the answer's share stays, by
    its length. A count is of no use once a message that it holds is left out, or one that it lacks is not.
    `left_out` = ids of what is not sent; None = what is excluded. `calibration` None = by the active branch.
    """
    branch, rest = tree.branch(session), list[Message]()
    if calibration is None:
        from kimi_tui.core.prompt.calibration import calibration_of  # noqa: PLC0415 - the first frame is told it, or has none

        calibration = calibration_of(session, branch)
    gone = {message.id for message in branch if message.excluded} if left_out is None else left_out
    now = tree.with_thinking(branch, kept, lambda it: it.id not in gone and not it.is_only_queued)
    gone_before = list(accumulate((message.id in gone for message in branch), initial=0))
    for place, message in reversed(list(enumerate(branch))):
        if message.id in gone:
            continue
        lacks_the_same = gone_before[place] == len(message.left_out) and gone >= set(message.left_out)
        is_comparable = lacks_the_same and message.raw_input is None
        others = _share_of_others(session, message) if is_comparable and message.usage is not None else 0
        if is_comparable and (counted := _counted(message, others)) is not None:
            dropped = 0 if message.id in now else _thought_share(message, others, calibration)
            moved = _moved_thinking(branch[:place], message, now, calibration)
            tokens = max(counted - dropped + moved, 0) + _estimated(rest, now, calibration)
            return Context(tokens, window_tokens, is_counted=not rest and not message.reasoning and not moved)
        rest.append(message)
    system = calibration.tokens(session.system) + TURN_TOKENS if session.system else 0
    return Context(system + _estimated(rest, now, calibration), window_tokens, is_counted=not rest and not system)


def raw_input_tokens(session: Session, text: str) -> int:
    """What an input takes that was written whole: as a reply to it was counted, else by estimate."""
    from kimi_tui.core.prompt.calibration import calibration_of  # noqa: PLC0415 - most sessions send no raw input
    from kimi_tui.core.prompt.context_budget import first_count  # noqa: PLC0415 - likewise

    counts = (first_count(reply) for reply in reversed(session.messages) if reply.raw_input == text)
    counted = next((count for count in counts if count is not None), None)
    return calibration_of(session).tokens(text) if counted is None else counted


def _share_of_others(session: Session, reply: Message) -> int:
    """How many of the tokens that a reply's first request brought are those of other replies of the same request."""
    first = requests_of(reply)[0] if requests_of(reply) else None
    if first is None or first.request_id is None or not first.usage.output_tokens:
        return 0
    siblings = [
        message
        for message in session.messages
        if message.parent == reply.parent
        and message.id != reply.id
        and (requests := requests_of(message))
        and requests[0].request_id == first.request_id
        and requests[0].usage == NO_USAGE
    ]
    own, others = _new_chars(reply), sum(sum(_new_chars(message)) for message in siblings)
    return round(first.usage.output_tokens * others / (others + sum(own))) if others else 0


def _new_chars(reply: Message) -> tuple[int, int]:
    """How many characters of a reply's thinking and of its answer came: the others stood in its prompt."""
    begun = reply.begun or Begun()
    return max(len(reply.reasoning or "") - begun.reasoning, 0), max(len(reply.content) - (begun.content or 0), 0)


def _counted(reply: Message, others: int) -> int | None:
    """What the endpoint counted of a reply's input and of the reply; None = it counted none.

    `others` = tokens that its first request brought for other replies.
    Of several requests each counted what the reply said by then: the last of them counts, and what came since.
    """
    usages = [request.usage for request in reply.requests] or [reply.usage or NO_USAGE]
    tokens: int | None = None
    for place, usage in enumerate(usages):
        if usage.input_tokens:
            tokens = usage.input_tokens + (usage.output_tokens or 0) - (0 if place else others)
        elif tokens is not None:
            tokens += usage.output_tokens or 0
    return tokens


def _thought_share(reply: Message, others: int, calibration: Calibration) -> int:
    """How many of a reply's counted tokens its reasoning has: by its length, or as part of its input.

    `others` as for `_counted`.
    """
    counted, (thought, said) = ((reply.usage or NO_USAGE).output_tokens or 0) - others, _new_chars(reply)
    held = calibration.tokens((reply.reasoning or "")[: reply.begun.reasoning]) if reply.begun is not None else 0
    return held + (counted - round(counted * said / (thought + said)) if thought else 0)


def _moved_thinking(before: Sequence[Message], reply: Message, now: Set[str], calibration: Calibration) -> int:
    """How many tokens more the thinking of the messages before a reply takes now than in its prompt, estimated."""
    if not now and reply.kept_thinking == 0:
        return 0
    lacked = frozenset(reply.left_out)
    then = tree.with_thinking(before, reply.kept_thinking, lambda it: it.id not in lacked and not it.is_only_queued)
    more = calibration.tokens(*(it.reasoning or "" for it in before if it.id in now and it.id not in then))
    return more - calibration.tokens(*(it.reasoning or "" for it in before if it.id in then and it.id not in now))


def _estimated(messages: Iterable[Message], now: Set[str], calibration: Calibration) -> int:
    """Of messages that are sent; `now` = ids of those that are sent with their thinking."""
    sent = list(messages)
    thoughts = [message.reasoning or "" for message in sent if message.id in now]
    return calibration.tokens(*(message.content for message in sent), *thoughts) + TURN_TOKENS * len(sent)
