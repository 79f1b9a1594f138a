"""Splitting the text of a completion into reasoning and answer, wherever it was cut.

Three states:

    START      inside the think block, nothing but white space seen: one echoed `<think>` is dropped together with the
               white space before it; anything else is reasoning, that white space included
    REASONING  up to the first `</think>`; a second `<think>` is text
    ANSWER     everything, verbatim, further markers too

A text that is asked for outside a think block (instant mode) is ANSWER from the beginning. A marker that never
closes leaves all as reasoning. At the end of the text a half marker is text.
Source: measured behaviour of the endpoint; API reference, "Input format" (the prompt opens the block).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from kimi_tui.core.replies import ReplyPart
from kimi_tui.core.template import THINK_CLOSE, THINK_OPEN


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of one of the two texts."""

    part: ReplyPart
    """Which text."""
    text: str
    """The piece, never empty."""


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


class ThinkSplitter:
    """Splits text piece by piece.

    Holds back at most the beginning of a marker (7 characters), and at the start the white space before one; both come
    out with a later `feed` or with `close`.
    """

    def __init__(self, *, inside: bool) -> None:
        """Begin inside the think block, or in the answer."""
        self._state = _State.START if inside else _State.ANSWER
        self._held = ""

    @property
    def is_in_answer(self) -> bool:
        """Whether the think block is closed, or there was none."""
        return self._state is _State.ANSWER

    def feed(self, text: str) -> list[Segment]:
        """Take text and give out what is certain."""
        if self._state is _State.ANSWER:
            return [Segment(ReplyPart.ANSWER, text)] if text else []
        text = self._held + text
        self._held = ""
        if self._state is _State.START and not (text := self._begin(text)):
            return []
        reasoning, marker, answer = text.partition(THINK_CLOSE)
        if marker:
            self._state = _State.ANSWER
        elif held := _held_chars(reasoning, THINK_CLOSE):
            reasoning, self._held = reasoning[:-held], reasoning[-held:]
        pairs = ((ReplyPart.REASONING, reasoning), (ReplyPart.ANSWER, answer))
        return [Segment(part, piece) for part, piece in pairs if piece]

    def close(self) -> list[Segment]:
        """End the text: what was held back is text after all."""
        held, self._held = self._held, ""
        return [Segment(ReplyPart.REASONING, held)] if held else []

    def _begin(self, text: str) -> str:
        """Drop an echoed opening marker; "" = not enough to tell."""
        stripped = text.lstrip()
        if THINK_OPEN.startswith(stripped) and stripped != THINK_OPEN:
            self._held = text
            return ""
        self._state = _State.REASONING
        return stripped.removeprefix(THINK_OPEN) if stripped.startswith(THINK_OPEN) else text
