"""A text in pieces about as long as a model's tokens, and where a stop sequence cuts it."""

from __future__ import annotations

import re
from collections.abc import Sequence

_TOKEN = re.compile(r"\n+| ?[A-Za-z]{1,7}| {2,}| ?[0-9]{1,3}| ?[^\sA-Za-z0-9]{1,2}|\s")


def tokenise(text: str, mark: str) -> tuple[str, ...]:
    """Cut a text into pieces that join to exactly that text; a mark in it is a piece of its own, "" = there is none."""
    parts = re.split(f"({re.escape(mark)})", text) if mark else [text]
    return tuple(token for part in parts for token in ([part] if mark and part == mark else _TOKEN.findall(part)))


def stopped(text: str, stops: Sequence[str]) -> str:
    """Cut a text before the stop sequence that is complete first, as a generator that looks after each character."""
    ends = [(place + len(stop), place) for stop in stops if stop and (place := text.find(stop)) >= 0]
    if not ends:
        return text
    first_end = min(end for end, _ in ends)
    return text[: min(place for end, place in ends if end == first_end)]
