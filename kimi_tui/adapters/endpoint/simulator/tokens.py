"""A text in pieces about as long as a model's tokens, and where a stop sequence cuts it."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Sequence

_TOKEN = re.compile(r"\n+| ?[A-Za-z]{1,7}| {2,}| ?[0-9]{1,3}| ?[^\sA-Za-z0-9]{1,2}|\s")


def tokenise(text: str, mark: str) -> tuple[str, ...]:
    """Cut a text into pieces that join to exactly that text; a mark in it is a piece of its own, "" = there is none."""
    parts = re.split(f"({re.escape(mark)})", text) if mark else [text]
    return tuple(token for part in parts for token in ([part] if mark and part == mark else _TOKEN.findall(part)))


def logprob_of(token: str, place: int) -> float:
    """How likely a model might have found a token: most are all but certain, where words begin some are not."""
    chance = zlib.crc32(f"{place} {token}".encode()) / 2**32
    likely = 1 - chance ** (5 if token[:1] in {" ", "\n"} else 12)
    return round(math.log(max(likely, 0.004)), 4)


def stopped(text: str, stops: Sequence[str]) -> str:
    """Cut a text before the stop sequence that is complete first, as a generator that looks after each character."""
    ends = [(place + len(stop), place) for stop in stops if stop and (place := text.find(stop)) >= 0]
    if not ends:
        return text
    first_end = min(end for end, _ in ends)
    return text[: min(place for end, place in ends if end == first_end)]
