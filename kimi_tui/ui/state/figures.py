"""What the status line tells of a turn, in forms of different length."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from enum import Enum, auto

from kimi_tui.core.text.dotted import dotted
from kimi_tui.ui.text import words


class Abbreviation(Enum):
    """What is left out where there is no room, the least missed first; how it goes is always told."""

    FIRST_WORD = auto()
    CONTEXT_WORD = auto()
    SIZE_WORDS = auto()
    METER = auto()
    COST_WORDS = auto()
    RATE_WORD = auto()
    FIRST = auto()
    SIZES = auto()
    COST = auto()
    RATE = auto()


ABBREVIATIONS = tuple(Abbreviation)


@dataclass(frozen=True, slots=True)
class Figures:
    """What the status line tells of a turn; None = not known."""

    state: str
    """What goes on, or how it ended, in few words."""
    rate: float | None = None
    """Tokens per second."""
    first_token_s: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    turn_usd: float | None = None
    session_usd: float | None = None
    is_estimated: bool = False
    """Whether the reply's tokens are an estimate, and so rate and cost: the endpoint has not counted all of them."""
    is_session_estimated: bool = False
    """Whether the session's cost lacks that of a request which nobody told."""

    def variants(self, glyph: str, context: str) -> tuple[tuple[str, str], ...]:
        """The line's left and right end, from the long form to the short one, each shorter by one thing.

        The glyph says whether a turn runs; `context` is the context meter.
        """
        steps = (frozenset(ABBREVIATIONS[:count]) for count in range(len(ABBREVIATIONS) + 1))
        return tuple((self._left(glyph, abbreviated), self._right(context, abbreviated)) for abbreviated in steps)

    def _left(self, glyph: str, abbreviated: Set[Abbreviation]) -> str:
        first, rate, mark = self.first_token_s, self.rate, "~" if self.is_estimated else ""
        parts = [self.state]
        if rate and Abbreviation.RATE not in abbreviated:
            parts.append(f"{mark}{rate:.0f}{'/s' if Abbreviation.RATE_WORD in abbreviated else ' tok/s'}")
        if first is not None and Abbreviation.FIRST not in abbreviated:
            parts.append(
                f"{'first' if Abbreviation.FIRST_WORD in abbreviated else 'first token'} {words.seconds(first)}"
            )
        if Abbreviation.SIZES not in abbreviated:
            long, short = sizes(self.input_tokens, self.output_tokens, mark)
            parts.append(short if Abbreviation.SIZE_WORDS in abbreviated else long)
        return f"{glyph} {dotted(*parts)}"

    def _right(self, context: str, abbreviated: Set[Abbreviation]) -> str:
        turn = cost_words(self.turn_usd, is_estimated=self.is_estimated)
        all_ = cost_words(self.session_usd, is_estimated=self.is_session_estimated)
        meter = context.partition(" ▕")[0] if Abbreviation.METER in abbreviated else context
        parts = [meter if Abbreviation.CONTEXT_WORD in abbreviated else f"context {meter}"]
        if Abbreviation.COST_WORDS not in abbreviated:
            parts += [turn and f"turn {turn}", all_ and f"session {all_}"]
        elif Abbreviation.COST not in abbreviated:
            parts.append("/".join(part for part in (turn, all_) if part))
        return dotted(*parts)


def sizes(input_tokens: int | None, output_tokens: int | None, mark: str) -> tuple[str, str]:
    """How many tokens went in and out, at length and in short; `mark` stands before those that came out."""
    ins = "" if input_tokens is None else words.count(input_tokens)
    outs = "" if output_tokens is None else f"{mark}{words.count(output_tokens)}"
    long = ", ".join(filter(None, (ins and f"{ins} in", outs and f"{outs} out")))
    return long, f"{ins}→{outs}" if ins and outs else long


def cost_words(cost_usd: float | None, *, is_estimated: bool) -> str:
    return "" if cost_usd is None else f"{'~' if is_estimated else ''}{words.dollars(cost_usd)}"
