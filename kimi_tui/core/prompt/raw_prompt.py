"""An input that the user wrote whole, and that is sent as it stands: where it ends, what it asks, what goes on with it.

What stands in its open assistant turn is the beginning of the reply, as a prefilled answer is. What goes on with the
reply is the input and everything that came, as it came: nothing of it is made harmless.

What an alternative to such a reply begins with follows the raw input as it stands too. The texts that the input ends
with already, the rest of its open turn or what an alternative began with, are replaced.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, Self

from kimi_tui.core.errors import UsageError
from kimi_tui.core.prompt.open_turn import OpenTurn, PromptEnd
from kimi_tui.core.prompt.prompt_syntax import PromptSyntaxError, parse_prompt, write_open_turn
from kimi_tui.core.prompt.template import ALL_MARKERS, Template, ThinkMarks, template_of
from kimi_tui.core.session.request_starts import TextSoFar
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.core.session.tree import title_of
from kimi_tui.core.session.written import CONTENT, REASONING, Begun, whole
from kimi_tui.core.text.surrogates import replace_lone

REFUSAL = "The raw input of this reply has no place for that: it would have to be changed before its end."
WAY_OUT = "/raw on the input of the reply, in the prompt pane, changes all of it."
TITLE_SOURCE_CHARS = 2_000
"""How much of an input without a question is looked at for its title."""


class Tail(NamedTuple):
    """The end of an input, which the model goes on with."""

    end: PromptEnd
    reasoning: str = ""
    """What stands in its think block."""
    answer: str = ""
    """What stands behind that."""


@dataclass(frozen=True)
class RawInput:
    text: str
    """Exact, without lone surrogates, never empty."""
    template: Template
    """Whose control tokens and think marks it is read by."""

    @classmethod
    def of(cls, text: str, template: Template) -> Self:
        """A lone surrogate becomes U+FFFD, as everywhere."""
        return cls(replace_lone(text), template)

    @cached_property
    def _turn_start(self) -> int:
        """Where the text of the open assistant's turn begins that it ends with; -1 = it ends with none."""
        roles = [self.template.marks(role) for role in Role]
        start = self.text.rfind(self.template.assistant.opening)
        if start < 0:
            return -1
        start += len(self.template.assistant.opening)
        borders = {border for marks in roles for border in (marks.opening, marks.end)}
        return -1 if any(self.text.find(border, start) >= 0 for border in borders) else start

    @property
    def _is_turn(self) -> bool:
        """Whether it ends with an assistant's turn of the template, which the reply is the rest of."""
        return self._turn_start >= 0

    @property
    def _tail_start(self) -> int:
        """Where that begins, else behind the last control token."""
        if self._is_turn:
            return self._turn_start
        tokens = self.template.control.exact.finditer(self.text)
        return max((token.end() for token in tokens), default=0)

    @cached_property
    def tail(self) -> Tail:
        text, think = self.text[self._tail_start :], self.template.think
        start = -1 if think is None else self._block_start(text, think)
        if think is None or start < 0:
            return Tail(PromptEnd.ANSWER, answer=text) if text.strip() else Tail(PromptEnd.THOUGHT)
        reasoning, mark, answer = text[start + len(think.open) :].partition(think.close)
        if not mark:
            return Tail(PromptEnd.REASONING if reasoning else PromptEnd.THINKING, reasoning)
        return Tail(PromptEnd.ANSWER if reasoning or answer else PromptEnd.THOUGHT, reasoning, answer)

    def _block_start(self, text: str, think: ThinkMarks) -> int:
        """Where the think block of a tail begins; -1 = it has none. In another template's it need not come first."""
        start = text.rfind(think.open) if not self._is_turn else text.find(think.open)
        return start if not self._is_turn or not text[: max(start, 0)].strip() else -1

    @property
    def is_answer(self) -> bool:
        """Whether the reply is asked for as one without thinking: nothing is thought in its open turn."""
        return not (self.tail.end.is_inside or self._held.reasoning)

    @property
    def _held(self) -> Tail:
        """What the reply begins with."""
        return self.tail if self._is_turn else Tail(self.tail.end)

    def put_on(self, blank: Message) -> Message:
        """Let a reply that says nothing yet answer this input, and begin with what its open turn says."""
        end, reasoning, answer = self._held
        begun = Begun(len(reasoning), None if end.is_inside else len(answer)) if reasoning or answer else None
        return replace(
            blank,
            raw_input=self.text,
            thinking=not self.is_answer,
            reasoning=reasoning or None,
            content=answer,
            written=(*whole(REASONING, reasoning), *whole(CONTENT, answer)),
            begun=begun,
        )

    def question(self, *, neutralise: bool) -> str | None:
        """What its last turn before the open one asks; None = that is no user's, or it follows no template.

        `neutralise` = whether markers in texts are written harmless in inputs of ours.
        """
        if not self._is_turn:
            return None
        before = self.text[: self._turn_start - len(self.template.assistant.opening)]
        blank = write_open_turn(OpenTurn(is_closed=self.template.think is None), self.template)
        try:
            turns = parse_prompt(before + blank, [self.template]).turns
        except PromptSyntaxError:
            return None
        if not turns or turns[-1].role is not Role.USER:
            return None
        return self.template.markers.decode(turns[-1].text) if neutralise else str(turns[-1].text)

    @property
    def title(self) -> str:
        """What stands for its question where it has none."""
        words = title_of(ALL_MARKERS.taken_from(self.text[:TITLE_SOURCE_CHARS])[0])
        return f"Raw input: {words}" if words else "Raw input"


