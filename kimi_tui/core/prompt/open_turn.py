"""The open assistant turn that every prompt ends with: where the model goes on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Self

from kimi_tui.core.prompt.neutralise import NO_TEXT, PromptText, TextDoor


class PromptEnd(Enum):
    """Where a prompt ended, and so where the text that answers it begins."""

    THINKING = auto()
    """At the beginning of the think block."""
    REASONING = auto()
    """In the midst of the reasoning."""
    THOUGHT = auto()
    """Behind an empty think block, or where there is none: nobody has thought so far."""
    ANSWER = auto()
    """Behind a think block that was thought, or in the midst of an answer."""

    @property
    def is_inside(self) -> bool:
        """Whether the think block is still open."""
        return self in {PromptEnd.THINKING, PromptEnd.REASONING}


@dataclass(frozen=True, slots=True)
class OpenTurn:
    """What the assistant has said so far in the turn that it goes on with."""

    reasoning: PromptText = NO_TEXT
    """Reasoning so far; never holds the mark that closes its block."""
    is_closed: bool = False
    """Whether the think block is closed, as it always is where the template has no think marks."""
    answer: PromptText = NO_TEXT
    """Answer so far, behind the closed think block; think marks in it are text."""

    def __post_init__(self) -> None:
        """Refuse what no prompt can say.

        Raises:
            ValueError: There is an answer, but the think block is not closed.
        """
        if self.answer and not self.is_closed:
            raise ValueError("an answer stands behind a closed think block")

    @classmethod
    def of(cls, door: TextDoor, *, is_closed: bool, reasoning: str = "", answer: str = "") -> Self:
        """Make it of the model's own texts.

        Args:
            door: How texts get into the prompt.
            is_closed: Whether the think block is closed; where the template has none it counts as closed.
            reasoning: Reasoning so far, exactly.
            answer: Answer so far, exactly.

        Raises:
            ValueError: There is an answer, but the think block is not closed.
        """
        is_closed = is_closed or door.template.think is None
        return cls(door.own_reasoning(reasoning), is_closed, door.own_answer(answer))

    @property
    def prompt_end(self) -> PromptEnd:
        """Where a prompt with this turn ends."""
        if self.is_closed:
            return PromptEnd.ANSWER if self.reasoning or self.answer else PromptEnd.THOUGHT
        return PromptEnd.REASONING if self.reasoning else PromptEnd.THINKING
