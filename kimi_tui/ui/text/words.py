"""Figures as people read them, in the few forms that the screen uses."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from kimi_tui.core.session.session import Timing
from kimi_tui.core.text.dotted import dotted
from kimi_tui.core.wire.thinking_budget import NO_BUDGET, Budget

if TYPE_CHECKING:  # the name of a type only: the first frame needs no turn
    from kimi_tui.core.wire.turn_events import Retrying


def seconds(value: float) -> str:
    """Write a duration in seconds: "0.8 s", "75.0 s" stays below two minutes, then "2 min 5 s"."""
    if value < 120:
        return f"{value:.1f} s"
    return f"{int(value) // 60} min {int(value) % 60} s"


def count(value: int) -> str:
    """Write a number of tokens: "840", "12.3k", "256k"."""
    if value < 1000:
        return str(value)
    thousands = value / 1000 if value < 200_000 else value / 1024
    return f"{thousands:.1f}k" if thousands < 100 else f"{thousands:.0f}k"


def dollars(value: float) -> str:
    """Write a cost in US dollars with the digits that say something."""
    return f"${value:.4f}" if value < 0.01 else f"${value:.3f}" if value < 1 else f"${value:.2f}"


ANSWER_NOW = "answer now"
"""What a click on these words does, on the line that says that it is thinking."""


NOTHING_BEFORE = (0.0, 0)
"""Seconds and tokens that were thought before a turn."""


def thought_label(
    thinking_s: float | None,
    tokens: int | None,
    *,
    is_running: bool = False,
    is_estimated: bool = False,
    budget: Budget = NO_BUDGET,
    ended_by: str = "",
    before: tuple[float, int] = NOTHING_BEFORE,
) -> str:
    """Write the one line of a folded think block, such as "Thought for 12.4 s · 840 tok".

    While it runs, what it has of its `budget` is told, which is for this turn alone; `before` = the seconds and tokens
    of turns before, which are among the figures. `ended_by` = who ended it besides the model, "" = nobody.
    """
    verb, mark = "Thinking" if is_running else "Thought", "~" if is_estimated else ""
    holds = budget if is_running and before == NOTHING_BEFORE else NO_BUDGET
    most_s = f" of {holds.seconds:g} s" if holds.seconds else ""
    parts = [f"{verb} for {seconds(thinking_s)}{most_s}" if thinking_s is not None else verb]
    if tokens:
        most = f" of {count(holds.tokens)}" if holds.tokens else ""
        parts.append(f"{mark}{count(tokens)}{most} tok")
    if is_running and NO_BUDGET != budget != holds:
        parts.append(_in_this_turn((thinking_s or 0.0) - before[0], (tokens or 0) - before[1], budget))
    return dotted(*parts, ended_by)


def _in_this_turn(thinking_s: float, tokens: int, budget: Budget) -> str:
    """How much of a budget was used, where the figures tell of more."""
    used = f"{count(tokens)} of {budget.tokens}" if budget.tokens else f"{seconds(thinking_s)} of {budget.seconds:g} s"
    return f"{used} in this turn"


def with_answer_now(label: str) -> str:
    """Put the words to click on into the label of a thinking that runs, where its figures do not move them."""
    verb, _, figures = label.partition(" for ")
    return dotted(verb, ANSWER_NOW, figures)


def rate(tokens: int, elapsed_s: float) -> float | None:
    """Tokens per second, None while too little has come to tell."""
    return tokens / elapsed_s if tokens > 1 and elapsed_s > 0.2 else None


def rate_of(tokens: int | None, timing: Timing) -> float | None:
    if tokens is None or timing.total_s is None or timing.first_token_s is None:
        return None
    return rate(tokens, timing.total_s - timing.first_token_s)


def retrying(event: Retrying, left_s: float) -> str:
    """Say that another attempt follows, and why: where there is no room, the reason is cut."""
    return f"attempt {event.attempt} of {event.attempts} in {math.ceil(left_s)} s · {event.error.summary}"
