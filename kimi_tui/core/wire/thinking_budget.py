"""How much a reply may think: a number of tokens or of seconds, as people write it."""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_TOKENS, MAX_SECONDS = 1_000_000, 86_400
ALLOWED = f"off, tokens up to {MAX_TOKENS} such as 500, or seconds up to {MAX_SECONDS} such as 20s"
OFF = "off"
_WRITTEN = re.compile(r"([0-9]{1,7})|([0-9]{1,5}(?:\.[0-9]{1,3})?) ?s")


class Budget(NamedTuple):
    """None = as much as the model wants."""

    tokens: int | None = None
    """Received inside the think block, ≥ 0; with 0 it is closed at once."""
    seconds: float | None = None
    """Since the first token inside it, > 0."""

    def __str__(self) -> str:
        if self.tokens is not None:
            return f"{self.tokens} tok"
        return OFF if self.seconds is None else f"{self.seconds:g} s"


NO_BUDGET = Budget()


def parse_budget(text: str) -> Budget:
    """Read "500", "20s" or "off"; raises ValueError for anything else."""
    if text == OFF:
        return NO_BUDGET
    written = _WRITTEN.fullmatch(text)
    if written is None:
        raise ValueError(text)
    if written[1] is not None and int(written[1]) <= MAX_TOKENS:
        return Budget(tokens=int(written[1]))
    if written[2] is not None and 0 < float(written[2]) <= MAX_SECONDS:
        return Budget(seconds=float(written[2]))
    raise ValueError(text)


def is_budget(text: str) -> bool:
    try:
        parse_budget(text)
    except ValueError:
        return False
    return True
