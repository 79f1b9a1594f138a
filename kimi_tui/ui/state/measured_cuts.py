"""Where the next request is cut for want of room, with what is being typed: decided as the engine decides it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kimi_tui.core.errors import KimiError
from kimi_tui.core.prompt.leaving_out import OverBudget, TurnCuts
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.prompt.token_estimate import SAMPLE_CHARS, rough_tokens
from kimi_tui.core.session.session import Message, Role
from kimi_tui.ui.state.next_cut import NO_CUT, NextCut
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.services import Services

if TYPE_CHECKING:  # the names of types only: the first frame needs none of these modules
    from kimi_tui.core.prompt.prompt_writer import PromptWriter


@dataclass(frozen=True, slots=True)
class Typed:
    """What the composer would ask."""

    text: str = ""
    """The question; "" = none."""
    edited: str | None = None
    """Id of the question in whose place it is asked; None = it follows what is there."""

    @property
    def tokens(self) -> int:
        """Estimated; of a very long one a sample is looked at."""
        return rough_tokens(self.text)


NOTHING_TYPED = Typed()


@dataclass(eq=False)
class MeasuredCuts:
    """Measures again what has changed: a key costs the same in a long conversation as in a short one."""

    services: Services

    def of(self, chat: Chat, typed: Typed) -> NextCut:
        """None where the session's settings cannot be used: nothing is sent then.

        Of a chat that is not on screen yet this may be asked in a thread.
        """
        try:
            request = self.services.resolve(chat.session, chat.next_reply.options)
        except KimiError:
            return NO_CUT
        if request.over_budget is OverBudget.REFUSE:
            return NO_CUT
        writer, cuts = self._measure(chat, typed, request)
        if cuts is None:
            return NO_CUT
        parts = [writer.system_part(), writer.open_part(request.open_turn_of(chat.next_reply.start))]
        if typed.text and len(typed.text) <= SAMPLE_CHARS:
            parts.append(writer.draft_part(typed.text))
        more_tokens = sum(part.counts.tokens for part in parts if part is not None)
        place = cuts.cut(more_tokens + (typed.tokens if len(typed.text) > SAMPLE_CHARS else 0))
        memo = chat.cut_memo
        if memo.found is None or memo.found[0] is not cuts or memo.found[1].place != place:
            memo.found = cuts, _next_cut(cuts, place)
        return memo.found[1]

    def _measure(self, chat: Chat, typed: Typed, request: RequestSettings) -> tuple[PromptWriter, TurnCuts | None]:
        """The session's messages are what they were while it is the same value."""
        from kimi_tui.core.prompt.prompt_writer import PromptWriter  # noqa: PLC0415 - few sessions can be cut

        messages, is_asked, memo = _before_question(chat, typed), bool(typed.text), chat.cut_memo
        key = chat.session, len(messages), is_asked, request
        if memo.measured is None or memo.measured[0][0] is not chat.session or memo.measured[0][1:] != key[1:]:
            writer = PromptWriter.of_next(chat.session, request)
            if writer.door != memo.door:
                memo.sizes, memo.door = {}, writer.door

            def size_of(message: Message, has_thinking: bool) -> int:
                known = memo.sizes.get(message.id)
                if known is None or known[0] is not message or known[1] is not has_thinking:
                    known = memo.sizes[message.id] = message, has_thinking, writer.size_of(message, has_thinking)
                return known[2]

            memo.measured = key, writer, writer.cuts(messages, request, size_of=size_of, is_asked=is_asked)
        return memo.measured[1:]


def _before_question(chat: Chat, typed: Typed) -> Sequence[Message]:
    """The messages that stand before what is asked next; the question that is answered now is one of them."""
    messages = chat.branch
    if not typed.text:
        return messages
    if typed.edited is not None:
        place = next((at for at, it in enumerate(messages) if it.id == typed.edited), len(messages))
        return messages[:place]
    is_open = bool(messages) and messages[-1].role is Role.USER and chat.turn is None
    return messages[:-1] if is_open else messages


def _next_cut(cuts: TurnCuts, place: int) -> NextCut:
    gone = frozenset(cuts.left_out(place))
    before = [message for message in cuts.messages[:place] if not message.excluded]
    count = sum(message.id in gone for message in before)
    return NextCut(place, gone, count, count < len(before), cuts.last) if count else NO_CUT
