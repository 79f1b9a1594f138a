"""Splitting the text of a completion into reasoning and answer, wherever it was cut.

Three states:

    START      nothing but white space seen: one opening mark is dropped together with the white space before it, and
               reasoning follows; anything else belongs to where the prompt ended, that white space included
    REASONING  up to the first closing mark; a second opening one is text
    ANSWER     everything, verbatim, further marks too

So a block that a server opens although the prompt closed it empty (instant mode; its template forces thinking) is
reasoning too. A text that goes on with reasoning or an answer is that from the beginning. A block that never closes
leaves all as reasoning. At the end of the text a half mark is text.
Source: measured behaviour of the endpoint; API reference, "Input format" (the prompt opens the block).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from kimi_tui.core.prompt.open_turn import PromptEnd
from kimi_tui.core.prompt.template import ThinkMarks
from kimi_tui.core.session.growing_reply import ReplyPart


@dataclass(slots=True)
class Segment:
    part: ReplyPart
    text: str
    """Never empty."""
    at: int = field(default=0, compare=False)
    """Where it began in all that was fed to the splitter, in code points."""


class _State(Enum):
    START = auto()
    REASONING = auto()
    ANSWER = auto()


def _held_chars(text: str, marker: str) -> int:
    """How many characters at the end of a text may be the beginning of a marker."""
    if marker[0] not in text[1 - len(marker) :]:
        return 0
    longest = min(len(text), len(marker) - 1)
    return next((n for n in range(longest, 0, -1) if marker.startswith(text[-n:])), 0)


def _half_mark(reasoning: str, marks: ThinkMarks | None) -> str:
    """The end of a reasoning that broke off which more text may still turn into a mark; "" = none."""
    if marks is None:
        return ""
    stripped = reasoning.lstrip()
    if marks.open.startswith(stripped) and stripped != marks.open:
        return reasoning
    return _half_close(reasoning, marks)


def _half_close(reasoning: str, marks: ThinkMarks | None) -> str:
    return "" if marks is None else reasoning[len(reasoning) - _held_chars(reasoning, marks.close) :]


class ThinkSplitter:
    """Holds back at most the beginning of a mark, and at the start the white space before one, until more comes."""

    def __init__(
        self, prompt_end: PromptEnd, marks: ThinkMarks | None, reasoning: str = "", written_chars: int = 0
    ) -> None:
        """No marks = the template has none, and all is answer.

        `reasoning` = what stands in the open block that the prompt ends with: half a mark at its end may become one,
        where none of it stands before `written_chars`: what the user wrote of a mark keeps it text.
        """
        begun = _half_close(reasoning[written_chars:], marks) if written_chars else _half_mark(reasoning, marks)
        self._open, self._close = (marks.open, marks.close) if marks is not None else ("", "")
        self._default = _State.REASONING if prompt_end.is_inside else _State.ANSWER
        is_begun = prompt_end in {PromptEnd.REASONING, PromptEnd.ANSWER} and not (begun and begun == reasoning)
        self._state = _State.ANSWER if marks is None else self._default if is_begun else _State.START
        self._held, self._known = begun, len(begun)
        self._fed = 0
        self.retracted = 0
        """How many characters at the end of `reasoning` were the beginning of a mark, and so no text."""

    @property
    def is_in_answer(self) -> bool:
        """Whether the think block is closed, or there is none so far."""
        return (self._default if self._state is _State.START else self._state) is _State.ANSWER

    @property
    def is_through(self) -> bool:
        """Whether all that comes is answer, whatever it says."""
        return self._state is _State.ANSWER

    def feed(self, text: str) -> list[Segment]:
        self._fed += len(text)
        if self._state is _State.ANSWER:
            return [Segment(ReplyPart.ANSWER, text, self._fed - len(text))] if text else []
        text = self._held + text
        self._held = ""
        if self._state is _State.START and not (text := self._begin(text)):
            return []
        start = self._fed - len(text)
        if self.is_in_answer:
            return [Segment(ReplyPart.ANSWER, text, start)]
        reasoning, marker, answer = text.partition(self._close)
        if marker:
            self._state = _State.ANSWER
        elif held := _held_chars(reasoning, self._close):
            reasoning, self._held = reasoning[:-held], reasoning[-held:]
        chars = len(reasoning)
        reasoning = self._without_known(reasoning)
        if marker:
            self._retract()
        found = [Segment(ReplyPart.REASONING, reasoning, start + chars - len(reasoning))] if reasoning else []
        return [*found, Segment(ReplyPart.ANSWER, answer, self._fed - len(answer))] if answer else found

    @property
    def held(self) -> Segment | None:
        """What is held back, as the text that it is where nothing follows; None = nothing is."""
        text = self._held[self._known :]
        part = ReplyPart.ANSWER if self.is_in_answer else ReplyPart.REASONING
        return Segment(part, text, self._fed - len(text)) if text else None

    def close(self) -> list[Segment]:
        """End the text: what was held back is text after all."""
        held, self._held, self._known = self.held, "", 0
        return [] if held is None else [held]

    def _without_known(self, text: str) -> str:
        known = min(self._known, len(text))
        self._known -= known
        return text[known:]

    def _retract(self) -> None:
        self.retracted, self._known = self.retracted + self._known, 0

    def _begin(self, text: str) -> str:
        """Drop an opening mark; "" = not enough to tell, or nothing behind it."""
        stripped = text.lstrip()
        if self._open.startswith(stripped) and stripped != self._open:
            self._held = text
            return ""
        if stripped.startswith(self._open):
            self._state = _State.REASONING
            self._retract()
            return stripped.removeprefix(self._open)
        self._state = self._default
        return text
