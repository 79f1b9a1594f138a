"""What the status line tells of a turn, in forms of different length."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kimi_tui.ui import words


@dataclass(frozen=True, slots=True)
class Figures:
    """What the status line tells of a turn; None = not known."""

    state: str
    """What goes on, or how it ended, in few words."""
    rate: float | None = None
    """Tokens per second."""
    first_token_s: float | None = None
    """Time to the first token, in seconds."""
    input_tokens: int | None = None
    """Tokens of the prompt."""
    output_tokens: int | None = None
    """Tokens of the reply, so far."""
    turn_usd: float | None = None
    """Cost of the turn."""
    session_usd: float | None = None
    """Cost of the session."""
    is_estimated: bool = False
    """Whether the reply's tokens are an estimate, and so the rate: the endpoint has not counted them."""

    def variants(self, glyph: str, context: str) -> tuple[tuple[str, str], ...]:
        """Write the line's left and right end, from the long form to the short one.

        Args:
            glyph: Whether a turn runs.
            context: The context meter.
        """
        first, rate, mark = self.first_token_s, self.rate, "~" if self.is_estimated else ""
        ins, outs = _count(self.input_tokens), _count(self.output_tokens, mark)
        turn, all_ = _dollars(self.turn_usd), _dollars(self.session_usd)
        speed = f"{mark}{rate:.0f} tok/s" if rate else ""
        sizes = f"{ins}→{outs}" if ins or outs else ""
        long = (
            self.state,
            speed,
            f"first token {words.seconds(first)}" if first is not None else "",
            ", ".join(part for part in (ins and f"{ins} in", outs and f"{outs} out") if part),
        )
        short = (speed or self.state, f"first {words.seconds(first)}" if first is not None else "", sizes)
        tiny = (f"{mark}{rate:.0f}/s" if rate else self.state, words.seconds(first) if first is not None else "", sizes)
        cost = "/".join(part for part in (turn, all_) if part)
        return (
            (_joined(glyph, long), _dotted(f"context {context}", turn and f"turn {turn}", all_ and f"session {all_}")),
            (_joined(glyph, (self.state, *short)) if speed else _joined(glyph, short), _dotted(context, cost)),
            (_joined(glyph, short), _dotted(context, cost)),
            (_joined(glyph, tiny), _dotted(context.partition(" ")[0], cost)),
            (_joined(glyph, tiny[:1]), context.partition(" ")[0]),
        )


def _count(tokens: int | None, mark: str = "") -> str:
    return "" if tokens is None else f"{mark}{words.count(tokens)}"


def _dollars(cost_usd: float | None) -> str:
    return "" if cost_usd is None else words.dollars(cost_usd)


def _dotted(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _joined(glyph: str, parts: Iterable[str]) -> str:
    return f"{glyph} {_dotted(*parts)}"
