"""Words of the user's in a reply: what one to come begins with, and what they make of one that is there.

The latter is an alternative with words of theirs, to be kept or gone on from.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from kimi_tui.core.session.session import Message, MessageState, ThinkingEnd
from kimi_tui.core.session.written import CONTENT, REASONING, Begun, WrittenRange, after_edit, spans, whole
from kimi_tui.core.text.surrogates import replace_lone
from kimi_tui.core.text.visible import one_line

NUDGE = "Wait,"
"""What a thinking goes on with that is taken up again, unless the user says it."""
SHOWN_CHARS = 40
"""Most characters of what a reply begins with that are shown where it is told of."""


class ReplyStart(NamedTuple):
    text: str
    """Exact, never empty."""
    is_answer: bool
    """Whether it begins the answer, behind an empty think block; else it begins the thinking."""

    @classmethod
    def prefill(cls, text: str) -> ReplyStart:
        """A lone surrogate becomes U+FFFD, as everywhere."""
        return cls(replace_lone(text), is_answer=True)

    @classmethod
    def seed(cls, text: str) -> ReplyStart:
        return cls(replace_lone(text), is_answer=False)

    @property
    def words(self) -> str:
        """What it does, in words that follow "the next reply"."""
        shown = f"“{one_line(self.text, SHOWN_CHARS)}”"
        return f"begins with {shown}, without thinking" if self.is_answer else f"begins its thinking with {shown}"

    @property
    def command(self) -> str:
        """The slash command that says so."""
        return "prefill" if self.is_answer else "seed"

    def put_on(self, blank: Message) -> Message:
        """Let a reply that says nothing yet begin so."""
        if self.is_answer:
            begun, written = Begun(content=len(self.text)), whole(CONTENT, self.text)
            return replace(blank, thinking=False, content=self.text, written=written, begun=begun)
        begun, written = Begun(len(self.text)), whole(REASONING, self.text)
        return replace(blank, thinking=True, reasoning=self.text, written=written, begun=begun)


def seeded(message: Message, seed: str, id_: str, now: datetime) -> Message:
    """An alternative whose thinking begins with words of the user's."""
    blank = replace(message, thinking=True, reopened=False, edited=False, thinking_tokens=None)
    return unasked(blank, id_, now, reasoning=seed, written=whole(REASONING, seed))


def thinking_longer(message: Message, nudge: str, id_: str, now: datetime) -> Message:
    """An alternative that takes the thinking up again: all of it, a blank line and a nudge, the block open."""
    before = f"{message.reasoning or ''}\n\n"
    nudged = WrittenRange(REASONING, len(before), len(before) + len(nudge))
    known = tuple(it for it in message.written if it.field == REASONING)
    blank = replace(message, thinking=True)
    return unasked(blank, id_, now, reasoning=before + nudge, written=(*known, *([nudged] if nudge else [])))


def edited_answer(message: Message, answer: str, id_: str, now: datetime) -> Message:
    """An alternative with another answer, as whole or broken off as the reply was."""
    written = _written_after(message, CONTENT, message.content, answer)
    has_closed = message.thinking is not False and not answer
    end = (message.thinking_end or ThinkingEnd.MODEL) if has_closed else message.thinking_end
    return replace(
        unasked(message, id_, now, reasoning=message.reasoning or "", answer=answer, written=written),
        state=message.state,
        finish_reason=message.finish_reason,
        thinking_end=end,
        cut_tail=message.cut_tail,
        sent=message.last_sent,  # what it was asked for with, such as its form, stays until it is gone on with
        edited=True,
    )


def edited_thinking(message: Message, reasoning: str, id_: str, now: datetime) -> Message:
    """An alternative with another thinking and the same answer, as whole or broken off as the reply was."""
    written = _written_after(message, REASONING, message.reasoning or "", reasoning)
    is_closed = bool(message.content) or message.thinking_end is not None
    answer = message.content if is_closed else None
    return replace(
        unasked(message, id_, now, reasoning=reasoning, answer=answer, written=written),
        state=message.state,
        finish_reason=message.finish_reason,
        thinking_end=message.thinking_end,
        thinking_tokens=None,
        sent=message.last_sent,  # what it was asked for with, such as its form, stays until it is gone on with
        edited=True,
    )


def without_answer(message: Message, *, is_closed: bool) -> Message:
    """One that was made so, to be thought on, or with its think block closed to be answered anew."""
    return replace(
        message,
        content="",
        state=MessageState.CANCELLED,
        finish_reason=None,
        thinking_end=ThinkingEnd.USER if is_closed else None,
        written=tuple(it for it in message.written if it.field == REASONING),
        begun=message.begun and replace(message.begun, content=0 if is_closed else None),
    )


def _written_after(message: Message, name: str, before: str, after: str) -> tuple[WrittenRange, ...]:
    """What the user has written of a reply, one text of which is another now."""
    others = tuple(it for it in message.written if it.field != name)
    found = after_edit(before, after, spans(message.written, name, len(before)))
    return (*others, *(WrittenRange(name, *span) for span in found))


def unasked(
    message: Message,
    id_: str,
    now: datetime,
    *,
    reasoning: str,
    written: tuple[WrittenRange, ...],
    answer: str | None = None,
) -> Message:
    """One that no request was sent for yet; `answer` None = the think block is open.

    A raw input is still that of `message`: what this one begins with is to follow in it.
    """
    return replace(
        message,
        id=id_,
        created=now,
        reasoning=reasoning or None,
        content=answer or "",
        state=MessageState.CANCELLED,
        finish_reason=None,
        request_id=None,
        sent=None,
        usage=None,
        timing=None,
        requests=(),
        thinking_end=None,
        cut_tail="",
        excluded=False,
        written=written,
        begun=Begun(len(reasoning), None if answer is None else len(answer), message.id),
    )