def raw_input_of(reply: Message) -> RawInput | None:
    """The one that a reply answers; None = its input was made of messages."""
    return None if reply.raw_input is None else RawInput(reply.raw_input, template_of(reply.template))


def raw_continuation(reply: Message, so_far: TextSoFar, think: ThinkMarks | None) -> str:
    """What a later input says behind the raw one: all that had come of a reply by then, as it came."""
    begun = begun_raw(reply)
    reasoning, content = so_far.reasoning[begun.reasoning :], so_far.content[begun.content or 0 :]
    was_open = begun.content is None
    if think is None or not (was_open or reasoning):
        return content
    # What opens the block stands in the raw input then, and maybe the beginning of what closes it.
    held = len(think.open) + len(retracted_mark(reply, so_far.reasoning, think)) if was_open else 0
    return think.block(reasoning, is_closed=not so_far.is_thinking)[held:] + content


def begun_raw(reply: Message) -> Begun:
    """What a reply to a raw input said before its first request, where its input holds nothing of it, too."""
    was_open = reply.thinking is not False and not reply.reopened
    return reply.begun or Begun(content=None if was_open else 0)


def retracted_mark(reply: Message, reasoning: str, think: ThinkMarks) -> str:
    """The beginning of the closing mark that its raw input ends with; it was thinking until the rest of it came."""
    begun = begun_raw(reply)
    mark = think.close[: max(begun.reasoning - len(reasoning), 0)]
    return mark if begun.content is None and (reply.raw_input or "").endswith(mark) else ""


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
        opened = len(think.open)
        held = _open_turn(thought, None if begun.content is None else said, think)[opened:]
        return _ending_with(raw.text, held, _open_turn(reasoning, answer, think)[opened:])
    if answer is not None and not reasoning:
        return _ending_with(raw.text, said, answer)
    before = _ending_with(raw.text, said, "")
    if before is None or think is None or RawInput(before, raw.template).tail.end is not PromptEnd.THOUGHT:
        return None
    empty = "" if source.reopened else think.block("")
    return before.removesuffix(empty) + _open_turn(reasoning, answer, think)


def _open_turn(reasoning: str, answer: str | None, think: ThinkMarks) -> str:
    """No `OpenTurn`, since that holds what is made harmless, and no mark in its reasoning."""
    return think.block(reasoning, is_closed=answer is not None) + (answer or "")


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
