"""An input that the user wrote whole, and that is sent as it stands: where it ends, what it asks, what goes on with it.

What stands in its open assistant turn is the beginning of the reply, as a prefilled answer is. What goes on with the
reply is the input and everything that came, as it came: nothing of it is made harmless.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, Self

from kimi_tui.core.prompt.open_turn import PromptEnd
from kimi_tui.core.prompt.prompt_syntax import PromptSyntaxError, parse_prompt
from kimi_tui.core.prompt.template import ALL_MARKERS, Template, ThinkMarks, template_of
from kimi_tui.core.session.request_starts import TextSoFar
from kimi_tui.core.session.session import Message, Role
from kimi_tui.core.session.tree import title_of
from kimi_tui.core.session.written import CONTENT, REASONING, Begun, whole
from kimi_tui.core.text.surrogates import replace_lone

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
        think = self.template.think
        try:
            turns = parse_prompt(
                self.text[: self._tail_start] + ("" if think is None else think.open), [self.template]
            ).turns
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
    if think is None:
        return content
    opening = think.open if reasoning and begun.content is not None else ""
    is_closed = not so_far.is_thinking and (bool(reasoning) or begun.content is None)
    closing = think.close[len(retracted_mark(reply, so_far.reasoning, think)) :] if is_closed else ""
    return f"{opening}{reasoning}{closing}{content}"


def begun_raw(reply: Message) -> Begun:
    """What a reply to a raw input said before its first request, where its input holds nothing of it, too."""
    was_open = reply.thinking is not False and not reply.reopened
    return reply.begun or Begun(content=None if was_open else 0)


def retracted_mark(reply: Message, reasoning: str, think: ThinkMarks) -> str:
    """The beginning of the closing mark that its raw input ends with; it was thinking until the rest of it came."""
    begun = begun_raw(reply)
    mark = think.close[: max(begun.reasoning - len(reasoning), 0)]
    return mark if begun.content is None and (reply.raw_input or "").endswith(mark) else ""
