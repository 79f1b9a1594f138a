"""How a reply ended, in words: below it on the screen, behind it in a document, beside it on standard error."""

from __future__ import annotations

from collections.abc import Mapping

from kimi_tui.core.session.reply_edits import NUDGE
from kimi_tui.core.session.session import FinishReason, Message, MessageState, RequestKind, Role, ThinkingEnd
from kimi_tui.core.session.written import CONTENT, REASONING, spans
from kimi_tui.core.text.dotted import dotted
from kimi_tui.core.text.visible import one_line

STATES = {
    MessageState.CANCELLED: "stopped",
    MessageState.FAILED: "failed",
    MessageState.INTERRUPTED: "interrupted",
    MessageState.QUEUED: "queued: the text goes to the webhook",
}
STATES_IN_SHORT = {**STATES, MessageState.QUEUED: "queued"}
REASON_CHARS = 60
"""Most characters of the endpoint's reason that are shown."""
ORDINARY_REASONS = frozenset({None, FinishReason.STOP, FinishReason.EOS_TOKEN, FinishReason.STOP_SEQUENCE})
"""Reasons that say no more than that the reply is whole."""


def ending(message: Message) -> str:
    """Say how a reply ended, where that is not the ordinary way; "" = complete, with an answer."""
    was, misses = cut(message), missing_answer(message)
    inside = misses.removeprefix("it ended ")
    return f"{was} {inside}" if was and inside != misses else dotted(was, misses)


def cut(message: Message) -> str:
    """Say what a reply was before its time, such as "stopped" or "cut by max_new_tokens"; "" = nothing."""
    words = [STATES.get(message.state, "")] if message.state else []
    if message.finish_reason == FinishReason.LENGTH:
        words.append("cut by max_new_tokens")
    elif message.finish_reason not in ORDINARY_REASONS:
        words.append(f"ended by {reason_in_short(message)}")
    return dotted(*words)


def reason_in_short(message: Message) -> str:
    """The endpoint's own word for why a reply ended, as much of it as has room; "" = it gave none."""
    return one_line(message.finish_reason or "", REASON_CHARS)


def missing_answer(message: Message) -> str:
    """Say why a reply has no answer, in a sentence that begins with "it"; "" = it has one, or none was due."""
    if message.content or message.role is not Role.ASSISTANT or message.state is MessageState.QUEUED:
        return ""
    if message.reasoning:
        return f"it ended {'after' if message.thinking_end else 'inside'} its thinking: there is no answer"
    return "it is empty" if message.state is MessageState.COMPLETE else ""


def own_words(message: Message) -> str:
    """Say what of a reply the user wrote, in a few words; "" = nothing."""
    if message.edited:
        return "edited by you"
    thought = spans(message.written, REASONING, len(message.reasoning or ""))
    said = spans(message.written, CONTENT, len(message.content))
    if said and not said[0][0]:
        return "begins with your words"
    if thought and not thought[0][0]:
        return "thinking begins with your words"
    if thought and message.begun is not None and message.begun.of is not None:
        is_nudged = all((message.reasoning or "")[start:end] == NUDGE for start, end in thought)
        return "thought longer" if is_nudged and not said else "thought longer with your words"
    return "holds your words" if thought or said else ""


THINKING_ENDS: Mapping[str, str] = {
    ThinkingEnd.USER: "answered at once",
    ThinkingEnd.BUDGET: "ended by its budget",
}
"""Who may end a reply's thinking besides the model, and how that is said."""


TAKEN_OVER = "taken from another reply"
RAW = "raw"
"""A reply to an input that the user wrote whole."""


def thinking_end(message: Message) -> str:
    """Say who ended a reply's thinking besides the model, and where it is from; "" = nobody, and from itself."""
    is_taken = message.took_thinking and not message.edited
    return dotted(THINKING_ENDS.get(message.thinking_end or "", ""), TAKEN_OVER if is_taken else "")


def marks(message: Message) -> str:
    """Say what was done to a reply that its text and its thinking's line do not show, in a few words; "" = nothing."""
    unthought = "" if message.reasoning else thinking_end(message)
    raw = "" if message.raw_input is None else RAW
    return dotted(raw, own_words(message), unthought, continued(message))


def continued(message: Message) -> str:
    """Say how often a reply was gone on with; "" = it was not."""
    count = sum(request.kind == RequestKind.CONTINUE for request in message.requests[1:])
    return f"continued {count} times" if count > 1 else "continued" if count else ""


def ended_inside_reasoning(message: Message) -> bool:
    return bool(missing_answer(message)) and bool(message.reasoning) and message.thinking_end is None
