"""Where the next prompt is cut for want of room: one decision, for what is sent and for all that shows it.

It rests on estimates that are calibrated by what the endpoint told of the same branch.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

from kimi_tui.core.prompt.calibration import calibration_of
from kimi_tui.core.prompt.leaving_out import OverBudget, TurnCuts
from kimi_tui.core.prompt.prompt_writer import PromptPart, PromptWriter
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.prompt.token_estimate import UNCALIBRATED, Calibration
from kimi_tui.core.session.session import Message, Session
from kimi_tui.core.session.tree import branch


@dataclass(frozen=True, slots=True)
class Sending:
    writer: PromptWriter
    """The one that leaves out what has no room."""
    left_out: Sequence[Message]
    """What it leaves out for want of room, in order; what is excluded anyway is none of it."""


@dataclass(frozen=True, slots=True, eq=False)
class NextCuts:
    """Where one prompt can be cut; how long the rest of it is may still change."""

    writer: PromptWriter
    messages: Sequence[Message]
    """Those that stand before the rest."""
    turns: TurnCuts | None
    """None = nothing is to be left out."""
    calibration: Calibration
    system_tokens: int

    def cut(self, tail: Iterable[PromptPart], more_tokens: int = 0) -> int:
        """The place of the first message that is sent, so that there is room for the rest of the prompt; 0 = of all.

        `more_tokens` = what the rest takes besides the parts of its tail.
        """
        if self.turns is None:
            return 0
        tail_tokens = sum(self.calibration.size(part.counts) for part in tail)
        return self.turns.cut(self.system_tokens + tail_tokens + more_tokens)

    def behind(self, cut: int) -> Sending:
        """What is sent when the messages are cut there."""
        if self.turns is None or cut == 0:
            return Sending(self.writer, ())
        sending = replace(self.writer, left_out=frozenset(self.turns.left_out(cut)))
        left_out = [it for it in self.messages[:cut] if self.writer.sends(it) and not sending.sends(it)]
        return Sending(sending, left_out)

    def sending(self, tail: Iterable[PromptPart]) -> Sending:
        return self.behind(self.cut(tail))


@dataclass(eq=False)
class BranchSizes:
    """The messages of an active branch as the next prompt has them: each is written and measured once."""

    session: Session
    messages: Sequence[Message]
    writer: PromptWriter
    _parts: dict[str, tuple[Message, bool, PromptPart | None]] = field(default_factory=dict)
    """By the message's id; each with whether it holds the thinking."""
    _cuts: dict[tuple[object, ...], NextCuts] = field(default_factory=dict)
    """By all that they hang on."""

    @classmethod
    def of(cls, session: Session, request: RequestSettings, known: Self | None = None) -> Self:
        """`known` = what was measured last: it is given back where nothing has changed that a prompt is made of."""
        writer = PromptWriter.of_next(session, request)
        if known is None:
            return cls(session, branch(session), writer)
        messages = known.messages if session is known.session else branch(session)
        if writer == known.writer and _are_same(messages, known.messages):
            known.session = session
            return known
        kept = {message.id for message in messages} if writer.door == known.writer.door else set()
        return cls(session, messages, writer, {id_: part for id_, part in known._parts.items() if id_ in kept})

    @cached_property
    def calibration(self) -> Calibration:
        """Made when it is asked for first: most prompts fit by far."""
        return calibration_of(self.session, self.messages)

    def next_cuts(
        self,
        request: RequestSettings,
        asked_behind: Sequence[Message] | None = None,
        sent_before: tuple[str, ...] | None = None,
    ) -> NextCuts:
        """`asked_behind` = those of the messages that a question follows which is none of them; None = none does.

        `sent_before` as for `TurnCuts`. A pinned reply counts with its thinking, where any is kept: cutting may make it
        one of the last.
        """
        is_asked, messages = asked_behind is not None, self.messages if asked_behind is None else asked_behind
        key = is_asked, len(messages), request.over_budget, request.room_tokens, sent_before
        if key in self._cuts:
            return self._cuts[key]
        if request.over_budget is OverBudget.REFUSE:
            cuts = NextCuts(self.writer, messages, None, UNCALIBRATED, 0)
        else:
            thinking, keeps_pinned = self.writer.with_thinking(messages), request.over_budget is OverBudget.KEEP_PINNED

            def tokens_of(message: Message) -> int:
                thinks = message.id in thinking or (keeps_pinned and message.pinned and bool(thinking))
                return self._size(self.part(message, thinks))

            turns = TurnCuts.of(
                messages, tokens_of, request.room_tokens,
                keeps_pinned=keeps_pinned, is_asked=is_asked, sent_before=sent_before,
            )  # fmt: skip
            cuts = NextCuts(self.writer, messages, turns, self.calibration, self._size(self.writer.system_part()))
        self._cuts[key] = cuts
        return cuts

    def part(self, message: Message, has_thinking: bool) -> PromptPart | None:
        """Written once, for every writer of the branch; None = it is not sent."""
        known = self._parts.get(message.id)
        if known is None or known[0] is not message or known[1] is not has_thinking:
            part = self.writer.message_part(message, has_thinking=has_thinking)
            known = self._parts[message.id] = message, has_thinking, part
        return known[2]

    def _size(self, part: PromptPart | None) -> int:
        return 0 if part is None else self.calibration.size(part.counts)


def _are_same(messages: Sequence[Message], known: Sequence[Message]) -> bool:
    """Whether they are the very same, one by one."""
    return messages is known or (len(messages) == len(known) and all(map(operator.is_, messages, known)))


def next_parts(session: Session, request: RequestSettings) -> tuple[Sequence[PromptPart], Sequence[Message]]:
    """The parts of the exact input of the next turn, and the messages that it leaves out for want of room.

    A branch that ends with a reply shows it closed, then the open turn.
    """
    sizes = BranchSizes.of(session, request)
    cuts, tail = sizes.next_cuts(request), [sizes.writer.open_part(request.open_turn)]
    sending = cuts.sending(tail)
    return (*sending.writer.closed_parts(cuts.messages, sizes.part), *tail), sending.left_out
