"""What a line in the composer would ask for, where it is no message: so that the prompt can be seen before."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kimi_tui.core.prompt.raw_alternatives import with_raw_input
from kimi_tui.core.session.codec import EPOCH
from kimi_tui.core.session.endings import refusal_to_continue
from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.reply_edits import (
    NUDGE,
    edited_answer,
    edited_thinking,
    seeded,
    thinking_longer,
    without_answer,
)
from kimi_tui.core.session.reply_start import ReplyStart
from kimi_tui.core.session.session import Message, Role
from kimi_tui.core.text.surrogates import replace_lone
from kimi_tui.ui.state.slash import Command

STARTS: Mapping[str, Callable[[str], ReplyStart]] = {"prefill": ReplyStart.prefill, "seed": ReplyStart.seed}
"""What makes the words that the next reply begins with, by the command's id."""


def start_of(command: Command) -> ReplyStart | None:
    """What the next reply would begin with; None = the command says nothing of that."""
    make = STARTS.get(command.action.id)
    return None if make is None or not command.argument else make(command.argument)


def taken_up_by(command: Command, target: Message | None, chosen: Message | None) -> Message | None:
    """The reply that a command would go on with; None = it goes on with none.

    `target` is the message that commands are about, `chosen` the one with the message cursor. Raises UsageError where
    a raw input has no place for it.
    """
    argument = replace_lone(command.argument)
    match command.action.id:
        case "continue" if target is not None and not refusal_to_continue(target):
            return target
        case "think-longer" if target is not None and target.reasoning:
            return with_raw_input(thinking_longer(target, argument or NUDGE, target.id, EPOCH), target)
        case "seed" if argument and chosen is not None and chosen.role is Role.ASSISTANT:
            return with_raw_input(seeded(chosen, argument, chosen.id, EPOCH), chosen)
    return None


def taken_up_from(reply: Message, part: ReplyPart, text: str) -> Message:
    """The reply that would be gone on with from the end of its edited text; raises as `taken_up_by` does."""
    if part is ReplyPart.ANSWER:
        made = edited_answer(reply, replace_lone(text), reply.id, EPOCH)
    else:
        made = without_answer(edited_thinking(reply, replace_lone(text), reply.id, EPOCH), is_closed=False)
    return with_raw_input(made, reply)
