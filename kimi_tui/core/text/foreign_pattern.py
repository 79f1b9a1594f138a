"""Patterns of others: they are compiled to find mistakes, where that is soon done, and never run on a text.

A pattern can take for ever on a text of thirty characters; to compile one costs what its classes cost, 6 ms each where
they go beyond ASCII.
"""

from __future__ import annotations

import re
import warnings

MAX_CHARS = 1000
MAX_CLASSES = 20
"""Most classes of a pattern that may hold characters beyond ASCII."""


class PatternError(ValueError):
    """Says what Python finds wrong with a pattern, and where, counted from 1."""


def is_soon_compiled(pattern: str) -> bool:
    """Whether it takes no more than some tenths of a second."""
    is_ascii = pattern.isascii() and not re.search(r"\\[xuUN]", pattern)
    return len(pattern) <= MAX_CHARS and (is_ascii or pattern.count("[") <= MAX_CLASSES)


def pattern_mistake(pattern: str) -> str:
    """What Python finds wrong with a pattern, and where; "" = nothing, or it is too large to look."""
    if not is_soon_compiled(pattern):
        return ""
    try:
        compiled(pattern)
    except PatternError as error:
        return str(error)
    return ""


def compiled(pattern: str) -> re.Pattern[str]:
    """Raises PatternError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a pattern may mean one day is of no concern
            return re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        place = getattr(error, "pos", None)
        where = f" at character {place + 1}" if isinstance(place, int) else ""
        raise PatternError(f"{getattr(error, 'msg', 'too large')}{where}") from None
