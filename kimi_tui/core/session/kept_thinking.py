"""Of how many earlier turns the thinking is sent along: of none, of the last n, or of all."""

from __future__ import annotations

from typing import Literal

KeptThinking = int | Literal["all"]
"""A number of turns, counted from the last one that is sent back."""
ALL: Literal["all"] = "all"
MAX_TURNS = 1_000_000
ALLOWED = '0 for none, a whole number of turns such as 2, or "all"'
WORDS = {"none": 0, "off": 0, ALL: ALL}
"""What may be typed beside a number."""


def as_kept_thinking(value: object) -> KeptThinking | None:
    """Read it as a file says it; None = it is none."""
    if value == ALL:
        return ALL
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and isinstance(value, int) and 0 <= value <= MAX_TURNS else None


def parse_kept_thinking(text: str) -> KeptThinking:
    """Read it as people type it; raises ValueError for anything else."""
    word = text.strip().lower()
    known = WORDS.get(word)
    number = int(word) if known is None and word.isascii() and word.isdigit() and len(word) < 8 else None
    found = as_kept_thinking(known if known is not None else number)
    if found is None:
        raise ValueError(text)
    return found


def first_kept(turns: int, kept: KeptThinking) -> int:
    """The place of the first turn, of so many, whose thinking is sent along; `turns` = none is."""
    return 0 if kept == ALL else max(turns - int(kept), 0)


def kept_words(kept: KeptThinking) -> str:
    """Whose thinking it is, behind "the thinking of"."""
    if kept == ALL:
        return "all earlier turns"
    return {0: "no earlier turn", 1: "the last turn"}.get(int(kept), f"the last {kept} turns")
