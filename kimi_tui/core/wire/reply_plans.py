"""What may be asked of a reply that stands in the session: the plan that asks it, beside what speaks against it.

The first frame asks the latter, and needs no plan yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kimi_tui.core.prompt.stop_words import stopped_at
from kimi_tui.core.session.endings import cut, ended_inside_reasoning
from kimi_tui.core.session.session import Message, MessageState, RequestKind, Role

if TYPE_CHECKING:
    from kimi_tui.core.session.growing_reply import ReplyView
    from kimi_tui.core.wire.plans import Plan, RequestEnd, RequestStep


def _once(kind: RequestKind) -> Plan:
    def next_step(_: ReplyView, ends: Sequence[RequestEnd]) -> RequestStep | None:
        from kimi_tui.core.wire.plans import RequestStep  # noqa: PLC0415 - see above

        return None if ends else RequestStep(kind)

    return next_step


going_on = _once(RequestKind.CONTINUE)
"""Ask once for what follows the text that the reply begins with."""


def refusal_to_continue(message: Message) -> str:
    """Say why a message cannot be gone on with; "" = it was cut, or ended without an answer."""
    if message.role is not Role.ASSISTANT:
        return "That is no reply."
    if message.is_only_queued:
        return "The reply was queued for a webhook: its text is not here."
    if message.is_unasked:
        return ""  # the user made it so, to go on from
    if message.state is None or (message.state is MessageState.COMPLETE and not cut(message) and message.content):
        return "The reply is whole: it ended by itself."
    return ""


def refusal_to_go_on(message: Message) -> str:
    """Likewise, but "" also where it may have been stopped at a word: who asks for more of it has reasons."""
    return "" if stopped_at(message) else refusal_to_continue(message)


answering_again = _once(RequestKind.ANSWER)
"""Ask once for an answer to the thinking that the reply begins with."""


def refusal_to_answer_again(message: Message) -> str:
    """Say why there is no other answer to the thinking of a message; "" = there may be."""
    if message.role is not Role.ASSISTANT or not message.reasoning:
        return "This message has no thinking."
    return "Its thinking broke off." if ended_inside_reasoning(message) else ""
