"""The raw input behind an alternative to a reply to one: what was sent stays what is sent.

What an alternative begins with follows the raw input as it stands, as what goes on with the reply does. The texts that
the input of such a reply ends with already, the rest of its open turn or what an alternative began with, are replaced.
"""

from __future__ import annotations

from dataclasses import replace

from kimi_tui.core.errors import UsageError
from kimi_tui.core.prompt.open_turn import PromptEnd
from kimi_tui.core.prompt.raw_prompt import RawInput, begun_raw, raw_input_of, retracted_mark
from kimi_tui.core.prompt.template import ThinkMarks
from kimi_tui.core.session.session import Message, Session

REFUSAL = "The raw input of this reply has no place for that: it would have to be changed before its end."
WAY_OUT = "/raw on the input of the reply, in the prompt pane, changes all of it."


def with_raw_input(made: Message, source: Message) -> Message:
    """Give an alternative that nobody was asked for yet the input that asks for it; UsageError = there can be none."""
    if source.raw_input is None or made.begun is None or not made.is_unasked:
        return made
    begun = made.begun
    answer = None if begun.content is None else made.content[: begun.content]
    text = raw_input_before(source, (made.reasoning or "")[: begun.reasoning], answer)
    if text is None:
        raise UsageError(REFUSAL, WAY_OUT)
    return replace(made, raw_input=text)


def raw_input_before(source: Message, reasoning: str, answer: str | None) -> str | None:
    """The raw input of a reply, ending with these texts of an alternative; None = they have no place in it.

    `answer` None = the think block is open.
    """
    raw = raw_input_of(source)
    if raw is None:
        return None
    begun, think = begun_raw(source), raw.template.think
    thought = ((source.reasoning or "") + source.cut_tail)[: begun.reasoning]
    said = source.content[: begun.content or 0]
    if think is not None and (begun.content is None or thought):
        if not source.cut_tail:
            thought += retracted_mark(source, thought, think)
        held = thought if begun.content is None else f"{thought}{think.close}{said}"
        return _ending_with(raw.text, held, _block(reasoning, answer, think))
    if answer is not None and not reasoning:
        return _ending_with(raw.text, said, answer)
    before = _ending_with(raw.text, said, "")
    if before is None or think is None or RawInput(before, raw.template).tail.end is not PromptEnd.THOUGHT:
        return None
    empty = "" if source.reopened else think.open + think.close
    return before.removesuffix(empty) + think.open + _block(reasoning, answer, think)


def _block(reasoning: str, answer: str | None, think: ThinkMarks) -> str:
    """What stands behind the mark that opens a think block."""
    return reasoning if answer is None else f"{reasoning}{think.close}{answer}"


def _ending_with(text: str, held: str, other: str) -> str | None:
    """Let a text end in another way; None = it does not end so, since a file says what cannot be."""
    return text.removesuffix(held) + other if text.endswith(held) else None


def raw_input_asked(session: Session, reply: Message) -> RawInput | None:
    """The one that asked first for what a reply was made of; None = its input was made of messages.

    As far back as those replies are there still.
    """
    by_id = {message.id: message for message in session.messages}
    seen = {reply.id}
    while reply.begun is not None and (source := by_id.get(reply.begun.of or "")) is not None:
        if source.raw_input is None or source.id in seen:
            break
        seen.add(source.id)
        reply = source
    return raw_input_of(reply)


def raw_input_tokens(session: Session, raw: RawInput) -> int:
    """What it takes: as a reply to it was counted, else by estimate."""
    from kimi_tui.core.prompt.calibration import calibration_of  # noqa: PLC0415 - most sessions send no raw input
    from kimi_tui.core.prompt.context_budget import first_count  # noqa: PLC0415 - likewise

    counts = (first_count(reply) for reply in reversed(session.messages) if reply.raw_input == raw.text)
    counted = next((count for count in counts if count is not None), None)
    return calibration_of(session).tokens(raw.text) if counted is None else counted
