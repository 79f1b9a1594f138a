"""What a line in the composer asks for, where it is no message: made when it is sent, and before, to be seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial

from kimi_tui.core.prompt.raw_prompt import with_raw_input
from kimi_tui.core.session.codec import EPOCH
from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.reply_edits import (
    NUDGE,
    ReplyStart,
    edited_answer,
    edited_thinking,
    seeded,
    thinking_longer,
    without_answer,
)
from kimi_tui.core.session.session import Message, MessageState, Role
from kimi_tui.core.text.surrogates import replace_lone
from kimi_tui.core.wire.reply_plans import refusal_to_continue
from kimi_tui.ui.state.slash import Command

Make = Callable[[str, datetime], Message]
"""Makes an alternative to a reply, with an id and the time."""
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
    match command.action.id:
        case "continue" if target is not None and not refusal_to_continue(target):
            return target
        case "think-longer" if target is not None and target.reasoning:
            return with_raw_input(longer(target, command.argument)(target.id, EPOCH), target)
        case "seed" if command.argument and chosen is not None and chosen.role is Role.ASSISTANT:
            return with_raw_input(reseeded(chosen, command.argument)(chosen.id, EPOCH), chosen)
    return None


def taken_up_from(reply: Message, part: ReplyPart, text: str) -> Message:
    """The reply that would be gone on with from the end of its edited text; raises as `taken_up_by` does."""
    return with_raw_input(open_end(edited(reply, part, text)(reply.id, EPOCH), part), reply)


def longer(reply: Message, nudge: str) -> Make:
    """Its thinking goes on behind a nudge; "" = the usual one."""
    return partial(thinking_longer, reply, replace_lone(nudge) or NUDGE)


def reseeded(reply: Message, text: str) -> Make:
    """Its thinking begins anew, with a text."""
    return partial(seeded, reply, replace_lone(text))


def edited(reply: Message, part: ReplyPart, text: str) -> Make:
    edit, text = edited_answer if part is ReplyPart.ANSWER else edited_thinking, replace_lone(text)
    if text != (reply.content if part is ReplyPart.ANSWER else reply.reasoning or ""):
        return partial(edit, reply, text)
    return lambda id_, now: replace(edit(reply, text, id_, now), edited=reply.edited)


def open_end(reply: Message, part: ReplyPart) -> Message:
    """It breaks off behind one of its parts."""
    if part is ReplyPart.REASONING:
        return without_answer(reply, is_closed=False)
    return replace(reply, state=MessageState.CANCELLED, finish_reason=None)
