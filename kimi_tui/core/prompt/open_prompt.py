"""The exact input of each request of a turn: what stands before the reply, written once, and the reply so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Self

from kimi_tui.core.prompt.next_cuts import BranchSizes
from kimi_tui.core.prompt.open_turn import PromptEnd
from kimi_tui.core.prompt.prompt_writer import PromptPart, PromptWriter
from kimi_tui.core.prompt.raw_prompt import RawInput, begun_raw, raw_continuation, raw_input_of
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.prompt.template import ThinkMarks
from kimi_tui.core.session.growing_reply import ReplyPart, ReplyView
from kimi_tui.core.session.request_starts import TextSoFar
from kimi_tui.core.session.session import Message, Session
from kimi_tui.core.session.tree import branch
from kimi_tui.core.session.written import REASONING, last_end
from kimi_tui.core.text.growing_text import GrowingText


@dataclass(frozen=True, slots=True)
class OpenPrompt:
    text: GrowingText
    """A piece to a part, without lone surrogates; all of it passed a `TextDoor`, but for a raw input."""
    end: PromptEnd
    """Where it ends."""
    marks: ThinkMarks | None
    """The think marks of its template, which part what answers it; None = it has none."""
    reasoning: str = ""
    """What stands in its think block, where that is open; "" = nothing does."""
    written_chars: int = 0
    """Behind the last character of it that the user wrote: a mark that begins before is text."""


@dataclass(frozen=True, slots=True)
class ClosedPrompt:
    parts: tuple[str, ...]
    writer: PromptWriter
    raw: RawInput | None = None
    """The input as the user wrote it, in the place of the parts; None = it is made of these."""
    left_out: Sequence[Message] = ()
    """What a new reply's leaves out for want of room."""

    @classmethod
    def of(cls, session: Session, reply: ReplyView, request: RequestSettings) -> Self:
        """Write it; that of a reply that is gone on with as it was written then.

        What has no room is left out of a new one as the settings say, of other answers to a thinking as of the first.
        """
        past = reply.beginning
        if past.raw_input is not None:
            writer = PromptWriter.of_next(session, request) if reply.is_new else PromptWriter.of_past(session, past)
            return cls((), writer, raw_input_of(past))
        if not reply.is_new:
            writer = PromptWriter.of_past(session, past)
            return cls(_texts(writer.closed_parts(branch(session, reply.question_id))), writer)
        sizes = BranchSizes.of(replace(session, head=reply.question_id), request)
        cuts = sizes.next_cuts(request, sent_before=past.left_out or None)
        sending = cuts.sending([sizes.writer.open_part(sizes.writer.open_turn_at(_so_far(reply), reply.written))])
        parts = sending.writer.closed_parts(cuts.messages, sizes.part)
        return cls(_texts(parts), sending.writer, left_out=sending.left_out)

    def followed_by(self, reply: ReplyView) -> OpenPrompt:
        """Write the whole input, which ends with all that the reply says so far."""
        if self.raw is not None:
            return _behind_raw(self.raw, reply)
        so_far = _so_far(reply)
        open_turn = self.writer.open_turn_at(so_far, reply.written)
        text = GrowingText()
        for part in (*self.parts, self.writer.open_part(open_turn).text):
            text.append(part)
        reasoning = "" if open_turn.is_closed else so_far.reasoning
        written_chars = last_end(reply.written, REASONING, len(reasoning))
        return OpenPrompt(text, open_turn.prompt_end, self.writer.door.template.think, reasoning, written_chars)


def _texts(parts: Iterable[PromptPart]) -> tuple[str, ...]:
    return tuple(part.text for part in parts)


def _so_far(reply: ReplyView) -> TextSoFar:
    return TextSoFar(str(reply.texts[ReplyPart.REASONING]), str(reply.texts[ReplyPart.ANSWER]), reply.is_thinking)


def _behind_raw(raw: RawInput, reply: ReplyView) -> OpenPrompt:
    so_far, think, end = _so_far(reply), raw.template.think, raw.tail.end
    more = raw_continuation(reply.beginning, so_far, think)
    text = GrowingText(raw.text)
    text.append(more)
    if not so_far.is_thinking:
        is_blank = end in {PromptEnd.THINKING, PromptEnd.THOUGHT} and not (so_far.reasoning or so_far.content)
        return OpenPrompt(text, PromptEnd.THOUGHT if is_blank else PromptEnd.ANSWER, think)
    typed = raw.tail.reasoning if end.is_inside else ""
    before = typed[: max(len(typed) - begun_raw(reply.beginning).reasoning, 0)]
    reasoning = before + so_far.reasoning
    inside = PromptEnd.REASONING if reasoning else PromptEnd.THINKING
    written_chars = len(before) + last_end(reply.written, REASONING, len(so_far.reasoning))
    return OpenPrompt(text, inside, think, reasoning, written_chars)
