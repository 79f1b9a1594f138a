"""The open assistant turn that every prompt ends with: where the model goes on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, auto
from typing import Self

from kimi_tui.core.prompt.neutralise import NO_TEXT, PromptText, TextDoor
from kimi_tui.core.session.written import CONTENT, REASONING, WrittenRange, spans


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
        return self in {PromptEnd.THINKING, PromptEnd.REASONING}


@dataclass(frozen=True, slots=True)
class OpenTurn:
    reasoning: PromptText = NO_TEXT
    """Never holds the mark that closes its block."""
    is_closed: bool = False
    """Whether the think block is closed, as it always is where the template has no think marks."""
    answer: PromptText = NO_TEXT
    """Think marks in it are text."""

    def __post_init__(self) -> None:
        if self.answer and not self.is_closed:
            raise ValueError("an answer stands behind a closed think block")

    @classmethod
    def of(
        cls,
        door: TextDoor,
        *,
        is_closed: bool,
        reasoning: str = "",
        answer: str = "",
        written: Collection[WrittenRange] = (),
    ) -> Self:
        """Of the model's own, exact texts, some of which the user wrote.

        Raises ValueError for an answer behind a think block that is open.
        """
        is_closed = is_closed or door.template.think is None
        return cls(
            door.own_reasoning(reasoning, spans(written, REASONING, len(reasoning))),
            is_closed,
            door.own_answer(answer, spans(written, CONTENT, len(answer))),
        )

    @property
    def prompt_end(self) -> PromptEnd:
        if self.is_closed:
            return PromptEnd.ANSWER if self.reasoning or self.answer else PromptEnd.THOUGHT
        return PromptEnd.REASONING if self.reasoning else PromptEnd.THINKING
